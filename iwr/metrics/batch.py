"""Runs a network on batches: on every GPU of this process, else on the processor.

The same numbers everywhere: float32 without TF32 unless a metric's `precision` asks for autocast,
which is part of its name and of its cache key. A batch that does not fit is halved, and the smaller
size is kept from then on.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from iwr.errors import MetricError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch

    Array = npt.NDArray[Any]
    Vector = npt.NDArray[np.float32]

Item = TypeVar("Item")
Result = TypeVar("Result")
Function = Callable[["torch.nn.Module", "torch.device", Sequence[Item]], Sequence[Result]]

PRECISIONS = ("float32", "float16", "bfloat16")
PROCESSOR_BATCH = 8


class Replicas:
    """One copy of a network on each device."""

    def __init__(
        self,
        network: torch.nn.Module,
        precision: str = "float32",
        devices: Sequence[str] | None = None,
    ):
        import torch

        names = devices or _device_names()
        self.devices = [torch.device(name) for name in names]
        self.networks = [_frozen(network, self.devices[0])]
        for device in self.devices[1:]:
            self.networks.append(_frozen(copy.deepcopy(network), device))
        self.precision = precision

        # Threads that stay, and none for one device: what the maths libraries keep for each new
        # thread adds up.
        self.threads: ThreadPoolExecutor | None = None
        if len(names) > 1:
            self.threads = ThreadPoolExecutor(len(names))

        # Items a call may hold; halved where a device holds fewer. Processors gain no speed from
        # more, and pay in memory.
        self.limit: int | None = None
        if self.devices[0].type == "cpu":
            self.limit = PROCESSOR_BATCH

    def run(self, function: Function[Item, Result], items: Sequence[Item]) -> list[Result]:
        """Return `function(network, device, items)` over shares of `items`, one a device, in order.

        Raises MetricError when a single item does not fit into memory.
        """
        if self.threads is None:
            return self._run_share(function, 0, items)
        shares = _shares(items, len(self.devices))
        futures = []
        for index, share in enumerate(shares):
            future = self.threads.submit(self._run_share, function, index, share)
            futures.append(future)
        results: list[Result] = []
        for future in futures:
            results += future.result()
        return results

    def _run_share(
        self,
        function: Function[Item, Result],
        index: int,
        items: Sequence[Item],
    ) -> list[Result]:
        """Run `function` on one device, in batches that fit into its memory."""
        network = self.networks[index]
        device = self.devices[index]
        results: list[Result] = []
        while len(results) < len(items):
            start = len(results)
            limit = self.limit or len(items)
            batch = items[start : start + limit]
            try:
                with self._settings(device):
                    results += function(network, device, batch)
            except RuntimeError as error:
                self._halve(network, device, len(batch), error)
        return results

    def _halve(
        self,
        network: torch.nn.Module,
        device: torch.device,
        size: int,
        error: RuntimeError,
    ) -> None:
        """Halve the batches after `size` items did not fit. Raises MetricError for other errors."""
        name = type(network).__name__
        if not _is_out_of_memory(error):
            raise MetricError(f"{name} failed on {device}: {error}") from error
        if size == 1:
            raise MetricError(
                f"{name}: one image does not fit into the memory of {device}"
            ) from error
        self.limit = size // 2
        _release(device)

    @contextmanager
    def _settings(self, device: torch.device) -> Iterator[None]:
        """Compute without gradients, and with the same numbers on every run."""
        import torch

        kind = getattr(torch, self.precision)
        exact = torch.backends.cudnn.flags(
            enabled=True,
            benchmark=False,
            deterministic=True,
            allow_tf32=False,
        )
        autocast = torch.autocast(
            device.type,
            kind,
            enabled=self.precision != "float32",
        )
        with torch.inference_mode(), exact, autocast:
            yield


def to_device(arrays: Sequence[Array], device: torch.device) -> torch.Tensor:
    """Return one tensor of equally shaped arrays.

    It goes through pinned memory where that makes the copy asynchronous.
    """
    import numpy as np
    import torch

    batch = torch.from_numpy(np.stack(arrays))
    if device.type != "cuda":
        return batch
    return batch.pin_memory().to(device, non_blocking=True)


def split_rows(batch: torch.Tensor) -> list[Vector]:
    """Return each row of a tensor (n, values) as a float32 array of its own.

    A view would keep the whole batch in memory.
    """
    array: Vector = batch.float().cpu().numpy()
    return [row.copy() for row in array]


def cosine(reference: Vector, candidate: Vector) -> float:
    """Return the cosine of two vectors, clamped to [0, 1]; 0 where one of them is null."""
    import numpy as np

    norms = np.linalg.norm(reference) * np.linalg.norm(candidate)
    if not norms:
        return 0.0
    product = reference @ candidate
    return clamp(float(product) / float(norms))


def clamp(value: float) -> float:
    """Return `value` limited to [0, 1]."""
    value = max(0.0, value)
    return min(1.0, value)


def _device_names() -> list[str]:
    """Return every GPU that this process sees, else the processor, by torch's names."""
    import torch

    count = torch.cuda.device_count()
    if not count:
        return ["cpu"]
    return [f"cuda:{index}" for index in range(count)]


def _frozen(network: torch.nn.Module, device: torch.device) -> torch.nn.Module:
    """Return a network ready for inference on `device`."""
    return network.eval().requires_grad_(False).to(device)


def _shares(items: Sequence[Item], count: int) -> list[Sequence[Item]]:
    """Return `items` in at most `count` portions of equal size; the last may be smaller."""
    size = max(1, -(-len(items) // count))
    starts = range(0, len(items), size)
    return [items[start : start + size] for start in starts]


def _is_out_of_memory(error: RuntimeError) -> bool:
    """Return whether a GPU, or torch's allocator for the processor, has too little memory."""
    import torch

    if isinstance(error, torch.OutOfMemoryError):
        return True
    return "can't allocate memory" in str(error)


def _release(device: torch.device) -> None:
    """Give back what torch's allocator keeps of a GPU's memory."""
    import torch

    if device.type == "cuda":
        torch.cuda.empty_cache()
