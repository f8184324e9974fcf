#!/usr/bin/env bash
# Style, types and shell scripts.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh --dev
.venv/bin/ruff check .
.venv/bin/mypy
.venv/bin/shellcheck scripts/*.sh
