"""The demo model answers what it sees: shipped recordings, slower ones, those of other sites.

All questions go through the generate stage in one run, so one vLLM server is started.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from iwr.config import load_config
from iwr.digests import file_digest
from iwr.inference.generate import generate
from iwr.inference.prompt import prompt_digest
from iwr.progress import silent
from iwr.records import Generation, Task
from iwr.runs.files import read_record
from iwr.runs.paths import RunPaths
from iwr.tasks.load import load, samples_root
from iwr.tasks.recorder.record import record_video

FOLDER = Path(__file__).parents[2] / "iwr" / "inference" / "demo_model"
LEARNT = json.loads((FOLDER / "pages.json").read_text())
IDS = sorted(LEARNT["pages"])
PACES = dict(
    zip(IDS, (0.7, 1.4, 0.8, 1.25), strict=False)
)  # pages that are filmed again, and how much slower
OTHER = dict(
    zip(IDS, [*IDS[1:], IDS[0]], strict=True)
)  # whose recording a task gets when recordings are swapped


@pytest.fixture(scope="module")
def samples() -> dict[str, Task]:
    return {task.id: task for task in load(samples_root()).tasks if task.id in IDS}


@pytest.fixture(scope="module")
def answers(samples: dict[str, Task], tmp_path_factory: pytest.TempPathFactory) -> RunPaths:
    """The run in which the demo model answered every question of this module."""
    folder = tmp_path_factory.mktemp("demo")
    config, (model,) = load_config(["model=demo"])
    paths = RunPaths.of(folder, "run")
    questions = [*samples.values(), *filmed_again(samples, folder), *swapped(samples)]
    generate(questions, model, config, paths, silent)
    return paths


def filmed_again(samples: dict[str, Task], folder: Path) -> Iterable[Task]:
    for seed, (id, pace) in enumerate(PACES.items()):
        task, film = samples[id], folder / f"{id}.mp4"
        assert task.true_page
        record_video(
            task.true_page, task.assets, task.folder / "script.yaml", film, pace=pace, seed=seed
        )
        assert file_digest(film) != file_digest(task.video)
        yield task.model_copy(update={"id": f"again-{id}", "video": film, "folder": folder})


def swapped(samples: dict[str, Task]) -> Iterable[Task]:
    """Tasks that keep their overview images and show the recording of another one."""
    return [
        task.model_copy(update={"id": f"swapped-{id}", "video": samples[OTHER[id]].video})
        for id, task in samples.items()
    ]


def answer(paths: RunPaths, question: str) -> str:
    files = paths.task("demo", question)
    return (
        files.page.read_text()
        if files.page.exists()
        else f"no page: {record(paths, question).reason}"
    )


def record(paths: RunPaths, question: str) -> Generation:
    found = read_record(paths.task("demo", question).generation, Generation)
    assert found
    return found


def page(samples: dict[str, Task], id: str) -> str:
    path = samples[id].true_page
    assert path
    return path.read_text()


def test_it_was_trained_on_the_samples_and_the_prompt_as_they_are(samples):
    """Else: python scripts/train_demo_model.py"""
    assert {id: file_digest(task.true_page) for id, task in samples.items()} == LEARNT["pages"]
    assert LEARNT["prompt"] == prompt_digest()
    assert len(IDS) >= 4


def test_it_is_small():
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 12_000_000


@pytest.mark.vllm
@pytest.mark.browser
@pytest.mark.full  # a smaller form of it is in test_end_to_end.py
@pytest.mark.parametrize("id", IDS)
def test_shipped_recording_gives_its_page(samples, answers, id):
    assert answer(answers, id) == page(samples, id)


@pytest.mark.vllm
@pytest.mark.browser
@pytest.mark.full  # a smaller form of it is in test_end_to_end.py
@pytest.mark.parametrize("id", PACES)
def test_new_recording_of_other_timing_gives_the_same_page(samples, answers, id):
    assert answer(answers, f"again-{id}") == page(samples, id)


@pytest.mark.vllm
@pytest.mark.browser
@pytest.mark.full  # a smaller form of it is in test_end_to_end.py
@pytest.mark.parametrize("id", IDS)
def test_swapped_recording_gives_the_other_page(samples, answers, id):
    assert answer(answers, f"swapped-{id}") == page(samples, OTHER[id])


@pytest.mark.vllm
@pytest.mark.browser
@pytest.mark.full  # a smaller form of it is in test_end_to_end.py
@pytest.mark.parametrize("id", IDS)
def test_the_engine_saw_the_frames_that_were_asked_for(answers, id):
    frames = record(answers, id).frames
    assert frames
    assert frames.delivered == frames.planned > 0
    assert frames.delivered_tokens == frames.planned_tokens
