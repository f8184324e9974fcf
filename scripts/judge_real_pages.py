"""Measure the judge `contract` on real pages: `scripts/real_pages.py out=DIR defects=true` first.

    python scripts/judge_real_pages.py data=DIR             # about 10 minutes on two cores
    python scripts/judge_real_pages.py data=DIR only=todo-vue,game-2048

The true page of every task is driven twice, each of its wrong and cosmetic versions once. Targets,
the exit code is 1 when one is missed:

- a true page earns every step, and both drives see the same screenshots, wherever the page came to
  rest;
- a version that looks or is built otherwise earns every step;
- of the wrong pages at least 95 % fail at exactly the step of their defect, and at most 1 % get
  full marks;
- at most 5 % of all steps are undecided.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from omegaconf import OmegaConf

from iwr.browser.pool import Pool
from iwr.config import Config, Environment, load_config
from iwr.judge.backends import contract_of
from iwr.judge.contract.judge import ContractJudge
from iwr.judge.runner import RolloutJob, roll_out
from iwr.records import Rollout, Step, Task
from iwr.runs.paths import JudgePaths
from iwr.stats import wilson
from iwr.tasks.load import load

EXACT = 0.95
PAID = 0.01
UNDECIDED = 0.05
TRUE_PAGE = "true page"


@dataclass
class Settings:
    data: str = "???"
    only: str = ""  # names of pages, separated by commas
    contexts: int = 2  # pages driven at the same time

    @property
    def names(self) -> list[str] | None:
        """Return the names of the chosen pages; None means all."""
        return self.only.split(",") if self.only else None


class Version(NamedTuple):
    """One page to drive. `step` is where it must first fail; None: it must pass."""

    name: str
    kind: str
    task: Task
    page: Path
    step: int | None


class Result(NamedTuple):
    version: Version
    rollout: Rollout

    @property
    def first_failure(self) -> Step | None:
        """Return the first step that failed, by whomever."""
        return next((step for step in self.rollout.steps if step.failed_by), None)

    @property
    def is_right(self) -> bool:
        """Whether the page failed first at the step of its defect, or passed as it must."""
        failure = self.first_failure
        if failure is None or self.version.step is None:
            return failure is None and self.version.step is None
        return failure.step == self.version.step and not failure.is_unscored

    @property
    def states(self) -> list[tuple[bool, str | None]]:
        """Return whether each state was at rest, and the digest of its screenshot."""
        return [(step.settled, step.screenshot_sha256) for step in self.rollout.steps]

    def __str__(self) -> str:
        failure = self.first_failure
        outcome = "passes" if failure is None else f"fails at step {failure.step}: {failure.reason}"
        expected = "pass" if self.version.step is None else f"fail at step {self.version.step}"
        return f"{self.version.name} ({self.version.kind}) must {expected}, {outcome}"


def versions(root: Path, names: list[str] | None) -> list[Version]:
    """Return the true pages, twice each, and all versions that real_pages.py wrote."""
    tasks = {task.id: task for task in load(root, names).tasks}
    entries = []
    for task in tasks.values():
        assert task.true_page, f"{task.id} has no page"
        entries += 2 * [Version(task.id, TRUE_PAGE, task, task.true_page, None)]
    for row in json.loads((root / "defects.json").read_text(encoding="utf-8")):
        if row["task"] in tasks:
            page = root / "defects" / row["variant"] / row["task"] / "index.html"
            task = tasks[row["task"]]
            entries.append(Version(row["variant"], row["kind"], task, page, row["step"]))
    return entries


async def drive(
    entries: Sequence[Version], config: Config, folder: Path, contexts: int
) -> list[Result]:
    """Drive all pages, some at the same time; return the results in the order of the entries."""
    slots = asyncio.Semaphore(contexts)

    async def drive_one(number: int, version: Version) -> Result:
        async with slots:
            home = folder / str(number)
            home.mkdir()
            job = RolloutJob(version.task, version.name, version.page, JudgePaths(home))
            judge = ContractJudge(contract_of(version.task))
            result = Result(version, await roll_out(job, judge, pool, config, {}))
            print("." if result.is_right else f"\n{result}", end="", flush=True)
            return result

    async with Pool(config.browser, Environment.read()) as pool:
        drives = [drive_one(number, version) for number, version in enumerate(entries)]
        return await asyncio.gather(*drives)


def report(results: Sequence[Result]) -> bool:
    """Print the table by kind and the targets; return whether all are met."""
    groups: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        groups[result.version.kind].append(result)
    print("\n\nkind                    right    all  95 % interval")
    for kind, members in sorted(groups.items()):
        print(f"{kind:20} {table_cells(members)}")
    wrong = [result for result in results if result.version.step is not None]
    others = [result for result in results if result.version.step is None]
    print(f"{'all wrong pages':20} {table_cells(wrong)}")
    paid = sum(result.first_failure is None for result in wrong)
    print(f"wrong pages with full marks: {paid} of {len(wrong)}")
    steps = [step for result in results for step in result.rollout.steps[1:]]
    undecided = sum(step.is_unscored for step in steps)
    print(f"undecided steps: {undecided} of {len(steps)}")
    unequal = unequal_drives(groups[TRUE_PAGE])
    print(f"true pages with other screenshots the second time: {', '.join(unequal) or 'none'}")
    exact = sum(result.is_right for result in wrong)
    return (
        all(result.is_right for result in others)
        and exact >= EXACT * len(wrong)
        and paid <= PAID * len(wrong)
        and undecided <= UNDECIDED * len(steps)
        and not unequal
    )


def table_cells(results: Sequence[Result]) -> str:
    right = sum(result.is_right for result in results)
    if not results:
        return f"{right:8} {len(results):6}"
    interval = wilson(right, len(results))
    return f"{right:8} {len(results):6}  {interval.low:.1%} to {interval.high:.1%}"


def unequal_drives(results: Sequence[Result]) -> list[str]:
    """Return the names of the true pages whose two drives saw different settled states."""
    first: dict[str, Result] = {}
    names = []
    for result in results:
        earlier = first.setdefault(result.version.name, result)
        for one, other in zip(earlier.states, result.states, strict=True):
            both_settled = one[0] and other[0]
            if both_settled and one != other:
                names.append(result.version.name)
                break
    return names


def main() -> None:
    arguments = OmegaConf.merge(OmegaConf.structured(Settings), OmegaConf.from_cli(sys.argv[1:]))
    settings = OmegaConf.to_object(arguments)
    assert isinstance(settings, Settings)
    config, _ = load_config([f"browser.contexts={settings.contexts}"])
    entries = versions(Path(settings.data), settings.names)
    with tempfile.TemporaryDirectory() as folder:
        results = asyncio.run(drive(entries, config, Path(folder), settings.contexts))
    sys.exit(not report(results))


if __name__ == "__main__":
    main()
