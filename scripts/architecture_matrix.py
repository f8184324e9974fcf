"""The architecture matrix: a tiny random checkpoint of each family watches recordings.

    python scripts/architecture_matrix.py [--families demo,qwen3_vl,internvl] [--quick] [--json F]

Each family is served from its own config and answers 12 recordings (0.4, 3, 10 and 90 s at 10, 25
and 59.94 frames a second; --quick: 2), and the audit must find the planned frames in every one.
Prints a table; exits with 1 when a family fails.
"""

from __future__ import annotations

import argparse
import itertools
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

LENGTHS = (0.4, 3, 10, 90)
RATES = (10, 25, Fraction(60000, 1001))
TINY = [
    "model.gpus=1",
    "model.max_tokens=8",
    "server.in_flight=4",
    "server.restarts=0",
    "run.on_change=overwrite",
]
# vLLM 0.32 dies of two recordings of different lengths in one step
OWN = {"llava_onevision": ["server.in_flight=1"]}


def tasks(root: Path, quick: bool) -> list[Task]:
    """Return recordings of all lengths and rates; some have an odd number of frames."""
    cases: list[tuple[float, float | Fraction]] = [(0.4, 25), (3, 10)]
    if not quick:
        cases = list(itertools.product(LENGTHS, RATES))
    samples = []
    for seconds, rate in cases:
        name = f"s{seconds}-r{float(rate):.0f}"
        samples.append(recordings.task(root, name, seconds, rate, size=(160, 96)))
    return samples


def settings(family: str, models: Path) -> list[str]:
    """Return the config that serves the family, with a tiny checkpoint.

    `demo` is the model of the package, as it is.
    """
    if family == "demo":
        return ["model=demo"]
    return [
        f"model={tiny_models.CONFIGS[family]}",
        f"model.path={tiny_models.build(family, models)}",
        "model.context=16384",
    ]


def row(family: str, models: Path, samples: list[Task], root: Path) -> dict[str, object]:
    """Return one line of the table."""
    config, (model,) = load_config([*settings(family, models), *TINY, *OWN.get(family, [])])
    paths = RunPaths.of(root, family)
    start = time.monotonic()
    problem = ""
    try:
        generate(samples, model, config, paths, progress.silent)
    except IwrError as error:
        problem = str(error)
    audited = 0
    for task in samples:
        record = read_record(paths.task(model.name, task.id).generation, Generation)
        if record and record.status == "failed" and not problem:
            problem = str(record.reason)
        if record and record.frames and record.frames.delivered == record.frames.planned:
            audited += 1
    return {
        "family": family,
        "config": model.name,
        "engine": model.kind,
        "video": model.video,
        "recordings": len(samples),
        "audited": audited,
        "passed": audited == len(samples),
        "seconds": round(time.monotonic() - start),
        "problem": problem,
    }


def line(cells: dict[str, object]) -> str:
    """Return one line of the table as text."""
    counts = f"{cells['audited']:>3}/{cells['recordings']:<3}"
    names = f"{cells['family']:16} {cells['config']:24} {cells['engine']:13} {cells['video']:7}"
    return f"{names} {counts} {cells['seconds']:>5}  {cells['passed']}"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--families", default=",".join(["demo", *tiny_models.CONFIGS]))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--models", type=Path, help="keep checkpoints here")
    parser.add_argument("--runs", type=Path, help="keep recordings, answers and logs here")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        root = options.runs or Path(folder)
        models = options.models or root / "models"
        samples = tasks(root, options.quick)
        print(f"{'family':16} {'config':24} {'engine':13} {'video':7} audited     s  passed")
        for family in options.families.split(","):
            cells = row(family, models, samples, root)
            rows.append(cells)
            print(line(cells), flush=True)
            if cells["problem"]:
                print(f"    {str(cells['problem'])[:1000]}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    return 0 if all(cells["passed"] for cells in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
