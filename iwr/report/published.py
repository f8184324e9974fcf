"""Scores that others published, judged by API models: for orientation, never ranked with a run's own rows."""

from __future__ import annotations

import csv
import io
from importlib.resources import files

NOTE = "Judged by API models under the paper's protocol: for orientation, never ranked with the rows of this run."


def published() -> list[dict[str, str]]:
    """Rows of published_scores.csv as they stand there: model, group, low_level, high_level, ifs, vfs, final in percent, source."""
    text = files("iwr.report").joinpath("published_scores.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))
