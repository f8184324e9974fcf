"""The metrics that need no download, through the stage: RapidOCR and SSIM."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import structural_similarity

from iwr.config import load_config
from iwr.errors import ConfigError
from iwr.metrics.compare import compare

OFFLINE = load_config(["protocol=offline", "model=oracle"])[0].protocol.metrics


def values(pairs, cache, metrics=OFFLINE):
    return [pair.metrics for pair in compare(pairs, metrics, cache).pairs]


@pytest.fixture(scope="module")
def compared(shots, tmp_path_factory):
    names = list(shots)
    result = compare(
        [(shots["page"], shots[name]) for name in names], OFFLINE, tmp_path_factory.mktemp("cache")
    )
    return dict(zip(names, result.pairs, strict=True)), result.engines


def test_order_of_likeness(compared):
    pairs, _ = compared
    ssim = [pairs[name].metrics["ssim"] for name in ("page", "recoloured", "other")]
    assert ssim == sorted(ssim, reverse=True) and ssim[0] == 1.0 and ssim[-1] < 0.9
    assert pairs["page"].metrics["ocr"] == 1.0
    assert pairs["shifted"].metrics["ocr"] > 0.9 > pairs["other"].metrics["ocr"] > 0
    assert pairs["empty"].metrics["ocr"] == 0.0


def test_engines_are_named(compared):
    _, engines = compared
    assert engines["ocr"].startswith("rapidocr ") and "PP-OCR" in engines["ocr"]
    assert engines["ssim"].startswith("scikit-image ")


def test_ssim_is_upstreams(shots, tmp_path):
    pixels = [np.asarray(Image.open(shots[name])) for name in ("page", "shifted")]
    expected = structural_similarity(*pixels, channel_axis=2, data_range=255)
    assert values([(shots["page"], shots["shifted"])], tmp_path, {"ssim": {}}) == [
        {"ssim": pytest.approx(expected)}
    ]


def test_two_empty_pages_have_equal_texts(shots, tmp_path):
    other = tmp_path / "grey.png"
    Image.new("RGB", (640, 360), "#eee").save(other)
    assert values([(shots["empty"], other)], tmp_path / "cache")[0]["ocr"] == 1.0


def test_ocr_that_cannot_start_gives_no_value(shots, tmp_path):
    settings = {"ocr": {"engine": "rapidocr", "path": str(tmp_path)}, "ssim": {}}
    result = compare([(shots["page"], shots["page"])], settings, tmp_path / "cache")
    assert result.pairs[0].metrics == {"ocr": None, "ssim": 1.0}
    assert (
        "rapidocr has no weights" in result.pairs[0].reasons["ocr"]
        and "iwr prefetch" in result.pairs[0].reasons["ocr"]
    )
    assert "ocr" not in result.engines


def test_damaged_weights_give_no_value(shots, tmp_path):
    for kind in ("det", "rec"):
        (tmp_path / f"PP-OCR_{kind}_small.onnx").write_bytes(b"not a network")
    pair = compare(
        [(shots["page"], shots["page"])],
        {"ocr": {"engine": "rapidocr", "path": str(tmp_path)}},
        tmp_path / "cache",
    ).pairs[0]
    assert pair.metrics["ocr"] is None and "rapidocr failed" in pair.reasons["ocr"]


def test_missing_screenshot_is_no_value(shots, tmp_path):
    pair = compare([(shots["page"], tmp_path / "none.png")], OFFLINE, tmp_path).pairs[0]
    assert pair.metrics == {"ocr": None, "ssim": None} and pair.candidate_sha256 is None
    assert all("none.png" in reason for reason in pair.reasons.values())


def test_nothing_is_computed_twice(shots, tmp_path):
    """A second pass takes everything from the cache, under other file names too.

    A damaged entry is computed again.
    """
    pairs = [(shots["page"], shots["shifted"]), (shots["page"], shots["page"])]
    first = values(pairs, tmp_path / "cache")
    files = sorted(file for file in (tmp_path / "cache").rglob("*") if file.is_file())
    assert len(files) == 2 + 2  # two texts, two similarities
    shutil.copy(shots["shifted"], tmp_path / "same.png")
    assert values([(shots["page"], tmp_path / "same.png")], tmp_path / "cache") == first[:1]
    before = {file: file.stat().st_mtime_ns for file in files}
    next(file for file in files if file.parent.parent.name.startswith("ssim")).write_bytes(
        b"\xff half"
    )
    assert values(pairs, tmp_path / "cache") == first
    assert sum(file.stat().st_mtime_ns != then for file, then in before.items()) == 1


def test_two_processes_share_a_cache(shots, tmp_path):
    script = (
        "import sys; from pathlib import Path; from iwr.metrics.compare import compare\n"
        "cache, first, *rest = map(Path, sys.argv[1:])\n"
        "result = compare([(first, other) for other in rest], {'ssim': {}}, cache)\n"
        "print([pair.metrics for pair in result.pairs])"
    )
    arguments = [sys.executable, "-c", script, str(tmp_path), *map(str, shots.values())]
    both = [subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0] and printed[0] == printed[1]
    assert not list(tmp_path.rglob("*.part"))


def test_a_killed_pass_goes_on_where_it_was(shots, tmp_path):
    """What was finished before `kill -9` is not computed again."""
    pairs = []
    for number in range(24):
        file = tmp_path / f"{number}.png"
        Image.open(shots["page"]).rotate(number + 1).save(file)
        pairs.append((file, shots["page"]))
    script = (
        "import sys; from pathlib import Path; from iwr.metrics.compare import compare\n"
        "cache, page, *rest = map(Path, sys.argv[1:])\n"
        "compare([(other, page) for other in rest], {'ssim': {}}, cache)"
    )
    cache = tmp_path / "cache"
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(cache), str(shots["page"]), *(str(a) for a, _ in pairs)]
    )
    deadline = time.monotonic() + 100
    while (
        len(done := {file: file.stat().st_mtime_ns for file in finished(cache)}) < 2
        and process.poll() is None
    ):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert all(value["ssim"] is not None for value in values(pairs, cache, {"ssim": {}}))
    assert len(finished(cache)) == 24 and all(
        file.stat().st_mtime_ns == then for file, then in done.items()
    )


def finished(cache: Path) -> list[Path]:
    return [file for file in cache.rglob("*") if file.is_file() and file.suffix != ".part"]


@pytest.mark.parametrize(
    "metrics", [{"colour": {}}, {"ssim": {"window": 3}}, {"ocr": {"engine": "tesseract"}}]
)
def test_wrong_settings_are_refused(metrics, shots, tmp_path):
    with pytest.raises(ConfigError):
        compare([(shots["page"], shots["page"])], metrics, tmp_path)


def test_needs_no_torch(tmp_path):
    script = (
        "import sys; from pathlib import Path; from iwr.metrics.compare import compare\n"
        "compare([], {'ocr': {'engine': 'rapidocr'}, 'ssim': {}}, Path(sys.argv[1]))\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, timeout=120)


def save_odd_images(folder: Path) -> dict[str, Path]:
    page = Image.new("RGB", (64, 48), "#8080ff")
    images = {
        "palette": page.quantize(),
        "cmyk": page.convert("CMYK"),
        "sixteen": Image.fromarray(np.full((48, 64), 0x8012, np.uint16)),
        "grey": Image.new("L", (64, 48), 0x80),
        "clear": Image.new("RGBA", (64, 48), (0, 0, 0, 0)),
        "white": Image.new("RGB", (64, 48), "white"),
        "plain": page,
        "dot": Image.new("RGB", (1, 1), "red"),
        "huge": Image.new("1", (20_000, 20_000)),
        "float": Image.new("F", (64, 48)),
        "double": page.resize((128, 96)),
    }
    suffix = {"cmyk": ".tif", "float": ".tif"}
    paths = {name: folder / f"{name}{suffix.get(name, '.png')}" for name in images}
    for name, image in images.items():
        image.save(paths[name])
    paths["animated"] = folder / "animated.gif"
    page.save(paths["animated"], save_all=True, append_images=[Image.new("RGB", (64, 48), "black")])
    paths["empty"], paths["cut"], paths["text"] = (
        folder / "empty.png",
        folder / "cut.png",
        folder / "text.png",
    )
    paths["empty"].write_bytes(b"")
    paths["cut"].write_bytes(paths["plain"].read_bytes()[:100])
    paths["text"].write_text("<html>")
    return paths


@pytest.mark.parametrize(
    ("name", "like", "expected"),
    [
        ("palette", "plain", 1.0),
        ("cmyk", "plain", 1.0),
        ("animated", "plain", 1.0),
        ("sixteen", "grey", 1.0),
        ("clear", "white", 1.0),
        ("double", "plain", 1.0),
        ("dot", "dot", "smaller than SSIM's window"),
        ("dot", "plain", 0.0),
        ("huge", "plain", "more than 64 million pixels"),
        ("float", "plain", "32-bit samples"),
        ("empty", "plain", "not a readable image"),
        ("cut", "plain", "not a readable image"),
        ("text", "plain", "not a readable image"),
    ],
)
def test_odd_images_have_a_defined_outcome(name, like, expected, odd_images, tmp_path):
    pair = compare([(odd_images[like], odd_images[name])], {"ssim": {}}, tmp_path).pairs[0]
    if isinstance(expected, str):
        assert pair.metrics["ssim"] is None and expected in pair.reasons["ssim"]
    elif expected == 0.0:
        assert 0.0 <= pair.metrics["ssim"] < 0.9 and not pair.reasons
    else:
        assert pair.metrics["ssim"] == pytest.approx(expected, abs=0.02)


@pytest.fixture(scope="module")
def odd_images(tmp_path_factory):
    return save_odd_images(tmp_path_factory.mktemp("odd"))
