"""Cosine of CLIP's image embeddings (Radford et al. 2021; open_clip's `encode_image`), in [0, 1].

Policy (`view`): longest (default) fits the long side and pads with white, so the whole page is seen
in its own proportions; squash fills the square; shortest is open_clip's own centre crop, which at
16:9 sees 56 % of the page. On pages with small harmless changes against pages with planted defects,
embedded by ImageNet networks, longest told them apart best of the views that cost one image; tiles
gained 0.01 for twice the cost, the crop lost up to 0.14. Colours are RGB. Each screenshot is
embedded by itself, so two sizes need no common canvas.
"""

from __future__ import annotations

import io
from collections.abc import Hashable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iwr.digests import digest
from iwr.errors import MetricError
from iwr.metrics.base import ImageMetric, check_choice
from iwr.metrics.batch import PRECISIONS, Replicas, cosine, split_rows, to_device
from iwr.metrics.cache import Store
from iwr.metrics.images import Screenshot
from iwr.metrics.weights import HubWeights, hub_folder, weight_file_digest

if TYPE_CHECKING:
    import torch

    from iwr.metrics.batch import Array, Vector

FILES = ("open_clip_config.json", "open_clip_model.safetensors")
VIEWS = ("longest", "squash", "shortest")
WHITE = 255
DEFAULT = "timm/vit_base_patch32_clip_224.openai"


class Embedding(ImageMetric):
    """An image metric whose value is one vector, float32."""

    batch = 32
    replicas: Replicas

    def shape(self, item: Array) -> Hashable:
        """Return the shape of the network's input."""
        return item.shape

    def similarity(self, reference: Vector, candidate: Vector) -> float:
        """Return the cosine of two vectors."""
        return cosine(reference, candidate)

    def pack(self, value: Vector) -> bytes:
        """Return a vector in numpy's own format, without pickle."""
        import numpy as np

        buffer = io.BytesIO()
        np.save(buffer, value, allow_pickle=False)
        return buffer.getvalue()

    def unpack(self, data: bytes) -> Vector:
        """Return the vector that `pack` stored. Raises ValueError for damaged data."""
        import numpy as np

        try:
            vector: Vector = np.load(io.BytesIO(data), allow_pickle=False)
        except EOFError as error:
            raise ValueError("the file is truncated") from error
        return vector


class Clip(Embedding):
    """CLIP under one view and precision.

    The value of an image is what open_clip's `encode_image` gives.
    """

    name = "clip"

    def __init__(
        self,
        folder: Path,
        label: str,
        view: str,
        precision: str,
    ):
        self.folder = folder
        self.view = view
        self.precision = precision
        self.engine = f"open_clip {version('open_clip_torch')} {label} {view} {precision}"
        weights = [weight_file_digest(folder / name) for name in FILES]
        self.key = digest(weights, view, WHITE, precision)

    def start(self, store: Store) -> None:
        """Load the weights onto every device. Raises MetricError when they do not load."""
        import open_clip
        from open_clip.transform import PreprocessCfg, image_transform_v2

        try:
            model = open_clip.create_model_from_pretrained(
                f"local-dir:{self.folder}", return_transform=False
            )
            published = PreprocessCfg(**model.visual.preprocess_cfg)
            settings = replace(
                published,
                resize_mode=self.view,
                fill_color=WHITE,
            )
            self.preprocess = image_transform_v2(settings, is_train=False)
        except (RuntimeError, ValueError, OSError, KeyError) as error:
            raise MetricError(f"metric clip: {self.folder} does not load: {error}") from error
        self.replicas = Replicas(model.visual, self.precision)  # all that encode_image calls

    def prepare(self, shot: Screenshot) -> Array:
        """Return the network's input, float32 (3, height, width)."""
        from PIL import Image

        image = Image.fromarray(shot.pixels)
        tensor: torch.Tensor = self.preprocess(image)
        return tensor.numpy()

    def read(self, items: Sequence[Array]) -> list[Vector]:
        """Return one embedding for each input."""
        return self.replicas.run(_encode, items)


def _encode(
    network: Any,
    device: torch.device,
    items: Sequence[Array],
) -> list[Vector]:
    """Return an embedding for each image."""
    inputs = to_device(items, device)
    return split_rows(network(inputs))


def build(
    path: str = DEFAULT,
    view: str = "longest",
    precision: str = "float32",
) -> Clip:
    """Return CLIP with the weights of `path`: a local folder or a repository of the hub.

    Raises ConfigError for unknown settings, MetricError for missing weights.
    """
    check_choice("clip", "view", view, VIEWS)
    check_choice("clip", "precision", precision, PRECISIONS)
    folder = hub_folder("clip", path, FILES)
    return Clip(folder, Path(path).name, view, precision)


WEIGHTS = HubWeights("clip", DEFAULT, FILES)
