"""Screenshots to compare: drawn once, with text, as a web page would show them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

WORDS = ["Lantern", "River", "Harbour", "Meadow", "Silver", "Copper", "Autumn", "Winter", "Garden", "Window", "Mirror", "Forest"]


def draw_page(title: str, colour: str = "#0a7050", offset: int = 0, first: int = 0, size: tuple[int, int] = (640, 360)) -> Image.Image:
    """A page with a header and cards; `offset` moves the content down, `first` picks other words."""
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    font, small = ImageFont.load_default(24), ImageFont.load_default(15)
    pen.rectangle((0, 0, size[0], 48), fill=colour)
    pen.text((20, 9), title, font=font, fill="white")
    for i in range(6):
        x, y = 20 + i % 3 * 205, 70 + offset + i // 3 * 140
        pen.rectangle((x, y, x + 190, y + 120), outline="#bbb", width=2)
        pen.text((x + 12, y + 12), f"{WORDS[(first + i) % 12]} {WORDS[(first + 5 * i) % 12]}", font=small, fill="black")
        pen.text((x + 12, y + 40), f"Price {(first * 7 + i * 13) % 80 + 9}.50", font=small, fill="#444")
        pen.rectangle((x + 12, y + 76, x + 110, y + 104), fill=colour)
    return image


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Same page, the page a little lower, the page in other colours, another page, an empty one."""
    folder = tmp_path_factory.mktemp("shots")
    pages = {
        "page": draw_page("Harbour Shop"),
        "shifted": draw_page("Harbour Shop", offset=6),
        "recoloured": draw_page("Harbour Shop", colour="#b03060"),
        "other": draw_page("Weather Station", colour="#223399", first=7, offset=-15),
        "empty": Image.new("RGB", (640, 360), "white"),
    }
    paths = {}
    for name, image in pages.items():
        paths[name] = folder / f"{name}.png"
        image.save(paths[name])
    return paths
