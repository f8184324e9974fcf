"""Figures for papers: PNG, SVG and PDF of each, drawn from the same numbers as the tables."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from iwr.records import digest
from iwr.report.summary import CEILING, FLOOR, Part, Summary, read_json
from iwr.runs.files import write_atomic
from iwr.runs.paths import ReportPaths, RunPaths
from iwr.scores.aggregate import AXES, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito: colour-blind readers can tell them apart
COLOURS = {
    "final": "#0072b2",
    "ifs": "#e69f00",
    "vfs": "#009e73",
}
LABELS = {
    "final": "Final",
    "ifs": "IFS",
    "vfs": "VFS",
}
METADATA: dict[str, dict[str, None]] = {
    "svg": {"Date": None},
    "png": {},
    "pdf": {"CreationDate": None},
}
"""Of each format, without the time: the same scores give the same bytes."""

STYLE: Any = {
    "svg.hashsalt": "iwr",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
MOST_MODELS = 12  # in one figure, best first
BARS_WIDTH = 0.8  # of all bars of one group together; groups are 1 apart
LONGEST_LABEL = 24  # characters
GOLDEN_RATIO = 0.618  # spreads neighbours in rank evenly to both sides
SPREAD = 0.3  # width of the points of one model


class Figure(NamedTuple):
    """One figure as the report shows it."""

    name: str  # of its files, without the ending
    title: str
    alt: str  # the same in words, for readers who cannot see it


class FigurePlan(NamedTuple):
    """A figure and the function that draws it onto axes."""

    figure: Figure
    draw: Callable[[Axes], None]


def write_figures(summary: Summary, paths: RunPaths) -> list[Figure]:
    """Draw what the scores allow into <report>/figures.

    Nothing is drawn again when the scores are the same. Raises DataError when the disk refuses.
    """
    folder = ReportPaths(paths.report).figures
    plans = list(_plans(summary))
    source = digest(
        summary.rows,
        summary.parts,
        summary.intervals,
        summary.kinds,
        [score.final for score in summary.scores],
        Path(__file__).read_bytes(),
    )
    stamp = folder / "made_from.json"
    if read_json(stamp).get("source") != source:
        for plan in plans:
            _write(plan, folder)
        write_atomic(stamp, json.dumps({"source": source}) + "\n")
    return [plan.figure for plan in plans]


# ---- plans -------------------------------------------------------------------------------------


def _plans(summary: Summary) -> Iterator[FigurePlan]:
    """Yield what the scores allow to draw."""
    ranked = [row for row in summary.rows if row["final"] is not None]
    rows = ranked[:MOST_MODELS]
    if not rows:
        return
    names = [row["model"] for row in rows]
    yield _bars_plan(rows, summary)
    yield _scatter_plan(rows)
    for axis in AXES:
        parts = summary.parts_of(axis)
        if len(parts) > 1:
            yield _groups_plan(axis, parts, names)
    models = _without_baselines(names, summary)
    if len(models) > 1:
        yield _paired_plan(models, summary)


def _bars_plan(rows: Sequence[Row], summary: Summary) -> FigurePlan:
    best = rows[0]
    alt = (
        f"Bars of Final, IFS and VFS for {len(rows)} models; "
        f"best: {best['model']} with {best['final']:.3f}."
    )
    figure = Figure("scores", "Scores with 95 % intervals", alt)
    return FigurePlan(figure, partial(_draw_bars, rows=rows, summary=summary))


def _scatter_plan(rows: Sequence[Row]) -> FigurePlan:
    figure = Figure(
        "ifs_vfs",
        "IFS against VFS",
        f"One point for each of {len(rows)} models.",
    )
    return FigurePlan(figure, partial(_draw_scatter, rows=rows))


def _groups_plan(
    axis: str,
    parts: Sequence[Part],
    models: Sequence[str],
) -> FigurePlan:
    alt = f"Grouped bars: {len(parts)} groups of tasks, {len(models)} models."
    figure = Figure(f"by_{axis}", f"Final by {axis.replace('_', ' ')}", alt)
    return FigurePlan(figure, partial(_draw_groups, parts=parts, models=models))


def _paired_plan(models: Sequence[str], summary: Summary) -> FigurePlan:
    alt = f"Final of each model minus that of {models[0]}, a point a task."
    figure = Figure("paired", "Paired differences to the best model", alt)
    return FigurePlan(figure, partial(_draw_paired, models=models, summary=summary))


def _without_baselines(names: Sequence[str], summary: Summary) -> list[str]:
    """Return the names of real models, best first."""
    baselines = {row["model"] for row in summary.baselines((*FLOOR, *CEILING))}
    return [name for name in names if name not in baselines]


# ---- drawing -----------------------------------------------------------------------------------


def _write(plan: FigurePlan, folder: Path) -> None:
    """Draw one figure and write it in all formats."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure as Canvas

    with rc_context(STYLE):
        canvas = Canvas(figsize=(6.4, 4.0), layout="constrained")
        axes = canvas.subplots()
        plan.draw(axes)
        _add_legend(canvas, axes)
        for kind, metadata in METADATA.items():
            data = io.BytesIO()
            canvas.savefig(data, format=kind, dpi=200, metadata=metadata)
            write_atomic(folder / f"{plan.figure.name}.{kind}", data.getvalue())


def _add_legend(canvas: Any, axes: Axes) -> None:
    """Put the legend above the axes, where there is anything to explain."""
    handles, labels = axes.get_legend_handles_labels()
    if not labels:
        return
    canvas.legend(
        handles,
        labels,
        loc="outside upper center",
        ncols=min(4, len(labels)),
        frameon=False,
        fontsize=8,
    )


def _draw_bars(
    axes: Axes,
    rows: Sequence[Row],
    summary: Summary,
) -> None:
    """Draw Final, IFS and VFS of each model, with their intervals."""
    width = BARS_WIDTH / len(COLOURS)
    for index, name in enumerate(COLOURS):
        heights = []
        below = []
        above = []
        for row in rows:
            value = row[name]
            low, high = summary.ends(row["model"], name) or (value, value)
            heights.append(value)
            below.append(max(0.0, value - low))
            above.append(max(0.0, high - value))
        axes.bar(
            _places(len(rows), index, len(COLOURS)),
            heights,
            width,
            yerr=[below, above],
            label=LABELS[name],
            color=COLOURS[name],
            capsize=2,
            error_kw={"linewidth": 0.8},
        )
    _set_names(axes, [row["model"] for row in rows])
    _set_score_axis(axes, "score")


def _draw_scatter(axes: Axes, rows: Sequence[Row]) -> None:
    """Draw one named point a model."""
    for row in rows:
        point = (row["vfs"], row["ifs"])
        axes.scatter(*point, color=COLOURS["final"])
        axes.annotate(
            row["model"],
            point,
            xytext=(4, 3),
            textcoords="offset points",
            fontsize=7,
        )
    limits = (-0.02, 1.05)
    axes.set(xlabel="VFS", ylabel="IFS", xlim=limits, ylim=limits)


def _draw_groups(
    axes: Axes,
    parts: Sequence[Part],
    models: Sequence[str],
) -> None:
    """Draw Final by value of one axis of the benchmark, a bar a model."""
    width = BARS_WIDTH / len(models)
    for index, model in enumerate(models):
        places = _places(len(parts), index, len(models))
        heights = [part.finals[index] or 0.0 for part in parts]
        axes.bar(places, heights, width, label=model)
    labels = [_label(part.value) for part in parts]
    rotation = 20 if len(labels) > 4 else 0
    _set_names(axes, labels, rotation)
    _set_score_axis(axes, "Final")


def _draw_paired(
    axes: Axes,
    models: Sequence[str],
    summary: Summary,
) -> None:
    """Draw the difference of each model to the best one: a point a task, a line at the mean."""
    best, *others = models
    for place, model in enumerate(others):
        differences = _differences(model, best, summary)
        if not differences:
            continue
        spread = []
        for index in range(len(differences)):
            share = index * GOLDEN_RATIO % 1
            spread.append(place + SPREAD * (share - 0.5))
        axes.scatter(
            spread,
            differences,
            s=9,
            alpha=0.6,
            color=COLOURS["final"],
            linewidths=0,
        )
        mean = sum(differences) / len(differences)
        axes.hlines(
            mean,
            place - 0.25,
            place + 0.25,
            color="black",
            linewidth=1.5,
        )
    axes.axhline(0, color="grey", linewidth=0.8)
    _set_names(axes, others)
    axes.set_ylabel(f"Final minus that of {best}")


def _differences(
    model: str,
    best: str,
    summary: Summary,
) -> list[float]:
    """Return Final of `model` minus that of `best` by task, sorted; unscored tasks left out."""
    finals = {(score.model, score.task): score.final for score in summary.scores}
    differences = []
    for task in summary.tasks:
        value = finals[model, task.id]
        reference = finals[best, task.id]
        if value is not None and reference is not None:
            differences.append(value - reference)
    return sorted(differences)


def _places(
    groups: int,
    index: int,
    bars: int,
) -> list[float]:
    """Return where bar `index` of `bars` is in each group; groups are centred on 0, 1, 2 …"""
    offset = (index - (bars - 1) / 2) * BARS_WIDTH / bars
    return [group + offset for group in range(groups)]


def _set_names(
    axes: Axes,
    names: Sequence[str],
    rotation: int = 30,
) -> None:
    """Write names below the groups; `rotation` in degrees."""
    places = range(len(names))
    alignment = "right" if rotation else "center"
    axes.set_xticks(places, names, rotation=rotation, ha=alignment)


def _set_score_axis(axes: Axes, label: str) -> None:
    axes.set_ylim(0, 1.02)
    axes.set_ylabel(label)


def _label(text: str) -> str:
    """Return a short label; matplotlib would read dollar signs as formulas."""
    if len(text) > LONGEST_LABEL:
        text = text[: LONGEST_LABEL - 1] + "…"
    return text.replace("$", r"\$")
