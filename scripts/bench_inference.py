"""Does our client keep the engine as busy as vLLM's own serving benchmark does? Same server, same questions.

    python scripts/bench_inference.py [model=NAME …] [--requests 48] [--rounds 3] [--concurrency 16]

Rounds alternate: vLLM's `vllm.benchmarks.serve.benchmark`, then ours (`Contestant.ask`: probing the recording, planning and
auditing its frames included), then ours with one request at a time. The first round warms the caches and is not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import recordings

from iwr.config import Config, ModelConfig, load_config
from iwr.inference import video
from iwr.inference.client import ChatClient
from iwr.inference.engines.vllm import ServedModel, max_tokens
from iwr.inference.server.process import Endpoint, Server
from iwr.records import Task


class Rate(NamedTuple):
    requests: float  # a second
    tokens: float  # answered, a second


async def ours(
    tasks: list[Task], model: ModelConfig, config: Config, endpoint: Endpoint, concurrency: int
) -> Rate:
    """The questions as `iwr generate` asks them."""
    slots, contestant = asyncio.Semaphore(concurrency), ServedModel(model, config)

    async def one(task: Task, client: ChatClient) -> int:
        async with slots:
            return (await contestant.ask(task, client)).usage.completion_tokens or 0

    async with ChatClient([endpoint], seconds=3600) as client:
        await contestant.ask(tasks[0], client)  # loads the model's processor
        started = time.perf_counter()
        tokens = await asyncio.gather(*(one(task, client) for task in tasks))
        seconds = time.perf_counter() - started
    return Rate(len(tasks) / seconds, sum(tokens) / seconds)


async def theirs(
    tasks: list[Task], model: ModelConfig, config: Config, endpoint: Endpoint, concurrency: int
) -> Rate:
    """The same questions from vLLM's own benchmark."""
    from vllm.benchmarks.datasets import SampleRequest
    from vllm.benchmarks.serve import TaskType, benchmark

    contestant, questions = ServedModel(model, config), []
    for task in tasks:
        frames = video.count(video.probe(task.video, task.id), config.protocol)
        body = {
            "temperature": 0,
            "media_io_kwargs": video.request_settings(model, frames),
            "return_token_ids": True,
        }
        chat = contestant.messages(task, [])
        questions.append(
            SampleRequest(
                "", 1, max_tokens(model, config), chat_messages=chat, request_overrides=body
            )
        )
    measure = partial(
        benchmark,
        task_type=TaskType.GENERATION,
        endpoint_type="openai-chat",
        api_url=f"{endpoint.url}/chat/completions",
        base_url=endpoint.url.removesuffix("/v1"),
        model_id=endpoint.model,
        model_name=endpoint.model,
        tokenizer=None,
        input_requests=questions,
        logprobs=None,
        request_rate=float("inf"),
        burstiness=1.0,
        disable_tqdm=True,
        num_warmups=0,
        profile=False,
        selected_percentile_metrics=[],
        selected_percentiles=[],
        ignore_eos=False,
        goodput_config_dict={},
        max_concurrency=concurrency,
        lora_modules=None,
        extra_headers={"Authorization": f"Bearer {endpoint.key}"},
        extra_body={},
    )
    with contextlib.redirect_stdout(io.StringIO()):
        result: dict[str, Any] = await measure()
    assert result["completed"] == len(tasks), result
    return Rate(result["request_throughput"], result["total_output_tokens"] / result["duration"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("settings", nargs="*")
    parser.add_argument("--requests", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrency", type=int, default=16)
    options = parser.parse_args()
    config, (model,) = load_config([f"server.in_flight={options.concurrency}", *options.settings])
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        few = [
            recordings.task(root, f"t{number}", 4 + number % 8, colour=40 + 20 * number)
            for number in range(8)
        ]
        tasks = [few[number % len(few)] for number in range(options.requests)]
        with Server(model, config, media=root, logs=root) as server:
            assert server.endpoint
            ask = (tasks, model, config, server.endpoint)
            rounds = []
            for number in range(options.rounds + 1):
                found = [
                    asyncio.run(theirs(*ask, options.concurrency)),
                    asyncio.run(ours(*ask, options.concurrency)),
                ]
                found.append(asyncio.run(ours(tasks[: len(few)], *ask[1:], 1)))
                rounds.append(found)
                shown = "; ".join(
                    f"{rate.requests:.2f} requests/s, {rate.tokens:.0f} tokens/s" for rate in found
                )
                print(
                    f"round {number}: vLLM's benchmark, ours, ours one at a time: {shown}",
                    flush=True,
                )
    counted = rounds[1:]
    ratio = statistics.median(mine.requests / yours.requests for yours, mine, _ in counted)
    gain = statistics.median(many.tokens / one.tokens for _, many, one in counted)
    print(
        f"ours / vLLM's benchmark: {ratio:.3f} (requests a second, median of {len(counted)} rounds)"
    )
    print(f"{options.concurrency} in flight / one at a time: {gain:.2f} (tokens a second)")


if __name__ == "__main__":
    main()
