"""Train the demo model on the bundled samples and write it to iwr/inference/demo_model.

    python scripts/train_demo_model.py                five to ten minutes on one core
    python scripts/train_demo_model.py --minutes 7    stop after 7 minutes of training;
                                                      the same command goes on

The model memorises the pages of the samples and tells them apart by their recordings. It proves
that video reaches a model and that the pipeline works, nothing else.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch
from demo_model.lessons import Lesson, answer_text, load_lessons
from demo_model.network import build_model, build_processor, build_tokenizer
from demo_model.training import State, certainty, one_step

from iwr.config import load_config
from iwr.digests import digest, file_digest
from iwr.inference.prompt import prompt_digest, text_for
from iwr.records import Task
from iwr.tasks.load import load, samples_root

VOCABULARY = 2048  # tokens
TARGET = Path(__file__).resolve().parents[1] / "iwr" / "inference" / "demo_model"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--samples",
        type=Path,
        default=samples_root(),
        help="data set with a true page for each task",
    )
    parser.add_argument("--out", type=Path, default=TARGET)
    parser.add_argument("--only", nargs="*", help="ids of the tasks to learn; default: all")
    parser.add_argument("--minutes", type=float, default=60.0, help="training time of this call")
    parser.add_argument(
        "--checkpoints",
        type=Path,
        default=Path("build"),
        help="folder in which a stopped training waits",
    )
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> int:
    options = arguments()
    torch.set_num_threads(1)  # two threads spin against each other on a shared machine
    torch.manual_seed(options.seed)
    config, (model,) = load_config(["model=demo"])
    tasks = [task for task in load(options.samples, options.only).tasks if task.true_page]
    processor = build_processor(
        build_tokenizer([*pages(tasks).values(), *map(text_for, tasks)], VOCABULARY)
    )
    lessons = load_lessons(tasks, processor, model, config.protocol)
    state = State(build_model(processor.tokenizer, model.context), options.seed)
    checkpoint = (
        options.checkpoints
        / f"demo_model-{digest([task.digest for task in tasks], options.seed)[:12]}.pt"
    )
    if checkpoint.exists():
        state.load(checkpoint)
    lengths = [len(lesson.answer) for lesson in lessons]
    parameters = sum(weights.numel() for weights in state.model.parameters())
    print(
        f"{len(lessons)} pages of {lengths} tokens, vocabulary {len(processor.tokenizer)},"
        f" {parameters / 1e6:.2f} M parameters, from step {state.step}",
        flush=True,
    )
    train(state, lessons, processor, options.minutes)
    options.checkpoints.mkdir(parents=True, exist_ok=True)
    state.save(checkpoint)
    if not state.done:
        print("not there yet; the same command goes on")
        return 1
    write(options.out, state, processor, tasks)
    reached = certainty(state.model.float(), lessons, processor)
    for id, least in reached.items():
        print(f"{id:24} least certain token {least:.4f}  {'exact' if least > 0.5 else 'NOT EXACT'}")
    checkpoint.unlink()
    return 0 if min(reached.values()) > 0.5 else 1


def pages(tasks: list[Task]) -> dict[str, str]:
    return {task.id: answer_text(task.true_page.read_text()) for task in tasks if task.true_page}


def train(state: State, lessons: list[Lesson], processor: object, minutes: float) -> None:
    started = time.monotonic()
    while not state.done and time.monotonic() - started < 60 * minutes:
        before = time.monotonic()
        losses = one_step(state, lessons, processor)
        state.seconds += time.monotonic() - before
        print(
            f"step {state.step:4} {state.seconds:6.0f} s  mean {losses.mean:.4f}"
            f"  largest {losses.largest:.4f}  branch {losses.branch:.4f}",
            flush=True,
        )


def write(folder: Path, state: State, processor: object, tasks: list[Task]) -> None:
    """Write the folder that vLLM loads, and `pages.json`.

    `pages.json` records what was learnt, so that a test sees when the samples have moved on.
    """
    state.model.to(torch.bfloat16).save_pretrained(folder)
    # the upstream writer makes it readable by its owner alone
    (folder / "model.safetensors").chmod(0o644)
    processor.save_pretrained(folder)  # type: ignore[attr-defined]
    learnt = {
        "prompt": prompt_digest(),
        "pages": {task.id: file_digest(task.true_page) for task in tasks if task.true_page},
        "steps": state.step,
    }
    (folder / "pages.json").write_text(json.dumps(learnt, indent=1) + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
