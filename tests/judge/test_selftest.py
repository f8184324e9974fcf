"""The self-test tells a good judge from a bad one, on pages whose truth is known."""

import json
from pathlib import Path

import pytest

from iwr.cli.main import main
from iwr.config import load_config
from iwr.judge.defects import Defect
from iwr.judge.selftest import lines, selftest, tally
from iwr.progress import silent
from iwr.records import SelfTest
from iwr.runs.files import read_record, whole_png
from iwr.tasks.load import load, samples_root
from iwr.tasks.recorder.record import record_task
from tests.judge.wire import model_wire

SAMPLE = "tiles-2048"
DEFECTS = {defect.value for defect in Defect}
PAIRS = {"true pair", "unchanged pair", "reversed pair"}
PAGES = {"true page", "empty page"}

SHELF = """<!doctype html><title>Shelf</title>
<style>li { height: 30px } li.read { text-decoration: line-through } .gap { height: 900px }</style>
<h1>Shelf</h1>
<p>Books: <b id="count">3</b> <span id="note"></span></p>
<input id="q" placeholder="Filter"> <button id="sort">Sort</button>
<ul><li>Dune</li><li>Emma</li><li>Beloved</li></ul>
<div class="gap"></div><h2>Opening hours</h2>
<script>
const $ = selector => document.querySelector(selector);
const items = () => [...document.querySelectorAll("li")];
$("ul").addEventListener("click", event => {
  event.target.classList.toggle("read");
  $("#note").textContent = event.target.textContent + " is the book of the week";
});
$("#sort").addEventListener("click", () => {
  $("ul").append(...items().sort((a, b) => (a.textContent < b.textContent ? -1 : 1)));
});
$("#q").addEventListener("input", event => {
  for (const item of items()) item.hidden = !item.textContent.includes(event.target.value);
  $("#count").textContent = items().filter(item => !item.hidden).length;
  $("#note").textContent = "Search for " + event.target.value;
});
</script>
"""
ACTIONS = """
resolution: 800x600
actions:
- {type: Click, target: "li:nth-child(2)", description: Click 'Emma'.,
   assertion: "'Emma' is struck through."}
- {type: Click, target: "#sort", description: Click 'Sort'.,
   assertion: The books are in alphabetical order.}
- {type: Click, target: "li:nth-child(1)", description: Click 'Beloved'.,
   assertion: The note 'Beloved is the book of the week' appears.}
- {type: Type, target: "#q", text: D, description: Type 'D' into the filter.,
   assertion: Emma and Beloved disappear.}
- {type: Scroll, direction: down, pages: 2, description: Scroll down.,
   assertion: The heading 'Opening hours' appears.}
- {type: Scroll, direction: up, pages: 2, description: Scroll up.,
   assertion: "The text 'Books: 1' appears."}
"""


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """Tasks of one page, on which every kind of defect applies."""
    root = tmp_path_factory.mktemp("shelf")
    (root / "page").mkdir()
    (root / "page" / "index.html").write_text(SHELF)
    (root / "script.yaml").write_text(ACTIONS)
    record_task(root / "page", root / "script.yaml", root / "out", "shelf", pace=0.1)
    return load(root / "out").tasks


@pytest.mark.browser
def test_every_kind_of_defect_is_planted_and_noticed_at_its_step(shelf, paths, config):
    record = selftest(shelf, config, paths, silent)
    assert set(record.kinds) == DEFECTS | PAIRS | PAGES
    assert record.specificity.share == 1, lines(record)
    assert record.sensitivity.share == 1, lines(record)
    assert record.exact.share == 1 and record.exact.asked >= len(DEFECTS) - 1
    assert record.misses == ()
    for kind in DEFECTS - {"layout only"}:
        assert 1 <= record.kinds[kind].asked <= record.pages_a_kind


@pytest.mark.browser
def test_the_command_on_a_sample(tmp_path, capsys):
    arguments = [f"data.tasks=[{SAMPLE}]", f"run.root={tmp_path}", "run.name=st", "--json"]
    assert main(["selftest", "judge=contract", *arguments]) == 0
    shown = json.loads(capsys.readouterr().out)
    record = read_record(tmp_path / "st" / "selftest-contract.json", SelfTest)
    assert record.model_dump(mode="json") == shown
    assert record.sensitivity.share == 1
    assert record.specificity.share == 1 and record.specificity.asked > 20
    assert record.flips.share == 0
    # 'Moves: 1' appears whichever arrow is pressed: no defect, and none that is skipped in silence
    assert record.left_out["other direction"] == 1
    assert any("left out: 1" in text for text in lines(record))


@pytest.mark.browser
@pytest.mark.parametrize(
    ("verdict", "sensitivity", "specificity"), [("yes", 1.0, 0.0), ("no", 0.0, 1.0)]
)
def test_a_judge_that_always_says_the_same(paths, verdict, sensitivity, specificity):
    tasks = load(samples_root(), [SAMPLE]).tasks

    def chat(body):
        name = body["response_format"]["json_schema"]["name"]
        if name == "ruling":
            return {"reason": "as always", "verdict": verdict}
        return {"reason": "none", "element": "none"}

    with model_wire(chat) as (url, _):
        settings = ["judge=model", "judge.model.path=test/scripted", f"judge.url={url}"]
        config, _ = load_config(settings)
        record = selftest(tasks, config, paths, silent)
    for kind in ("true pair", "layout only"):
        assert record.kinds[kind].share == sensitivity
    for kind in ("unchanged pair", "reversed pair", "dead handler", "wrong text", "lost effect"):
        assert record.kinds[kind].share == specificity
    assert record.flips.share == 0 and record.order_flips.share == 0 and record.calls > 60
    assert record.exact.share < 0.5  # a defect counts only where the steps before it are affirmed
    assert_listed(record, paths)


def assert_listed(record: SelfTest, paths) -> None:
    """Every wrong answer is there with its question, pictures and the judge's words."""
    wrong = 0
    for figure in record.kinds.values():
        wrong += figure.asked - figure.yes - figure.unusable
    misses = [miss for miss in record.misses if miss.answer is not None]
    assert len(misses) == wrong > 0
    pictures: Path = paths.selftest_pictures(record.judge)
    pairs = [miss for miss in misses if miss.kind not in PAGES]
    for miss in pairs:
        assert miss.answer is not miss.expected
        assert miss.assertion and miss.reason == "as always"
        assert whole_png(pictures / miss.before) and whole_png(pictures / miss.after)
    text = "\n".join(lines(record))
    first = record.misses[0]
    assert f"{first.kind}, {SAMPLE} step {first.step}" in text


@pytest.mark.browser
def test_unusable_answers_are_counted_apart(paths):
    tasks = load(samples_root(), [SAMPLE]).tasks
    with model_wire(lambda body: "I would rather not say") as (url, _):
        settings = ["judge=model", "judge.model.path=test/scripted", f"judge.url={url}"]
        config, _ = load_config([*settings, "judge.attempts=1"])
        record = selftest(tasks, config, paths, silent)
    for kind in ("true pair", "dead handler"):
        assert record.kinds[kind].share is None
        assert record.kinds[kind].unusable == record.kinds[kind].asked > 0
    assert record.exact.share is None
    assert {miss.answer for miss in record.misses} == {None}


def test_a_record_without_the_new_fields_is_read(tmp_path):
    figure = {"asked": 1, "yes": 1, "unusable": 0, "share": 1.0, "low": 0.2, "high": 1.0}
    names = ("sensitivity", "specificity", "flips", "order_flips")
    old = {"judge": "rules", "tasks": ["a"], "settings": {}, "calls": 0, "seconds": 1.0}
    old |= dict.fromkeys(names, figure)
    old["kinds"] = {"planted defect": figure}
    path = tmp_path / "selftest-rules.json"
    path.write_text(json.dumps(old))
    record = read_record(path, SelfTest)
    assert record.misses == () and record.exact is None
    assert any("planted defect" in text for text in lines(record))


def test_tallies():
    assert tally([True, True, None, False]).model_dump() == pytest.approx(
        {"asked": 4, "yes": 2, "unusable": 1, "share": 2 / 3, "low": 0.2077, "high": 0.9385},
        abs=1e-4,
    )
    assert tally([None]).share is None
    assert tally([False] * 20).high == pytest.approx(0.1611, abs=1e-4)
