"""Screenshots from disk: what they hold, and how unusual images are treated.

Every image ends as 8-bit RGB or as a MetricError that says why not:

    palette, grey, CMYK          converted to RGB
    transparency                 laid on white, as a browser would
    16-bit grey                  the upper 8 bits
    animation                    its first frame
    1x1                          accepted; each metric says what it makes of so small an image
    zero bytes, damaged, no image, more than MAX_PIXELS, 32-bit or float samples      refused
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from iwr.errors import MetricError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL import Image

    Pixels = npt.NDArray[np.uint8]

MAX_PIXELS = 64_000_000  # 192 MB decoded; an 8K screenshot has 33 million
TOO_MANY = f"more than {MAX_PIXELS // 1_000_000} million pixels"


class Screenshot:
    """An image on disk, decoded when a metric first looks at it, once. Not shared by threads."""

    def __init__(self, path: Path, sha256: str):
        self.path = path
        self.sha256 = sha256  # of the file
        self._pixels: Pixels | None = None
        self._error: MetricError | None = None

    @property
    def pixels(self) -> Pixels:
        """RGB, (height, width, 3), read-only.

        Raises MetricError for everything that the module's table refuses.
        """
        if self._error is not None:
            raise self._error
        if self._pixels is None:
            try:
                self._pixels = _decode(self.path)
            except MetricError as error:
                self._error = error
                raise
        return self._pixels

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        height, width, _ = self.pixels.shape
        return width, height


def _decode(path: Path) -> Pixels:
    """Return the pixels of an image file, (height, width, 3). Raise MetricError."""
    import numpy as np
    from PIL import Image

    try:
        with Image.open(path) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise MetricError(f"{path}: {width}x{height} is {TOO_MANY}")
            pixels = np.array(_rgb(image, path))
    except Image.DecompressionBombError as error:
        raise MetricError(f"{path}: {TOO_MANY}") from error
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's, for damaged files, by format
        raise MetricError(f"{path}: not a readable image ({error})") from error
    pixels.flags.writeable = False
    return pixels


def header_size(path: Path) -> tuple[int, int] | None:
    """Return (width, height) in pixels by the file's header; None for files that are no images."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


def _rgb(image: Image.Image, path: Path) -> Image.Image:
    """Return an image in RGB, on white. Raise MetricError for what no screenshot is."""
    import numpy as np
    from PIL import Image

    if image.mode.startswith("I;16"):
        upper = np.asarray(image) >> 8
        return Image.fromarray(upper.astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise MetricError(f"{path}: images with 32-bit samples are not screenshots")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def resized(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Return `pixels` (height, width, 3) scaled to `size` (width, height), bicubic."""
    import numpy as np
    from PIL import Image

    if (pixels.shape[1], pixels.shape[0]) == size:
        return pixels
    image = Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(image)


def fit_to(shot: Screenshot, size: tuple[int, int]) -> Pixels:
    """Return the pixels of `shot` on a canvas of `size` (width, height).

    Another size is scaled to the canvas' width with its proportions kept (a page photographed at
    another pixel density comes out equal); what is then too tall is cut at the bottom, what is
    missing there is white.
    """
    import numpy as np
    from PIL import Image

    if shot.size == size:
        return shot.pixels
    width, _ = size
    proportional = round(shot.size[1] * width / shot.size[0])
    height = min(max(1, proportional), MAX_PIXELS // width)
    scaled = resized(shot.pixels, (width, height))
    canvas = Image.new("RGB", size, "white")
    canvas.paste(Image.fromarray(scaled), (0, 0))
    return np.asarray(canvas)
