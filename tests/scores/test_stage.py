"""From records to one score a task, with real screenshots and real SSIM."""

import shutil
import subprocess
import sys

import data_sets as ds
import pytest
import runs_on_disk as on_disk

from iwr.digests import file_digest
from iwr.errors import StaleRunError
from iwr.records import FailedBy, Rollout, ScoreStatus, TaskScore
from iwr.report import write_report
from iwr.runs.files import read_record, write_record
from iwr.scores.stage import read_scores, score


@pytest.fixture
def world(tmp_path):
    """(tasks, config, paths) of an empty run over the tasks a and b."""
    tasks = on_disk.tasks_of(tmp_path, "a", "b")
    config = on_disk.config(tmp_path)
    return tasks, config, on_disk.paths_of(config)


def scored(world, **more):
    tasks, config, paths = world
    return {result.task: result for result in score(["m"], tasks[:1], config, paths, **more)}["a"]


def numbers(result):
    return result.passed, result.ifs, result.low, result.high, result.vfs, result.final


def test_a_perfect_page_scores_one(world):
    tasks, _, paths = world
    on_disk.judged(paths, "m", tasks[0], credited=2)
    result = scored(world)
    assert result.status is ScoreStatus.OK
    assert numbers(result) == (2, 1.0, 1.0, None, 1.0, 1.0)
    assert [pair.step for pair in result.pairs] == [0, 2]
    assert result.engines["ssim"].startswith("scikit-image")
    assert read_record(paths.task("m", "a").judge("contract").score("offline"), TaskScore) == result


def test_credit_and_comparison_end_at_the_first_failure(world):
    tasks, _, paths = world
    on_disk.judged(paths, "m", tasks[0], credited=1, failed_by="assertion", colour="white")
    result = scored(world)
    assert (result.passed, result.ifs, result.failed_step, result.failed_by) == (
        1,
        0.5,
        2,
        FailedBy.ASSERTION,
    )
    assert [pair.step for pair in result.pairs] == [
        0
    ]  # step 2 is a checkpoint, but was not reached with credit
    assert result.final == pytest.approx(0.7 * 0.5 + 0.3 * 1.0)


def test_low_is_the_mean_over_checkpoints(world):
    tasks, _, paths = world
    on_disk.judged(paths, "m", tasks[0], credited=2)
    folder = paths.task("m", "a").judge("contract")
    made = list(on_disk.steps(paths, "m", tasks[0], 2))
    ds.image(folder.screenshot(2), "black")
    made[2] = made[2].model_copy(update={"screenshot_sha256": None})
    on_disk.rollout(paths, "m", tasks[0], tuple(made))
    result = scored(world)
    first, second = result.pairs
    assert first.low == 1.0 and second.low < 0.1
    assert result.low == pytest.approx((first.low + second.low) / 2)
    assert result.vfs == result.low


def test_no_page_is_scored_zero(world):
    tasks, _, paths = world
    on_disk.generation(paths, "m", tasks[0], "missing", "the reply holds no page")
    result = scored(world)
    assert (result.status, result.reason) == (ScoreStatus.MISSING, "the reply holds no page")
    assert numbers(result) == (0, 0.0, 0.0, None, 0.0, 0.0)


def test_failed_generation_is_unscored(world):
    tasks, _, paths = world
    on_disk.generation(paths, "m", tasks[0], "failed", "server died")
    result = scored(world)
    assert (result.status, result.failed_by) == (ScoreStatus.UNSCORED, FailedBy.INFRASTRUCTURE)
    assert "server died" in result.reason
    assert set(numbers(result)) == {None}


@pytest.mark.parametrize("failed_by", ["judge", "infrastructure"])
def test_failed_judging_is_unscored(world, failed_by):
    tasks, _, paths = world
    on_disk.generation(paths, "m", tasks[0])
    on_disk.rollout(
        paths,
        "m",
        tasks[0],
        on_disk.steps(paths, "m", tasks[0], 1, failed_by),
        "failed",
        reason="no answer",
    )
    result = scored(world)
    assert (result.status, result.failed_by, result.failed_step) == (
        ScoreStatus.UNSCORED,
        FailedBy(failed_by),
        2,
    )
    assert "no answer" in result.reason
    assert set(numbers(result)) == {None}


def test_a_page_that_cannot_be_photographed_looks_like_nothing(world):
    tasks, _, paths = world
    on_disk.generation(paths, "m", tasks[0])
    opened = on_disk.steps(paths, "m", tasks[0], credited=-1, failed_by="page", photographed=False)
    on_disk.rollout(paths, "m", tasks[0], opened)
    result = scored(world)
    assert numbers(result) == (0, 0.0, 0.0, None, 0.0, 0.0)
    assert (result.failed_step, result.failed_by) == (1, FailedBy.PAGE)
    assert "it did not" in result.pairs[0].reasons["ssim"]


DAMAGE = [
    lambda shot: shot.unlink(),
    lambda shot: shot.write_bytes(b"\x89PNG no"),
    lambda shot: ds.image(shot, "blue"),
]


@pytest.mark.parametrize("break_it", DAMAGE)
def test_a_screenshot_lost_or_changed_after_judging_is_unscored_not_zero(world, break_it):
    tasks, _, paths = world
    on_disk.judged(paths, "m", tasks[0], credited=2)
    break_it(paths.task("m", "a").judge("contract").screenshot(2))
    result = scored(world)
    assert result.status is ScoreStatus.UNSCORED and result.reason.startswith("step 2: ssim: ")
    assert set(numbers(result)) == {None}
    on_disk.judged(paths, "m", tasks[0], credited=2)
    assert scored(world).final == 1.0  # healed by judging again


def test_a_metric_that_cannot_run_leaves_the_task_unscored(world, tmp_path):
    tasks, _, paths = world
    on_disk.judged(paths, "m", tasks[0], credited=2)
    config = on_disk.config(
        tmp_path,
        "protocol.low=[ssim,ocr]",
        f"+protocol.metrics.ocr={{engine:easyocr,path:{tmp_path}/nothing}}",
    )
    (result,) = score(["m"], tasks[:1], config, paths)
    assert result.status is ScoreStatus.UNSCORED
    assert "ocr" in result.reason and result.pairs[0].metrics["ssim"] == 1.0


def test_the_rubric_counts_where_the_protocol_has_it(world, tmp_path):
    tasks, _, paths = world
    config = on_disk.config(tmp_path, "protocol.high=true")
    on_disk.judged(paths, "m", tasks[0], credited=2, rubric=60)
    (result,) = score(["m"], tasks[:1], config, paths)
    assert numbers(result) == (2, 1.0, 1.0, 0.6, 0.8, pytest.approx(0.94))
    on_disk.judged(paths, "m", tasks[0], credited=2)
    (result,) = score(["m"], tasks[:1], config, paths)
    assert (result.status, result.reason) == (
        ScoreStatus.UNSCORED,
        "step 0: high: the judge gave no rubric",
    )


def test_stages_that_have_not_run_are_named_and_leave_no_file(world):
    tasks, config, paths = world
    on_disk.generation(paths, "m", tasks[1])
    first, second = score(["m"], tasks, config, paths)
    assert (first.reason, second.reason) == (
        "no page yet: run `iwr generate`",
        "not judged yet: run `iwr judge`",
    )
    assert not list(paths.folder.rglob("score-*"))


def test_a_score_follows_its_rollout_but_not_other_settings(world, tmp_path):
    tasks, config, paths = world
    on_disk.judged(paths, "m", tasks[0], credited=2)
    assert scored(world).final == 1.0
    on_disk.judged(paths, "m", tasks[0], credited=0, failed_by="page")
    assert (
        read_scores(["m"], tasks[:1], config, paths)[0].reason == "not scored yet: run `iwr score`"
    )
    assert scored(world).ifs == 0.0
    changed = on_disk.config(tmp_path, "protocol.high=true")
    with pytest.raises(StaleRunError, match=r"protocol\.high: False -> True"):
        score(["m"], tasks[:1], changed, paths)


def test_a_page_that_changed_after_it_was_judged_is_unscored(world):
    tasks, _, paths = world
    page = paths.task("m", "a").page
    on_disk.judged(paths, "m", tasks[0], credited=2)
    page.write_text("judged")
    rollout = read_record(paths.task("m", "a").judge("contract").rollout, Rollout)
    write_record(
        paths.task("m", "a").judge("contract").rollout,
        rollout.model_copy(update={"fingerprint": {"input.page": file_digest(page)}}),
    )
    assert scored(world).final == 1.0
    page.write_text("another")
    on_disk.generation(paths, "m", tasks[0], kind="transformers")
    assert scored(world).reason == "the page changed after it was judged: run `iwr judge`"


def test_a_damaged_score_is_made_again(world):
    tasks, _, paths = world
    on_disk.judged(paths, "m", tasks[0], credited=2)
    before = scored(world)
    file = paths.task("m", "a").judge("contract").score("offline")
    file.write_text(file.read_text()[:100])
    assert scored(world) == before


def test_a_finished_run_compares_nothing_and_loads_nothing_heavy(world, tmp_path):
    tasks, config, paths = world
    for task in tasks:
        on_disk.judged(paths, "m", task, credited=2)
    score(["m"], tasks, config, paths)
    write_report(["m"], tasks, config, paths)
    file = paths.task("m", "a").judge("contract").score("offline")
    written = file.stat().st_mtime_ns
    shutil.rmtree(paths.cache)
    code = f"""
import sys; sys.path.insert(0, {str(__file__.rsplit("/", 2)[0])!r})
from pathlib import Path
import runs_on_disk as on_disk
from iwr.scores.stage import score
from iwr.report import write_report
from iwr.tasks.load import load
config = on_disk.config(Path({str(tmp_path)!r}))
tasks = load(Path({str(tmp_path)!r})).tasks
print(score(["m"], tasks, config, on_disk.paths_of(config))[0].final)
write_report(["m"], tasks, config, on_disk.paths_of(config))
heavy = {{"torch", "playwright", "transformers", "vllm", "cv2", "skimage", "numpy", "scipy"}}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["1.0", "[]"]
    assert file.stat().st_mtime_ns == written and not paths.cache.exists()
