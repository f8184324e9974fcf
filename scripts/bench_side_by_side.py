"""Generation and judging at once against one after the other, with servers that only wait.

    python scripts/bench_side_by_side.py [--page 1.0] [--answer 0.2] [--pages 16] [--rounds 3]

A stub gives a small page for each recording after `--page` seconds, one at a time; another answers
each question of the judge after `--answer` seconds. Browsers, files and stages are real. Prints the
wall times of both ways and their ratio: 0.5 is the least, where both stages take equally long.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import recordings

from iwr.config import load_config
from iwr.pipeline.stages import Work, run
from iwr.progress import silent
from iwr.records import Action, ActionType, Parameters, Task
from iwr.runs.paths import RunPaths
from tests.judge.wire import model_wire

PAGE = """<!DOCTYPE html><body><button onclick="out.textContent=+out.textContent+1">Go</button>
<p id=out>0</p></body>"""
CLICK = Action(
    type=ActionType.CLICK,
    parameters=Parameters(description="Click the 'Go' button."),
    logical_assertion="The number grows by one.",
)
ANSWERS = {
    "clicking": {
        "reason": "the only button",
        "element": "1",
        "gesture": "click",
        "text": "",
        "dialog": "accept",
    },
    "ruling": {"reason": "it grew", "verdict": "yes"},
}
WAYS = {
    "one after the other": [["generate"], ["judge"]],
    "at once": [["generate", "judge"]],
}
"""Stages that run one after the other; those of one step run at once."""


def tasks_in(root: Path, number: int, actions: int) -> tuple[Task, ...]:
    """Return tasks with a short recording and so many clicks."""
    tasks = []
    for index in range(number):
        task = recordings.task(root, f"task-{index:02}", 1)
        change = {"actions": (CLICK,) * actions, "checkpoints": {}}
        tasks.append(task.model_copy(update=change))
    return tuple(tasks)


def work(tasks: tuple[Task, ...], page_url: str, judge_url: str, root: Path, name: str) -> Work:
    """Return the work of one run: all tasks, by one model."""
    served = ["model=hf", "model.path=test/scripted", "model.context=1000000"]
    server = ["server=external", f"server.url={page_url}", "server.in_flight=1"]
    judged = ["judge=model", "judge.model.path=test/scripted", f"judge.url={judge_url}"]
    config, models = load_config([*served, *server, *judged, "protocol=offline"])
    ids = [task.id for task in tasks]
    return Work(config, models, RunPaths.of(str(root), name), tasks, [ids])


def seconds_of(work: Work, steps: list[list[str]]) -> float:
    """Return the wall time of all steps."""
    start = time.monotonic()
    for stages in steps:
        result = run(work, stages, silent)
        assert result.unscored == 0, f"{result.unscored} failed"
    return time.monotonic() - start


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--page", type=float, default=1.0, help="seconds for a page")
    parser.add_argument("--answer", type=float, default=0.2, help="seconds for a judge's answer")
    parser.add_argument("--pages", type=int, default=16)
    parser.add_argument("--actions", type=int, default=4, help="of each task")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()

    def generate(body: dict) -> str:
        time.sleep(options.page)
        return f"```html\n{PAGE}\n```"

    def judge(body: dict) -> dict:
        time.sleep(options.answer)
        return ANSWERS[body["response_format"]["json_schema"]["name"]]

    ratios = []
    with (
        tempfile.TemporaryDirectory() as folder,
        model_wire(generate) as (page_url, _),
        model_wire(judge) as (judge_url, answered),
    ):
        root = Path(folder)
        tasks = tasks_in(root, options.pages, options.actions)
        for number in range(options.rounds):
            seconds = []
            for way, steps in WAYS.items():
                answered.clear()
                one = work(tasks, page_url, judge_url, root, f"{number}-{way.replace(' ', '-')}")
                seconds.append(seconds_of(one, steps))
                print(f"{way}: {seconds[-1]:.1f} s, {len(answered)} answers", flush=True)
            ratios.append(seconds[1] / seconds[0])
    print(f"ratio: {statistics.median(ratios):.2f} (median of {len(ratios)})")


if __name__ == "__main__":
    main()
