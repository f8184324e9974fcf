"""Compare the client with vLLM's own serving benchmark: same server, same questions.

    python scripts/bench_inference.py [model=NAME …] [--requests 48] [--rounds 3] [--concurrency 16]

Rounds alternate: vLLM's `vllm.benchmarks.serve.benchmark`, then ours (`ServedModel.ask`: probing
the recording, planning and auditing its frames included), then ours with one request at a time. The
first round warms the caches and is not counted.
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
from iwr.inference.engines.vllm import ServedModel
from iwr.inference.sampling import max_tokens
from iwr.inference.server.endpoint import Endpoint
from iwr.inference.server.process import Server
from iwr.records import Task
from iwr.tasks.recordings import probe


class Rate(NamedTuple):
    requests: float  # a second
    tokens: float  # answered, a second


async def ours(
    tasks: list[Task], model: ModelConfig, config: Config, endpoint: Endpoint, concurrency: int
) -> Rate:
    """Measure the questions as `iwr generate` asks them."""
    slots = asyncio.Semaphore(concurrency)
    served_model = ServedModel(model, config)

    async def one(task: Task, client: ChatClient) -> int:
        async with slots:
            reply = await served_model.ask(task, client)
            return reply.usage.completion_tokens or 0

    async with ChatClient([endpoint], seconds=3600) as client:
        await served_model.ask(tasks[0], client)  # loads the model's processor
        start = time.perf_counter()
        tokens = await asyncio.gather(*(one(task, client) for task in tasks))
        seconds = time.perf_counter() - start
    return Rate(len(tasks) / seconds, sum(tokens) / seconds)


async def theirs(
    tasks: list[Task], model: ModelConfig, config: Config, endpoint: Endpoint, concurrency: int
) -> Rate:
    """Measure the same questions from vLLM's own benchmark."""
    from vllm.benchmarks.datasets import SampleRequest
    from vllm.benchmarks.serve import TaskType, benchmark

    served_model = ServedModel(model, config)
    questions = []
    for task in tasks:
        frames = video.count(probe(task.video, task.id), config.protocol)
        body = {
            "temperature": 0,
            "media_io_kwargs": video.request_settings(model, frames),
            "return_token_ids": True,
        }
        question = SampleRequest(
            "",
            1,
            max_tokens(model, config),
            chat_messages=served_model.messages(task, []),
            request_overrides=body,
        )
        questions.append(question)
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


def sample_tasks(root: Path, number: int) -> list[Task]:
    """Return `number` tasks that repeat eight recordings of 4 to 11 seconds."""
    different = []
    for index in range(8):
        task = recordings.task(root, f"t{index}", 4 + index, colour=40 + 20 * index)
        different.append(task)
    return [different[index % len(different)] for index in range(number)]


class Round(NamedTuple):
    """One round of measurements."""

    benchmark: Rate
    client: Rate
    one_at_a_time: Rate

    def __str__(self) -> str:
        return "; ".join(
            f"{rate.requests:.2f} requests/s, {rate.tokens:.0f} tokens/s" for rate in self
        )


def measure_round(
    tasks: list[Task], model: ModelConfig, config: Config, endpoint: Endpoint, concurrency: int
) -> Round:
    question = (model, config, endpoint)
    return Round(
        benchmark=asyncio.run(theirs(tasks, *question, concurrency)),
        client=asyncio.run(ours(tasks, *question, concurrency)),
        one_at_a_time=asyncio.run(ours(tasks[:8], *question, 1)),
    )


def report(rounds: list[Round], concurrency: int) -> None:
    """Print the medians."""
    ratio = statistics.median(one.client.requests / one.benchmark.requests for one in rounds)
    gain = statistics.median(one.client.tokens / one.one_at_a_time.tokens for one in rounds)
    print(
        f"ours / vLLM's benchmark: {ratio:.3f} (requests a second, median of {len(rounds)} rounds)"
    )
    print(f"{concurrency} in flight / one at a time: {gain:.2f} (tokens a second)")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("settings", nargs="*")
    parser.add_argument("--requests", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrency", type=int, default=16)
    options = parser.parse_args()
    config, (model,) = load_config([f"server.in_flight={options.concurrency}", *options.settings])
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        tasks = sample_tasks(root, options.requests)
        with Server(model, config, media=root, logs=root) as server:
            assert server.endpoint
            for number in range(options.rounds + 1):
                one = measure_round(tasks, model, config, server.endpoint, options.concurrency)
                rounds.append(one)
                print(
                    f"round {number}: vLLM's benchmark, ours, ours one at a time: {one}", flush=True
                )
    report(rounds[1:], options.concurrency)


if __name__ == "__main__":
    main()
