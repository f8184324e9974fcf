"""1 - LPIPS (Zhang et al. 2018; the package lpips 0.1, linear heads included), in [0, 1].

Policy: the whole page in RGB, its long side scaled down to `side` pixels (Pillow, bicubic), never
up, the short side not below 64; the candidate is first brought to the reference's size by
`images.fit_to`. At 512 a page moved by a few pixels comes out nearer than a recoloured one and both
nearer than another page; at full resolution the first two change places (measured on screenshots of
1280x720 with AlexNet's real weights).

The unit-length features of references are kept in the cache as float16 (2.9 MB a screenshot at 512,
AlexNet), so a second model pays for its own screenshots only. Candidates are rounded alike: the
value does not depend on what the cache holds.
"""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from iwr.digests import digest
from iwr.errors import MetricError
from iwr.metrics.base import PairMetric, check_choice
from iwr.metrics.batch import PRECISIONS, Replicas, clamp, to_device
from iwr.metrics.cache import Store
from iwr.metrics.images import Screenshot, fit_to, resized
from iwr.metrics.weights import LibraryWeights, torch_hub_file, weight_file_digest

if TYPE_CHECKING:
    import torch

    from iwr.metrics.batch import Array
    from iwr.metrics.images import Pixels

    Features = list[Array]  # one float16 array (channels, height, width) a layer

BACKBONES = {
    "alex": "alexnet-owt-7be5be79.pth",
    "vgg": "vgg16-397923af.pth",
    "squeeze": "squeezenet1_1-b8a52dc0.pth",
}
URL = "https://download.pytorch.org/models/"
SHORTEST = 64  # below this the networks' poolings leave nothing
RECENT = 32  # references whose features stay in memory: those of the chunks that are prepared ahead


class Reference(NamedTuple):
    """A reference screenshot: its pixels as the network sees them, or its features."""

    sha256: str
    size: tuple[int, int]  # of the screenshot, width and height
    pixels: Pixels | None = None
    features: Features | None = None


class PreparedPair(NamedTuple):
    """A prepared pair."""

    reference: Reference
    candidate: Pixels


class Lpips(PairMetric):
    """1 - LPIPS with one backbone, at one size."""

    name = "lpips"
    batch = 16
    replicas: Replicas

    def __init__(
        self,
        backbone: Path,
        net: str,
        side: int,
        precision: str,
    ):
        self.backbone = backbone
        self.net = net
        self.side = side
        self.precision = precision
        self.engine = f"lpips {version('lpips')} {net} {side} px {precision}"
        self.key = digest(
            self.engine,
            weight_file_digest(backbone),
            "bicubic, float16 features",
        )
        self.recent: OrderedDict[str, Features] = OrderedDict()

    def start(self, store: Store) -> None:
        """Load the weights onto every device. Raises MetricError when they do not fit."""
        self.store = store
        network = load_network(self.backbone, self.net)
        self.replicas = Replicas(network, self.precision)

    def prepare(self, reference: Screenshot, candidate: Screenshot) -> PreparedPair:
        """Return both screenshots as the network sees them.

        A reference whose features are in the cache is not decoded. Raises MetricError when one is
        too small or cannot be read.
        """
        prepared = self._stored(reference.sha256)
        if prepared is None:
            prepared = self._scaled(reference)
        size = self._scaled_size(prepared.size)
        pixels = fit_to(candidate, prepared.size)
        return PreparedPair(prepared, resized(pixels, size))

    def _scaled(self, shot: Screenshot) -> Reference:
        """Return a reference without features. Raises MetricError when it is too small."""
        width, height = shot.size
        if min(width, height) < SHORTEST:
            raise MetricError(
                f"{shot.path}: {width}x{height} is too small for LPIPS "
                f"(at least {SHORTEST} pixels a side)"
            )
        pixels = resized(shot.pixels, self._scaled_size(shot.size))
        return Reference(shot.sha256, shot.size, pixels=pixels)

    def _scaled_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the width and height at which the network sees a pair of `size`."""
        width, height = size
        long_scale = self.side / max(size)
        short_scale = SHORTEST / min(size)
        scale = max(long_scale, short_scale)
        scale = min(1.0, scale)
        return round(width * scale), round(height * scale)

    def shape(self, item: PreparedPair) -> Hashable:
        """Return the size of the scaled screenshots."""
        return item.candidate.shape

    def measure(self, items: Sequence[PreparedPair]) -> Sequence[float]:
        """Return one similarity for each pair.

        Features of new references are computed first, and kept.
        """
        self._compute_features(items)
        pairs = []
        for item in items:
            features = self._features_of(item.reference)
            pairs.append((features, item.candidate))
        distances = self.replicas.run(_distances, pairs)
        while len(self.recent) > RECENT:
            self.recent.popitem(last=False)
        return [clamp(1.0 - distance) for distance in distances]

    def _compute_features(self, items: Sequence[PreparedPair]) -> None:
        """Compute and keep the features of the references that have none yet."""
        pending: dict[str, Reference] = {}
        pixels = []
        for reference, _ in items:
            if reference.pixels is None:  # its features came from the cache
                continue
            sha256 = reference.sha256
            if sha256 not in self.recent and sha256 not in pending:
                pending[sha256] = reference
                pixels.append(reference.pixels)
        if not pending:
            return
        computed = self.replicas.run(_features, pixels)
        for reference, features in zip(pending.values(), computed, strict=True):
            self._keep(reference, features)

    def _features_of(self, reference: Reference) -> Features:
        """Return the features of a reference, which were loaded or computed before."""
        if reference.features:
            return reference.features
        return self.recent[reference.sha256]

    def _keep(self, reference: Reference, features: Features) -> None:
        """Keep the features of a reference in memory and in the cache."""
        import numpy as np

        self.recent[reference.sha256] = features
        header = np.array(reference.size)
        buffer = io.BytesIO()
        np.savez(buffer, header, *features)
        name = _features_name(reference.sha256)
        self.store.put(name, buffer.getvalue())

    def _stored(self, sha256: str) -> Reference | None:
        """Return the reference with its features from the cache; None when it has none."""
        import zipfile

        import numpy as np

        data = self.store.get(_features_name(sha256))
        if not data:
            return None
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                header, *features = archive.values()
        except (ValueError, EOFError, zipfile.BadZipFile):
            return None
        width, height = header
        size = (int(width), int(height))
        return Reference(sha256, size, features=features)


def _features_name(sha256: str) -> str:
    """Return the name of a reference's features in the cache."""
    return f"{sha256}.features"


def load_network(backbone: Path, net: str) -> torch.nn.Module:
    """Return lpips.LPIPS with torchvision's `backbone` file.

    Raises MetricError when it does not fit.
    """
    import pickle
    import warnings

    import lpips
    import torch

    with warnings.catch_warnings():  # it asks torchvision in a way that torchvision deprecates
        warnings.filterwarnings("ignore", module="torchvision")
        network: Any = lpips.LPIPS(net=net, pnet_rand=True, verbose=False)
    state = {}
    try:
        weights = torch.load(
            backbone,
            map_location="cpu",
            weights_only=True,
        )
        for key in network.net.state_dict():
            _, name = key.split(".", 1)
            state[key] = weights[f"features.{name}"]
        network.net.load_state_dict(state)
    except (KeyError, RuntimeError, pickle.UnpicklingError, EOFError, OSError) as error:
        raise MetricError(
            f"metric lpips: {backbone} is not torchvision's {net}: {error}"
        ) from error
    module: torch.nn.Module = network
    return module


def _features(
    network: Any,
    device: torch.device,
    items: Sequence[Pixels],
) -> list[Features]:
    """Return the features of each image, one array a layer, in main memory."""
    outputs = _layers(network, device, items)
    layers = [layer.cpu().numpy() for layer in outputs]
    features = []
    for index in range(len(items)):
        features.append([layer[index] for layer in layers])
    return features


def _layers(
    network: Any,
    device: torch.device,
    items: Sequence[Pixels],
) -> list[torch.Tensor]:
    """Return unit-length features of each layer: float16 (n, channels, height, width).

    lpips' own steps, batched.
    """
    import lpips

    channels_first = to_device(items, device).permute(0, 3, 1, 2)
    inputs = channels_first.float() / 127.5 - 1
    outputs = network.net(network.scaling_layer(inputs))
    return [lpips.normalize_tensor(layer.float()).half() for layer in outputs]


def _distances(
    network: Any,
    device: torch.device,
    items: Sequence[tuple[Features, Pixels]],
) -> list[float]:
    """Return LPIPS of each (features of the reference, candidate).

    The sum over the layers of the weighted squared differences, as the package `lpips` has it.
    """
    import torch

    candidates = [candidate for _, candidate in items]
    layers = _layers(network, device, candidates)
    distances = []
    for level, candidate in enumerate(layers):
        arrays = [features[level] for features, _ in items]
        reference = to_device(arrays, device)
        difference = candidate.float() - reference.float()
        weights = network.lins[level]
        weighted = weights(difference**2)
        distances.append(weighted.mean((1, 2, 3)))
    total = torch.stack(distances).sum(0)
    return [float(distance) for distance in total]


def _backbone(
    net: str,
    path: str | None,
    download: bool,
) -> Path:
    """Return torchvision's file for the backbone `net`. Raises ConfigError, MetricError."""
    check_choice("lpips", "net", net, tuple(BACKBONES))
    name = BACKBONES[net]
    return torch_hub_file(
        "lpips",
        path,
        name,
        URL + name,
        download=download,
    )


def build(
    net: str = "alex",
    path: str | None = None,
    side: int = 512,
    precision: str = "float32",
) -> Lpips:
    """Return LPIPS with torchvision's weights of `net` at `path`, or in torch's hub cache.

    `side` is in pixels. Raises ConfigError for unknown settings, MetricError for missing weights.
    """
    backbone = _backbone(net, path, download=False)
    check_choice("lpips", "precision", precision, PRECISIONS)
    return Lpips(backbone, net, side, precision)


def _fetch(net: str = "alex", path: str | None = None, **_: Any) -> Path:
    """Download torchvision's weights of `net`; return their file. Raises MetricError."""
    return _backbone(net, path, download=True)


WEIGHTS = LibraryWeights(_fetch)
