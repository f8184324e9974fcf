#!/usr/bin/env bash
# The whole job on the bundled samples, without a GPU: four models, real vLLM, real Chromium, a report.
#   scripts/demo.sh [settings]      e.g. run.name=mine
set -euo pipefail
cd "$(dirname "$0")/.."
echo "demo: sets up .venv, Chromium and fonts, then evaluates oracle, demo, screenshot and blank on the samples"
scripts/setup.sh
.venv/bin/iwr run 'models=[oracle,demo,screenshot,blank]' data=samples judge=rules protocol=offline run.name=demo "$@"
