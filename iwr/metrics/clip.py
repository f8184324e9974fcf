"""Cosine of CLIP's image embeddings (Radford et al. 2021; open_clip's `encode_image`), clamped to [0, 1].

Policy (`view`): longest (default) fits the long side and pads with white, so the whole page is seen in its own
proportions; squash fills the square; shortest is open_clip's own centre crop, which at 16:9 sees 56 % of the page.
On pages with small harmless changes against pages with planted defects, embedded by ImageNet networks, longest told
them apart best of the views that cost one image; tiles gained 0.01 for twice the cost, the crop lost up to 0.14.
Colours are RGB. Each screenshot is embedded by itself, so two sizes need no common canvas.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from iwr.errors import ConfigError, MetricError
from iwr.metrics.base import ImageMetric
from iwr.metrics.batch import Replicas, check_precision, cosine, rows, to_device
from iwr.metrics.cache import Store
from iwr.metrics.images import Screenshot
from iwr.metrics.weights import hub_folder, weights_digest
from iwr.records import digest

FILES = ("open_clip_config.json", "open_clip_model.safetensors")
VIEWS = ("longest", "squash", "shortest")
WHITE = 255
DEFAULT = "timm/vit_base_patch32_clip_224.openai"


class Embedding(ImageMetric):
    """An image metric whose value is one vector, float32."""

    batch = 32
    replicas: Replicas

    def shape(self, item: Any) -> Any:
        return item.shape

    def similarity(self, reference: Any, candidate: Any) -> float:
        return cosine(reference, candidate)

    def pack(self, value: Any) -> bytes:
        import numpy as np

        buffer = io.BytesIO()
        np.save(buffer, value, allow_pickle=False)
        return buffer.getvalue()

    def unpack(self, data: bytes) -> Any:
        import numpy as np

        try:
            return np.load(io.BytesIO(data), allow_pickle=False)
        except EOFError as error:
            raise ValueError("cut off") from error


class Clip(Embedding):
    name = "clip"

    def __init__(self, folder: Path, label: str, view: str, precision: str):
        self.folder, self.view, self.precision = folder, view, precision
        self.engine = f"open_clip {version('open_clip_torch')} {label} {view} {precision}"
        self.key = digest([weights_digest(folder / name) for name in FILES], view, WHITE, precision)

    def start(self, store: Store) -> None:
        import open_clip
        from open_clip.transform import PreprocessCfg, image_transform_v2

        try:
            model = open_clip.create_model_from_pretrained(
                f"local-dir:{self.folder}", return_transform=False
            )
            published = PreprocessCfg(**model.visual.preprocess_cfg)
            self.preprocess = image_transform_v2(
                replace(published, resize_mode=self.view, fill_color=WHITE), is_train=False
            )
        except (RuntimeError, ValueError, OSError, KeyError) as error:
            raise MetricError(f"metric clip: {self.folder} does not load: {error}") from error
        self.replicas = Replicas(model.visual, self.precision)  # all that encode_image calls

    def prepare(self, shot: Screenshot) -> Any:
        from PIL import Image

        return self.preprocess(Image.fromarray(shot.pixels)).numpy()

    def read(self, items: Sequence[Any]) -> list[Any]:
        return self.replicas.run(_encode, items)


def _encode(network: Any, device: Any, items: Sequence[Any]) -> list[Any]:
    return rows(network(to_device(items, device)))


def build(path: str = DEFAULT, view: str = "longest", precision: str = "float32") -> Clip:
    if view not in VIEWS:
        raise ConfigError(
            f"protocol.metrics.clip.view={view}", hint=f"choose from {', '.join(VIEWS)}"
        )
    return Clip(
        hub_folder("clip", path, FILES), Path(path).name, view, check_precision("clip", precision)
    )


def prefetch(path: str = DEFAULT, **_: Any) -> Path:
    return hub_folder("clip", path, FILES, download=True)
