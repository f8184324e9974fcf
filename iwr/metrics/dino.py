"""Cosine of DINOv2's CLS embeddings (protocol section 3; transformers' Dinov2Model), in [0, 1].

Policy (`view`): centre is the model's own processor with Pillow's resampling, as in the reference
evaluator: short side 256, centre crop of 224, so at 16:9 43 % of the page is compared. whole fits
the short side to the crop's size and keeps the page's proportions, its long side cut to whole
patches; nothing is cropped otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iwr.digests import digest
from iwr.errors import MetricError
from iwr.metrics.base import check_choice
from iwr.metrics.batch import PRECISIONS, Replicas, split_rows, to_device
from iwr.metrics.cache import Store
from iwr.metrics.clip import Embedding
from iwr.metrics.images import Screenshot
from iwr.metrics.weights import HubWeights, hub_folder, weight_file_digest

if TYPE_CHECKING:
    import torch

    from iwr.metrics.batch import Array, Vector

FILES = ("config.json", "preprocessor_config.json", "model.safetensors")
VIEWS = ("centre", "whole")
DEFAULT = "facebook/dinov2-base"

# A page longer than this many short sides is squeezed: attention grows with the square of its
# length.
LONGEST = 4


class Dino(Embedding):
    """DINOv2 under one view and precision.

    The value of an image is the embedding of the CLS token.
    """

    name = "dino"
    processor: Any

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
        self.engine = f"transformers {version('transformers')} {label} {view} {precision}"
        weights = [weight_file_digest(folder / name) for name in FILES]
        self.key = digest(weights, view, precision)

    def start(self, store: Store) -> None:
        """Load the weights onto every device. Raises MetricError when they do not load."""
        import transformers

        library: Any = transformers
        library.utils.logging.disable_progress_bar()
        try:
            self.processor = library.AutoImageProcessor.from_pretrained(
                self.folder,
                backend="pil",
                local_files_only=True,
            )
            model = library.AutoModel.from_pretrained(self.folder, local_files_only=True)
        except (RuntimeError, ValueError, OSError, KeyError) as error:
            raise MetricError(f"metric dino: {self.folder} does not load: {error}") from error
        self.patch = int(model.config.patch_size)
        self.replicas = Replicas(model, self.precision)

    def prepare(self, shot: Screenshot) -> Array:
        """Return the network's input, float32 (3, height, width)."""
        from PIL import Image

        image = Image.fromarray(shot.pixels)
        if self.view == "centre":
            inputs = self.processor(images=image, return_tensors="np")
        else:
            inputs = self.processor(
                images=image.resize(self._whole_size(image.size), Image.Resampling.BICUBIC),
                return_tensors="np",
                do_resize=False,
                do_center_crop=False,
            )
        pixels: Array = inputs["pixel_values"][0]
        return pixels

    def _whole_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the size at which the network sees all of an image of `size`.

        Both are (width, height) in pixels.
        """
        short = int(self.processor.crop_size["height"])
        scale = short / min(size)

        def whole_patches(side: int) -> int:
            length = min(LONGEST * short, side * scale)
            return int(length // self.patch * self.patch)

        width, height = size
        return whole_patches(width), whole_patches(height)

    def read(self, items: Sequence[Array]) -> list[Vector]:
        """Return one embedding for each input."""
        return self.replicas.run(_encode, items)


def _encode(
    network: Any,
    device: torch.device,
    items: Sequence[Array],
) -> list[Vector]:
    """Return the embedding of the class token for each image."""
    inputs = to_device(items, device)
    states = network(pixel_values=inputs).last_hidden_state
    return split_rows(states[:, 0])


def build(
    path: str = DEFAULT,
    view: str = "centre",
    precision: str = "float32",
) -> Dino:
    """Return DINOv2 with the weights of `path`: a local folder or a repository of the hub.

    Raises ConfigError for unknown settings, MetricError for missing weights.
    """
    check_choice("dino", "view", view, VIEWS)
    check_choice("dino", "precision", precision, PRECISIONS)
    folder = hub_folder("dino", path, FILES)
    return Dino(folder, Path(path).name, view, precision)


WEIGHTS = HubWeights("dino", DEFAULT, FILES)
