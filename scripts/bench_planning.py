"""What it costs to plan the benchmark's recordings before the GPU works.

    python scripts/bench_planning.py [--families qwen3_vl,internvl] [--recordings 113]

Plans 64 frames of 1920x1080 for each of 113 recordings of different lengths, with two overview
images of 2000x2000, with the processor of each family under the pixel budgets of its released
checkpoints. Each family runs in a process of its own. Prints CPU-seconds and peak memory, imports
included; exits with 1 above 60 s or 1 GB.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "inference"))

MOST_SECONDS = 60.0
MOST_GB = 1.0
FRAMES = 64
RATE = 25
RELEASED: dict[str, dict[str, Any]] = {  # image and video size of released processors
    "qwen2_vl": {"edges": (3136, 12845056), "video": (3136, 12845056)},
    "qwen2_5_vl": {"edges": (3136, 12845056), "video": (3136, 12845056)},
    "qwen3_vl": {"edges": (65536, 16777216), "video": (4096, 25165824)},
    "qwen3_vl_moe": {"edges": (65536, 16777216), "video": (4096, 25165824)},
    "qwen3_5": {"edges": (65536, 16777216), "video": (4096, 25165824)},
    "glm4v": {"edges": (12544, 9633792), "video": (12544, 47040000)},
    "glm4v_moe": {"edges": (12544, 9633792), "video": (12544, 47040000)},
    "glm46v": {"edges": (12544, 9633792), "video": (12544, 100352000)},
}


def with_released_budgets(family: str, folder: Path) -> None:
    """Give the processor of a tiny checkpoint the pixel budgets of the released one."""
    sizes = RELEASED.get(family)
    if sizes is None:
        return
    path = folder / "processor_config.json"
    settings = json.loads(path.read_text())
    for part, key in (("image_processor", "edges"), ("video_processor", "video")):
        shortest, longest = sizes[key]
        settings[part]["size"] = {"shortest_edge": shortest, "longest_edge": longest}
        settings[part].pop("cap_pixels_per_frame", None)
    path.write_text(json.dumps(settings))


def plan(family: str, number: int) -> dict[str, object]:
    """Plan all recordings in this process. Return what it cost."""
    import tiny_models
    from PIL import Image

    from iwr.config import load_config
    from iwr.inference.tokens import TokenCounter
    from iwr.tasks.recordings import Recording

    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        folder = tiny_models.build(family, root)
        with_released_budgets(family, folder)
        sheet = root / "sheet.png"
        Image.new("RGB", (2000, 2000), "white").save(sheet)
        settings = [f"model={tiny_models.CONFIGS[family]}", f"model.path={folder}"]
        _, (model,) = load_config(settings)
        counter = TokenCounter(model)
        start = time.process_time()
        for index in range(number):
            recording = Recording(FRAMES * RATE + index, RATE, 1920, 1080)
            found = counter.plan(recording, FRAMES, [sheet, sheet], "Write the page.")
        seconds = time.process_time() - start
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "family": family,
        "video_tokens": found.video_tokens,
        "planning_seconds": round(seconds, 1),
        "seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "gb": round(usage.ru_maxrss / 1e6, 2),
    }


def main() -> int:
    import tiny_models

    parser = argparse.ArgumentParser()
    parser.add_argument("--families", default=",".join(tiny_models.CONFIGS))
    parser.add_argument("--recordings", type=int, default=113)
    parser.add_argument("--alone", help=argparse.SUPPRESS)  # one family, in this process
    options = parser.parse_args()
    if options.alone:
        print(json.dumps(plan(options.alone, options.recordings)))
        return 0
    print(f"{'family':16} {'video tokens':>12} {'planning, s':>12} {'process, s':>11} {'GB':>5}")
    is_cheap = True
    for family in options.families.split(","):
        words = [sys.executable, __file__, "--alone", family]
        words += ["--recordings", str(options.recordings)]
        done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
        row = json.loads(done.stdout.splitlines()[-1])
        tokens, seconds, gb = row["video_tokens"], row["seconds"], row["gb"]
        print(
            f"{family:16} {tokens:12} {row['planning_seconds']:12} {seconds:11} {gb:5}", flush=True
        )
        is_cheap = is_cheap and seconds <= MOST_SECONDS and gb <= MOST_GB
    return 0 if is_cheap else 1


if __name__ == "__main__":
    sys.exit(main())
