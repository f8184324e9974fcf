#!/usr/bin/env bash
# Format, style, types, shell scripts, direction of imports. The same parts run before each commit: .pre-commit-config.yaml.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh --dev
.venv/bin/ruff format --check .
.venv/bin/ruff check .
.venv/bin/mypy
.venv/bin/shellcheck scripts/*.sh
.venv/bin/python -m pytest tests/test_imports.py
