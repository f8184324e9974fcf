"""Figures for papers: PNG, SVG and PDF of each, drawn from the same numbers as the tables."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from iwr.digests import digest
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
WIDTH = 6.4  # inches
INKED = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
MOST_MODELS = 30  # in one figure, best first
BARS_WIDTH = 0.8  # of all bars of one group together; groups are 1 apart
LABEL_HEIGHT = 0.8  # inches, of the slanted names of groups
LIGHT_FROM = 0.5  # the score from which a field's colour is light
ROW_HEIGHT = 0.28  # inches, of a model
MARGIN_HEIGHT = 1.2  # inches, of axis and legend
INK, DARK_INK = "#1b1f24", "#e6eaef"  # as in report.css
NEUTRAL = "#808080"  # seen on both papers
LONGEST_LABEL = 24  # characters
GOLDEN_RATIO = 0.618  # spreads neighbours in rank evenly to both sides
SPREAD = 0.3  # width of the points of one model


class Figure(NamedTuple):
    """One figure as the report shows it."""

    name: str  # of its files, without the ending
    title: str
    alt: str  # the same in words, for readers who cannot see it
    height: int = 400  # where it is 640 wide


def _height(rows: int) -> float:
    """Return the height of a figure with a row for each model, inches."""
    return max(2.4, MARGIN_HEIGHT + ROW_HEIGHT * rows)


class FigurePlan(NamedTuple):
    """A figure and the function that draws it onto axes."""

    figure: Figure
    draw: Callable[[Axes], None]
    height: float = 4.0  # inches, of a figure that is WIDTH wide


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
        [score.final for score in summary.means],
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
    """Return the plan of the bars with intervals."""
    best = rows[0]
    alt = (
        f"Bars of Final, IFS and VFS for {len(rows)} models; "
        f"best: {best['model']} with {best['final']:.3f}."
    )
    height = _height(2 * len(rows))
    figure = Figure("scores", "Scores with 95 % intervals", alt, _pixels(height))
    return FigurePlan(figure, partial(_draw_bars, rows=rows, summary=summary), height)


def _scatter_plan(rows: Sequence[Row]) -> FigurePlan:
    """Return the plan of IFS against VFS."""
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
    """Return the plan of Final by value of an axis."""
    alt = f"Final in numbers: {len(models)} models, {len(parts)} groups of tasks."
    height = _height(len(models)) + LABEL_HEIGHT
    title = f"Final by {axis.replace('_', ' ')}"
    figure = Figure(f"by_{axis}", title, alt, _pixels(height))
    return FigurePlan(figure, partial(_draw_groups, parts=parts, models=models), height)


def _paired_plan(models: Sequence[str], summary: Summary) -> FigurePlan:
    """Return the plan of the differences to the best model."""
    alt = f"Final of each model minus that of {models[0]}, a point a task."
    height = _height(len(models))
    figure = Figure("paired", "Paired differences to the best model", alt, _pixels(height))
    return FigurePlan(figure, partial(_draw_paired, models=models, summary=summary), height)


def _pixels(height: float) -> int:
    """Return the height of a figure that the report shows 640 CSS pixels wide."""
    return round(100 * height)


def _without_baselines(names: Sequence[str], summary: Summary) -> list[str]:
    """Return the names of real models, best first."""
    baselines = {row["model"] for row in summary.baselines((*FLOOR, *CEILING))}
    return [name for name in names if name not in baselines]


# ---- drawing -----------------------------------------------------------------------------------


def _write(plan: FigurePlan, folder: Path) -> None:
    """Draw one figure: for paper in all formats, and for the report's dark pages."""
    name = plan.figure.name
    for kind in METADATA:
        write_atomic(folder / f"{name}.{kind}", _draw(plan, kind, INK))
    write_atomic(folder / f"{name}-dark.svg", _draw(plan, "svg", DARK_INK))


def _draw(plan: FigurePlan, kind: str, ink: str) -> bytes:
    """Return a figure as a file of a kind, its lines and letters in a colour."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure as Canvas

    data = io.BytesIO()
    with rc_context(STYLE | dict.fromkeys(INKED, ink)):
        canvas = Canvas(figsize=(WIDTH, plan.height), layout="constrained")
        axes = canvas.subplots()
        plan.draw(axes)
        _add_legend(canvas, axes)
        is_transparent = ink == DARK_INK
        canvas.savefig(
            data, format=kind, dpi=200, metadata=METADATA[kind], transparent=is_transparent
        )
    return data.getvalue()


def _add_legend(canvas: Any, axes: Axes) -> None:
    """Put the legend above the axes, where there is anything to explain."""
    handles, labels = axes.get_legend_handles_labels()
    if not labels:
        return
    canvas.legend(
        handles,
        labels,
        loc="outside upper center",
        ncols=min(3, len(labels)),
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
        lengths = []
        below = []
        above = []
        for row in rows:
            value = row[name]
            low, high = summary.ends(row["model"], name) or (value, value)
            lengths.append(value)
            below.append(max(0.0, value - low))
            above.append(max(0.0, high - value))
        axes.barh(
            _places(len(rows), index, len(COLOURS)),
            lengths,
            width,
            xerr=[below, above],
            label=LABELS[name],
            color=COLOURS[name],
            capsize=1.5,
            ecolor=NEUTRAL,
            error_kw={"linewidth": 0.8},
        )
    _set_models(axes, [row["model"] for row in rows])
    axes.set(xlim=(0, 1.02), xlabel="score")


def _draw_scatter(axes: Axes, rows: Sequence[Row]) -> None:
    """Draw one numbered point a model; the legend has the names."""
    from itertools import cycle

    from matplotlib import colormaps

    colours = cycle(colormaps["tab10"](range(10)))
    for number, (row, colour) in enumerate(zip(rows, colours, strict=False), 1):
        point = (row["vfs"], row["ifs"])
        axes.scatter(*point, color=colour, label=f"{number}  {row['model']}")
        offset = (4, 3 if number % 2 else -9)
        axes.annotate(str(number), point, xytext=offset, textcoords="offset points", fontsize=8)
    limits = (-0.02, 1.05)
    axes.set(xlabel="VFS", ylabel="IFS", xlim=limits, ylim=limits)


def _draw_groups(
    axes: Axes,
    parts: Sequence[Part],
    models: Sequence[str],
) -> None:
    """Draw Final by value of one axis of the benchmark: a row a model, each field its number."""
    import numpy as np

    count = len(models)
    values = np.full((count, len(parts)), np.nan)
    for column, part in enumerate(parts):
        for row, final in enumerate(part.finals[:count]):
            if final is None:
                continue
            values[row, column] = final
            ink = "black" if final > LIGHT_FROM else "white"
            text = f"{final:.2f}"
            axes.text(column, row, text, ha="center", va="center", color=ink, size=7)
    axes.imshow(values, vmin=0, vmax=1, cmap="cividis", aspect="auto")
    labels = [_label(part.value) for part in parts]
    rotation = 30 if len(labels) > 4 else 0
    _set_names(axes, labels, rotation)
    axes.set_yticks(range(count), models)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


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
            differences,
            spread,
            s=9,
            alpha=0.6,
            color=COLOURS["final"],
            linewidths=0,
        )
        mean = sum(differences) / len(differences)
        axes.vlines(mean, place - 0.3, place + 0.3, color=COLOURS["ifs"], linewidth=2.5)
    axes.axvline(0, color=NEUTRAL, linewidth=0.8)
    _set_models(axes, others)
    axes.set_xlabel(f"Final minus that of {best}")


def _differences(
    model: str,
    best: str,
    summary: Summary,
) -> list[float]:
    """Return Final of `model` minus that of `best` by task, sorted; unscored tasks left out."""
    finals = {(score.model, score.task): score.final for score in summary.means}
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


def _set_models(axes: Axes, names: Sequence[str]) -> None:
    """Write a name beside each row, the best one on top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)


def _label(text: str) -> str:
    """Return a short label; matplotlib would read dollar signs as formulas."""
    if len(text) > LONGEST_LABEL:
        text = text[: LONGEST_LABEL - 1] + "…"
    return text.replace("$", r"\$")
