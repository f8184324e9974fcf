"""Action scripts: what they may say, and the one message for what they may not."""

from __future__ import annotations

import pytest

from iwr.errors import DataError
from iwr.records import ActionType
from iwr.tasks.recorder.script_file import read_script

ONE = "actions:\n- type: Click\n  target: '#a'\n  description: Click it.\n"


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("actions: [", ":1: ", "not valid YAML"),
        ("- 1\n", ": ", "mapping with the key `actions`"),
        ("resolution: 640x480\n", ":1: actions: ", "missing"),
        ("actions: []\n", ":1: actions: ", "at least 1 item"),
        (
            ONE.replace("Click\n", "Tap\n"),
            ":2: action 1 type: ",
            "'Tap' is unknown; use 'Click', 'Type', 'Scroll' or 'Press'",
        ),
        (ONE.replace("  target: '#a'\n", ""), ":2: action 1: ", "Click needs `target`"),
        (
            ONE + "- {type: Type, target: '#a', description: x}\n",
            ":5: action 2: ",
            "Type needs `text`",
        ),
        (ONE + "- {type: Press, description: x}\n", ":5: action 2: ", "Press needs `key`"),
        (
            ONE + "- {type: Scroll, direction: back, description: x}\n",
            ":5: action 2 direction: ",
            "use 'down', 'up', 'left' or 'right'",
        ),
        (ONE + "  text: abc\n", ":2: action 1: ", "Click has no `text`"),
        (
            ONE.replace("description: Click it.", "description: ''"),
            ":4: action 1 description: ",
            "at least 1 character",
        ),
        (
            ONE + "  asertion: abc\n",
            ":5: action 1 asertion: ",
            "unknown key; known are type, description, target",
        ),
        (ONE + "  drag_to: '#b'\n  hold: 1\n", ":2: action 1: ", "either hold or drag_to"),
        (ONE + "  drag_to: '#b'\n  count: 2\n", ":2: action 1: ", "`count` does not go with"),
        (ONE + "  hold: 61\n", ":5: action 1 hold: ", "less than or equal to 60"),
        (ONE + "  at: [0.5, 2]\n", ":5: action 1 at 1: ", "less than or equal to 1"),
        (ONE + "  button: any\n", ":5: action 1 button: ", "use 'left', 'middle' or 'right'"),
        (ONE + "  dialog: {text: Ada}\n", ":5: action 1 dialog 0 accept: ", "is missing"),
        (ONE + "  dialog: {accept: true, a: 1}\n", ":5: action 1 dialog 0 a: ", "accept, text"),
        (ONE + "  expect: [{kind: sings}]\n", ":5: action 1 expect: ", "sings"),
        (
            ONE + "- {type: Press, key: a, hold: 2, description: x}\n",
            ":5: action 2: ",
            "Press has no `hold`",
        ),
        ("resolution: 640\n" + ONE, ":1: resolution: ", "640"),
        ("resolution: 640 x 480\n" + ONE, ":1: resolution: ", "is not WIDTHxHEIGHT"),
        ("resolution: 641x480\n" + ONE, ":1: resolution: ", "must be even"),
    ],
)
def test_a_faulty_script_gets_one_clear_message(tmp_path, text, where, says):
    file = tmp_path / "script.yaml"
    file.write_text(text)
    with pytest.raises(DataError) as caught:
        read_script(file)
    message = str(caught.value)
    assert (
        message.startswith(f"{file}{where}")
        and says in message
        and "\n" not in message
        and caught.value.hint
    )


def test_a_script_that_is_not_there_or_not_text_is_refused(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_script(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"actions: \xe9")
    with pytest.raises(DataError, match="byte 10 is not UTF-8"):
        read_script(tmp_path / "latin.yaml")


def test_a_script_may_say_all_that_a_person_does(tmp_path):
    file = tmp_path / "script.yaml"
    file.write_text(
        ONE
        + """  hover: .menu
  dialog: {accept: false}
  expect: [{kind: text_appears, text: Done}]
- {type: Click, target: '#a', hover: [.menu, .sub], count: 2, description: x}
- {type: Click, target: '#a', hold: 1.5, button: right, description: x}
- {type: Click, target: '#a', drag_by: [10, -5], at: [0, 1], description: x}
- {type: Press, key: Tab, count: 3, description: x}
- {type: Type, target: '#a', text: b, clear: false, description: x}
- {type: Scroll, direction: left, pages: 2, description: x}
"""
    )
    first, double, held, dragged, pressed, typed, scrolled = read_script(file).actions
    assert (first.hover, first.dialog[0].accept, first.gesture) == ((".menu",), False, None)
    assert first.expect[0].text == "Done" and double.expect is None
    assert (double.hover, double.count) == ((".menu", ".sub"), 2)
    assert (held.gesture, dragged.gesture, dragged.drag_by) == ("hold", "drag_by", (10, -5))
    assert (pressed.count, typed.clear, scrolled.direction) == (3, False, "left")
    assert scrolled.type is ActionType.SCROLL
