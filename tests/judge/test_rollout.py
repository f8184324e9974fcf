"""A page is driven step by step; each step says what happened and who failed."""

import pytest

from iwr.errors import StaleRunError
from iwr.judge.rollout import judge, pending_rollouts
from iwr.progress import silent
from iwr.records import FailedBy, Generation, GenerationStatus, Rollout, RolloutStatus
from iwr.runs.files import read_record, write_record
from tests.judge.conftest import action, put_page, task, with_judge

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


def outcome(rollout: Rollout) -> list[tuple[bool, FailedBy | None]]:
    return [(step.credited, step.failed_by) for step in rollout.steps]


def test_a_true_page_earns_every_step(drive, paths):
    rollout = drive(PAGE, ACTIONS)
    assert outcome(rollout) == [(True, None)] * 4
    assert rollout.status is RolloutStatus.OK and rollout.browser.startswith("Chromium")
    files = paths.task("page", "made").judge("rules")
    assert [files.screenshot(step.step).is_file() for step in rollout.steps] == [True] * 4
    click = rollout.steps[2].grounding
    assert (click.locator, click.name) == ("#go", "Sign")
    assert rollout.steps[2].verdict.passed is True


def test_a_refuted_assertion_ends_the_credit_not_the_run(drive):
    rollout = drive(PAGE.replace("out.textContent = 'Signed by ' + n.value", ""), ACTIONS)
    assert outcome(rollout) == [
        (True, None),
        (True, None),
        (False, FailedBy.ASSERTION),
        (False, FailedBy.ASSERTION),
    ]
    assert rollout.steps[3].performed and rollout.status is RolloutStatus.OK


def test_a_missing_element_ends_the_run(drive):
    rollout = drive(PAGE.replace("id=go", "id=go hidden"), ACTIONS)
    assert outcome(rollout) == [(True, None), (True, None), (False, FailedBy.PAGE), (False, None)]
    assert "fits" in rollout.steps[2].reason
    assert not rollout.steps[3].performed and rollout.steps[3].reason == "not reached"


def test_a_covered_element_cannot_be_clicked(drive):
    cover = '<div id=veil style="position:fixed;inset:0;background:#fffc;z-index:9"></div></body>'
    rollout = drive(PAGE.replace("</body>", cover), ACTIONS[1:])
    assert outcome(rollout)[1] == (False, FailedBy.ACTION)
    assert "veil" in rollout.steps[1].reason


FIRST = [
    action("Click", "Click the 'Sign' button."),
    action("Type", "Type 'x' into the search box."),
    action("Press", "Press Enter.", key="Enter"),
    action("Scroll", "Scroll down.", direction="down"),
    action("Click", "Click the 9th star to set the rating to 9/10."),
]
IMAGE = """<body style='margin:0'>
<img src='__PLACEHOLDER_ASSETS_BASE_DIR__/shot.png' width=800 height=600 style='display:block'>"""


@pytest.mark.parametrize(
    "html", ["", "<!DOCTYPE html><body></body>", IMAGE], ids=["empty", "blank", "picture"]
)
def test_a_page_without_controls_earns_nothing(paths, config, html):
    work = [("page", task([first], f"first-{number}")) for number, first in enumerate(FIRST)]
    for model, made in work:
        put_page(paths, model, made.id, html)
    judge(work, config, paths, silent)
    for model, made in work:
        rollout = read_record(paths.task(model, made.id).judge("rules").rollout, Rollout)
        assert outcome(rollout)[0] == (True, None)
        assert outcome(rollout)[1] in [(False, FailedBy.PAGE), (False, FailedBy.ACTION)], (
            made.actions[0]
        )


def test_a_page_that_hangs_costs_its_own_task(paths, config):
    put_page(paths, "page", "bad", "<button onclick='for(;;);'>Sign</button>")
    put_page(paths, "page", "good", PAGE)
    work = [
        ("page", task([action("Click", "Click the 'Sign' button.")], "bad")),
        ("page", task(ACTIONS, "good")),
    ]
    judge(work, config, paths, silent)
    bad, good = (
        read_record(paths.task("page", name).judge("rules").rollout, Rollout)
        for name in ("bad", "good")
    )
    assert outcome(bad) == [(True, None), (False, FailedBy.PAGE)] and bad.status is RolloutStatus.OK
    assert outcome(good) == [(True, None)] * 4


def test_a_broken_task_does_not_stop_the_others(paths, config):
    put_page(paths, "page", "bad", PAGE)
    put_page(paths, "page", "good", PAGE)
    wordless = action("Type", "")  # nothing says what
    judge(
        [("page", task([wordless], "bad")), ("page", task(ACTIONS, "good"))], config, paths, silent
    )
    bad, good = (
        read_record(paths.task("page", name).judge("rules").rollout, Rollout)
        for name in ("bad", "good")
    )
    assert good.status is RolloutStatus.OK and good.steps[3].credited
    assert bad.steps[1].failed_by is FailedBy.JUDGE and bad.status is RolloutStatus.FAILED


def test_only_pending_pages_are_judged(paths, config):
    work = [("page", task(ACTIONS))]
    assert pending_rollouts(work, config, paths) == []  # no page
    write_record(
        paths.task("page", "made").generation,
        Generation(model="page", task="made", status=GenerationStatus.MISSING, fingerprint={}),
    )
    assert pending_rollouts(work, config, paths) == []
    put_page(paths, "page", "made", PAGE)
    judge(work, config, paths, silent)
    record = paths.task("page", "made").judge("rules").rollout
    written = record.stat().st_mtime_ns
    judge(work, config, paths, silent)
    assert record.stat().st_mtime_ns == written
    assert pending_rollouts(work, config, paths) == []
    put_page(paths, "page", "made", PAGE + " ")
    assert pending_rollouts(work, config, paths) == work
    with pytest.raises(StaleRunError, match=r"judge\.kind"):
        pending_rollouts(work, with_judge(config, kind="model"), paths)


def test_old_screenshots_do_not_survive(drive, paths):
    drive(PAGE, ACTIONS)
    stale = paths.task("page", "made").judge("rules").screenshot(3)
    assert stale.is_file()
    drive("<body></body>", ACTIONS)
    assert not stale.exists()


def test_screenshots_are_the_same_every_time(drive):
    runs = [
        [step.screenshot_sha256 for step in drive(PAGE + " " * turn, ACTIONS).steps]
        for turn in range(3)
    ]
    assert runs[0] == runs[1] == runs[2]
