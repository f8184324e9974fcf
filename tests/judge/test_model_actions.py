"""What a judge model is asked about an action, and what its answers do to a page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iwr.judge.backends import judge_settings
from iwr.judge.rollout import judge
from iwr.progress import silent
from iwr.records import FailedBy, Rollout, RolloutStatus
from tests.judge.conftest import action, put_page, task
from tests.judge.contract_wire import entries
from tests.judge.test_model import YES, kind, rollout_of, settings
from tests.judge.wire import model_wire, prompt_of

pytestmark = pytest.mark.browser

PAGE = """<!DOCTYPE html><style>
 body {margin: 8px; font: 16px sans-serif}
 .menu ul, .x {display: none}
 .menu:hover ul, li:hover .x {display: block}
 .t {opacity: 0}
</style>
<aside id=s style='height: 100px; overflow: auto; width: 200px'>
 <div style='height: 600px'>left sidebar <p style='margin-top: 150px'>Archive</p></div></aside>
<label>Film <input id=q placeholder='Search films'></label>
<label>Age <input id=age type=number></label>
<select id=size aria-label=Size><option>Small<option>Large</select>
<div class=menu><a href="#">Products</a>
 <ul><li><a href="#" onclick="o.textContent='Laptops page'">Laptops</a></ul></div>
<ul><li>Buy milk <button class=x onclick="this.parentNode.remove()">×</button></ul>
<p><input class=t id=t type=checkbox><label for=t>Walk the dog</label></p>
<button id=b>Press me</button> <button id=delete>Delete</button>
<div id=card style='width: 80px; height: 30px; background: #cde; position: absolute; left: 400px;
 top: 20px'>Card</div>
<div id=bin style='width: 120px; height: 90px; background: #eee; position: absolute; left: 600px;
 top: 20px' role=region aria-label=Bin>Bin</div>
<p id=o class=btn>nothing</p>
<script>
 const say = (words) => o.textContent = words;
 addEventListener('keydown', (e) => {
  if (e.ctrlKey && e.key == 'c') say('Copied');
  if (e.shiftKey && e.key == 'Tab') say('Back');
  if (e.key == 'ArrowDown') say((+o.textContent || 0) + 1);
 });
 q.oninput = () => say(q.value == 'Heat' ? '1 film found' : 'No film');
 age.oninput = () => say('Age ' + age.value);
 size.onchange = () => say('Size ' + size.value);
 t.onchange = () => say('Walked: ' + t.checked);
 s.onscroll = () => say('Side bar at ' + (s.scrollTop > 0 ? 'Archive' : 'the top'));
 b.ondblclick = () => say('Doubled');
 b.oncontextmenu = (e) => { e.preventDefault(); say('Menu'); };
 let down = 0;
 b.onmousedown = () => down = performance.now();
 b.onmouseup = () => { if (performance.now() - down > 1500) say('Held'); };
 document.getElementById('delete').onclick = () => {
  const name = prompt('Type its name', 'x');
  say(name === null ? 'Kept' : 'Deleted ' + name);
 };
 let from = null;
 card.onmousedown = (e) => from = [e.clientX, e.clientY];
 addEventListener('mouseup', (e) => {
  if (!from) return;
  const box = bin.getBoundingClientRect();
  say(e.clientX > box.left && e.clientX < box.right && e.clientY > box.top + 60 ? 'Low in the bin'
   : `Moved by ${Math.round(e.clientX - from[0])}`);
  from = null;
 });
</script></body>"""
CLICK = {"gesture": "click", "text": "", "dialog": "accept"}
FIELD = {"append": False, "keys": []}
PART = {"direction": "down", "amount": "part", "pages": 0}


def numbered(body: dict, label: str) -> str:
    """Return the number of the innermost element with this label, role and label, or name."""
    number = "none"
    for entry in entries(prompt_of(body)):
        labels = (entry.label, f"{entry.role} {entry.label}")
        if label in labels or f'named "{label}"' in entry.rest:
            number = entry.number
    return number


def act(paths, acts, answers: dict[str, list[dict]]) -> tuple[Rollout, list[dict]]:
    """Judge PAGE. `answers`: for each kind of question what is answered in turn.

    The label of an element stands for its number.
    """
    put_page(paths, "page", "made", PAGE)
    left = {name: list(turns) for name, turns in answers.items()}

    def chat(body: dict) -> dict:
        if kind(body) == "ruling":
            return YES
        turns = left[kind(body)]
        answer = turns.pop(0) if len(turns) > 1 else turns[0]
        if "element" in answer:
            answer = answer | {"element": numbered(body, answer["element"])}
        return {"reason": "so it is"} | answer

    with model_wire(chat) as (url, seen):
        judge([("page", task(acts))], settings(url), paths, silent)
    return rollout_of(paths), [body for body in seen if kind(body) != "ruling"]


def click(label: str, gesture: str = "click", **fields: str) -> dict:
    return CLICK | {"element": label, "gesture": gesture} | fields


CASES = {
    "Press the key combination Ctrl and C.": (
        "Press",
        {"keys": [{"keys": ["Ctrl+C"]}]},
        "Copied",
    ),
    "Hold Shift and press Tab.": ("Press", {"keys": [{"keys": ["Shift+Tab"]}]}, "Back"),
    "Press the down arrow three times.": ("Press", {"keys": [{"keys": ["ArrowDown"] * 3}]}, "3"),
    "Scroll the left sidebar down.": (
        "Scroll",
        {"scrolling": [{"scope": "element", "element": "left sidebar"} | PART]},
        "Side bar at Archive",
    ),
    "Scroll down to 'Archive'.": (
        "Scroll",
        {"scrolling": [{"scope": "place", "element": "Archive"} | PART]},
        "Side bar at Archive",
    ),
    "Enter 25 as the age.": (
        "Type",
        {"writing": [FIELD | {"element": "Age", "text": "25"}]},
        "Age 25",
    ),
    "Type Heat, the film's name, into the search box.": (
        "Type",
        {"writing": [FIELD | {"element": "Film", "text": "Heat"}]},
        "1 film found",
    ),
    "Search for 'Heat' and press the down arrow.": (
        "Type",
        {"writing": [{"append": True, "keys": ["Down"], "element": "Film", "text": "'Heat'"}]},
        "1",
    ),
    "Select 'Large' in the list of sizes.": (
        "Click",
        {"clicking": [click("Size", "select", text="Large")]},
        "Size Large",
    ),
    "Click 'Large' among the sizes.": ("Click", {"clicking": [click("Size")]}, "Size Large"),
    "Hover over 'Products' and click 'Laptops' in the menu.": (
        "Click",
        {"clicking": [click("Products", "hover_first"), click("Laptops")]},
        "Laptops page",
    ),
    "Tick 'Walk the dog'.": (
        "Click",
        {"clicking": [click("checkbox Walk the dog")]},
        "Walked: true",
    ),
    "Open the context menu of the button.": (
        "Click",
        {"clicking": [click("Press me", "right_click")]},
        "Menu",
    ),
    "Double-click the button.": (
        "Click",
        {"clicking": [click("Press me", "double_click")]},
        "Doubled",
    ),
    "Press and hold the button for two seconds.": (
        "Click",
        {"clicking": [click("Press me", "hold")], "duration": [{"seconds": 2}]},
        "Held",
    ),
    "Drag the card to the lower part of the bin.": (
        "Click",
        {
            "clicking": [click("Card", "drag")],
            "drop": [{"element": "Bin", "side": "below", "dx": 0, "dy": 0}],
        },
        "Low in the bin",
    ),
    "Drag the card 60 pixels to the right.": (
        "Click",
        {
            "clicking": [click("Card", "drag")],
            "drop": [{"element": "", "side": "on", "dx": 60, "dy": 0}],
        },
        "Moved by 60",
    ),
    "Click Delete and cancel the dialog.": (
        "Click",
        {"clicking": [click("Delete", dialog="dismiss")]},
        "Kept",
    ),
    "Click Delete and enter Bob in the dialog.": (
        "Click",
        {"clicking": [click("Delete", text="Bob")]},
        "Deleted Bob",
    ),
}
LOOK = "Look at the result."
SEEN = click("nothing like it")
"""The answer to LOOK: its question lists what the page says, which is all that is needed."""


def said(asked: list[dict]) -> list[str]:
    """Return the labels on the page at the step LOOK."""
    labels = []
    for body in asked:
        if LOOK in prompt_of(body):
            labels += [entry.label for entry in entries(prompt_of(body))]
    return labels


@pytest.mark.parametrize("sentence", CASES)
def test_a_right_page_does_what_the_sentence_says(paths, sentence):
    kind_of_action, answers, words = CASES[sentence]
    all_answers = answers | {"clicking": [*answers.get("clicking", []), SEEN]}
    acts = [action(kind_of_action, sentence), action("Click", LOOK)]
    rollout, asked = act(paths, acts, all_answers)
    assert rollout.steps[1].performed, rollout.steps[1].reason
    assert words in said(asked)
    about_it = [body for body in asked if LOOK not in prompt_of(body)]
    assert len(about_it) == sum(map(len, answers.values()))


DECIDED = {
    "a key": (action("Press", "Press the 'Down' key."), "1"),
    "a chord": (action("Press", key="Control+C"), "Copied"),
    "a direction": (action("Scroll", direction="up"), "nothing"),
}


@pytest.mark.parametrize("name", DECIDED)
def test_what_parameters_and_quotes_decide_is_not_asked(paths, name):
    decided, words = DECIDED[name]
    rollout, asked = act(paths, [decided, action("Click", LOOK)], {"clicking": [SEEN]})
    assert rollout.steps[1].performed, rollout.steps[1].reason
    assert words in said(asked)
    assert all(LOOK in prompt_of(body) for body in asked)


def test_a_key_of_the_parameters_is_pressed_as_often_as_the_sentence_says(paths):
    press = action("Press", "Press the down arrow key twice.", key="ArrowDown")
    answers = {"times": [{"times": 2}], "clicking": [SEEN]}
    _, asked = act(paths, [press, action("Click", LOOK)], answers)
    assert "2" in said(asked)


def test_a_text_of_the_parameters_is_typed_whatever_the_model_says(paths):
    typing = action("Type", "Type the film's name.", text="Heat")
    answers = {"writing": [FIELD | {"element": "Film"}], "clicking": [SEEN]}
    _, asked = act(paths, [typing, action("Click", LOOK)], answers)
    assert "1 film found" in said(asked)
    assert "text" not in asked[0]["response_format"]["json_schema"]["schema"]["properties"]


UNUSABLE = {
    "a text that the sentence does not have": (
        action("Type", "Type the name of a film."),
        {"writing": [FIELD | {"element": "Film", "text": "Heat"}]},
    ),
    "no text": (
        action("Type", "Type Heat."),
        {"writing": [FIELD | {"element": "Film", "text": ""}]},
    ),
    "a key that does not exist": (action("Press", "Press any key."), {"keys": [{"keys": ["Any"]}]}),
    "no key": (action("Press", "Press the best key."), {"keys": [{"keys": []}]}),
    "no direction": (
        action("Scroll", "Scroll a bit."),
        {"scrolling": [PART | {"scope": "page", "element": "none", "direction": "away"}]},
    ),
    "a gesture that nobody can do here": (
        action("Click", "Pinch the card with two fingers."),
        {"clicking": [click("Card", "other")]},
    ),
    "a gesture of its own": (
        action("Click", "Pinch the card."),
        {"clicking": [click("Card", "pinch")]},
    ),
    "a list box without an option": (
        action("Click", "Choose a size."),
        {"clicking": [click("Size", "select")]},
    ),
    "a menu that never ends": (
        action("Click", "Hover over Products."),
        {"clicking": [click("Products", "hover_first")]},
    ),
    "a file that the task does not have": (
        action("Click", "Upload cat.png."),
        {"clicking": [click("Press me", "upload", text="cat.png")]},
    ),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_without_a_usable_answer_the_step_is_unscored(paths, name):
    unclear, answers = UNUSABLE[name]
    rollout, _ = act(paths, [unclear], answers)
    assert rollout.status is RolloutStatus.FAILED
    assert rollout.steps[1].failed_by is FailedBy.JUDGE
    assert not rollout.steps[1].performed


REFUSED = {
    "no such option": (
        action("Click", "Choose 'Huge' as the size."),
        {"clicking": [click("Size", "select", text="Huge")]},
        FailedBy.ACTION,
    ),
    "nowhere to drop": (
        action("Click", "Drag the card into the box."),
        {
            "clicking": [click("Card", "drag")],
            "drop": [{"element": "", "side": "on", "dx": 0, "dy": 0}],
        },
        FailedBy.PAGE,
    ),
    "no such place": (
        action("Scroll", "Scroll to the footer."),
        {"scrolling": [PART | {"scope": "place", "element": "Footer"}]},
        FailedBy.PAGE,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_page_does_not_offer_is_refused_and_not_done_as_a_click(paths, name):
    impossible, answers, failed_by = REFUSED[name]
    rollout, _ = act(paths, [impossible], answers)
    assert rollout.status is RolloutStatus.OK
    assert rollout.steps[1].failed_by is failed_by
    assert not rollout.steps[1].performed


@pytest.mark.parametrize(
    ("protocol", "words"), [("paper", "is the assertion true?"), ("local", "not yet so BEFORE")]
)
def test_the_protocol_words_the_question_about_an_assertion(paths, protocol, words):
    put_page(paths, "page", "made", PAGE)
    press = action("Press", "Press Ctrl+C.", "The text 'Copied' appears.")
    with model_wire(lambda body: YES) as (url, seen):
        config = settings(url)
        config = replace(config, protocol=replace(config.protocol, assertion=protocol))
        judge([("page", task([press]))], config, paths, silent)
    (asked,) = seen
    assert words in prompt_of(asked)
    assert ("BEFORE, and is so AFTER" in prompt_of(asked)) == (protocol == "local")
    assert rollout_of(paths).steps[1].credited


def test_another_wording_is_another_judge(paths):
    made = task([action("Press", "Press Ctrl+C.")])
    prompts = set()
    for protocol in ("paper", "local"):
        config = settings("http://127.0.0.1:9/v1")
        config = replace(config, protocol=replace(config.protocol, assertion=protocol))
        prompts.add(judge_settings(config, paths.task("page", made.id))["judge.prompts"])
    assert len(prompts) == 2
