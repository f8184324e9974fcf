"""What is expected of a step holds on the true pair, and not when nothing happens."""

import pytest

from iwr.contract import Answer, check, derive, derive_unchanged, parse_expectations
from iwr.contract.schema import Contract, PictureChanged, StepContract
from iwr.errors import DataError
from tests.contract.pages import LOOK, PageMaker, lines


def kinds(expectations):
    return [expectation.kind for expectation in expectations]


def answers(expectations, before, after):
    return {check(expectation, before, after).answer for expectation in expectations}


def test_quotes_come_first_and_one_must_be_new():
    before = lines("Cart", "Empty")
    after = lines("Cart", "Desk Lamp", "Total $12")
    expectations = derive(before, after, "The 'Cart' shows 'Desk Lamp'.")
    assert [(entry.text, entry.new) for entry in expectations] == [
        ("Cart", False),
        ("Desk Lamp", True),
    ]
    assert answers(expectations, before, after) == {Answer.YES}
    assert Answer.NO in answers(expectations, before, before)
    assert Answer.NO in answers(expectations, before, lines("Cart", "Desk Chair"))


def test_a_number_of_the_assertion_is_demanded():
    before, after = lines("Total $10", "Hint A"), lines("Total $12", "Hint B")
    expectations = derive(before, after, "The total changes to 12 dollars.")
    assert [entry.text for entry in expectations] == ["Total $12"]
    assert answers(expectations, before, lines("Total $13", "Hint B")) == {Answer.NO}


def test_a_quote_that_the_true_page_does_not_show_falls_back_to_what_changed():
    before, after = lines("Draft"), lines("It was sent")
    expectations = derive(before, after, "The message 'Mail sent!' appears.")
    assert kinds(expectations) == ["text_appears"]
    assert expectations[0].text == "It was sent"


def test_only_demands_what_goes_and_what_remains():
    before = lines("Tom Reed", "Anna May", "Joan Lee")
    after = lines("Anna May")
    expectations = derive(before, after, "Only names with May are shown.")
    gone = {entry.text for entry in expectations if entry.kind == "text_disappears"}
    assert gone == {"Tom Reed", "Joan Lee"}
    assert answers(expectations, before, before) == {Answer.NO}


def test_order_is_a_fact_of_the_true_page():
    before, after = lines("Mia", "Ola", "Eve"), lines("Eve", "Mia", "Ola")
    expectations = derive(before, after, "The rows are sorted by name.")
    assert kinds(expectations) == ["order"]
    assert answers(expectations, before, lines("Ola", "Mia", "Eve")) == {Answer.NO}


def test_a_list_is_expected_in_its_whole_order():
    def table(*names: str):
        maker = PageMaker()
        body = maker.add((0, 0, 200, 90))
        for row, name in enumerate(names):
            maker.add((0, 30.0 * row, 200, 20), name, parent=body)
        return maker.page()

    before = table("Mia", "Ola", "Eve")
    expectations = derive(before, table("Ola", "Mia", "Eve"), "The rows are sorted.")
    assert answers(expectations, before, table("Eve", "Ola", "Mia")) == {Answer.NO}


def test_volatile_texts_are_not_demanded():
    before, after = lines("12:01", "Idle"), lines("12:02", "Running")
    expectations = derive(before, after, "It runs.", volatile=frozenset({"12:02", "12:01"}))
    assert [entry.text for entry in expectations] == ["Running"]


def test_a_change_of_pixels_alone_is_undecided():
    before, after = PageMaker().page(b"a"), PageMaker().page(b"b")
    assert derive(before, after, "The chart turns.") == (PictureChanged(),)
    assert check(PictureChanged(), before, after).answer is Answer.UNDECIDED


def test_what_looks_otherwise_and_what_does_not():
    def page(*struck: str):
        maker = PageMaker()
        item = maker.add((0, 0, 300, 80))
        for row, text in enumerate(("Water plants", "Call Ann")):
            look = LOOK.replace("|none|rgb(0, 0, 0)|none|1", "|line-through|rgb(0, 0, 0)|none|1")
            style = look if text in struck else LOOK
            maker.add((0, 30.0 * row, 200, 20), text, parent=item, look=style)
        return maker.page()

    before, after = page(), page("Water plants")
    expectations = derive(before, after, "'Water plants' is crossed out.")
    assert kinds(expectations) == ["text_appears", "look"]
    unchanged = derive_unchanged(before, after, expectations)
    assert [entry.text for entry in unchanged] == ["Call Ann"]
    both = page("Water plants", "Call Ann")
    assert answers(unchanged, before, both) == {Answer.NO}


def test_a_direction_must_hold():
    def page(left: float):
        maker = PageMaker()
        maker.add((left, 0, 50, 50), "8", layer="absolute")
        return maker.page()

    expectations = derive(page(200), page(0), "The tile moves to the left.")
    assert kinds(expectations) == ["moved"]
    assert answers(expectations, page(200), page(20)) == {Answer.YES}
    assert answers(expectations, page(200), page(400)) == {Answer.NO}
    assert answers(expectations, page(200), page(200)) == {Answer.NO}


def test_a_contract_survives_its_file():
    before, after = lines("A1"), lines("B2")
    expectations = derive(before, after, "B2 appears.")
    action = {"verb": "press", "keys": ["Enter"]}
    step = StepContract(step=1, action=action, expectations=expectations)
    contract = Contract(steps=(step,))
    for text in (contract.model_dump_json(), contract.model_dump_json(exclude_defaults=True)):
        assert Contract.model_validate_json(text) == contract


def test_the_vocabulary_of_scripts():
    entries = [
        {"text_appears": "Saved"},
        {"text_disappears": {"text": "2", "near": "To do"}},
        {"state": {"element": "Digest", "checked": True}},
        {"value": {"field": "Age", "is": 25}},
        {"order": ["b", "a"]},
        {"moved": {"text": "x", "direction": "left"}},
        {"scrolled": "down"},
        {"look": {"text": "x", "struck": True}},
        {"count": {"text": "x", "before": 2, "after": 1}},
        {"kind": "text_remains", "text": "Inbox"},
    ]
    assert len(parse_expectations(entries)) == len(entries)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"text_appears": "x"}, "must be a list"),
        ([{"appears": "x"}], "unknown kind 'appears'; use text_appears"),
        ([{"state": {"element": "x"}}], "give one of checked"),
        ([{"order": ["a"]}], "expect 1 order texts"),
        ([{"moved": {"direction": "left"}}], "give one of text, element"),
    ],
)
def test_a_fault_in_a_script_is_named(value, message):
    with pytest.raises(DataError, match=message):
        parse_expectations(value)
