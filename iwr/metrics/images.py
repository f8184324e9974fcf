"""Screenshots from disk: what they hold, and what becomes of the odd ones.

Every image ends as 8-bit RGB or as a MetricError that says why not:

    palette, grey, CMYK          converted to RGB
    transparency                 laid on white, as a browser would
    16-bit grey                  the upper 8 bits
    animation                    its first frame
    1x1                          accepted; each metric says what it makes of so small an image
    zero bytes, damaged, no image, more than MAX_PIXELS, 32-bit or floating point samples      refused
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from iwr.errors import MetricError

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

MAX_PIXELS = 64_000_000  # 192 MB decoded; an 8K screenshot has 33 million


class Screenshot:
    """An image on disk, decoded when a metric first looks at it, once. Not shared between threads."""

    def __init__(self, path: Path, sha256: str):
        self.path = path
        self.sha256 = sha256  # of the file
        self._decoded: np.ndarray | MetricError | None = None

    @property
    def pixels(self) -> np.ndarray:
        """uint8 (height, width, 3), RGB, read-only. Raises MetricError for everything that the module's table refuses."""
        if self._decoded is None:
            try:
                self._decoded = _decode(self.path)
            except MetricError as error:
                self._decoded = error
        if isinstance(self._decoded, MetricError):
            raise self._decoded
        return self._decoded

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]


def _decode(path: Path) -> np.ndarray:
    import numpy as np
    from PIL import Image

    try:
        with Image.open(path) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise MetricError(
                    f"{path}: {width}x{height} is more than {MAX_PIXELS // 1_000_000} million pixels"
                )
            pixels = np.array(_rgb(image, path))
    except Image.DecompressionBombError as error:
        raise MetricError(f"{path}: more than {MAX_PIXELS // 1_000_000} million pixels") from error
    except (
        OSError,
        SyntaxError,
        ValueError,
    ) as error:  # what Pillow raises for damaged files, by format
        raise MetricError(f"{path}: not a readable image ({error})") from error
    pixels.flags.writeable = False
    return pixels


def header_size(path: Path) -> tuple[int, int] | None:
    """Width and height in pixels as the file's header gives them; None where it is no image."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


def _rgb(image: Image.Image, path: Path) -> Image.Image:
    import numpy as np
    from PIL import Image

    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise MetricError(f"{path}: images with 32-bit samples are not screenshots")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image.convert("RGB")


def fit_to(shot: Screenshot, size: tuple[int, int]) -> np.ndarray:
    """The pixels of `shot` on a canvas of `size` (width, height).

    Another size is scaled to the canvas' width with its proportions kept (a page photographed at another pixel
    density comes out equal); what is then too tall is cut at the bottom, what is missing there is white.
    """
    import numpy as np
    from PIL import Image

    if shot.size == size:
        return shot.pixels
    width, _ = size
    scaled_height = max(1, round(shot.size[1] * width / shot.size[0]))
    scaled_height = min(scaled_height, MAX_PIXELS // width)
    scaled = Image.fromarray(shot.pixels).resize((width, scaled_height), Image.Resampling.BICUBIC)
    canvas = Image.new("RGB", size, "white")
    canvas.paste(scaled, (0, 0))
    return np.asarray(canvas)
