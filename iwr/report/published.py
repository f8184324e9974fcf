"""Scores that others published, judged by API models: for orientation only."""

from __future__ import annotations

import csv
import io
from importlib.resources import files

NOTE = (
    "Judged by API models under the paper's protocol: for orientation, never ranked with the rows "
    "of this run."
)


def published_scores() -> list[dict[str, str]]:
    """Return the rows of published_scores.csv as text.

    Their keys are model, group, low_level, high_level, ifs, vfs, final (in percent) and source.
    """
    file = files("iwr.report").joinpath("published_scores.csv")
    text = file.read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))
