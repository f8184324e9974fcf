"""A true page is recorded in real Chromium, and its contract is checked on another page."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from iwr.browser.chromium import Chromium
from iwr.browser.page import Tab
from iwr.browser.page_state import HOOK, WALK, Snapshot, parse
from iwr.browser.site import Site
from iwr.config import BrowserConfig, Environment
from iwr.contract import (
    Contract,
    PerformedAction,
    StepContract,
    Target,
    Verb,
    derive,
    derive_unchanged,
    describe_target,
)
from iwr.errors import ActionError, JudgeError, PageError
from iwr.judge.contract.judge import ContractJudge
from iwr.judge.contract.perform import ContractPerformer
from iwr.records import Action, ActionType, Parameters

T = TypeVar("T")
SIZE = (800, 600)
NUMBER = """([path]) => {
  const hook = window[Symbol.for("iwr.hook")];
  return hook.number(hook.find(path));
}"""
ACTION = Action(type=ActionType.CLICK, parameters=Parameters(description="Not read."))


class Do(NamedTuple):
    """One action on the true page, and what the task says about it."""

    verb: str
    target: str | None = None  # CSS selector
    assertion: str | None = None
    options: Mapping[str, Any] = MappingProxyType({})


def do(verb: str, target: str | None = None, assertion: str | None = None, **options: Any) -> Do:
    return Do(verb, target, assertion, options)


def in_browser(work: Callable[[Chromium], Awaitable[T]]) -> T:
    async def run() -> T:
        browser = BrowserConfig(name="test", page_seconds=120.0)
        async with Chromium(browser, Environment.read()) as chromium:
            return await work(chromium)

    return asyncio.run(run())


async def snapshot(tab: Tab) -> Snapshot:
    await tab.settle()
    return parse(await tab.evaluate(WALK), await tab.screenshot())


async def target_at(tab: Tab, page: Snapshot, selector: str) -> tuple[Target, str]:
    uid = await tab.evaluate(NUMBER, [selector])
    return describe_target(page, page.by_uid[uid]), uid


async def record(tab: Tab, steps: Sequence[Do]) -> Contract:
    entries = []
    page = await snapshot(tab)
    for number, step in enumerate(steps, 1):
        options = dict(step.options)
        target = uid = None
        if "hover" in options:
            over, _ = await target_at(tab, page, options.pop("hover"))
            options["hover"] = (over,)
            hovering = PerformedAction(verb=Verb.HOVER)
            await ContractPerformer(tab).perform(
                StepContract(step=number, target=over, action=hovering), page
            )
            page = await snapshot(tab)
        if "drop" in options:
            options["drop"], _ = await target_at(tab, page, options["drop"])
        if step.target:
            target, uid = await target_at(tab, page, step.target)
        action = PerformedAction(verb=Verb(step.verb), **options)
        entry = StepContract(step=number, target=target, action=action)
        await ContractPerformer(tab).perform(entry, page)
        after = await snapshot(tab)
        expectations = derive(page, after, step.assertion, action, uid)
        entries.append(
            entry.model_copy(
                update={
                    "expectations": expectations,
                    "unchanged": derive_unchanged(page, after, expectations),
                }
            )
        )
        page = after
    text = Contract(steps=tuple(entries)).model_dump_json(exclude_defaults=True)
    return Contract.model_validate_json(text)


async def judged(tab: Tab, contract: Contract) -> list[str]:
    """Return the answer to each step: yes, no, undecided, page, action; nothing after a stop."""
    judge = ContractJudge(contract)
    answers = []
    page = await snapshot(tab)
    for entry in contract.steps:
        try:
            grounding = await judge.ground(entry.step, ACTION, page)
            if not grounding.found:
                raise PageError(grounding.reason or "")
            await judge.perform(entry.step, grounding, tab)
            after = await snapshot(tab)
            answer = "done"
            if entry.expectations:
                verdict = await judge.verify(entry.step, "", page, after)
                answer = f"{'yes' if verdict.passed else 'no'}: {verdict.reason}"
            answers.append(answer)
            page = after
        except ActionError as error:
            return [*answers, f"action: {error}"]
        except PageError as error:
            return [*answers, f"page: {error}"]
        except JudgeError as error:
            return [*answers, str(error)]
    return answers


class Stage:
    """Records true pages and judges others, all in one browser."""

    def __init__(self, chromium: Chromium, folder: Path, run: Callable[[Awaitable[Any]], Any]):
        self.chromium = chromium
        self.folder = folder
        self._run = run

    def contract(self, html: str, *steps: Do, assets: Path | None = None) -> Contract:
        async def work(tab: Tab) -> Contract:
            return await record(tab, steps)

        return self._run(self._on(html, work, assets))

    def judge(self, html: str, contract: Contract, assets: Path | None = None) -> list[str]:
        async def work(tab: Tab) -> list[str]:
            return await judged(tab, contract)

        return self._run(self._on(html, work, assets))

    async def _on(self, html: str, work: Callable[[Tab], Awaitable[T]], assets: Path | None) -> T:
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        (folder / "index.html").write_text(html)
        site = Site(folder / "index.html", assets)
        async with self.chromium.open(site, *SIZE, scripts=[HOOK]) as tab:
            return await work(tab)
