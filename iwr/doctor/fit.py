"""The memory that a served model takes of each GPU: weights, cache for one full context, profiling.

Before it serves, vLLM runs the largest recording or the largest images once and keeps what is left
of its share of the memory for the cache. It starts only when that holds one request that fills the
context. The estimate follows that run; it was held against public reports, not measured.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from iwr.config import Config, ModelConfig
from iwr.doctor.result import RoleModel
from iwr.doctor.shapes import Shape, Vision

UTILIZATION = 0.9
"""vLLM's share of a GPU's memory by default."""
RUNTIME_GB = 1.0
"""CUDA, graphs, buffers between GPUs."""
LARGE_GPU_GB = 75.0
"""From here on vLLM takes larger batches."""
GPU_COUNTS = (1, 2, 4, 8, 16)


class Batch(NamedTuple):
    """What vLLM does at once."""

    tokens: int
    sequences: int


OF_SMALL_GPUS = Batch(tokens=2048, sequences=256)
OF_LARGE_GPUS = Batch(tokens=8192, sequences=1024)
"""Where no option tells."""

VALUE_BYTES = 2  # bfloat16
PROBABILITY_BYTES = 8  # logits and their sorted copy, float32
WIDTH, HEIGHT = 1920, 1080
CAPPED_TOKENS = 768
"""Of one group of frames, with `cap_pixels_per_frame`."""
CONTEXT_STEP = 1024


class Demand(NamedTuple):
    """What one GPU has to hold, in GB."""

    weights: float
    cache: float  # of one request that fills the context
    running: float  # the rest

    @property
    def total(self) -> float:
        """All of it together, in GB."""
        return sum(self)

    def __str__(self) -> str:
        return (
            f"{self.weights:.1f} GB of weights, {self.cache:.1f} of cache, "
            f"{self.running:.1f} to run"
        )


class Served(NamedTuple):
    """A model as these settings serve it."""

    served: RoleModel
    config: Config
    shape: Shape
    weights_gb: float

    @property
    def model(self) -> ModelConfig:
        """The settings of the model that is served."""
        return self.served.model

    # ---- what it takes --------------------------------------------------------------------------

    def demand(self, gpu_gb: float, gpus: int, context: int | None = None) -> Demand:
        """Return what each of `gpus` of `gpu_gb` holds; `context` instead of the model's own."""
        tokens = context or self.model.context or 0
        cache_bytes = tokens * self.token_bytes(gpus)
        weights = self.weights_gb / gpus
        running = self._running_gb(gpu_gb, gpus)
        return Demand(weights, cache_bytes / 1e9, running)

    def token_bytes(self, gpus: int) -> int:
        """Return the bytes of one token in the cache of each GPU."""
        shape = self.shape
        if shape.latent is not None:  # every GPU keeps all of it
            values = shape.latent
        else:
            values = 2 * math.ceil(shape.kv_heads / gpus) * shape.head_dim
        return shape.layers * values * self._cached_value_bytes

    @property
    def _cached_value_bytes(self) -> int:
        """Bytes of one value in the cache; FP8 halves them."""
        kind = str(self._engine_arg("kv-cache-dtype", "auto"))
        if kind.startswith("fp8"):
            return 1
        return VALUE_BYTES

    def _running_gb(self, gpu_gb: float, gpus: int) -> float:
        """Return what the run of the largest request takes, and what stays beside it."""
        shape = self.shape
        batch, sequences = self._batch(gpu_gb)
        inside = shape.intermediate // gpus
        activations = batch * _values_of_layer(shape.hidden, inside) * VALUE_BYTES
        logits = sequences * shape.vocabulary * PROBABILITY_BYTES
        needed = activations + logits + self._encoder_bytes()
        return needed / 1e9 + RUNTIME_GB

    def _batch(self, gpu_gb: float) -> Batch:
        """Return what vLLM does at once: as the options say, else by the size of the GPU."""
        defaults = OF_SMALL_GPUS
        if gpu_gb > LARGE_GPU_GB:
            defaults = OF_LARGE_GPUS
        # a recording is encoded in one piece: see server/command.py
        usual_tokens = max(defaults.tokens, self._recording_tokens())
        tokens = self._engine_arg("max-num-batched-tokens", usual_tokens)
        sequences = self._engine_arg("max-num-seqs", defaults.sequences)
        return Batch(int(tokens), int(sequences))

    def _recording_tokens(self) -> int:
        """Return the tokens of the longest recording; a judge is shown none."""
        vision = self.shape.vision
        if vision is None or self.served.role == "judge":
            return 0
        return self.media_tokens(vision)

    def _encoder_bytes(self) -> int:
        """Return what encoding the largest media of a request takes; 0 for a text model."""
        vision = self.shape.vision
        if vision is None:
            return 0
        tokens = self.media_tokens(vision)
        patches = tokens * vision.merge**2
        patch_values = _values_of_layer(vision.hidden, vision.intermediate)
        embedding_values = tokens * self.shape.hidden
        values = patches * patch_values + embedding_values
        return values * VALUE_BYTES

    def media_tokens(self, vision: Vision) -> int:
        """Return the tokens of the largest media of a request: a recording, or two screenshots."""
        token_side = vision.patch * vision.merge
        token_pixels = token_side**2
        frame_tokens = WIDTH * HEIGHT // token_pixels
        if self.served.role == "judge":
            return 2 * frame_tokens
        video = self.model.processor.get("videos_kwargs", {})
        size = video.get("size", {})
        most_pixels = size.get("longest_edge")
        if most_pixels:
            most_tokens = most_pixels // token_pixels
            frame_tokens = min(frame_tokens, most_tokens)
        if video.get("cap_pixels_per_frame"):
            frame_tokens = min(frame_tokens, CAPPED_TOKENS)
        frames = self.config.protocol.max_frames
        groups = math.ceil(frames / vision.temporal)
        return groups * frame_tokens

    # ---- what would fit -------------------------------------------------------------------------

    def share_gb(self, gpu_gb: float) -> float:
        """Return how much of a GPU vLLM takes under these settings."""
        return memory_share(self.config, self.model) * gpu_gb

    def fits(self, gpu_gb: float, gpus: int) -> bool:
        """Return whether it can be cut into so many parts, each of which fits."""
        if self.obstacle(gpus) is not None:
            return False
        return self.demand(gpu_gb, gpus).total <= self.share_gb(gpu_gb)

    def obstacle(self, gpus: int) -> str | None:
        """Return why vLLM cannot cut the model into so many parts; None when it can."""
        shape = self.shape
        if shape.heads % gpus:
            return f"{shape.heads} attention heads cannot be shared by {gpus} GPUs"
        if not shape.block or not shape.expert:
            return None
        part = shape.expert // gpus
        if part % shape.block:
            return (
                f"experts of {shape.expert} rows on {gpus} GPUs are {part} each, "
                f"which FP8 blocks of {shape.block} do not divide"
            )
        return None

    def fewest_gpus(self, gpu_gb: float) -> int | None:
        """Return the fewest GPUs of this size that hold it; None when 16 do not."""
        for gpus in GPU_COUNTS:
            if self.fits(gpu_gb, gpus):
                return gpus
        return None

    def longest_context(self, gpu_gb: float, gpus: int) -> int:
        """Return the longest context that fits, in steps of 1,024 tokens; 0 when none does."""
        demand = self.demand(gpu_gb, gpus)
        used_gb = demand.weights + demand.running
        left_gb = self.share_gb(gpu_gb) - used_gb
        step_gb = CONTEXT_STEP * self.token_bytes(gpus) / 1e9
        steps = int(left_gb / step_gb)
        return max(steps, 0) * CONTEXT_STEP

    def _engine_arg(self, name: str, default: Any) -> Any:
        """Return an option of the server that runs this model."""
        return _engine_arg(self.config, self.model, name, default)


def _values_of_layer(hidden: int, intermediate: int) -> int:
    """Return about how many values one token needs at a time, inside of a layer."""
    attention = 6 * hidden
    return attention + 3 * intermediate


def memory_share(config: Config, model: ModelConfig) -> float:
    """Return the share of a GPU's memory that vLLM takes under these settings."""
    return float(_engine_arg(config, model, "gpu-memory-utilization", UTILIZATION))


def _engine_arg(config: Config, model: ModelConfig, name: str, default: Any) -> Any:
    """Return an option of `vllm serve`, with either spelling."""
    options = model.engine_args | config.server.engine_args
    for spelling in (name, name.replace("-", "_")):
        if spelling in options:
            return options[spelling]
    return default
