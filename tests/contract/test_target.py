"""A target is found by what a person sees of it."""

from iwr.contract import Target, Verb, describe_target, find
from tests.contract.pages import PageMaker


def rows(*names: str, sign: str = "×", **changes: str):
    """Return a list in which each row has a button that all rows have."""
    maker = PageMaker()
    buttons = {}
    for row, name in enumerate(names):
        y = 40.0 * row
        item = maker.add((0, y, 400, 30), tag="li", role="listitem")
        maker.add((0, y, 100, 20), name, parent=item)
        buttons[name] = maker.button((350, y, 30, 20), sign, parent=item, **changes)
    page = maker.page()
    return page, {name: page.nodes[index] for name, index in buttons.items()}


def test_a_button_of_a_row_is_found_by_the_row_wherever_it_is():
    page, buttons = rows("Milk", "Bread", "Tea")
    target = describe_target(page, buttons["Bread"])
    assert (target.index, target.count, target.beside[0]) == (1, 3, "Bread")
    other, others = rows("Bread", "Tea", "Milk", sign="✕")
    assert find(target, other).node is others["Bread"]


def test_without_texts_the_place_among_its_like_tells_it():
    maker = PageMaker()
    seats = []
    for row in range(3):
        for column in range(4):
            box = (40.0 * column, 40.0 * row, 30, 30)
            seats.append(maker.add(box, how="under"))
    page = maker.page()
    target = describe_target(page, page.nodes[seats[9]])
    assert (target.row, target.column, target.count) == (2, 1, 12)
    wider = PageMaker()
    for row in range(3):
        for column in range(4):
            wider.add((60.0 * column + 20, 55.0 * row + 30, 36, 36), how="listener", tag="i")
    assert find(target, wider.page()).node.box[:2] == (80, 140)


def test_a_label_that_is_not_there_is_a_failure_of_the_page():
    page, buttons = rows("Milk", sign="Remove")
    target = describe_target(page, buttons["Milk"])
    other, _ = rows("Milk", sign="Rename")
    assert find(target, other).node is None
    assert "no element 'Remove' on the page" in find(target, other).reason


def test_two_that_fit_equally_well_are_a_tie():
    page, _ = rows("", "", sign="Open")
    assert find(Target(label="Open"), page).tied


def test_typing_needs_a_field_and_clicking_does_not_take_one():
    maker = PageMaker()
    button = maker.button((0, 0, 80, 20), "Search")
    field = maker.field((100, 0, 200, 20), placeholder="Search")
    page = maker.page()
    assert find(Target(label="Search"), page, Verb.TYPE).node.index == field
    target = describe_target(page, page.nodes[button])
    assert find(target, page, Verb.CLICK).node.index == button


def test_a_counter_in_a_label_may_differ():
    page, buttons = rows("Talk", sign="Replies (2)")
    target = describe_target(page, buttons["Talk"])
    other, others = rows("Talk", sign="Replies (3)")
    assert find(target, other).node is others["Talk"]


def test_a_field_is_found_by_its_label_or_its_placeholder():
    maker = PageMaker()
    maker.add((0, 0, 60, 20), "Email")
    maker.field((70, 0, 200, 20))
    page = maker.page()
    target = describe_target(page, page.nodes[3])
    assert target.label == "Email"
    other = PageMaker()
    other.field((300, 200, 200, 20), placeholder="Name")
    expected = other.field((300, 240, 200, 20), placeholder="Email")
    assert find(target, other.page(), Verb.TYPE).node.index == expected
