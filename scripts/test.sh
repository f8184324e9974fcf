#!/usr/bin/env bash
# All tests, with the set-up they need: real vLLM on the processor, real Chromium. No GPU and no network is used.
# Two processes share the files of tests: much of their time is waiting.
#   scripts/test.sh [pytest options]      e.g. -m "not vllm", tests/scores
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh --dev
.venv/bin/python -m pytest --numprocesses 2 --dist loadfile "$@"
