"""The protocol `reference`, faults included, against a computation by hand."""

import data_sets as ds
import pytest
import runs_on_disk as on_disk

from iwr.errors import DataError
from iwr.records import FailedBy, ScoreStatus, Step, Verdict
from iwr.scores.aggregate import row
from iwr.scores.stage import score
from iwr.tasks.load import load

C1 = (0.01 * 255) ** 2


def ssim_of_plain(a, b):
    """SSIM of two images of one grey level each: only its luminance term is left."""
    return (2 * a * b + C1) / (a * a + b * b + C1)


def task_of(root, flags, greys, numbers=None):
    folder = ds.folder(root, "t", ())
    for number, grey in zip(numbers or range(len(greys)), greys, strict=True):
        ds.image(folder / "checkpoints" / f"step_{number}.png", f"rgb({grey},{grey},{grey})")
    actions = [
        ds.click(visual_evaluation_flag=flag, logical_assertion="'A' appears") for flag in flags
    ]
    loaded = load(ds.write(root, ds.line("t", actions)))
    assert not loaded.faults
    return loaded.tasks[0]


def reference(root, *overrides):
    return on_disk.config(
        root,
        "protocol.name=reference",
        "protocol.reference_faults=true",
        "protocol.high=true",
        *overrides,
    )


def crafted(paths, task):
    """Four actions done; no verdict on the third assertion (S3), "no" on the fourth."""
    made = list(on_disk.steps(paths, "m", task, credited=4, rubric=80))
    rubrics = {total: made[0].rubric.model_copy(update={"total": total}) for total in (20, 50)}
    made[0] = made[0].model_copy(update={"second_rubric": rubrics[20]})
    made[2] = made[2].model_copy(update={"rubric": rubrics[50]})
    for step, passed, failed_by in ((3, None, FailedBy.JUDGE), (4, False, FailedBy.ASSERTION)):
        verdict = Verdict(passed=passed, reason="timed out" if passed is None else "no")
        made[step] = made[step].model_copy(
            update={"verdict": verdict, "credited": False, "failed_by": failed_by}
        )
    on_disk.generation(paths, "m", task)
    on_disk.rollout(paths, "m", task, tuple(made), "failed", reason="judge timed out")


def test_the_crafted_rollout_gets_the_numbers_computed_by_hand(tmp_path):
    task = task_of(tmp_path, [True, False, True, True], greys=[255, 0, 128, 64])
    config = reference(tmp_path)
    paths = on_disk.paths_of(config)
    crafted(paths, task)
    (result,) = score(["m"], [task], config, paths)
    # S3: the missing verdict passes step 3, the "no" ends the credit: 3 of 4
    assert (result.passed, result.ifs, result.failed_step, result.failed_by) == (
        3,
        0.75,
        4,
        FailedBy.ASSERTION,
    )
    # S1: actions 1 and 3 are compared by the screenshots before them, 0 (again) and 2;
    # S2: with step_1.png and step_2.png
    assert [pair.step for pair in result.pairs] == [0, 0, 2]
    expected = [1.0, ssim_of_plain(0, 255), ssim_of_plain(128, 255)]
    assert [pair.low for pair in result.pairs] == pytest.approx(expected, abs=1e-6)
    assert result.low == pytest.approx(0.600_664, abs=1e-6)
    assert result.high == pytest.approx((0.8 + 0.2 + 0.5) / 3)
    assert result.final == pytest.approx(0.7 * 0.75 + 0.3 * (0.600_664 + 0.5) / 2, abs=1e-6)


def test_our_own_protocol_leaves_the_same_rollout_unscored(tmp_path):
    task = task_of(tmp_path, [True, False, True, True], greys=[255, 0, 128, 64])
    config = on_disk.config(tmp_path)
    paths = on_disk.paths_of(config)
    crafted(paths, task)
    (result,) = score(["m"], [task], config, paths)
    assert result.status is ScoreStatus.UNSCORED and result.failed_by is FailedBy.JUDGE


def test_what_lies_beyond_the_counted_steps_is_cut_off(tmp_path):
    task = task_of(tmp_path, [True, True, True], greys=[255, 255, 255, 255])
    config = reference(tmp_path)
    paths = on_disk.paths_of(config)
    made = on_disk.steps(paths, "m", task, 1, "page", rubric=100)
    on_disk.generation(paths, "m", task)
    on_disk.rollout(
        paths, "m", task, (made[0].model_copy(update={"second_rubric": made[0].rubric}), *made[1:])
    )
    (result,) = score(["m"], [task], config, paths)
    assert (result.passed, result.failed_step) == (1, 2)
    assert [pair.step for pair in result.pairs] == [
        0,
        0,
    ]  # screenshot 1 stands at place 2, the reference keeps 1 + 1


def test_a_task_without_a_page_leaves_the_mean(tmp_path):
    tasks = on_disk.tasks_of(tmp_path, "a", "b")
    config = reference(tmp_path)
    paths = on_disk.paths_of(config)
    on_disk.judged(paths, "m", tasks[0], credited=2, rubric=100)
    on_disk.generation(paths, "m", tasks[1], "missing", "no fence")
    made = row(score(["m"], tasks, config, paths))
    assert (made["final"], made["missing"], made["tasks"], made["unscored"]) == (1.0, 1, 2, 0)  # S5


def test_a_checkpoint_not_numbered_by_order_ends_the_evaluation(tmp_path):
    task = task_of(tmp_path, [False, True], greys=[255, 255], numbers=[0, 2])
    config = reference(tmp_path)
    paths = on_disk.paths_of(config)
    on_disk.judged(paths, "m", task, credited=2, rubric=100)
    with pytest.raises(DataError, match=r"step_1\.png is missing"):
        score(["m"], [task], config, paths)


def test_infrastructure_is_unscored_there_too(tmp_path):
    task = task_of(tmp_path, [False, True], greys=[255, 255])
    config = reference(tmp_path)
    paths = on_disk.paths_of(config)
    on_disk.generation(paths, "m", task)
    opened = Step(
        step=0,
        performed=False,
        credited=False,
        failed_by=FailedBy.INFRASTRUCTURE,
        reason="browser died",
    )
    on_disk.rollout(paths, "m", task, (opened,), "failed", reason="browser died")
    (result,) = score(["m"], [task], config, paths)
    assert (result.status, result.failed_by) == (ScoreStatus.UNSCORED, FailedBy.INFRASTRUCTURE)
