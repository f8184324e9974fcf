"""Figures for papers: PNG, SVG and PDF of each, drawn from the same numbers as the tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from iwr.records import digest
from iwr.report.summary import CEILING, FLOOR, Summary
from iwr.runs.files import write_atomic
from iwr.runs.paths import ReportPaths, RunPaths
from iwr.scores.aggregate import AXES, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

FORMATS = ("svg", "png", "pdf")
COLOURS = {
    "final": "#0072b2",
    "ifs": "#e69f00",
    "vfs": "#009e73",
}  # Okabe and Ito: told apart by colour-blind readers
SHOWN = 12  # models in one figure at most, best first


class Figure(NamedTuple):
    name: str  # of its files, without the ending
    title: str
    alt: str  # what a reader who cannot see it should know


def write_figures(summary: Summary, paths: RunPaths) -> list[Figure]:
    """Draw what the scores allow into <report>/figures; nothing is drawn again when the scores are the same.

    Raises DataError when the disk refuses.
    """
    folder = ReportPaths(paths.report).figures
    plans = list(_plans(summary))
    finals = [score.final for score in summary.scores]
    made_from = digest(
        summary.rows,
        summary.parts,
        summary.intervals,
        summary.kinds,
        finals,
        Path(__file__).read_bytes(),
    )
    stamp = folder / "made_from.json"
    if _read(stamp) != made_from:
        for figure, draw in plans:
            _draw(figure, draw, folder)
        write_atomic(stamp, json.dumps(made_from) + "\n")
    return [figure for figure, _ in plans]


def _plans(summary: Summary) -> Iterator[tuple[Figure, Any]]:
    """Each figure and the function that draws it onto axes."""
    rows = [row for row in summary.rows if row["final"] is not None][:SHOWN]
    if not rows:
        return
    alt = f"Bars of Final, IFS and VFS for {len(rows)} models; best: {rows[0]['model']} with {rows[0]['final']:.3f}."
    yield (
        Figure("scores", "Scores with 95 % intervals", alt),
        lambda axes: _bars(axes, rows, summary),
    )
    yield (
        Figure("ifs_vfs", "IFS against VFS", f"One point for each of {len(rows)} models."),
        lambda axes: _scatter(axes, rows),
    )
    for axis in AXES:
        parts = [row for row in summary.parts if row["axis"] == axis]
        values = list(dict.fromkeys(row["value"] for row in parts))
        if len(values) > 1:
            name = axis.replace("_", " ")
            yield (
                Figure(
                    f"by_{axis}",
                    f"Final by {name}",
                    f"Grouped bars: {len(values)} groups of tasks, {len(rows)} models.",
                ),
                lambda axes, parts=parts, values=values: _groups(axes, rows, parts, values),
            )
    models = [
        row["model"] for row in rows if summary.kinds.get(row["model"]) not in (*FLOOR, *CEILING)
    ]
    if len(models) > 1:
        yield (
            Figure(
                "paired",
                "Paired differences to the best model",
                f"Final of each model minus that of {models[0]}, a point a task.",
            ),
            lambda axes: _paired(axes, models, summary),
        )


def _draw(figure: Figure, draw: Any, folder: Path) -> None:
    import io

    from matplotlib import rc_context
    from matplotlib.figure import Figure as NewCanvas

    with rc_context(
        {
            "svg.hashsalt": "iwr",
            "font.size": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
        }
    ):
        canvas: Canvas = NewCanvas(figsize=(6.4, 4.0), layout="constrained")
        axes = canvas.subplots()
        draw(axes)
        handles, labels = axes.get_legend_handles_labels()
        if labels:
            canvas.legend(
                handles,
                labels,
                loc="outside upper center",
                ncols=min(4, len(labels)),
                frameon=False,
                fontsize=8,
            )
        for kind in FORMATS:
            data = io.BytesIO()
            when = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": None}[
                kind
            ]  # same scores, same bytes
            canvas.savefig(data, format=kind, dpi=200, metadata=when)
            write_atomic(folder / f"{figure.name}.{kind}", data.getvalue())


def _bars(axes: Axes, rows: list[Row], summary: Summary) -> None:
    width = 0.8 / len(COLOURS)
    for index, (name, colour) in enumerate(COLOURS.items()):
        places = [place + (index - 1) * width for place in range(len(rows))]
        values = [row[name] for row in rows]
        ends = [
            summary.intervals.get(row["model"], {}).get(name) or (row[name], row[name])
            for row in rows
        ]
        errors = [
            [max(0.0, v - low) for v, (low, _) in zip(values, ends, strict=True)],
            [max(0.0, high - v) for v, (_, high) in zip(values, ends, strict=True)],
        ]
        axes.bar(
            places,
            values,
            width,
            yerr=errors,
            label=name.upper() if name != "final" else "Final",
            color=colour,
            capsize=2,
            error_kw={"linewidth": 0.8},
        )
    _name_models(axes, rows)
    axes.set_ylim(0, 1.02)
    axes.set_ylabel("score")


def _scatter(axes: Axes, rows: list[Row]) -> None:
    axes.scatter([row["vfs"] for row in rows], [row["ifs"] for row in rows], color=COLOURS["final"])
    for row in rows:
        axes.annotate(
            row["model"],
            (row["vfs"], row["ifs"]),
            xytext=(4, 3),
            textcoords="offset points",
            fontsize=7,
        )
    axes.set(xlabel="VFS", ylabel="IFS", xlim=(-0.02, 1.05), ylim=(-0.02, 1.05))


def _groups(axes: Axes, rows: list[Row], parts: list[Row], values: list[str]) -> None:
    finals = {(row["model"], row["value"]): row["final"] for row in parts}
    width = 0.8 / len(rows)
    for index, row in enumerate(rows):
        places = [place + (index - (len(rows) - 1) / 2) * width for place in range(len(values))]
        axes.bar(
            places,
            [finals.get((row["model"], value)) or 0.0 for value in values],
            width,
            label=row["model"],
        )
    slanted: dict[str, Any] = {"rotation": 20, "ha": "right"} if len(values) > 4 else {}
    axes.set_xticks(range(len(values)), [_plain(value) for value in values], **slanted)
    axes.set_ylim(0, 1.02)
    axes.set_ylabel("Final")


def _paired(axes: Axes, models: list[str], summary: Summary) -> None:
    finals = {(score.model, score.task): score.final for score in summary.scores}
    best, others = models[0], models[1:]
    for place, model in enumerate(others):
        pairs = [(finals[model, task.id], finals[best, task.id]) for task in summary.tasks]
        known = sorted(a - b for a, b in pairs if a is not None and b is not None)
        spread = [place + 0.3 * ((index * 0.618) % 1 - 0.5) for index in range(len(known))]
        axes.scatter(spread, known, s=9, alpha=0.6, color=COLOURS["final"], linewidths=0)
        if known:
            axes.plot(
                [place - 0.25, place + 0.25],
                [sum(known) / len(known)] * 2,
                color="black",
                linewidth=1.5,
            )
    axes.axhline(0, color="grey", linewidth=0.8)
    axes.set_xticks(range(len(others)), others, rotation=30, ha="right")
    axes.set_ylabel(f"Final minus that of {best}")


def _name_models(axes: Axes, rows: list[Row]) -> None:
    axes.set_xticks(range(len(rows)), [row["model"] for row in rows], rotation=30, ha="right")


def _plain(text: str) -> str:
    """Matplotlib reads dollar signs as formulas."""
    return (text if len(text) <= 24 else text[:23] + "…").replace("$", r"\$")


def _read(file: Path) -> str | None:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # none yet, or damaged: drawn again
