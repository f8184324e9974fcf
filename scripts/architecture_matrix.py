"""The architecture matrix: for each family a tiny random checkpoint, served from our own config, watches recordings.

    python scripts/architecture_matrix.py [--families demo,qwen3_vl,internvl] [--quick] [--json FILE]

Each family answers 12 recordings (0.4, 3, 10 and 90 s at 10, 25 and 59.94 frames a second; --quick: 2), and the audit
must find the planned frames in every one. Prints a table; exits with 1 when a family fails.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "inference"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import recordings
import tiny_models

from iwr import progress
from iwr.config import load_config
from iwr.errors import IwrError
from iwr.inference.generate import generate
from iwr.records import Generation, Task
from iwr.runs.files import read_record
from iwr.runs.paths import RunPaths

LENGTHS, RATES = (0.4, 3, 10, 90), (10, 25, Fraction(60000, 1001))
TINY = [
    "model.gpus=1",
    "model.max_tokens=8",
    "server.in_flight=4",
    "server.restarts=0",
    "run.on_change=overwrite",
]
OWN = {
    "llava_onevision": ["server.in_flight=1"]
}  # vLLM 0.32 dies of two recordings of different lengths in one step


def tasks(root: Path, quick: bool) -> list[Task]:
    """Recordings of all lengths and rates; some have an odd number of frames."""
    chosen = (
        [(0.4, 25), (3, 10)]
        if quick
        else [(seconds, rate) for seconds in LENGTHS for rate in RATES]
    )
    return [
        recordings.task(root, f"s{seconds}-r{float(rate):.0f}", seconds, rate, size=(160, 96))
        for seconds, rate in chosen
    ]


def settings(family: str, models: Path) -> list[str]:
    """The config that serves the family, with a tiny checkpoint; `demo` is the model of the package, as it is."""
    if family == "demo":
        return ["model=demo"]
    return [
        f"model={tiny_models.CONFIGS[family]}",
        f"model.path={tiny_models.build(family, models)}",
        "model.context=16384",
    ]


def row(family: str, models: Path, todo: list[Task], root: Path) -> dict[str, object]:
    """One line of the table."""
    config, (model,) = load_config([*settings(family, models), *TINY, *OWN.get(family, [])])
    paths = RunPaths.of(root, family)
    started, problem = time.monotonic(), ""
    try:
        generate(todo, model, config, paths, progress.silent)
    except IwrError as error:
        problem = str(error)
    records = [read_record(paths.task(model.name, task.id).generation, Generation) for task in todo]
    audited = [
        record
        for record in records
        if record and record.frames and record.frames.delivered == record.frames.planned
    ]
    failed = [record.reason for record in records if record and record.status == "failed"]
    return {
        "family": family,
        "config": model.name,
        "engine": model.kind,
        "video": model.video,
        "recordings": len(todo),
        "audited": len(audited),
        "passed": len(audited) == len(todo),
        "seconds": round(time.monotonic() - started),
        "problem": problem or "; ".join(map(str, failed[:1])),
    }


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--families", default=",".join(["demo", *tiny_models.CONFIGS]))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--models", type=Path, help="keep checkpoints here")
    parser.add_argument("--runs", type=Path, help="keep recordings, answers and logs here")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = options.runs or Path(folder)
        todo = tasks(root, options.quick)
        rows = []
        print(f"{'family':16} {'config':24} {'engine':13} {'video':7} audited     s  passed")
        for family in options.families.split(","):
            rows.append(found := row(family, options.models or root / "models", todo, root))
            counts = f"{found['audited']:>3}/{found['recordings']:<3}"
            what = f"{family:16} {found['config']:24} {found['engine']:13} {found['video']:7}"
            print(f"{what} {counts} {found['seconds']:>5}  {found['passed']}", flush=True)
            if found["problem"]:
                print(f"    {str(found['problem'])[:1000]}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    return 0 if all(found["passed"] for found in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
