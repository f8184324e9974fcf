#!/usr/bin/env bash
# The whole job on the bundled samples, without a GPU: the judge is tested, then four models, real vLLM, real Chromium, a report.
#   scripts/demo.sh [settings]      e.g. run.name=mine
set -euo pipefail
cd "$(dirname "$0")/.."
echo "demo: sets up .venv, Chromium and fonts, tests the judge, then evaluates oracle, demo, screenshot and blank on the samples"
scripts/setup.sh
settings=('models=[oracle,demo,screenshot,blank]' data=samples judge=contract protocol=offline run.name=demo "$@")
.venv/bin/iwr selftest "${settings[@]}"
.venv/bin/iwr run "${settings[@]}"
