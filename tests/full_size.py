"""A finished run of the benchmark's full size, on disk: 113 tasks, 11 models.

One judged page is real, all others have copies of its records.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import data_sets as ds
import runs_on_disk as on_disk

from iwr.config import Config, ModelConfig, load_config
from iwr.digests import file_digest
from iwr.inference import generate
from iwr.judge import rollout as judging
from iwr.records import FailedBy, Generation, Rollout, Task, TaskScore, Verdict
from iwr.runs.files import read_record
from iwr.runs.paths import RunPaths
from iwr.scores.stage import score
from iwr.tasks.load import load, samples_root

TASKS, STEPS = 113, 9
MODELS = (
    "qwen2_5_vl_7b",
    "qwen2_5_vl_32b",
    "qwen2_5_vl_72b",
    "qwen3_vl_8b",
    "keye_vl_1_5_8b",
    "minicpm_v_4_5",
    "mimo_vl_7b",
    "glm_4_5v",
    "kimi_vl_a3b_thinking",
    "internvl3_5_8b",
    "internvideo2_5_8b",
)


class World(NamedTuple):
    settings: list[str]  # that name the run on the command line
    config: Config
    models: list[ModelConfig]
    tasks: tuple[Task, ...]
    paths: RunPaths

    @property
    def names(self) -> list[str]:
        return [model.name for model in self.models]


def build(root: Path, models: tuple[str, ...] = MODELS) -> World:
    names = [f"task-{number:03}" for number in range(TASKS)]
    actions = [
        ds.click(f"Click {n}", visual_evaluation_flag=n % 3 == 0, logical_assertion="'A' appears")
        for n in range(STEPS)
    ]
    recording = next(samples_root().glob("data/*/video.mp4"))
    for name in names:
        (ds.folder(root, name, (0, 1, 2, 3)) / "video.mp4").write_bytes(recording.read_bytes())
    tasks = load(
        ds.write(
            root,
            *[
                ds.line(name, actions, classification={"domain": f"D{i % 9}"})
                for i, name in enumerate(names)
            ],
        )
    ).tasks
    settings = [*on_disk.settings(root), f"models=[{','.join(models)}]"]
    config, configs = load_config(settings)
    world = World(settings, config, configs, tasks, on_disk.paths_of(config))
    on_disk.judged(world.paths, "first", tasks[0], STEPS)
    score(["first"], tasks[:1], config, world.paths)
    _copy(world)
    return world


def _copy(world: World) -> None:
    """Copy the records of `first` under every name, each with another end."""
    source = world.paths.task("first", world.tasks[0].id)
    generation = read_record(source.generation, Generation)
    rollout = read_record(source.judge("contract").rollout, Rollout)
    scored = read_record(source.judge("contract").score("offline"), TaskScore)
    for m, model in enumerate(world.models):
        for t, task in enumerate(world.tasks):
            target = world.paths.task(model.name, task.id)
            judged, names = target.judge("contract"), {"model": model.name, "task": task.id}
            judged.folder.mkdir(parents=True)
            target.page.write_text("<p>page</p>" * 500)
            made_from = {"fingerprint": generate.fingerprint(task, model, world.config)}
            target.generation.write_text(
                generation.model_copy(update=names | made_from).model_dump_json()
            )
            passed = (m * 7 + t * 3) % (STEPS + 1)
            verdicts = [
                Verdict(passed=step.step <= passed, reason="seen " * 40) for step in rollout.steps
            ]
            steps = tuple(
                step.model_copy(update={"verdict": verdict})
                for step, verdict in zip(rollout.steps, verdicts, strict=True)
            )
            made_from = {
                "fingerprint": judging.fingerprint(task, model.name, world.config, world.paths)
            }
            judged.rollout.write_text(
                rollout.model_copy(update=names | made_from | {"steps": steps}).model_dump_json()
            )
            for step in steps:
                shot = source.judge("contract").screenshot(step.step)
                os.link(shot, judged.screenshot(step.step))
            ifs = passed / STEPS
            end = (
                {"failed_step": passed + 1, "failed_by": FailedBy.ASSERTION}
                if passed < STEPS
                else {}
            )
            update = names | {"passed": passed, "ifs": ifs, "final": 0.7 * ifs + 0.3, **end}
            inputs = {
                "input.generation": file_digest(target.generation),
                "input.rollout": file_digest(judged.rollout),
            }
            inputs["input.task"] = task.digest
            final = scored.model_copy(
                update=update
                | {
                    "fingerprint": scored.fingerprint | inputs,
                    "classification": task.classification,
                }
            )
            judged.score("offline").write_text(final.model_dump_json())
