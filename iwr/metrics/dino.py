"""Cosine of DINOv2's CLS embeddings (protocol section 3; transformers' Dinov2Model), clamped to [0, 1].

Policy (`view`): centre is the model's own processor with Pillow's resampling, as in the reference evaluator: short
side 256, centre crop of 224, so at 16:9 43 % of the page is compared. whole fits the short side to the
crop's size and keeps the page's proportions, its long side cut to whole patches; nothing is cropped otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from iwr.errors import ConfigError, MetricError
from iwr.metrics.batch import Replicas, check_precision, rows, to_device
from iwr.metrics.cache import Store
from iwr.metrics.clip import Embedding
from iwr.metrics.images import Screenshot
from iwr.metrics.weights import hub_folder, weights_digest
from iwr.records import digest

FILES = ("config.json", "preprocessor_config.json", "model.safetensors")
VIEWS = ("centre", "whole")
DEFAULT = "facebook/dinov2-base"
LONGEST = 4  # a page longer than this many short sides is squeezed: attention grows with the square of its length


class Dino(Embedding):
    name = "dino"

    def __init__(self, folder: Path, label: str, view: str, precision: str):
        self.folder, self.view, self.precision = folder, view, precision
        self.engine = f"transformers {version('transformers')} {label} {view} {precision}"
        self.key = digest([weights_digest(folder / name) for name in FILES], view, precision)

    def start(self, store: Store) -> None:
        from transformers import AutoImageProcessor, AutoModel
        from transformers.utils import logging

        logging.disable_progress_bar()
        try:
            self.processor = AutoImageProcessor.from_pretrained(
                self.folder, backend="pil", local_files_only=True
            )
            model = AutoModel.from_pretrained(self.folder, local_files_only=True)
        except (RuntimeError, ValueError, OSError, KeyError) as error:
            raise MetricError(f"metric dino: {self.folder} does not load: {error}") from error
        self.patch = int(model.config.patch_size)
        self.replicas = Replicas(model, self.precision)

    def prepare(self, shot: Screenshot) -> Any:
        from PIL import Image

        image = Image.fromarray(shot.pixels)
        if self.view == "centre":
            return self.processor(images=image, return_tensors="np")["pixel_values"][0]
        image = image.resize(self._whole(image.size), Image.Resampling.BICUBIC)
        return self.processor(
            images=image, return_tensors="np", do_resize=False, do_center_crop=False
        )["pixel_values"][0]

    def _whole(self, size: tuple[int, int]) -> tuple[int, int]:
        """The size at which the network sees all of an image of `size`, both (width, height) in pixels."""
        short = int(self.processor.crop_size["height"])
        scale = short / min(size)
        width, height = (
            min(LONGEST * short, side * scale) // self.patch * self.patch for side in size
        )
        return int(width), int(height)

    def read(self, items: Sequence[Any]) -> list[Any]:
        return self.replicas.run(_encode, items)


def _encode(network: Any, device: Any, items: Sequence[Any]) -> list[Any]:
    return rows(network(pixel_values=to_device(items, device)).last_hidden_state[:, 0])


def build(path: str = DEFAULT, view: str = "centre", precision: str = "float32") -> Dino:
    if view not in VIEWS:
        raise ConfigError(
            f"protocol.metrics.dino.view={view}", hint=f"choose from {', '.join(VIEWS)}"
        )
    return Dino(
        hub_folder("dino", path, FILES), Path(path).name, view, check_precision("dino", precision)
    )


def prefetch(path: str = DEFAULT, **_: Any) -> Path:
    return hub_folder("dino", path, FILES, download=True)
