"""The bundled samples: true pages earn every step, planted defects fail at theirs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iwr.config import Config, load_config
from iwr.judge.rollout import judge
from iwr.progress import silent
from iwr.records import Rollout, RolloutStatus, Task
from iwr.runs.files import read_record
from iwr.runs.paths import RunPaths
from iwr.tasks.load import load, samples_root
from tests.judge.conftest import put_page
from tests.judge.mutants import COSMETIC, DEFECTS, Mutant

pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def tasks() -> dict[str, Task]:
    return {task.id: task for task in load(samples_root(), None).tasks}


@pytest.fixture(scope="session")
def truth(tasks, config, tmp_path_factory) -> RunPaths:
    """A run in which `contract` has judged the true page and the blank page of every sample."""
    paths = RunPaths.of(tmp_path_factory.mktemp("samples"), "run")
    for task in tasks.values():
        put_page(paths, "oracle", task.id, task.true_page.read_bytes())
        put_page(paths, "blank", task.id, "<!DOCTYPE html><body></body>")
    judge(
        [(model, task) for model in ("oracle", "blank") for task in tasks.values()],
        config,
        paths,
        silent,
    )
    return paths


def rollouts(paths: RunPaths, model: str, tasks, name: str = "contract") -> dict[str, Rollout]:
    found = {
        task: read_record(paths.task(model, task).judge(name).rollout, Rollout) for task in tasks
    }
    assert None not in found.values()
    return found


def first_failed_step(rollout: Rollout) -> int | None:
    return next((step.step for step in rollout.steps if step.failed_by), None)


def essence(rollout: Rollout) -> list[tuple]:
    """What must not depend on who judges: what was acted on, what came of it."""
    return [
        (
            step.performed,
            step.credited,
            step.failed_by,
            step.grounding and step.grounding.locator,
            step.verdict and step.verdict.passed,
            step.screenshot_sha256,
        )
        for step in rollout.steps
    ]


def test_true_pages_earn_every_step(truth, tasks):
    for rollout in rollouts(truth, "oracle", tasks).values():
        assert first_failed_step(rollout) is None, rollout.task
        assert all(step.credited and step.settled for step in rollout.steps)


def test_blank_pages_earn_nothing(truth, tasks):
    for rollout in rollouts(truth, "blank", tasks).values():
        assert first_failed_step(rollout) == 1 and rollout.status is RolloutStatus.OK


def test_a_replay_gives_the_same_steps(truth, tasks):
    settings, _ = load_config(["judge=replay", "judge.replays=contract"])
    some = list(tasks.values())[:3]
    judge([("oracle", task) for task in some], settings, truth, silent)
    for task in some:
        (recorded,) = rollouts(truth, "oracle", [task.id]).values()
        (replayed,) = rollouts(truth, "oracle", [task.id], "replay").values()
        assert essence(replayed) == essence(recorded)


# ---- planted defects ---------------------------------------------------------------------------


def page_of(mutant: Mutant, task: Task) -> str:
    page = task.true_page.read_text()
    assert mutant.old in page, mutant
    return page.replace(mutant.old, mutant.new)


def judged(
    mutants: list[Mutant], tasks: dict[str, Task], config: Config, paths: RunPaths
) -> list[int | None]:
    """The first failing step of each mutant; the rollout ends where it must be noticed."""
    work = []
    for number, mutant in enumerate(mutants):
        task = tasks[mutant.sample]
        put_page(paths, f"mutant-{number}", task.id, page_of(mutant, task))
        work.append(
            (f"mutant-{number}", task.model_copy(update={"actions": task.actions[: mutant.step]}))
        )
    judge(work, config, paths, silent)
    steps = []
    for model, task in work:
        rollout = read_record(paths.task(model, task.id).judge("contract").rollout, Rollout)
        assert rollout.status is RolloutStatus.OK
        steps.append(first_failed_step(rollout))
    return steps


def test_planted_defects_are_found_at_their_step(tasks, config, paths):
    found = judged(DEFECTS, tasks, config, paths)
    wrong = [
        (mutant, step) for mutant, step in zip(DEFECTS, found, strict=True) if step != mutant.step
    ]
    assert len(DEFECTS) >= 36 and len({mutant.kind for mutant in DEFECTS}) >= 6
    assert wrong == []


def test_cosmetic_changes_raise_no_alarm(tasks, config, paths):
    found = judged(COSMETIC, tasks, replace(config), paths)
    assert [
        (mutant, step) for mutant, step in zip(COSMETIC, found, strict=True) if step is not None
    ] == []
