"""Measure the metrics stage against a plain loop.

The screenshots are synthetic, the networks of real size with random weights.

    python scripts/bench_metrics.py                     everything, about 10 minutes on two cores
    python scripts/bench_metrics.py --part speed --screenshots 40

Parts, each with its target; the exit code is 1 when one is missed:

    speed    one pass over all models against a loop that calls open_clip, lpips and dino for each
             pair, both with loading: at least 2x, and equal numbers. A tenth of the screenshots
             are references, nine models are compared with them, one of which is the oracle (its
             pages look like the references).
    second   a second model on the same tasks against the first: at most 0.55 of the time
    memory   peak memory with four times the tasks: at most 1.1 of the peak
    encoder  images a second of the stage with CLIP against its encoder alone on batches in memory:
             at least 0.7 (required on a GPU; printed elsewhere)
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from iwr.metrics.compare import compare

Pairs = list[tuple[Path, Path]]
MODELS = 9
CLIP_CONFIG = {
    "model_cfg": {
        "embed_dim": 512,
        "quick_gelu": True,
        "vision_cfg": {"image_size": 224, "layers": 12, "width": 768, "patch_size": 32},
        "text_cfg": {
            "context_length": 77,
            "vocab_size": 49408,
            "width": 512,
            "heads": 8,
            "layers": 12,
        },
    },
    "preprocess_cfg": {"resize_mode": "shortest"},
}


# ---- screenshots and networks -------------------------------------------------------------------


def screenshot(folder: Path, task: int, model: int) -> Path:
    """Return a page of 1280x720 with cards and text.

    Models differ in colours and words; model 0 is the reference.
    """
    file = folder / f"{model}" / f"{task}.png"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        image = Image.new("RGB", (1280, 720), "white")
        pen, font = ImageDraw.Draw(image), ImageFont.load_default(18)
        for i in range(24):
            x = 20 + i % 6 * 205
            y = 20 + i // 6 * 170
            shade = (task * 37 + model * 11 + i * 5) % 200
            pen.rectangle(
                (x, y, x + 190, y + 150),
                fill=(shade, 255 - shade, 120 + (model * 13 + i) % 100),
                outline="black",
            )
            pen.text(
                (x + 10, y + 10),
                f"Task {task} card {i}\ndrawn by {model}",
                font=font,
                fill="black",
            )
        image.save(file)
    return file


def pairs(folder: Path, tasks: int, model: int) -> Pairs:
    return [(screenshot(folder, task, 0), screenshot(folder, task, model)) for task in range(tasks)]


def save_networks(folder: Path) -> dict[str, dict[str, Any]]:
    """Save random weights of ViT-B/32, DINOv2 base and AlexNet; return the metrics' settings."""
    import open_clip
    import torch
    import torchvision
    from safetensors.torch import save_file
    from transformers import BitImageProcessorPil, Dinov2Config, Dinov2Model

    torch.manual_seed(0)
    clip, dino, alexnet = folder / "clip", folder / "dino", folder / "alexnet.pth"
    if not alexnet.exists():
        clip.mkdir(parents=True)
        (clip / "open_clip_config.json").write_text(json.dumps(CLIP_CONFIG))
        save_file(
            open_clip.CLIP(**CLIP_CONFIG["model_cfg"]).state_dict(),
            clip / "open_clip_model.safetensors",
        )
        Dinov2Model(Dinov2Config(image_size=518, patch_size=14)).save_pretrained(dino)
        processor = BitImageProcessorPil(
            size={"shortest_edge": 256},
            image_mean=[0.485, 0.456, 0.406],
            image_std=[0.229, 0.224, 0.225],
        )
        processor.save_pretrained(dino)
        torch.save(torchvision.models.alexnet(weights=None).state_dict(), alexnet)
    return {
        "clip": {"path": str(clip), "view": "shortest"},
        "dino": {"path": str(dino)},
        "lpips": {"path": str(alexnet)},
    }


def plain_loop(work: Pairs, settings: dict[str, dict[str, Any]]) -> list[dict[str, float]]:
    """Compute everything for each pair, one after another, as a script without iwr would."""
    import lpips
    import numpy as np
    import open_clip
    import torch
    from transformers import AutoImageProcessor, AutoModel

    clip, preprocess = open_clip.create_model_from_pretrained(
        f"local-dir:{settings['clip']['path']}"
    )
    processor = AutoImageProcessor.from_pretrained(settings["dino"]["path"], backend="pil")
    dino = AutoModel.from_pretrained(settings["dino"]["path"]).eval()
    perceptual = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    weights = torch.load(settings["lpips"]["path"], weights_only=True)
    perceptual.net.load_state_dict(
        {key: weights["features." + key.split(".", 1)[1]] for key in perceptual.net.state_dict()}
    )

    def values(reference: Path, candidate: Path) -> dict[str, float]:
        a, b = (Image.open(path).convert("RGB") for path in (reference, candidate))
        clips = [clip.encode_image(preprocess(image)[None])[0] for image in (a, b)]
        inputs = [processor(images=image, return_tensors="pt") for image in (a, b)]
        dinos = [dino(**each).last_hidden_state[0, 0] for each in inputs]
        small = [
            lpips.im2tensor(np.asarray(image.resize((512, 288), Image.Resampling.BICUBIC)))
            for image in (a, b)
        ]
        cosine = torch.nn.functional.cosine_similarity
        return {
            "clip": cosine(*clips, dim=0).item(),
            "dino": cosine(*dinos, dim=0).item(),
            "lpips": 1 - perceptual(*small).item(),
        }

    with torch.inference_mode():
        return [values(*pair) for pair in work]


# ---- parts --------------------------------------------------------------------------------------


class Cost(NamedTuple):
    wall: float  # seconds
    cpu: float  # seconds of all threads, which other work on the machine disturbs less

    def __str__(self) -> str:
        return f"{self.wall:.1f} s ({self.cpu:.0f} CPU-s)"

    def over(self, other: Cost) -> str:
        return f"{self.wall / other.wall:.2f} (CPU {self.cpu / other.cpu:.2f})"


def timed(function: Callable[[], Any]) -> tuple[Cost, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = function()
    return Cost(time.perf_counter() - wall, time.process_time() - cpu), result


def speed(screenshots: int, folder: Path, settings: dict[str, dict[str, Any]]) -> bool:
    tasks = screenshots // (MODELS + 1)
    work = [pair for model in range(1, MODELS) for pair in pairs(folder, tasks, model)]
    work += [(file, file) for file, _ in pairs(folder, tasks, 1)]  # the oracle
    mine, ours = timed(lambda: compare(work, settings, Path(tempfile.mkdtemp(dir=folder))))
    plain, theirs = timed(lambda: plain_loop(work, settings))
    apart = max(
        abs(a.metrics[name] - b[name])
        for a, b in zip(ours.pairs, theirs, strict=True)
        for name in settings
    )
    print(
        f"speed    {len(work)} pairs: plain loop {plain}, one pass {mine}: {plain.over(mine)}x; "
        f"largest difference {apart:.1e}",
        flush=True,
    )
    return plain.wall >= 2 * mine.wall and apart < 1e-4


def second(screenshots: int, folder: Path, settings: dict[str, dict[str, Any]]) -> bool:
    tasks, cache = screenshots // 2, Path(tempfile.mkdtemp(dir=folder))
    batches = [pairs(folder, tasks, model) for model in (1, 2)]
    one, two = (timed(lambda work=work: compare(work, settings, cache))[0] for work in batches)
    print(f"second   {tasks} tasks: first model {one}, second {two}: {two.over(one)}", flush=True)
    return two.wall <= 0.55 * one.wall


def memory(screenshots: int, folder: Path, settings: dict[str, dict[str, Any]]) -> bool:
    few = screenshots // 2  # fewer than 100 do not fill every metric's batches
    many = 2 * screenshots
    small, large = (peak(tasks, folder, settings) for tasks in (few, many))
    print(
        f"memory   {few} tasks {small} MB, {many} tasks {large} MB: {large / small:.2f}", flush=True
    )
    return large <= 1.1 * small


def peak(tasks: int, folder: Path, settings: dict[str, dict[str, Any]]) -> int:
    """Return the peak memory, in MB, of a process that compares one model."""
    pairs(folder, tasks, 1)
    arguments = [sys.executable, __file__, "--peak", str(tasks), "--folder", str(folder)]
    done = subprocess.run(
        arguments, input=json.dumps(settings), capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[-1])


def measure_peak(tasks: int, folder: Path) -> None:
    compare(pairs(folder, tasks, 1), json.load(sys.stdin), Path(tempfile.mkdtemp(dir=folder)))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def encoder(screenshots: int, folder: Path, settings: dict[str, dict[str, Any]]) -> bool:
    import torch

    from iwr.metrics.base import build
    from iwr.metrics.cache import Store
    from iwr.metrics.images import Screenshot

    only = {"clip": settings["clip"]}
    files = [file for pair in pairs(folder, screenshots // 2, 1) for file in pair]
    metric: Any = build("clip", settings["clip"])
    metric.start(Store(Path(tempfile.mkdtemp(dir=folder)), "clip", metric.key))
    item = metric.prepare(Screenshot(files[0], ""))
    items = [item] * metric.batch * len(metric.replicas.devices)
    metric.read(items)  # warm
    rounds = max(1, screenshots // len(items))
    alone_cost, _ = timed(lambda: [metric.read(items) for _ in range(rounds)])
    load, _ = timed(
        lambda: compare([(files[0], files[0])], only, Path(tempfile.mkdtemp(dir=folder)))
    )
    work = list(zip(files[::2], files[1::2], strict=True))
    all_of_it, _ = timed(lambda: compare(work, only, Path(tempfile.mkdtemp(dir=folder))))
    alone = rounds * len(items) / alone_cost.wall
    stage = len(files) / max(all_of_it.wall - load.wall, 1e-9)
    print(
        f"encoder  alone {alone:.1f} images a second, stage {stage:.1f} (without loading): "
        f"{stage / alone:.2f}",
        flush=True,
    )
    return stage >= 0.7 * alone or not torch.cuda.is_available()


PARTS = {"speed": speed, "second": second, "memory": memory, "encoder": encoder}


def main() -> int:
    warnings.filterwarnings("ignore", module="torchvision")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--screenshots", type=int, default=200)
    parser.add_argument("--part", choices=PARTS, action="append", help="default: all")
    parser.add_argument(
        "--folder", type=Path, help="keeps screenshots and weights for the next call"
    )
    parser.add_argument("--peak", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        if options.peak:
            measure_peak(options.peak, folder)
            return 0
        settings = save_networks(folder / "networks")
        missed = [
            name
            for name in options.part or PARTS
            if not PARTS[name](options.screenshots, folder, settings)
        ]
    print(f"missed: {', '.join(missed)}" if missed else "all targets met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
