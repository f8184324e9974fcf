"""`iwr prefetch`: everything that the settings need from the network, with its size.

Downloads are those of huggingface_hub, torch and EasyOCR. The hub's survive broken connections;
after a kill, complete files stay and the others start anew.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from iwr.config import Config, DataConfig, ModelConfig
from iwr.errors import ConfigError
from iwr.runs.files import existing

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".zst", ".parquet")


class Want(NamedTuple):
    """One repository of the hub, or only some `files` of it.

    `into`: a folder that takes the place of the hub's cache.
    """

    name: str
    repository: str
    revision: str | None = None
    files: Sequence[str] | None = None
    into: Path | None = None

    @property
    def options(self) -> dict[str, Any]:
        kind = {"repo_type": "dataset", "local_dir": self.into} if self.into else {}
        return {
            "revision": self.revision,
            "allow_patterns": list(self.files) if self.files else None,
            **kind,
        }


class Size(NamedTuple):
    """Bytes in all, and still to fetch. None: the hub does not say, or cannot be asked."""

    total: int | None
    left: int | None


def wants(config: Config, models: Sequence[ModelConfig]) -> Iterator[Want]:
    """Yield what must come from the hub, not from local folders or other sources.

    Raise ConfigError for wrong paths.
    """
    from iwr.inference.server.command import model_path
    from iwr.scores.draft import metrics_of

    for model in _with_weights(config, models):
        if not Path(path := model_path(model)).is_dir():
            yield Want(model.name, path, model.revision)
    for name, settings in metrics_of(config.protocol).items():
        module = (
            import_module(f"iwr.metrics.{name}") if name in ("clip", "dino") else None
        )  # the others have sources of their own
        if module and not Path(path := settings.get("path", module.DEFAULT)).expanduser().is_dir():
            yield Want(name, path, files=module.FILES)
    if config.data.hub and config.data.root and not _loads(config.data):
        yield Want("data", config.data.hub, into=Path(config.data.root).expanduser())


def size(want: Want) -> Size:
    """Ask the hub for the size; fetch nothing."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        found = snapshot_download(want.repository, dry_run=True, **want.options)
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError, ValueError):
        return Size(None, None)  # fetching it will say what is wrong, unless it is there
    if isinstance(found, str):
        return Size(None, None)
    return Size(
        sum(file.file_size or 0 for file in found),
        sum(file.file_size or 0 for file in found if file.will_download),
    )


def line(want: Want, size: Size) -> str:
    where = f"{want.name}  {want.repository}"
    if size.total is None or size.left is None:
        return f"{where}  size not known: the hub does not answer"
    left = f"{size.left / 1e9:.2f} GB to fetch" if size.left else "here"
    return f"{where}  {size.total / 1e9:.2f} GB, {left}"


def check_room(sizes: Sequence[tuple[Want, Size]]) -> None:
    """Raise ConfigError when a disk is too small for what will be fetched."""
    from huggingface_hub.constants import HF_HUB_CACHE

    needed: dict[Path, int] = {}
    for want, found in sizes:
        folder = existing((want.into or Path(HF_HUB_CACHE)).absolute())
        needed[folder] = needed.get(folder, 0) + (found.left or 0)
    for folder, left in needed.items():
        free = shutil.disk_usage(folder).free
        if left > free:
            hint = "free space, or set HF_HUB_CACHE (weights) or data.root (data) to a larger disk"
            raise ConfigError(
                f"{left / 1e9:.1f} GB to fetch, but {free / 1e9:.1f} GB are free in {folder}",
                hint=hint,
            )


def fetch(config: Config, models: Sequence[ModelConfig]) -> dict[str, str]:
    """Fetch what is missing. Return the paths by name. Raise ConfigError, MetricError."""
    from iwr.inference import weights
    from iwr.metrics.weights import prefetch
    from iwr.scores.draft import metrics_of

    found = {
        model.name: str(weights.prefetch(model)) for model in _with_weights(config, models)
    } | prefetch(metrics_of(config.protocol))
    return found | ({"data": str(_data(config.data))} if config.data.root else {})


def _with_weights(config: Config, models: Sequence[ModelConfig]) -> list[ModelConfig]:
    """Return those of the models and the judge model that have weights."""
    judge = [config.judge.model] if config.judge.model else []
    return [model for model in [*models, *judge] if model.kind in ("vllm", "transformers")]


def _data(data: DataConfig) -> Path:
    root = Path(data.root or "").expanduser()
    if _loads(data):
        return root
    if not data.hub:
        what = f"data {data.name}: no usable task in {root}, and no data.hub to fetch it from"
        raise ConfigError(
            what, hint="copy the data set there, or name a data set of the hub: data.hub=org/name"
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        snapshot_download(data.hub, repo_type="dataset", local_dir=root)
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        first = str(error).strip().splitlines()[0]
        hint = "check the name and the network; the same command keeps the files that are whole"
        raise ConfigError(
            f"data {data.name}: cannot fetch {data.hub}: {first}", hint=hint
        ) from error
    if not _loads(data):
        packed = sorted(path.name for path in root.rglob("*") if path.name.endswith(ARCHIVES))
        hint = (
            f"unpack {', '.join(packed[:3])} there"
            if packed
            else "`iwr validate` with the same settings says what is wrong"
        )
        raise ConfigError(
            f"data {data.name}: {data.hub} is in {root}, but no task loads", hint=hint
        )
    return root


def _loads(data: DataConfig) -> bool:
    """Return whether there are tasks, all of them complete."""
    from iwr.tasks.load import load

    loaded = load(Path(data.root or "").expanduser(), data.tasks)
    return bool(loaded.tasks) and not loaded.faults
