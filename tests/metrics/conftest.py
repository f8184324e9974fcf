"""Screenshots drawn as web pages, and small networks with random weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

WORDS = [
    "Lantern",
    "River",
    "Harbour",
    "Meadow",
    "Silver",
    "Copper",
    "Autumn",
    "Winter",
    "Garden",
    "Window",
    "Mirror",
    "Forest",
]


def draw_page(
    title: str,
    colour: str = "#0a7050",
    offset: int = 0,
    first: int = 0,
    size: tuple[int, int] = (640, 360),
) -> Image.Image:
    """A page with a header and cards; `offset` moves it down, `first` picks other words."""
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    font, small = ImageFont.load_default(24), ImageFont.load_default(15)
    pen.rectangle((0, 0, size[0], 48), fill=colour)
    pen.text((20, 9), title, font=font, fill="white")
    for i in range(6):
        x, y = 20 + i % 3 * 205, 70 + offset + i // 3 * 140
        pen.rectangle((x, y, x + 190, y + 120), outline="#bbb", width=2)
        pen.text(
            (x + 12, y + 12),
            f"{WORDS[(first + i) % 12]} {WORDS[(first + 5 * i) % 12]}",
            font=small,
            fill="black",
        )
        pen.text(
            (x + 12, y + 40), f"Price {(first * 7 + i * 13) % 80 + 9}.50", font=small, fill="#444"
        )
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


# Networks are saved in the layout in which the real ones are published.

CLIP_CONFIG = {
    "model_cfg": {
        "embed_dim": 32,
        "vision_cfg": {
            "image_size": 224,
            "layers": 2,
            "width": 64,
            "head_width": 32,
            "patch_size": 32,
        },
        "text_cfg": {"context_length": 8, "vocab_size": 64, "width": 32, "heads": 2, "layers": 1},
    },
    "preprocess_cfg": {
        "mean": [0.48, 0.46, 0.41],
        "std": [0.27, 0.26, 0.28],
        "interpolation": "bicubic",
        "resize_mode": "shortest",
    },
}


def sharpen(network, factor: float) -> None:
    """Make a random network tell pages apart.

    As initialised, every page looks the same to it and no test could fail.
    """
    for parameter in network.parameters():
        if parameter.ndim > 1:
            parameter.data.mul_(factor)


def save_clip(folder: Path) -> Path:
    import open_clip
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(1)
    (folder / "open_clip_config.json").write_text(json.dumps(CLIP_CONFIG))
    model = open_clip.CLIP(**CLIP_CONFIG["model_cfg"])
    model.visual.class_embedding.data.zero_()
    sharpen(model.visual.transformer, 3)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return folder


def save_dino(folder: Path) -> Path:
    """Dinov2Model, its processor set up as facebook/dinov2-base publishes it."""
    import torch
    from transformers import BitImageProcessorPil, Dinov2Config, Dinov2Model

    torch.manual_seed(2)
    Dinov2Model(
        Dinov2Config(
            hidden_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            patch_size=14,
            image_size=518,
        )
    ).save_pretrained(folder)
    BitImageProcessorPil(
        size={"shortest_edge": 256},
        crop_size={"height": 224, "width": 224},
        image_mean=[0.485, 0.456, 0.406],
        image_std=[0.229, 0.224, 0.225],
    ).save_pretrained(folder)
    return folder


def save_alexnet(folder: Path) -> Path:
    import torch
    import torchvision

    torch.manual_seed(3)
    file = folder / "alexnet-owt-7be5be79.pth"
    state = torchvision.models.alexnet(weights=None).state_dict()
    torch.save({key: value for key, value in state.items() if key.startswith("features.")}, file)
    return file


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Of the metrics that need weights, as in ProtocolConfig.metrics."""
    save = {"clip": save_clip, "dino": save_dino, "lpips": save_alexnet}
    return {name: {"path": str(make(tmp_path_factory.mktemp(name)))} for name, make in save.items()}


@pytest.fixture(scope="session")
def one_thread() -> None:
    """For torch: on busy cores its threads spend their time waiting for each other."""
    import torch

    torch.set_num_threads(1)
