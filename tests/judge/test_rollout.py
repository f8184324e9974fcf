"""A page is driven step by step; each step says what happened and who failed."""

from pathlib import Path

import pytest

from iwr.contract.schema import (
    PerformedAction,
    Scrolled,
    StepContract,
    Target,
    TextAppears,
    TextDisappears,
    Verb,
)
from iwr.errors import StaleRunError
from iwr.judge.rollout import judge, pending_rollouts
from iwr.progress import silent
from iwr.records import FailedBy, Generation, GenerationStatus, Rollout, RolloutStatus, Task
from iwr.runs.files import read_record, write_record
from tests.judge.conftest import action, put_contract, put_page, task, with_judge

pytestmark = pytest.mark.browser

PAGE = """<!DOCTYPE html><body style="font:16px sans-serif"><h1>Guestbook</h1>
<label for=n>Your name</label> <input id=n>
<div class="btn" id=go style="background:#ddd;width:90px">Sign</div><p id=out>Nobody signed</p>
<button onclick="out.textContent='Cleared'">Clear</button>
<script>go.onclick = () => { out.textContent = 'Signed by ' + n.value }</script></body>"""
ACTIONS = [
    action("Type", "Type 'Ada' into the name field.", text="Ada"),
    action("Click", "Click the 'Sign' button.", "The text 'Signed by Ada' appears."),
    action("Click", "Click the 'Clear' button.", "The text 'Signed by Ada' disappears."),
]

NAME = Target(label="Your name", role="textbox", kind="field")
SIGN = Target(label="Sign", kind="button")
CLEAR = Target(label="Clear", role="button", kind="button")
SIGNED = "Signed by Ada"
CLICK = PerformedAction(verb=Verb.CLICK)
TYPING = StepContract(step=1, target=NAME, action=PerformedAction(verb=Verb.TYPE, text="Ada"))
SIGNING = StepContract(
    step=2, target=SIGN, action=CLICK, expectations=(TextAppears(text=SIGNED, quoted=True),)
)
CLEARING = StepContract(
    step=3, target=CLEAR, action=CLICK, expectations=(TextDisappears(text=SIGNED, quoted=True),)
)


@pytest.fixture
def guestbook(tmp_path: Path) -> Task:
    """The task whose true page is `PAGE`."""
    contract = put_contract(tmp_path / "contract.json", TYPING, SIGNING, CLEARING)
    return task(ACTIONS, contract=contract)


def outcome(rollout: Rollout) -> list[tuple[bool, FailedBy | None]]:
    return [(step.credited, step.failed_by) for step in rollout.steps]


def test_a_true_page_earns_every_step(drive, paths, guestbook):
    rollout = drive(PAGE, guestbook)
    assert outcome(rollout) == [(True, None)] * 4
    assert rollout.status is RolloutStatus.OK and rollout.browser.startswith("Chromium")
    files = paths.task("page", "made").judge("contract")
    assert [files.screenshot(step.step).is_file() for step in rollout.steps] == [True] * 4
    click = rollout.steps[2].grounding
    assert (click.locator, click.name) == ("#go", "Sign")
    assert rollout.steps[2].verdict.passed is True


def test_a_refuted_assertion_ends_the_credit_not_the_run(drive, guestbook):
    rollout = drive(PAGE.replace("out.textContent = 'Signed by ' + n.value", ""), guestbook)
    assert outcome(rollout) == [
        (True, None),
        (True, None),
        (False, FailedBy.ASSERTION),
        (False, FailedBy.ASSERTION),
    ]
    assert rollout.steps[3].performed and rollout.status is RolloutStatus.OK


def test_a_missing_element_ends_the_run(drive, guestbook):
    rollout = drive(PAGE.replace("id=go", "id=go hidden"), guestbook)
    assert outcome(rollout) == [(True, None), (True, None), (False, FailedBy.PAGE), (False, None)]
    assert "no element 'Sign'" in rollout.steps[2].reason
    assert not rollout.steps[3].performed and rollout.steps[3].reason == "not reached"


def test_a_covered_element_cannot_be_clicked(drive, guestbook):
    cover = '<div id=veil style="position:fixed;inset:0;background:#fffc;z-index:9"></div></body>'
    rollout = drive(PAGE.replace("</body>", cover), guestbook)
    assert outcome(rollout)[1] == (False, FailedBy.ACTION)
    assert "veil" in rollout.steps[1].reason


SCROLLING = PerformedAction(verb=Verb.SCROLL, wheel=(0, 300))
PRESSING = PerformedAction(verb=Verb.PRESS, keys=("Enter",))
FIRST = {
    "click": StepContract(step=1, target=SIGN, action=CLICK),
    "type": TYPING,
    "press": SIGNING.model_copy(update={"target": None, "action": PRESSING}),
    "scroll": StepContract(step=1, action=SCROLLING, expectations=(Scrolled(dy=1),)),
}
"""The only step of a task, each of another kind."""
IMAGE = """<body style='margin:0'>
<img src='__PLACEHOLDER_ASSETS_BASE_DIR__/shot.png' width=800 height=600 style='display:block'>"""


@pytest.mark.parametrize(
    "html", ["", "<!DOCTYPE html><body></body>", IMAGE], ids=["empty", "blank", "picture"]
)
def test_a_page_without_controls_earns_nothing(paths, config, html, tmp_path):
    for name, step in FIRST.items():
        contract = put_contract(tmp_path / f"{name}.json", step)
        only = action("Click", "Not read.", "It happens." if step.expectations else None)
        put_page(paths, "page", name, html)
        judge([("page", task([only], name, contract=contract))], config, paths, silent)
        rollout = read_record(paths.task("page", name).judge("contract").rollout, Rollout)
        assert outcome(rollout)[0] == (True, None)
        credited, failed_by = outcome(rollout)[1]
        assert not credited, name
        assert failed_by in (FailedBy.PAGE, FailedBy.ACTION, FailedBy.ASSERTION), name


def test_a_page_that_hangs_costs_its_own_task(paths, config, guestbook, tmp_path):
    put_page(paths, "page", "bad", "<button onclick='for(;;);'>Sign</button>")
    put_page(paths, "page", "made", PAGE)
    contract = put_contract(tmp_path / "bad.json", FIRST["click"])
    hanging = task([action("Click", "Click the 'Sign' button.")], "bad", contract=contract)
    judge([("page", hanging), ("page", guestbook)], config, paths, silent)
    bad, good = (
        read_record(paths.task("page", name).judge("contract").rollout, Rollout)
        for name in ("bad", "made")
    )
    assert outcome(bad) == [(True, None), (False, FailedBy.PAGE)] and bad.status is RolloutStatus.OK
    assert outcome(good) == [(True, None)] * 4


def test_a_broken_task_does_not_stop_the_others(paths, config, guestbook, tmp_path):
    put_page(paths, "page", "bad", PAGE)
    put_page(paths, "page", "made", PAGE)
    contract = put_contract(tmp_path / "bad.json", TYPING.model_copy(update={"target": None}))
    broken = task([action("Type", "Type 'Ada'.")], "bad", contract=contract)
    judge([("page", broken), ("page", guestbook)], config, paths, silent)
    bad, good = (
        read_record(paths.task("page", name).judge("contract").rollout, Rollout)
        for name in ("bad", "made")
    )
    assert good.status is RolloutStatus.OK and good.steps[3].credited
    assert bad.steps[1].failed_by is FailedBy.JUDGE and bad.status is RolloutStatus.FAILED


def test_only_pending_pages_are_judged(paths, config, guestbook):
    work = [("page", guestbook)]
    assert pending_rollouts(work, config, paths) == []  # no page
    write_record(
        paths.task("page", "made").generation,
        Generation(model="page", task="made", status=GenerationStatus.MISSING, fingerprint={}),
    )
    assert pending_rollouts(work, config, paths) == []
    put_page(paths, "page", "made", PAGE)
    judge(work, config, paths, silent)
    record = paths.task("page", "made").judge("contract").rollout
    written = record.stat().st_mtime_ns
    judge(work, config, paths, silent)
    assert record.stat().st_mtime_ns == written
    assert pending_rollouts(work, config, paths) == []
    put_page(paths, "page", "made", PAGE + " ")
    assert pending_rollouts(work, config, paths) == work
    with pytest.raises(StaleRunError, match=r"judge\.kind"):
        pending_rollouts(work, with_judge(config, kind="model"), paths)


def test_old_screenshots_do_not_survive(drive, paths, guestbook):
    drive(PAGE, guestbook)
    stale = paths.task("page", "made").judge("contract").screenshot(3)
    assert stale.is_file()
    drive("<body></body>", guestbook)
    assert not stale.exists()


def test_screenshots_are_the_same_every_time(drive, guestbook):
    runs = [
        [step.screenshot_sha256 for step in drive(PAGE + " " * turn, guestbook).steps]
        for turn in range(3)
    ]
    assert runs[0] == runs[1] == runs[2]


def test_what_a_page_complains_of_is_kept_with_its_step(drive, guestbook):
    complaints = (
        "console.warn('w'.repeat(9999)); const sign = () => { console.error('no \\ud800 name');"
        " console.info('not kept'); fetch('https://example.test/sign'); missing() };"
    )
    page = PAGE.replace("<script>", f"<script>{complaints}")
    page = page.replace("</script>", "; go.addEventListener('click', sign)</script>")
    rollout = drive(page, guestbook)
    assert rollout.steps[2].credited
    events = sorted((event.step, event.kind, event.text) for event in rollout.events)
    assert events == [
        (0, "warning", "w" * 500),
        (2, "error", "Uncaught ReferenceError: missing is not defined"),
        (2, "error", "no ? name"),
        (2, "refused fetch", "https://example.test/sign"),
    ]


def test_a_flood_of_complaints_is_cut_off(drive, guestbook):
    flood = "; for (let i = 0; i < 5000; i++) console.error(i);</script>"
    rollout = drive(PAGE.replace("</script>", flood), guestbook)
    assert rollout.steps[3].credited and len(rollout.events) == 50
