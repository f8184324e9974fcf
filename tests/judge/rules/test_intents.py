"""What the sentences of actions ask for."""

import pytest

from iwr.errors import JudgeError
from iwr.judge.rules.intents import Scrolling, Typing, clicks, keys, scrolling, typing
from tests.judge.conftest import action


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Type 'matrix' into the search box.", Typing("matrix", "the search box", True, None)),
        (
            'Enter "ada@mail.org" in the email field',
            Typing("ada@mail.org", "the email field", True, None),
        ),
        (
            "Fill in the 'Full name' field with 'Ada \"L\" Lovelace'.",
            Typing('Ada "L" Lovelace', "the 'Full name' field", True, None),
        ),
        ("Type 'a,\"b' into the note.", Typing('a,"b', "the note", True, None)),
        (
            "Click the search bar and type 'cats' and press Enter.",
            Typing("cats", "the search bar", True, "Enter"),
        ),
        (
            "Type 'milk and press Enter' into the box",
            Typing("milk and press Enter", "the box", True, None),
        ),
        ("Append ' again' to the message.", Typing(" again", "the message", False, None)),
        (
            "Type hello world into the message box",
            Typing("hello world", "the message box", True, None),
        ),
        ("Search for 'blue mug'.", Typing("blue mug", "search box", True, None)),
        ("Type '5'.", Typing("5", "", True, None)),
        ("Change the quantity to '3'", Typing("3", "the quantity", True, None)),
    ],
)
def test_typing(sentence, expected):
    assert typing(action("Type", sentence)) == expected


def test_the_given_text_wins():
    assert typing(action("Type", "Type 'x' into the 'Name' box", text="Name")).text == "Name"
    assert (
        typing(action("Type", "Type the film's name into the search box.", text="matrix")).text
        == "matrix"
    )
    with pytest.raises(JudgeError, match="nothing says what to type"):
        typing(action("Type", "Do it."))


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Press Enter to submit the form.", ["Enter"]),
        ("Press the left arrow key to slide the tiles to the left.", ["ArrowLeft"]),
        ("Press the space bar to pause.", ["Space"]),
        ("Press 'Escape'", ["Escape"]),
        ("Press Ctrl+A.", ["Ctrl+A"]),
        ("Press the down arrow key three times.", ["ArrowDown"] * 3),
        ("Hit the Tab key twice", ["Tab", "Tab"]),
        ("Press the letter key 'k'", ["k"]),
    ],
)
def test_keys(sentence, expected):
    assert keys(action("Press", sentence)) == expected


def test_the_given_key_wins():
    assert keys(action("Press", "Press the right arrow.", key="ArrowLeft")) == ["ArrowLeft"]
    with pytest.raises(JudgeError):
        keys(action("Press", ""))


@pytest.mark.parametrize(
    ("sentence", "parameters", "expected"),
    [
        ("Scroll down.", {}, Scrolling(0, 1, 0.5, False, "", "")),
        ("", {"direction": "up"}, Scrolling(0, -1, 0.5, False, "", "")),
        ("Scroll to the bottom of the page", {}, Scrolling(0, 1, 0.5, True, "", "")),
        ("Scroll back up to the top.", {"direction": "up"}, Scrolling(0, -1, 0.5, True, "", "")),
        ("Scroll down two pages", {"scroll_page": "2"}, Scrolling(0, 1, 2.0, False, "", "")),
        ("Scroll down one page.", {}, Scrolling(0, 1, 1.0, False, "", "")),
        (
            "Scroll to the 'Pricing' section.",
            {},
            Scrolling(0, 0, 0.5, False, "the 'Pricing' section", ""),
        ),
        (
            "Scroll down to the reviews section",
            {"direction": "down"},
            Scrolling(0, 1, 0.5, False, "the reviews section", ""),
        ),
        ("Scroll right in the carousel.", {}, Scrolling(1, 0, 0.5, False, "", "the carousel")),
        (
            "Scroll down in the list of messages to the bottom.",
            {},
            Scrolling(0, 1, 0.5, True, "", "the list of messages"),
        ),
        (
            "Scroll down on the page until the footer",
            {},
            Scrolling(0, 1, 0.5, False, "the footer", ""),
        ),
    ],
)
def test_scrolling(sentence, parameters, expected):
    assert scrolling(action("Scroll", sentence, **parameters)) == expected


def test_clicks():
    assert clicks(action("Click", "Double-click the 'right-click' cell")) == (2, "left")
    assert clicks(action("Click", "Right click the file.")) == (1, "right")
