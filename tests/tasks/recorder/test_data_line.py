"""The recorder changes one line of `data.jsonl` and leaves the others byte for byte."""

from __future__ import annotations

import json

import pytest

from iwr.tasks.recorder.data_line import write_line
from iwr.tasks.recorder.script import Script

SCRIPT = Script.model_validate(
    {
        "actions": [
            {"type": "Click", "target": "#a", "option": "Large", "description": "Select 'Large'."},
            {"type": "Scroll", "direction": "left", "pages": 2, "description": "Scroll left."},
        ]
    }
)


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\r"])
def test_only_a_newline_ends_a_line(tmp_path, mark):
    file = tmp_path / "data.jsonl"
    other = f'{{"id": "other", "text": "a{mark}b"}}\n'.encode()
    file.write_bytes(other)
    write_line(tmp_path, "new", SCRIPT, "Chromium 1")
    write_line(tmp_path, "new", SCRIPT, "Chromium 2")
    assert file.read_bytes().startswith(other)
    lines = file.read_bytes().split(b"\n")
    assert len(lines) == 3
    assert json.loads(lines[1])["recording_details"]["environment"] == "Chromium 2"


def test_bytes_that_are_not_utf8_stay_and_a_missing_newline_is_added(tmp_path):
    file = tmp_path / "data.jsonl"
    file.write_bytes(b'{"id": "caf\xe9"}')
    write_line(tmp_path, "new", SCRIPT, "Chromium 1")
    assert file.read_bytes().startswith(b'{"id": "caf\xe9"}\n{"id": "new"')


def test_the_parameters_say_what_the_benchmark_has_words_for(tmp_path):
    write_line(tmp_path, "new", SCRIPT, "Chromium 1")
    click, scroll = json.loads((tmp_path / "data.jsonl").read_text())["action_sequence"]
    assert click["parameters"] == {"description": "Select 'Large'.", "text": "Large"}
    assert scroll["parameters"]["direction"] == "left"
    assert scroll["parameters"]["scroll_page"] == "2"
