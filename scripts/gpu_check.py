"""What only a GPU can show: the metrics and the transformers engine on it, in one table.

    python scripts/gpu_check.py                       one GPU, at most 8 minutes, no network
    python scripts/gpu_check.py --device cpu --tiny   the same on a processor, with tiny networks

Needs torch, transformers and accelerate; no vLLM, no weights: networks have real shapes and random
values. Rows that need CUDA say so where there is none. Exits with 1 when a check fails.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "inference"))

NEEDS_CUDA = "not run: no CUDA device"
LEAST_SHARE = 0.7  # of the speed of the encoder alone
LEAST_COSINE = 0.9999  # between processor and GPU, float32
LEAST_COSINE_AUTOCAST = 0.99
LARGEST_SHARE_OF_ESTIMATE = 1.1
ROUNDS = 5
TINY_ROUNDS = 1


class Row(NamedTuple):
    """One line of the table. `passed`: None where nothing is required, or nothing ran."""

    check: str
    figures: str
    passed: bool | None = None


class Options(NamedTuple):
    device: str
    tiny: bool

    @property
    def on_cuda(self) -> bool:
        return self.device.startswith("cuda")


# ---- metrics ------------------------------------------------------------------------------------


def encoder(tiny: bool) -> Any:
    """Return DINOv2 of real size (or a tiny one) with random values."""
    import torch
    from transformers import Dinov2Config, Dinov2Model

    torch.manual_seed(0)
    config = Dinov2Config(image_size=224)
    if tiny:
        config = Dinov2Config(
            image_size=224, hidden_size=64, num_hidden_layers=2, num_attention_heads=2
        )
    return Dinov2Model(config)


def images(number: int) -> list[Any]:
    """Return prepared screenshots, float32 (3, 224, 224)."""
    import numpy as np

    random = np.random.default_rng(0)
    shape = (3, 224, 224)
    return [random.standard_normal(shape, dtype=np.float32) for _ in range(number)]


def encode(network: Any, device: Any, items: Sequence[Any]) -> list[Any]:
    """Return one embedding for each item, as the metric `dino` does."""
    from iwr.metrics.dino import _encode

    return _encode(network, device, items)


def metric_rows(options: Options, folder: Path) -> list[Row]:
    """Return the rows about the metrics stage."""
    from iwr.metrics.batch import Replicas

    network = encoder(options.tiny)
    replicas = Replicas(network, devices=[options.device])
    items = images(16 if options.tiny else 256)
    rows = [throughput(replicas, items, options)]
    vectors = replicas.run(encode, items)
    halves = Replicas(network, "bfloat16", devices=[options.device])
    rows.append(autocast(halves, vectors, items, options))
    rows.append(equality(vectors, items, options))
    rows.append(halving(vectors, items, options))
    return rows


def throughput(replicas: Any, items: Sequence[Any], options: Options) -> Row:
    """Compare the stage, from arrays to vectors, with the encoder on tensors in memory."""
    import numpy as np
    import torch

    size = replicas.limit or len(items)
    batches = []
    for start in range(0, len(items), size):
        batch = torch.from_numpy(np.stack(items[start : start + size]))
        batches.append(batch.to(options.device))

    def alone() -> None:
        with torch.inference_mode():
            for batch in batches:
                replicas.networks[0](pixel_values=batch)

    stage_seconds = median_seconds(lambda: replicas.run(encode, items), options)
    alone_seconds = median_seconds(alone, options)
    share = alone_seconds / stage_seconds
    figures = (
        f"{len(items) / stage_seconds:.0f} images/s, encoder alone {len(items) / alone_seconds:.0f}"
        f", share {share:.2f} (required on a GPU: {LEAST_SHARE})"
    )
    return Row("metrics: throughput", figures, share >= LEAST_SHARE if options.on_cuda else None)


def autocast(replicas: Any, exact: Sequence[Any], items: Sequence[Any], options: Options) -> Row:
    """Compare bfloat16 under autocast with float32."""
    vectors = replicas.run(encode, items)
    seconds = median_seconds(lambda: replicas.run(encode, items), options)
    cosine = least_cosine(exact, vectors)
    figures = f"{len(items) / seconds:.0f} images/s in bfloat16, least cosine {cosine:.5f}"
    return Row("metrics: autocast", figures, cosine >= LEAST_COSINE_AUTOCAST)


def equality(vectors: Sequence[Any], items: Sequence[Any], options: Options) -> Row:
    """Compare the GPU with the processor."""
    from iwr.metrics.batch import Replicas

    if not options.on_cuda:
        return Row("metrics: equal to the processor", NEEDS_CUDA)
    few = 16
    network = encoder(options.tiny)
    expected = Replicas(network, devices=["cpu"]).run(encode, items[:few])
    cosine = least_cosine(expected, vectors[:few])
    figures = f"least cosine of {few} images {cosine:.7f}"
    return Row("metrics: equal to the processor", figures, cosine >= LEAST_COSINE)


def halving(vectors: Sequence[Any], items: Sequence[Any], options: Options) -> Row:
    """Give the stage less memory than its batch needs."""
    import torch

    from iwr.metrics.batch import Replicas

    check = "metrics: out of memory"
    if not options.on_cuda:
        return Row(check, NEEDS_CUDA)
    replicas = Replicas(encoder(options.tiny), devices=[options.device])
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_reserved()
    replicas.run(encode, items)
    needed = torch.cuda.max_memory_reserved() - before
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + needed / 2) / total)
    try:
        found = replicas.run(encode, items)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    cosine = least_cosine(vectors, found)
    figures = f"batches of {len(items)} became {replicas.limit}, least cosine {cosine:.7f}"
    was_halved = replicas.limit is not None and replicas.limit < len(items)
    return Row(check, figures, was_halved and cosine >= LEAST_COSINE)


def median_seconds(work: Callable[[], object], options: Options) -> float:
    """Return the median time of some runs, after one to warm up."""
    import statistics

    import torch

    seconds = []
    rounds = TINY_ROUNDS if options.tiny else ROUNDS
    for _ in range(rounds + 1):
        start = time.monotonic()
        work()
        if options.on_cuda:
            torch.cuda.synchronize()
        seconds.append(time.monotonic() - start)
    return statistics.median(seconds[1:])


def least_cosine(first: Sequence[Any], second: Sequence[Any]) -> float:
    """Return the smallest cosine of two vectors of the same image."""
    from iwr.metrics.batch import cosine

    return min(cosine(one, other) for one, other in zip(first, second, strict=True))


# ---- the transformers engine --------------------------------------------------------------------


def engine_rows(options: Options, root: Path) -> list[Row]:
    """Return the rows about a random Qwen3-VL of the shape of the 8B model."""
    import recordings
    import tiny_models

    from iwr.config import load_config

    folder = tiny_models.build("qwen3_vl", root)
    tokens = 8 if options.tiny else 128
    settings = [
        "model=qwen3_vl_8b",
        "model.kind=transformers",
        f"model.path={folder}",
        f"model.max_tokens={tokens}",
    ]
    config, (model,) = load_config(settings)
    task = recordings.task(root, "t", 4 if options.tiny else 32, 10, size=(1920, 1080))
    if not options.tiny:
        with_budget_of_the_release(folder)
    rows = [device_map(config, model, folder, options)]
    network = random_network(folder, options)
    return rows + answer_rows(network, config, model, task, options)


def with_budget_of_the_release(folder: Path) -> None:
    """Let the processor show frames as large as that of the released model does."""
    path = folder / "processor_config.json"
    settings = json.loads(path.read_text())
    settings["video_processor"]["size"] = {"shortest_edge": 4096, "longest_edge": 25165824}
    settings["image_processor"]["size"] = {"shortest_edge": 65536, "longest_edge": 16777216}
    path.write_text(json.dumps(settings))


def device_map(config: Any, model: Any, folder: Path, options: Options) -> Row:
    """Load a tiny checkpoint from disk, as the engine does, and tell where its parts are."""
    from iwr.inference.engines.transformers import LocalModel

    check = "transformers: device_map"
    with LocalModel(model, config) as local:
        places = {str(parameter.device) for parameter in local._network.parameters()}
    figures = f"all parameters on {', '.join(sorted(places))}"
    if not options.on_cuda:
        return Row(check, f"{NEEDS_CUDA} ({figures})")
    return Row(check, figures, all(place.startswith("cuda") for place in places))


def random_network(folder: Path, options: Options) -> Any:
    """Return a Qwen3-VL made on the device, in bfloat16; its vocabulary is that of the folder."""
    import torch
    from transformers import AutoConfig, Qwen3VLForConditionalGeneration

    config = AutoConfig.from_pretrained(folder)
    if not options.tiny:
        text = config.text_config
        text.hidden_size, text.intermediate_size = 4096, 12288
        text.num_hidden_layers, text.num_attention_heads, text.num_key_value_heads = 36, 32, 8
        text.head_dim = 128
        text.rope_parameters["mrope_section"] = [24, 20, 20]
        vision = config.vision_config
        vision.depth, vision.hidden_size, vision.intermediate_size = 27, 1152, 4304
        vision.num_heads, vision.out_hidden_size = 16, 4096
        vision.deepstack_visual_indexes = [8, 16, 24]
        vision.num_position_embeddings = 2304
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device(options.device):
            return Qwen3VLForConditionalGeneration(config).eval()
    finally:
        torch.set_default_dtype(torch.float32)


def answer_rows(network: Any, config: Any, model: Any, task: Any, options: Options) -> list[Row]:
    """Ask the network about a recording of 1080p: its speed, and its memory against doctor's."""
    import torch

    from iwr.inference.engines.transformers import LocalModel

    class MadeHere(LocalModel):
        def _load(self) -> Any:
            return network

    if options.on_cuda:
        torch.cuda.reset_peak_memory_stats()
    with MadeHere(model, config) as local:
        local.ask(task)  # kernels are chosen at the first time
        start = time.monotonic()
        reply = local.ask(task)
        seconds = time.monotonic() - start
    usage = reply.usage
    billions = sum(parameter.numel() for parameter in network.parameters()) / 1e9
    figures = (
        f"{billions:.2f} billion parameters; {usage.prompt_tokens} tokens of prompt, "
        f"{usage.completion_tokens} of answer in {seconds:.1f} s: "
        f"{usage.completion_tokens / seconds:.1f} tokens/s"
    )
    frames = reply.frames
    is_audited = frames.delivered == frames.planned
    context = usage.prompt_tokens + usage.completion_tokens
    return [
        Row("transformers: answer", figures, is_audited and usage.completion_tokens > 0),
        memory(network, config, model, frames, context, options),
    ]


def memory(
    network: Any, config: Any, model: Any, frames: Any, context: int, options: Options
) -> Row:
    """Compare the peak of the answer with doctor's estimate for a context of this length."""
    import torch

    from iwr.doctor.fit import Served
    from iwr.doctor.result import RoleModel
    from iwr.doctor.shapes import PUBLISHED, shape_of

    weights_gb = sum(parameter.nbytes for parameter in network.parameters()) / 1e9
    shape = PUBLISHED["Qwen/Qwen3-VL-8B-Instruct"]
    if options.tiny:
        shape = shape_of(Path(model.path), None)
    config.protocol.max_frames = frames.planned
    served = Served(RoleModel("model", model), config, shape, weights_gb)
    demand = served.demand(80, 1, context)
    estimate = f"doctor's estimate for vLLM: {demand}"
    if not options.on_cuda:
        return Row("transformers: memory", f"{NEEDS_CUDA} ({estimate})")
    peak_gb = torch.cuda.max_memory_allocated() / 1e9
    figures = f"peak {peak_gb:.1f} GB; {estimate}, {demand.total:.1f} in all"
    return Row("transformers: memory", figures, peak_gb <= LARGEST_SHARE_OF_ESTIMATE * demand.total)


# ---- the table ----------------------------------------------------------------------------------


def rows_of(part: Callable[..., list[Row]], options: Options, folder: Path) -> list[Row]:
    """Return the rows of a part; one that says why, where a package is missing."""
    try:
        return part(options, folder)
    except ImportError as error:
        return [Row(part.__name__.replace("_", " "), f"not run: {error}")]


def head(options: Options) -> str:
    """Return what ran where."""
    import torch
    import transformers

    transformers.utils.logging.disable_progress_bar()
    device = "a processor"
    if options.on_cuda:
        device = torch.cuda.get_device_name(0)
    return f"torch {torch.__version__}, transformers {transformers.__version__}, {device}"


def line(row: Row) -> str:
    """Return a row as text."""
    result = {True: "passed", False: "FAILED", None: "-"}[row.passed]
    return f"{row.check:33} {result:7} {row.figures}"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda:0", help="cuda:0 or cpu")
    parser.add_argument("--tiny", action="store_true", help="tiny networks")
    given = parser.parse_args()
    options = Options(given.device, given.tiny)
    import torch

    if options.on_cuda and not torch.cuda.is_available():
        print(f"{NEEDS_CUDA}; --device cpu --tiny runs the rest", file=sys.stderr)
        return 2
    start = time.monotonic()
    print(head(options), flush=True)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for part in (metric_rows, engine_rows):
            for row in rows_of(part, options, Path(folder)):
                rows.append(row)
                print(line(row), flush=True)
    print(f"{time.monotonic() - start:.0f} s")
    return 1 if any(row.passed is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
