"""The protocol `reference`: the judge rates the pairs that the reference evaluator compares."""

from base64 import b64decode
from dataclasses import replace

import pytest

from iwr.judge.rollout import judge
from iwr.progress import silent
from iwr.records import RolloutStatus
from tests.judge.conftest import action, put_page, task
from tests.judge.test_model import PAGE, kind, obedient, rollout_of, settings
from tests.judge.wire import images_of, model_wire

pytestmark = pytest.mark.browser


def test_a_flag_means_the_screenshot_before_and_the_checkpoint_of_its_ordinal(paths, tmp_path):
    every_state_differs = PAGE.replace("out.textContent='Bought'", "out.textContent+='!'")
    put_page(paths, "page", "made", every_state_differs)
    click = action("Click", "Click the 'Buy' button.", None)
    acts = [
        step.model_copy(update={"visual_evaluation_flag": flag})
        for step, flag in ((click, True), (click, False), (click, True))
    ]
    flagged = task(acts).model_copy(update={"folder": tmp_path})
    (tmp_path / "checkpoints").mkdir()
    with model_wire(obedient) as (url, seen):
        config = settings(url)
        config = replace(
            config, protocol=replace(config.protocol, high=True, reference_faults=True)
        )
        judge([("page", flagged)], config, paths, silent)
        # no checkpoint is there: nothing is rated, nothing is guessed
        assert rollout_of(paths).status is RolloutStatus.FAILED
        shots = [
            paths.task("page", "made").judge("model").screenshot(step).read_bytes()
            for step in range(4)
        ]
        # told apart by what follows the picture
        references = [shots[0] + bytes([number]) for number in range(3)]
        for number, data in enumerate(references):
            (tmp_path / "checkpoints" / f"step_{number}.png").write_bytes(data)
        seen.clear()
        judge([("page", flagged)], config, paths, silent)
    rated = [
        [b64decode(url.partition(",")[2]) for url in images_of(body)]
        for body in seen
        if kind(body) == "scores"
    ]
    pairs = sorted(
        (references.index(reference), shots.index(candidate)) for reference, candidate in rated
    )
    assert pairs == [(0, 0), (1, 0), (2, 2)]
    steps = rollout_of(paths).steps
    assert [bool(step.rubric) for step in steps] == [True, False, True, False]
    assert steps[0].second_rubric.total == 89
