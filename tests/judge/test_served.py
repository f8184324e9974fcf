"""Questions of every kind through a real vLLM server.

A tiny random model, which has nothing to say, still answers as the schema asks.
"""

import asyncio
import itertools
import json
from collections import Counter

import pytest

from iwr.browser.pool import Pool
from iwr.config import Environment, load_config
from iwr.inference.client import ChatClient
from iwr.judge.backends import contract_of
from iwr.judge.contract.judge import ContractJudge
from iwr.judge.model import assertions, clicking, pressing, rubric, scrolling, writing
from iwr.judge.model.asking import Asker, text
from iwr.judge.model.grounding import Question, choose, choose_by_marks, sentence
from iwr.judge.model.targets import actionable, places
from iwr.judge.runner import RolloutJob, RolloutRunner
from iwr.runs.paths import JudgePaths
from iwr.tasks.load import load, samples_root

pytestmark = [pytest.mark.vllm, pytest.mark.browser]


async def pages_of(task, folder):
    """The true page at every step of the task."""
    config, _ = load_config([])
    job = RolloutJob(task, "true", task.true_page, JudgePaths(folder / task.id))
    runner = RolloutRunner(job, ContractJudge(contract_of(task)))
    async with Pool(config.browser, Environment.read()) as pool:
        await runner.run_in(pool)
    await runner.answers()
    return runner.states


def questions(asker, task, pages):
    """Every question about every action, assertion and checkpoint, pictures in both orders."""
    for number, action in enumerate(task.actions, 1):
        before, after = pages[number - 1], pages[number]
        words = {"sentence": sentence(action), "key": "Enter"}
        size = {"width": 9, "height": 9, "x": 9, "y": 9, "page_width": 9, "page_height": 9}
        drop = clicking.DROP.format(label="button 'Card'", **size)
        nodes = actionable(before)
        yield choose(asker, clicking.question(number, action, ""), before, nodes)
        yield choose_by_marks(asker, clicking.question(number, action, ""), before, nodes)
        yield choose(asker, writing.question(number, action), before, nodes)
        yield choose(asker, scrolling.question(number, action), before, places(before))
        yield choose(
            asker, Question(f"step {number}: drop", action, drop, clicking.Drop), before, nodes
        )
        for name, prompt, kind in (
            ("keys", pressing.KEYS_PROMPT, pressing.Keys),
            ("times", pressing.TIMES_PROMPT, pressing.Times),
            ("duration", clicking.HOLD, clicking.Duration),
        ):
            yield asker.ask(f"step {number}: {name}", [text(prompt.format(**words))], kind)
        if action.logical_assertion:
            claim = assertions.Claim(action.logical_assertion, before.screenshot, after.screenshot)
            for wording, swapped in itertools.product(assertions.QUESTIONS, (False, True)):
                yield assertions.verify(asker, number, claim, wording, swapped=swapped)
    for number, checkpoint in task.checkpoints.items():
        yield rubric.rate(asker, number, checkpoint.read_bytes(), pages[number].screenshot)


@pytest.mark.parametrize(
    ("samples", "least"),
    [(1, 60), pytest.param(8, 500, marks=[pytest.mark.full, pytest.mark.timeout(1800)])],
    ids=["one task", "all"],
)
def test_every_answer_obeys_its_schema_at_once(model_server, tmp_path, samples, least):
    config, _ = load_config(
        [
            "judge=model",
            "judge.model.path=tiny",
            "judge.attempts=1",
            "judge.swap=true",
            "judge.call_seconds=600",
        ]
    )
    log = tmp_path / "calls.jsonl"

    async def ask():
        slots = asyncio.Semaphore(8)

        async def one(question):
            async with slots:
                return await question  # raises JudgeError for an answer outside its schema

        async with ChatClient(
            [model_server.endpoint], seconds=config.judge.call_seconds, attempts=1
        ) as client:
            asker = Asker(client, config.judge, log)
            walked = [
                (task, await pages_of(task, tmp_path))
                for task in load(samples_root()).tasks[:samples]
            ]
            await asyncio.gather(
                *(
                    one(question)
                    for task, pages in walked
                    for question in questions(asker, task, pages)
                )
            )
        return asker.calls

    calls = asyncio.run(ask())
    noted = [json.loads(line) for line in log.read_text().splitlines()]
    kinds = Counter(note["what"].split(": ")[1].split(",")[0] for note in noted)
    print(calls, dict(kinds))
    assert len(noted) == calls >= least
    about_actions = {"grounding", "grounding by marks", "scrolling", "drop"}
    assert kinds.keys() >= about_actions | {"keys", "times", "duration", "assertion", "rubric"}
    assert all(note["problem"] is None and note["finish_reason"] == "stop" for note in noted)
