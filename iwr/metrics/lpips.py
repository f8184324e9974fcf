"""1 - LPIPS (Zhang et al. 2018; the package lpips 0.1, linear heads included), clamped to [0, 1].

Policy: the whole page in RGB, its long side scaled down to `side` pixels (Pillow, bicubic), never up, the short side
not below 64; the candidate is first brought to the reference's size by `images.fit_to`. At 512 a page moved by a few
pixels comes out nearer than a recoloured one and both nearer than another page; at full resolution the first two
change places (measured on screenshots of 1280x720 with AlexNet's real weights).

The unit-length features of references are kept in the cache as float16 (2.9 MB a screenshot at 512, AlexNet), so a
second contestant pays for its own screenshots only. Candidates are rounded alike: the value does not depend on what
the cache holds.
"""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from iwr.errors import ConfigError, MetricError
from iwr.metrics.base import PairMetric
from iwr.metrics.batch import Replicas, check_precision, to_device
from iwr.metrics.cache import Store
from iwr.metrics.images import Screenshot, fit_to
from iwr.metrics.weights import torch_hub_file, weights_digest
from iwr.records import digest

BACKBONES = {
    "alex": "alexnet-owt-7be5be79.pth",
    "vgg": "vgg16-397923af.pth",
    "squeeze": "squeezenet1_1-b8a52dc0.pth",
}
URL = "https://download.pytorch.org/models/"
SHORTEST = 64  # below this the networks' poolings leave nothing
RECENT = 32  # references whose features stay in memory: those of the chunks that are prepared ahead

Features = list[Any]  # one float16 array (channels, height, width) a layer


class Reference(NamedTuple):
    sha256: str
    size: tuple[int, int]  # of the screenshot, width and height
    pixels: Any  # uint8 (height, width, 3) as the network sees it; None when there are features
    features: Features | None


class Item(NamedTuple):
    reference: Reference
    candidate: Any  # uint8 (height, width, 3)


class Lpips(PairMetric):
    name = "lpips"
    batch = 16
    replicas: Replicas

    def __init__(self, backbone: Path, net: str, side: int, precision: str):
        self.backbone, self.net, self.side, self.precision = backbone, net, side, precision
        self.engine = f"lpips {version('lpips')} {net} {side} px {precision}"
        self.key = digest(self.engine, weights_digest(backbone), "bicubic, float16 features")
        self.recent: OrderedDict[str, Features] = OrderedDict()

    def start(self, store: Store) -> None:
        self.store = store
        self.replicas = Replicas(load(self.backbone, self.net), self.precision)

    def prepare(self, reference: Screenshot, candidate: Screenshot) -> Item:
        known = self._kept(reference.sha256) or self._scaled(reference)
        return Item(known, _resized(fit_to(candidate, known.size), self._fitted(known)))

    def _scaled(self, shot: Screenshot) -> Reference:
        if min(shot.size) < SHORTEST:
            raise MetricError(
                f"{shot.path}: {shot.size[0]}x{shot.size[1]} is too small for LPIPS (at least {SHORTEST} pixels a side)"
            )
        reference = Reference(shot.sha256, shot.size, None, None)
        return reference._replace(pixels=_resized(shot.pixels, self._fitted(reference)))

    def _fitted(self, reference: Reference) -> tuple[int, int]:
        """Width and height at which the network sees a pair."""
        scale = min(1.0, max(self.side / max(reference.size), SHORTEST / min(reference.size)))
        return round(reference.size[0] * scale), round(reference.size[1] * scale)

    def shape(self, item: Item) -> Any:
        return item.candidate.shape

    def measure(self, items: Sequence[Item]) -> Sequence[float]:
        owed = {
            item.reference.sha256: item.reference
            for item in items
            if not self._features(item.reference)
        }
        computed = (
            self.replicas.run(_features, [reference.pixels for reference in owed.values()])
            if owed
            else []
        )
        for reference, features in zip(owed.values(), computed, strict=True):
            self._keep(reference, features)
        pairs = [(self._features(item.reference), item.candidate) for item in items]
        values = [
            min(1.0, max(0.0, 1.0 - distance)) for distance in self.replicas.run(_distances, pairs)
        ]
        while len(self.recent) > RECENT:
            self.recent.popitem(last=False)
        return values

    def _features(self, reference: Reference) -> Features | None:
        return reference.features or self.recent.get(reference.sha256)

    def _keep(self, reference: Reference, features: Features) -> None:
        import numpy as np

        self.recent[reference.sha256] = features
        buffer = io.BytesIO()
        np.savez(buffer, np.array(reference.size), *features)
        self.store.put(_features_name(reference.sha256), buffer.getvalue())

    def _kept(self, sha256: str) -> Reference | None:
        import zipfile

        import numpy as np

        data = self.store.get(_features_name(sha256))
        try:
            arrays = list(np.load(io.BytesIO(data), allow_pickle=False).values()) if data else []
        except (ValueError, EOFError, zipfile.BadZipFile):
            return None
        return (
            Reference(sha256, (int(arrays[0][0]), int(arrays[0][1])), None, arrays[1:])
            if arrays
            else None
        )


def _features_name(sha256: str) -> str:
    return f"{sha256}.features"


def _resized(pixels: Any, size: tuple[int, int]) -> Any:
    import numpy as np
    from PIL import Image

    if (pixels.shape[1], pixels.shape[0]) == size:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


def load(backbone: Path, net: str) -> Any:
    """lpips.LPIPS with torchvision's `backbone` file. Raises MetricError when it does not fit."""
    import pickle
    import warnings

    import lpips
    import torch

    with warnings.catch_warnings():  # it asks torchvision in a way that torchvision deprecates
        warnings.filterwarnings("ignore", module="torchvision")
        network = lpips.LPIPS(net=net, pnet_rand=True, verbose=False)
    wanted = network.net.state_dict()
    try:
        given = torch.load(backbone, map_location="cpu", weights_only=True)
        network.net.load_state_dict(
            {key: given["features." + key.split(".", 1)[1]] for key in wanted}
        )
    except (KeyError, RuntimeError, pickle.UnpicklingError, EOFError, OSError) as error:
        raise MetricError(
            f"metric lpips: {backbone} is not torchvision's {net}: {error}"
        ) from error
    return network


def _features(network: Any, device: Any, items: Sequence[Any]) -> list[Features]:
    layers = [layer.cpu().numpy() for layer in _layers(network, device, items)]
    return [[layer[i] for layer in layers] for i in range(len(items))]


def _layers(network: Any, device: Any, items: Sequence[Any]) -> list[Any]:
    """lpips' own steps up to the unit-length features of each layer, batched: float16 (n, channels, height, width)."""
    import lpips

    inputs = to_device(items, device).permute(0, 3, 1, 2).float() / 127.5 - 1
    return [
        lpips.normalize_tensor(layer.float()).half()
        for layer in network.net(network.scaling_layer(inputs))
    ]


def _distances(network: Any, device: Any, items: Sequence[tuple[Any, Any]]) -> list[float]:
    import torch

    ours = _layers(network, device, [candidate for _, candidate in items])
    theirs = [
        to_device([features[level] for features, _ in items], device) for level in range(len(ours))
    ]
    levels = [
        lin((a.float() - b.float()) ** 2).mean((1, 2, 3))
        for lin, a, b in zip(network.lins, ours, theirs, strict=True)
    ]
    return [float(distance) for distance in torch.stack(levels).sum(0)]


def _file(net: str, path: str | None, download: bool) -> Path:
    if net not in BACKBONES:
        raise ConfigError(
            f"protocol.metrics.lpips.net={net}", hint=f"choose from {', '.join(BACKBONES)}"
        )
    return torch_hub_file("lpips", path, BACKBONES[net], URL + BACKBONES[net], download=download)


def build(
    net: str = "alex", path: str | None = None, side: int = 512, precision: str = "float32"
) -> Lpips:
    return Lpips(_file(net, path, download=False), net, side, check_precision("lpips", precision))


def prefetch(net: str = "alex", path: str | None = None, **_: Any) -> Path:
    return _file(net, path, download=True)
