import pytest

from iwr.contract.reading import occurrences, quotes
from iwr.contract.schema import PerformedAction, Place
from tests.contract.pages import PageMaker, lines


@pytest.mark.parametrize(
    ("sentence", "texts"),
    [
        ("The text 'Don't panic' appears.", ["Don't panic"]),
        ('A list with "Brazil" and “Chile” opens.', ["Brazil", "Chile"]),
        ("The panel beginning with 'Nunc…' is shown.", ["Nunc"]),
        ("The rows' order changes.", []),
    ],
)
def test_quoted_texts(sentence, texts):
    assert quotes(sentence) == texts


@pytest.mark.parametrize(
    ("text", "line", "readable"),
    [
        ("1", "Selected: 1", True),
        ("1", "Selected: 10", False),
        ("1", "Rate 1.5", False),
        ("12", "Total $12.50", False),
        ("9/10", "Rating 9/10!", True),
        ("save", "SAVE   all", True),
        ("save", "Saved", False),
        ("it's", "It’s here", True),
    ],
)
def test_a_text_is_read_as_a_whole(text, line, readable):
    assert bool(occurrences(lines(line), text)) is readable


def test_a_text_may_span_neighbouring_lines_but_not_the_page():
    assert occurrences(lines("Total:", "12"), "Total: 12")
    maker = PageMaker()
    maker.add((0, 0, 50, 20), "Total:")
    maker.add((0, 500, 50, 20), "12")
    assert not occurrences(maker.page(), "Total: 12")


def test_typed_text_does_not_count_as_read():
    maker = PageMaker()
    maker.field((0, 0, 100, 20), value="Mary")
    typing = PerformedAction(verb="type", text="Mary")
    assert occurrences(maker.page(), "Mary")
    assert not occurrences(maker.page(), "Mary", action=typing)


def test_a_short_text_is_told_by_what_is_beside_it():
    maker = PageMaker()
    for row, name in enumerate(("To do", "Done")):
        group = maker.add((0, 100.0 * row, 300, 40))
        maker.add((0, 100.0 * row, 60, 20), name, parent=group)
        maker.add((80, 100.0 * row, 20, 20), "2", parent=group)
    page = maker.page()
    assert len(occurrences(page, "2")) == 2
    (spot,) = occurrences(page, "2", Place(near="Done"))
    assert spot.box[1] == 100
