"""Draw every image of the sample sites, so that nothing in them has a foreign licence.

    python draw_assets.py [samples/data]

Each site has a function that yields asset_001.png, asset_002.png … in the order in which its page
uses them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

Colour = str | tuple[int, int, int]
SAMPLES = Path(__file__).resolve().parents[2] / "iwr" / "tasks" / "samples" / "data"


def canvas(width: int, height: int, colour: Colour) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (width, height), colour)
    return image, ImageDraw.Draw(image)


def sky(
    width: int, height: int, top: Colour, bottom: Colour
) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """A vertical gradient in 24 flat bands, so that the PNG stays small."""
    image, draw = canvas(width, height, top)
    first, last = (Image.new("RGB", (1, 1), colour).getpixel((0, 0)) for colour in (top, bottom))
    for band in range(24):
        channels = zip(first, last, strict=True)  # type: ignore[arg-type]
        shade = tuple(int(a + (b - a) * band / 23) for a, b in channels)
        draw.rectangle((0, height * band // 24, width, height * (band + 1) // 24), fill=shade)
    return image, draw


def write(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    size: int,
    colour: Colour,
    anchor: str = "mm",
) -> None:
    draw.text(at, text, fill=colour, anchor=anchor, font=ImageFont.load_default(size))


def disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: Colour) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def logo(
    width: int, height: int, text: str, back: Colour, ink: Colour, mark: Colour
) -> Image.Image:
    image, draw = canvas(width, height, back)
    disc(draw, height * 0.45, height * 0.5, height * 0.36, mark)
    disc(draw, height * 0.57, height * 0.42, height * 0.2, back)
    write(draw, (height, height / 2), text, int(height * 0.52), ink, "lm")
    return image


def face(back: Colour, skin: Colour, hair: Colour, shirt: Colour, size: int = 96) -> Image.Image:
    image, draw = canvas(size, size, back)
    disc(draw, size * 0.5, size * 1.08, size * 0.4, shirt)
    disc(draw, size * 0.5, size * 0.4, size * 0.29, hair)
    draw.ellipse((size * 0.3, size * 0.26, size * 0.7, size * 0.74), fill=skin)
    return image


def skyline(
    width: int, height: int, top: Colour, bottom: Colour, towers: Colour, light: Colour, count: int
) -> Image.Image:
    image, draw = sky(width, height, top, bottom)
    step = width / count
    for index in range(count):
        rise = height * (0.25 + 0.4 * ((index * 37 + 11) % 17) / 17)
        left = index * step
        draw.rectangle((left, height - rise, left + step - 3, height), fill=towers)
        for row in range(int(rise // 24)):
            if (index * 5 + row * 3) % 4:
                sill = height - rise + 10 + row * 24
                draw.rectangle((left + step * 0.3, sill, left + step * 0.5, sill + 10), fill=light)
    return image


def poster(image: Image.Image, title: str, ink: Colour) -> Image.Image:
    draw = ImageDraw.Draw(image)
    for row, word in enumerate(title.split()):
        write(draw, (image.width / 2, 40 + row * 40), word.upper(), 38, ink)
    return image


def film_rating() -> Iterator[Image.Image]:
    yield logo(320, 80, "Reelhouse", "#e8b31c", "#12110f", "#12110f")
    yield poster(
        skyline(270, 400, "#0b1440", "#3d7bd6", "#060a1c", "#e8b31c", 6), "Night Circuit", "#f3d98a"
    )
    road, draw = sky(270, 400, "#f2c9a0", "#fff3e0")
    draw.polygon([(135, 190), (20, 400), (250, 400)], fill="#8d7f74")
    draw.polygon([(133, 200), (120, 400), (150, 400)], fill="#fff3e0")
    yield poster(road, "Salt Road", "#5d3a1a")
    moons, draw = sky(270, 400, "#2a1b45", "#7a4fa3")
    for x, y, radius in ((80, 190, 46), (190, 250, 60), (100, 330, 34)):
        disc(draw, x, y, radius, "#f4e9ff")
        disc(draw, x + radius * 0.35, y - radius * 0.2, radius * 0.8, "#543678")
    yield poster(moons, "Paper Moons", "#f4e9ff")
    harbor, draw = sky(270, 400, "#b3261e", "#f08a5d")
    draw.rectangle((0, 300, 270, 400), fill="#5c1210")
    draw.polygon([(60, 290), (210, 290), (180, 330), (90, 330)], fill="#fff")
    draw.polygon([(135, 160), (135, 280), (200, 280)], fill="#ffe0d0")
    yield poster(harbor, "Red Harbor", "#ffe0d0")
    yield skyline(1200, 190, "#0b1440", "#3d7bd6", "#060a1c", "#e8b31c", 24)


def shop_cart() -> Iterator[Image.Image]:
    yield logo(360, 88, "Hearth", "#ffffff", "#223322", "#2f8f4e")
    lamp, draw = canvas(468, 360, "#f3efe4")
    draw.polygon([(180, 70), (288, 70), (330, 170), (138, 170)], fill="#e6a93a")
    draw.rectangle((226, 170, 242, 300), fill="#554433")
    draw.rectangle((174, 296, 294, 314), fill="#554433")
    yield lamp
    stool, draw = canvas(468, 360, "#e9eef2")
    draw.ellipse((140, 100, 328, 150), fill="#b98750")
    for left, right in ((160, 130), (225, 225), (296, 326)):
        draw.line((left, 130, right, 310), fill="#8a5e30", width=16)
    yield stool
    rug, draw = canvas(468, 360, "#f7f1ee")
    for inset, colour in ((0, "#a23b3b"), (26, "#f2d7b0"), (44, "#a23b3b"), (80, "#33506b")):
        draw.rectangle((60 + inset, 70 + inset, 408 - inset, 290 - inset), fill=colour)
    yield rug
    pot, draw = canvas(468, 360, "#e5f0ec")
    disc(draw, 234, 210, 90, "#2b7a78")
    draw.polygon([(300, 190), (380, 130), (392, 146), (316, 236)], fill="#2b7a78")
    draw.arc((110, 150, 210, 270), 90, 270, fill="#2b7a78", width=16)
    disc(draw, 234, 112, 16, "#17252a")
    yield pot
    clock, draw = canvas(468, 360, "#f0ecf6")
    disc(draw, 234, 180, 122, "#44355b")
    disc(draw, 234, 180, 106, "#ffffff")
    draw.line((234, 180, 234, 100), fill="#44355b", width=10)
    draw.line((234, 180, 290, 210), fill="#c0392b", width=10)
    yield clock
    plant, draw = canvas(468, 360, "#f5f5ea")
    for x, y in ((180, 120), (234, 80), (288, 120), (206, 160), (262, 160)):
        draw.ellipse((x - 30, y - 56, x + 30, y + 56), fill="#4c9f50")
    draw.polygon([(160, 210), (308, 210), (284, 320), (184, 320)], fill="#c96f3b")
    yield plant


def tiles_2048() -> Iterator[Image.Image]:
    title, draw = canvas(520, 200, "#faf3e3")
    for index, (digit, colour) in enumerate(
        zip("2048", ("#f0b49a", "#e8925a", "#e8702a", "#d4a017"), strict=True)
    ):
        draw.rounded_rectangle((index * 130 + 6, 36, index * 130 + 122, 164), 18, fill=colour)
        write(draw, (index * 130 + 64, 100), digit, 90, "#ffffff")
    yield title
    merge, draw = canvas(720, 240, "#e8702a")
    for x, text, colour in ((30, "2", "#f0b49a"), (210, "2", "#f0b49a"), (500, "4", "#d4a017")):
        draw.rounded_rectangle((x, 40, x + 160, 200), 18, fill=colour)
        write(draw, (x + 80, 120), text, 90, "#ffffff")
    draw.polygon([(400, 90), (460, 120), (400, 150)], fill="#ffffff")
    yield merge


def signup_form() -> Iterator[Image.Image]:
    yield logo(400, 112, "Skylark", "#1d5fd1", "#ffffff", "#ffd166")
    scene, draw = sky(800, 800, "#9fd0ff", "#eaf6ff")
    disc(draw, 620, 170, 80, "#ffd166")
    draw.polygon([(0, 800), (260, 330), (520, 800)], fill="#4a7bb7")
    draw.polygon([(260, 330), (205, 430), (310, 430)], fill="#ffffff")
    draw.polygon([(280, 800), (560, 430), (800, 800)], fill="#2f5d9b")
    draw.rectangle((0, 700, 800, 800), fill="#3d8b5a")
    draw.polygon([(330, 700), (400, 560), (470, 700)], fill="#e4572e")
    yield scene


def docs_page() -> Iterator[Image.Image]:
    yield logo(360, 96, "Lumen", "#5b2a9d", "#ffffff", "#ffcf4a")
    scheme, draw = canvas(860, 200, "#f7f2fd")
    for x, text, colour in (
        (60, "Browser", "#8355c4"),
        (345, "Lumen", "#5b2a9d"),
        (630, "Files", "#8355c4"),
    ):
        draw.rounded_rectangle((x, 60, x + 170, 140), 10, fill=colour)
        write(draw, (x + 85, 100), text, 28, "#ffffff")
    for x in (240, 525):
        draw.line((x, 100, x + 80, 100), fill="#221a33", width=4)
        draw.polygon([(x + 80, 88), (x + 98, 100), (x + 80, 112)], fill="#221a33")
    yield scheme


def mail_client() -> Iterator[Image.Image]:
    yield logo(320, 88, "Postbox", "#c62828", "#ffffff", "#ffffff")
    yield face("#ffe0b2", "#f1c27d", "#5d4037", "#c62828")
    yield face("#bbdefb", "#c68642", "#212121", "#1565c0")
    yield face("#c8e6c9", "#ffdbac", "#f9a825", "#2e7d32")
    yield face("#e1bee7", "#8d5524", "#3e2723", "#6a1b9a")


def kanban_board() -> Iterator[Image.Image]:
    yield logo(400, 96, "Tidewater", "#0a9396", "#ffffff", "#ee9b00")
    yield face("#ffd6a5", "#f1c27d", "#9b2226", "#005f73")
    yield face("#caf0f8", "#8d5524", "#212121", "#ee9b00")
    yield face("#d8f3dc", "#ffdbac", "#6c584c", "#bb3e03")


def music_player() -> Iterator[Image.Image]:
    cover, draw = sky(420, 420, "#ff7eb6", "#4b1a6b")
    disc(draw, 210, 200, 84, "#ffe3a3")
    for row in range(6):
        draw.rectangle((0, 230 + row * 34, 420, 246 + row * 34), fill="#3a1257")
    yield cover
    for back, shape in (
        ("#e9c46a", "#bc6c25"),
        ("#023e8a", "#90e0ef"),
        ("#343a40", "#f8f9fa"),
        ("#2a9d8f", "#e9f5db"),
    ):
        album, draw = canvas(180, 180, back)
        disc(draw, 90, 96, 58, shape)
        disc(draw, 116, 80, 46, back)
        draw.rectangle((0, 150, 180, 158), fill=shape)
        yield album


SITES: dict[str, Callable[[], Iterator[Image.Image]]] = {
    "film-rating": film_rating,
    "shop-cart": shop_cart,
    "tiles-2048": tiles_2048,
    "signup-form": signup_form,
    "docs-page": docs_page,
    "mail-client": mail_client,
    "kanban-board": kanban_board,
    "music-player": music_player,
}


def draw_all(samples: Path = SAMPLES) -> None:
    for site, images in SITES.items():
        folder = samples / site / "assets"
        folder.mkdir(parents=True, exist_ok=True)
        for number, image in enumerate(images(), 1):
            image.quantize(64).save(folder / f"asset_{number:03d}.png", optimize=True)


if __name__ == "__main__":
    draw_all(*map(Path, sys.argv[1:]))
