"""A model's processor of transformers: how it is loaded, set and fed.

It turns text, images and videos into what the model reads, and says which tokens stand for media.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from iwr.tasks.recordings import Recording

log = logging.getLogger(__name__)

FILES = ["*.json", "*.jinja", "*.model", "*.txt", "*.py"]
"""Files of a repository that a processor may need: all but the weights."""
SCOPES = {"image": "images_kwargs", "video": "videos_kwargs"}
"""The options of a processor that concern one kind of media alone."""


class LoadedProcessor(NamedTuple):
    """A model's processor, and the tokens that stand for media in its prompts."""

    processor: Any
    media_tokens: frozenset[int]


class NoSuchOptionError(Exception):
    """A processor lacks an option."""


@cache
def processor_of(path: str, revision: str | None, trust: bool) -> LoadedProcessor | None:
    """Return the model's processor; None, with a warning, if it does not load."""
    from transformers import AutoProcessor

    try:
        folder = _files_of(path, revision)
        processor = AutoProcessor.from_pretrained(  # type: ignore[no-untyped-call]
            folder, trust_remote_code=trust
        )
        if hasattr(processor, "tokenizer"):
            return LoadedProcessor(processor, _media_tokens(processor))
        reason = "there is a tokenizer alone"
    except Exception as error:  # noqa: BLE001  with `trust`, code of the model's authors runs here
        reason = first_line(error)
    log.warning("frames of %s are not audited: its processor does not load here (%s)", path, reason)
    return None


def _files_of(path: str, revision: str | None) -> str:
    """Return the folder of a processor's files, after downloading them where they are not here.

    Of a hub id transformers would ask the hub for each file alone, also for those in the cache, and
    try each six times where there is no network. Raise what huggingface_hub raises.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    if Path(path).is_dir():
        return path
    try:
        folder = snapshot_download(path, revision=revision, local_files_only=True)
    except LocalEntryNotFoundError:
        return snapshot_download(path, revision=revision, allow_patterns=FILES)
    if (Path(folder) / "tokenizer_config.json").exists():
        return folder
    return snapshot_download(path, revision=revision, allow_patterns=FILES)


def _media_tokens(processor: Any) -> frozenset[int]:
    """Return the ids of the tokens that stand for media.

    Processors name them as a word, as a number, or both.
    """
    tokens: set[int] = set()
    for kind in SCOPES:
        word = getattr(processor, f"{kind}_token", None)
        if word:
            token = processor.tokenizer.convert_tokens_to_ids(word)
            tokens.add(token)
        number = getattr(processor, f"{kind}_token_id", None)
        if isinstance(number, int):
            tokens.add(number)
    return frozenset(tokens)


def first_line(error: Exception) -> str:
    """Return the kind of an error and the first line of its message."""
    kind = type(error).__name__
    lines = str(error).splitlines()
    if not lines:
        return kind
    return f"{kind}: {lines[0]}"


def video_input(recording: Recording, places: list[int], pixels: Any) -> dict[str, Any]:
    """Return the keyword arguments that give a processor the frames of one video.

    `pixels`: array (frames, height, width, 3) of the frames at the indices `places`.
    """
    from transformers.video_utils import VideoMetadata

    metadata = VideoMetadata(
        total_num_frames=recording.frames,
        fps=recording.rate,
        duration=recording.seconds,
        frames_indices=places,
    )
    return {"videos": [pixels], "video_metadata": [metadata], "do_sample_frames": False}


# ---- options ----------------------------------------------------------------------------------


def merged(options: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with others in place of those of the same scope and name."""
    result = dict(options)
    for scope, values in others.items():
        result[scope] = {**options.get(scope, {}), **values}
    return result


def with_options(processor: Any, options: Mapping[str, Any]) -> Any:
    """Return a copy of a processor that has the options of `model.processor` by itself.

    Given to its counting function they would stay as defaults, for all models of this process.
    Raise NoSuchOptionError when an option of one scope does not exist.
    """
    result = copy.copy(processor)
    for kind, scope in SCOPES.items():
        name = f"{kind}_processor"
        part = copy.copy(getattr(result, name, None))
        _set_common(part, options)
        for key, value in options.get(scope, {}).items():
            _set(part, key, value)
        setattr(result, name, part)
    return result


def _set_common(part: Any, options: Mapping[str, Any]) -> None:
    """Set the options of no scope that an image or video processor has."""
    for key, value in options.items():
        if key in SCOPES.values():
            continue
        if hasattr(part, key):
            _set(part, key, value)


def _set(part: Any, key: str, value: Any) -> None:
    """Set an option of an image or video processor.

    Raise NoSuchOptionError if it has none such.
    """
    if not hasattr(part, key):
        raise NoSuchOptionError
    if isinstance(value, Mapping):
        make_size = type(getattr(part, key))
        value = make_size(**value)
    setattr(part, key, value)


def has_fixed_size(processor: Any) -> bool:
    """Return whether a processor resizes all frames of videos to one size."""
    size = getattr(processor.video_processor, "size", None)
    height = _side(size, "height")
    width = _side(size, "width")
    return bool(height and width)


def _side(size: Any, key: str) -> Any:
    """Return one side of a size, which is a mapping in some processors and an object in others."""
    if isinstance(size, Mapping):
        return size.get(key)
    return getattr(size, key, None)
