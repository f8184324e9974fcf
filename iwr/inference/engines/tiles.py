"""Images as tiles of 448 x 448, as models with the chat interface of InternVL take them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

MOST_TILES = 12  # of one overview image
TILE = 448  # pixels, side of a tile
# of ImageNet, as InternViT was trained
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)


def tiled(image: Image) -> list[Image]:
    """Cut an overview image into tiles, and add one of the whole, as InternVL was trained.

    Of all grids of at most MOST_TILES tiles, the one nearest to the image's proportions is taken;
    of equal ones the finest that the image fills. One tile alone needs none of the whole.
    """
    width, height = image.size
    columns, rows = _grid(width, height)
    if columns * rows == 1:
        return [image]
    size = (columns * TILE, rows * TILE)
    large = image.resize(size)
    tiles = []
    for top in range(0, large.height, TILE):
        bottom = top + TILE
        for left in range(0, large.width, TILE):
            right = left + TILE
            tile = large.crop((left, top, right, bottom))
            tiles.append(tile)
    tiles.append(image)
    return tiles


def _grid(width: int, height: int) -> tuple[int, int]:
    """Return columns and rows of the tiles of an image."""
    best = (1, 1)
    smallest = math.inf
    proportion = width / height
    tiles_of_pixels = width * height / TILE**2
    for number in range(1, MOST_TILES + 1):
        is_filled = number < 2 * tiles_of_pixels
        for columns in range(1, number + 1):
            rows, left_over = divmod(number, columns)
            if left_over:
                continue
            difference = abs(columns / rows - proportion)
            is_equal = difference == smallest
            if difference < smallest or (is_equal and is_filled):
                best = (columns, rows)
                smallest = difference
    return best


def tensor(image: Image) -> torch.Tensor:
    """Return the image as a normalised tensor (3, TILE, TILE)."""
    import torch
    from torchvision.transforms.v2.functional import normalize, pil_to_tensor

    small = image.resize((TILE, TILE))
    pixels = pil_to_tensor(small)
    values = pixels.to(torch.float32) / 255
    mean = list(MEAN)
    deviation = list(DEVIATION)
    tile: torch.Tensor = normalize(values, mean, deviation)
    return tile
