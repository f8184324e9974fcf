"""CLIP, LPIPS and DINO against their upstream packages, on the same images and weights."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageOps

from iwr.errors import ConfigError, MetricError
from iwr.metrics.base import build
from iwr.metrics.batch import Replicas
from iwr.metrics.cache import Store
from iwr.metrics.compare import compare
from iwr.metrics.images import Screenshot
from iwr.metrics.weights import declared_weights

NAMES = ("page", "shifted", "recoloured", "other", "empty")
pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore::UserWarning:torchvision", "ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def compared(shots, settings, one_thread, tmp_path_factory):
    """All pairs against the page, all metrics, one pass."""
    result = compare(
        [(shots["page"], shots[name]) for name in NAMES], settings, tmp_path_factory.mktemp("cache")
    )
    assert not any(pair.reasons for pair in result.pairs)
    for metric in ("clip", "dino"):
        assert max(pair.metrics[metric] for pair in result.pairs[2:]) < 0.99
    return {
        name: pair.metrics for name, pair in zip(NAMES, result.pairs, strict=True)
    }, result.engines


def one_by_one(shots, settings, cache, name):
    return compare([(shots["page"], shots[name])], settings, cache).pairs[0].metrics


def clamp(value):
    return min(1.0, max(0.0, float(value)))


@pytest.mark.parametrize("view", ["longest", "squash", "shortest"])
def test_clip_is_open_clips(view, shots, settings, tmp_path):
    import open_clip
    import torch

    model, preprocess = open_clip.create_model_from_pretrained(
        f"local-dir:{settings['clip']['path']}", image_resize_mode=view
    )

    def embedding(name):
        image = Image.open(shots[name]).convert("RGB")
        if view == "longest":  # upstream would pad with black
            image = ImageOps.pad(image, (224, 224), color="white")
        with torch.no_grad():
            return model.eval().encode_image(preprocess(image)[None])[0]

    embedded = {name: embedding(name) for name in NAMES}
    expected = [
        clamp(torch.cosine_similarity(embedded["page"], embedded[name], dim=0)) for name in NAMES
    ]
    result = compare(
        [(shots["page"], shots[name]) for name in NAMES],
        {"clip": {**settings["clip"], "view": view}},
        tmp_path,
    )
    assert [pair.metrics["clip"] for pair in result.pairs] == pytest.approx(expected, abs=1e-4)
    assert view in result.engines["clip"]


def test_dino_is_the_reference_evaluators(compared, shots, settings):
    """Processor with its centre crop, CLS embedding, cosine in numpy: as protocol `paper`."""
    import torch
    from transformers import AutoImageProcessor, AutoModel

    processor = AutoImageProcessor.from_pretrained(settings["dino"]["path"], backend="pil")
    model = AutoModel.from_pretrained(settings["dino"]["path"]).eval()

    def embedding(name):
        with torch.no_grad():
            inputs = processor(images=Image.open(shots[name]).convert("RGB"), return_tensors="pt")
            return model(**inputs).last_hidden_state[:, 0, :].squeeze().numpy()

    a = embedding("page")
    expected = [
        clamp(np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b))) for b in map(embedding, NAMES)
    ]
    assert [compared[0][name]["dino"] for name in NAMES] == pytest.approx(expected, abs=1e-4)


def test_lpips_is_upstreams(compared, shots, settings):
    import lpips
    import torch

    network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    saved = torch.load(settings["lpips"]["path"], weights_only=True)
    network.net.load_state_dict(
        {key: saved["features." + key.split(".", 1)[1]] for key in network.net.state_dict()}
    )
    images = {
        name: Image.open(shots[name]).convert("RGB").resize((512, 288), Image.Resampling.BICUBIC)
        for name in NAMES
    }
    with torch.no_grad():
        tensors = {name: lpips.im2tensor(np.asarray(image)) for name, image in images.items()}
        expected = [1 - network(tensors["page"], tensors[name]).item() for name in NAMES]
    assert [compared[0][name]["lpips"] for name in NAMES] == pytest.approx(expected, abs=1e-4)
    assert (
        compared[0]["page"]["lpips"] == pytest.approx(1.0, abs=1e-6)
        and compared[0]["other"]["lpips"] < 0.9999
    )


def test_batched_equals_one_by_one(compared, shots, settings, tmp_path):
    for name in ("shifted", "other"):
        assert one_by_one(shots, settings, tmp_path / name, name) == pytest.approx(
            compared[0][name], abs=1e-5
        )


@pytest.mark.parametrize("name", ["clip", "dino"])
def test_an_embedding_keeps_no_more_than_itself_in_memory(name, shots, settings, tmp_path):
    metric = build(name, settings[name])
    metric.start(Store(tmp_path, name, metric.key))
    for value in metric.read([metric.prepare(Screenshot(shots[shot], "")) for shot in NAMES]):
        assert value.base is None and value.ndim == 1


def test_references_are_paid_once(shots, settings, tmp_path):
    """A second model adds only its own files, and its values are those of a fresh cache."""

    def files():
        return {file for file in tmp_path.joinpath("cache").rglob("*") if file.is_file()}

    one_by_one(shots, settings, tmp_path / "cache", "shifted")
    first = files()
    second = one_by_one(shots, settings, tmp_path / "cache", "other")
    assert len(first) == 2 + 2 + 2  # clip and dino: two images; lpips: a reference and a pair
    assert len(files() - first) == 1 + 1 + 1
    assert second == pytest.approx(
        one_by_one(shots, settings, tmp_path / "fresh", "other"), abs=1e-6
    )


def test_dino_can_see_the_whole_page(shots, settings, tmp_path):
    """A change at the right edge escapes the centre crop of `paper`, not the whole view."""
    image = Image.open(shots["page"]).convert("RGB")
    image.paste("black", (600, 60, 640, 360))
    image.save(tmp_path / "edge.png")
    pair = [(shots["page"], tmp_path / "edge.png")]
    centre, whole = (
        compare(pair, {"dino": {**settings["dino"], "view": view}}, tmp_path)
        .pairs[0]
        .metrics["dino"]
        for view in ("centre", "whole")
    )
    assert centre == pytest.approx(1.0, abs=1e-6) and whole < 1 - 1e-5


def test_sizes_that_differ(shots, settings, tmp_path):
    """Twice the pixel density is the same page; the networks see it nearly so."""
    Image.open(shots["page"]).resize((1280, 720), Image.Resampling.BICUBIC).save(
        tmp_path / "dense.png"
    )
    pair = compare([(shots["page"], tmp_path / "dense.png")], settings, tmp_path).pairs[0]
    assert not pair.reasons and all(value > 0.98 for value in pair.metrics.values())
    assert pair.note == "sizes differ: reference 640x360, screenshot 1280x720"


def test_small_and_narrow_images(settings, tmp_path):
    for name, size in {"dot": (1, 1), "strip": (4000, 80), "other": (4000, 80)}.items():
        Image.effect_noise(size, 60).convert("RGB").save(tmp_path / f"{name}.png")
    dots, strips = compare(
        [(tmp_path / "dot.png",) * 2, (tmp_path / "strip.png", tmp_path / "other.png")],
        settings,
        tmp_path,
    ).pairs
    assert dots.metrics["lpips"] is None and "too small for LPIPS" in dots.reasons["lpips"]
    assert dots.metrics["clip"] == pytest.approx(1.0) and dots.metrics["dino"] == pytest.approx(1.0)
    assert not strips.reasons and all(0 <= value <= 1 for value in strips.metrics.values())


@pytest.mark.parametrize(
    ("metric", "settings", "words"),
    [
        ("clip", {"path": "{folder}"}, "open_clip_config.json"),
        ("clip", {"path": "nobody/no-such-model"}, "nobody/no-such-model"),
        ("dino", {}, "facebook/dinov2-base"),
        ("lpips", {"path": "{folder}/none.pth"}, "none.pth"),
    ],
)
def test_missing_weights_name_metric_file_and_remedy(metric, settings, words, shots, tmp_path):
    """In a process of its own, with an empty hub cache; the other metric still has its value."""
    settings = {key: value.format(folder=tmp_path) for key, value in settings.items()}
    script = f"""
import sys, json
from pathlib import Path
from iwr.metrics.compare import compare
metrics = {{{metric!r}: {settings!r}, "ssim": {{}}}}
pair = compare([(Path(sys.argv[1]),) * 2], metrics, Path(sys.argv[2])).pairs[0]
print(json.dumps([pair.metrics, pair.reasons]))
"""
    environment = {
        **os.environ,
        "HF_HOME": str(tmp_path / "hub"),
        "TORCH_HOME": str(tmp_path / "torch"),
    }
    done = subprocess.run(
        [sys.executable, "-c", script, str(shots["page"]), str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
    )
    values, reasons = json.loads(done.stdout)
    assert values == {metric: None, "ssim": 1.0}
    assert (
        f"metric {metric}" in reasons[metric]
        and words in reasons[metric]
        and "iwr prefetch" in reasons[metric]
    )


def test_damaged_weights_give_no_value(shots, settings, tmp_path):
    broken = tmp_path / "alexnet.pth"
    broken.write_bytes(b"PK half a file")
    pair = compare(
        [(shots["page"], shots["page"])], {"lpips": {"path": str(broken)}}, tmp_path / "cache"
    ).pairs[0]
    assert (
        pair.metrics["lpips"] is None
        and "alexnet.pth is not torchvision's alex" in pair.reasons["lpips"]
    )


def test_fetched_weights_are_where_the_settings_say(settings):
    for name, metric_settings in settings.items():
        path = declared_weights(name).fetch(metric_settings)
        assert str(path) == metric_settings["path"]
    assert declared_weights("ocr").fetch({"engine": "rapidocr"}).name == "models"
    assert declared_weights("ssim") is None


@pytest.mark.parametrize("wrong", [{"view": "left"}, {"precision": "int8"}, {"zoom": 2}])
def test_wrong_settings_are_refused(wrong, settings):
    with pytest.raises(ConfigError):
        build("clip", {**settings["clip"], **wrong})


class TestReplicas:
    """Batches over devices, halved when memory runs out."""

    @staticmethod
    def limited(most):
        import torch

        def function(network, device, items):
            if len(items) > most:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return [float(network(torch.tensor([[item]], dtype=torch.float32))) for item in items]

        return function

    @pytest.mark.parametrize("devices", [["cpu"], ["cpu", "cpu"], ["cpu"] * 9])
    def test_order_is_kept_and_batches_are_halved(self, devices):
        import torch

        network = torch.nn.Linear(1, 1)
        torch.nn.init.constant_(network.weight, 2.0)
        torch.nn.init.zeros_(network.bias)
        replicas = Replicas(network, devices=devices)
        assert replicas.run(self.limited(3), range(7)) == [0, 2, 4, 6, 8, 10, 12]
        assert replicas.run(self.limited(3), range(2)) == [0, 2]

    def test_one_image_that_does_not_fit(self):
        import torch

        with pytest.raises(MetricError, match="one image does not fit"):
            Replicas(torch.nn.Identity(), devices=["cpu"]).run(self.limited(0), [1])
