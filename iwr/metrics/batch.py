"""Runs a network on batches: on every GPU of this process, else on the processor.

The same numbers everywhere: float32 without TF32 unless a metric's `precision` asks for autocast, which is part of
its name and of its cache key. A batch that does not fit is halved, and the smaller size is kept from then on.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from iwr.errors import ConfigError, MetricError

if TYPE_CHECKING:
    import numpy as np
    import torch

T = TypeVar("T")
R = TypeVar("R")
Function = Callable[["torch.nn.Module", "torch.device", Sequence[T]], Sequence[R]]
PRECISIONS = ("float32", "float16", "bfloat16")
PROCESSOR_BATCH = 8


def check_precision(metric: str, precision: str) -> str:
    if precision not in PRECISIONS:
        raise ConfigError(
            f"protocol.metrics.{metric}.precision={precision}",
            hint=f"choose from {', '.join(PRECISIONS)}",
        )
    return precision


class Replicas:
    """One copy of a network on each device."""

    def __init__(
        self,
        network: torch.nn.Module,
        precision: str = "float32",
        devices: Sequence[str] | None = None,
    ):
        import torch

        names = devices or [f"cuda:{i}" for i in range(torch.cuda.device_count())] or ["cpu"]
        self.devices = [torch.device(name) for name in names]
        copies = [network, *(copy.deepcopy(network) for _ in names[1:])]
        self.networks = [
            each.eval().requires_grad_(False).to(device)
            for each, device in zip(copies, self.devices, strict=True)
        ]
        # Threads that stay, and none for one device: what the maths libraries keep for each new thread adds up.
        self.map = ThreadPoolExecutor(len(names)).map if len(names) > 1 else map
        self.precision = precision
        # Items a call may hold; halved where a device holds fewer. Processors gain no speed from more, and pay in memory.
        self.limit = PROCESSOR_BATCH if self.devices[0].type == "cpu" else None

    def run(self, function: Function[T, R], items: Sequence[T]) -> list[R]:
        """`function(network, device, items)` over shares of `items`, one a device; results in order.

        Raises MetricError when a single item does not fit into memory.
        """
        shares = [list(share) for share in _shares(items, len(self.devices))]
        done = self.map(
            lambda job: self._run_share(function, *job),
            zip(self.networks, self.devices, shares, strict=False),
        )
        return [result for share in done for result in share]

    def _run_share(
        self,
        function: Function[T, R],
        network: torch.nn.Module,
        device: torch.device,
        items: Sequence[T],
    ) -> list[R]:
        results: list[R] = []
        while len(results) < len(items):
            size = min(self.limit or len(items), len(items) - len(results))
            try:
                with self._settings(device):
                    results += function(network, device, items[len(results) : len(results) + size])
            except RuntimeError as error:
                if not _out_of_memory(error):
                    raise MetricError(
                        f"{type(network).__name__} failed on {device}: {error}"
                    ) from error
                if size == 1:
                    raise MetricError(
                        f"{type(network).__name__}: one image does not fit into the memory of {device}"
                    ) from error
                self.limit = size // 2
                _release(device)
        return results

    @contextmanager
    def _settings(self, device: torch.device) -> Iterator[None]:
        import torch

        kind = getattr(torch, self.precision)
        exact = torch.backends.cudnn.flags(
            enabled=True, benchmark=False, deterministic=True, allow_tf32=False
        )
        with (
            torch.inference_mode(),
            exact,
            torch.autocast(device.type, kind, enabled=self.precision != "float32"),
        ):
            yield


def to_device(arrays: Sequence[np.ndarray], device: torch.device) -> torch.Tensor:
    """One tensor of equally shaped arrays, through pinned memory where that makes the copy asynchronous."""
    import numpy as np
    import torch

    batch = torch.from_numpy(np.stack(arrays))
    return batch.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else batch


def rows(batch: torch.Tensor) -> list[np.ndarray]:
    """Each row of a tensor (n, values) as a float32 array of its own: a view would keep the whole batch in memory."""
    return [row.copy() for row in batch.float().cpu().numpy()]


def cosine(reference: np.ndarray, candidate: np.ndarray) -> float:
    """Cosine of two vectors, clamped to [0, 1]; 0 where one of them is null."""
    import numpy as np

    norms = float(np.linalg.norm(reference) * np.linalg.norm(candidate))
    return min(1.0, max(0.0, float(reference @ candidate) / norms)) if norms else 0.0


def _shares(items: Sequence[T], count: int) -> Iterator[Sequence[T]]:
    size = max(1, -(-len(items) // count))
    yield from (items[start : start + size] for start in range(0, len(items), size))


def _out_of_memory(error: RuntimeError) -> bool:
    import torch

    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _release(device: Any) -> None:
    import torch

    if device.type == "cuda":
        torch.cuda.empty_cache()
