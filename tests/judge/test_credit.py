"""Which steps have credit, and when a task cannot be scored: from steps and answers alone."""

import pytest

from iwr.errors import ActionError, BrowserError, JudgeError, PageError, ServerError
from iwr.judge.credit import NO_RUBRIC, AssertionAnswer, credit_steps, unscored_reason
from iwr.judge.runner import attribute_failure
from iwr.records import FailedBy, Grounding, Step, Verdict

YES = AssertionAnswer(Verdict(passed=True, reason="seen"))
NO = AssertionAnswer(Verdict(passed=False, reason="not there"))
UNUSABLE = AssertionAnswer(Verdict(passed=None, reason="mumble"), FailedBy.JUDGE)


def performed(count):
    return [Step(step=number, performed=True, credited=False) for number in range(count + 1)]


@pytest.mark.parametrize(
    ("answers", "credit", "reason"),
    [
        ({}, [True, True, True, True], None),
        ({1: YES, 3: YES}, [True, True, True, True], None),
        ({1: YES, 2: NO, 3: YES}, [True, True, False, False], None),
        ({1: NO, 2: UNUSABLE}, [True, False, False, False], None),
        ({1: UNUSABLE, 2: NO}, [True, False, False, False], "step 1: mumble"),
    ],
    ids=["no assertion", "all hold", "one is refuted", "refuted first", "unusable first"],
)
def test_the_first_failure_ends_the_credit(answers, credit, reason):
    steps = credit_steps(performed(3), answers)
    assert [step.credited for step in steps] == credit
    assert unscored_reason(steps) == reason


def test_a_rubric_that_failed_leaves_the_task_unscored_but_a_judge_without_one_does_not():
    steps = credit_steps(performed(1), {})
    failed = steps[1].model_copy(update={"rubric_reason": "rating failed: timeout"})
    assert unscored_reason([steps[0], failed]) == "step 1: rating failed: timeout"
    without = steps[1].model_copy(update={"rubric_reason": NO_RUBRIC})
    assert unscored_reason([steps[0], without]) is None


@pytest.mark.parametrize(
    ("error", "failed_by"),
    [
        (ActionError, FailedBy.ACTION),
        (PageError, FailedBy.PAGE),
        (JudgeError, FailedBy.JUDGE),
        (ServerError, FailedBy.INFRASTRUCTURE),
        (BrowserError, FailedBy.INFRASTRUCTURE),
    ],
)
def test_a_failure_is_attributed_to_its_boundary(error, failed_by):
    assert attribute_failure(error("…")) is failed_by


def test_rollouts_written_before_the_field_was_renamed_are_still_read():
    old = Grounding.model_validate({"found": True, "second_look": True})
    assert old.set_of_mark
    assert "second_look" not in old.model_dump()
