"""Build the bundled samples: `python scripts/build_samples.py [--force | --contracts] [id …]`.

Draws the assets, then records each task whose recording is missing or whose page now looks
different at a checkpoint.
A recording is real time, so its bytes differ each time: one that still fits is kept, unless --force
is given. --contracts writes only the contracts, from the pages and scripts.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from iwr.tasks.load import load
from iwr.tasks.recorder.data_line import write_line
from iwr.tasks.recorder.record import checkpoints, record_contract, record_task
from iwr.tasks.recorder.script_file import read_script

ROOT = Path(__file__).resolve().parent.parent / "iwr" / "tasks" / "samples"
sys.path.insert(0, str(Path(__file__).parent / "samples_src"))


def main() -> None:
    from draw_assets import SITES, draw_all

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ids", nargs="*", metavar="id", help=f"default: all of {', '.join(SITES)}")
    parser.add_argument("--force", action="store_true", help="record again even what still fits")
    parser.add_argument("--contracts", action="store_true", help="write only contract.json")
    options = parser.parse_args()
    if options.contracts:
        for task in options.ids or SITES:
            print(f"{task}: {record_contract(ROOT / 'data' / task)}")
        return
    draw_all(ROOT / "data")
    for task in options.ids or SITES:
        folder = ROOT / "data" / task
        script = folder / "script.yaml"
        if fits(folder, script) and not options.force:
            (loaded,) = load(ROOT, [task]).tasks
            write_line(ROOT, task, read_script(script), loaded.environment or "")
            print(f"{task}: unchanged")
        else:
            record_task(folder, script, ROOT, task)
            print(f"{task}: recorded")


def fits(folder: Path, script: Path) -> bool:
    """Whether the recording is there and its checkpoints are what the page shows today."""
    shipped = sorted((folder / "checkpoints").glob("step_*.png"))
    if not (folder / "video.mp4").is_file() or not (folder / "stitched_assets").is_dir():
        return False
    return [file.read_bytes() for file in shipped] == checkpoints(
        folder / "page" / "index.html", folder / "assets", script
    )


if __name__ == "__main__":
    main()
