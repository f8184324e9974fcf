"""The judge `contract` on pages of every kind: right ones pass, wrong ones fail."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from iwr.browser.chromium import Chromium
from iwr.config import BrowserConfig, Environment
from iwr.contract import Contract
from tests.judge.contract.kinds import HEAD, KINDS, Kind
from tests.judge.contract.stage import Stage, do

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with asyncio.Runner() as runner:
        browser = BrowserConfig(name="test", page_seconds=120.0)
        chromium = Chromium(browser, Environment.read())
        runner.run(chromium.__aenter__())
        yield Stage(chromium, tmp_path_factory.mktemp("pages"), runner.run)
        runner.run(chromium.__aexit__(None, None, None))


def changed(kind: Kind, change: tuple[str, str]) -> str:
    old, new = change
    assert old in kind.page, f"{kind.name}: {old} is not on the page"
    return HEAD + kind.page.replace(old, new)


def failure(answers: list[str], contract: Contract) -> str | None:
    """Return the first answer that costs the page a step."""
    for answer in answers:
        if not answer.startswith(("yes", "done")):
            return answer
    return None if len(answers) == len(contract.steps) else "stopped"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_true_page_and_those_as_good_pass_and_wrong_ones_fail(stage: Stage, kind: Kind):
    contract = stage.contract(HEAD + kind.page, *kind.steps)
    for step in contract.steps:
        assert step.expectations, f"nothing is expected of step {step.step}"
    problems = []
    answers = stage.judge(HEAD + kind.page, contract)
    if failure(answers, contract):
        problems.append(f"true page: {answers}")
    for change in kind.as_good:
        answers = stage.judge(changed(kind, change), contract)
        if failure(answers, contract):
            problems.append(f"as good: {change}: {answers}")
    for change in kind.wrong:
        failed = failure(stage.judge(changed(kind, change), contract), contract)
        if failed is None or failed.startswith("undecided"):
            problems.append(f"wrong: {change}: {failed}")
    assert not problems, "\n".join([*problems, contract.model_dump_json(exclude_defaults=True)])


CANVAS = """<canvas id=c width=200 height=100></canvas>
<script>c.onclick=()=>c.getContext('2d').fillRect(9,9,50,50)</script>"""


def test_what_only_pixels_show_is_undecided(stage: Stage):
    contract = stage.contract(HEAD + CANVAS, do("click", "#c", "A black square is drawn."))
    assert [entry.kind for entry in contract.steps[0].expectations] == ["picture_changed"]
    assert stage.judge(HEAD + CANVAS, contract)[0].startswith("undecided")


UPLOAD = """<label>Photo <input type=file id=f></label><p id=o>None</p>
<script>f.onchange=()=>o.textContent='Got '+f.files[0].name</script>"""


def test_a_file_of_the_task_is_uploaded(stage: Stage, tmp_path: Path):
    (tmp_path / "cat.png").write_bytes(b"picture")
    step = do("upload", "#f", "'Got cat.png' is shown.", file="cat.png")
    contract = stage.contract(HEAD + UPLOAD, step, assets=tmp_path)
    assert failure(stage.judge(HEAD + UPLOAD, contract, assets=tmp_path), contract) is None
    late = HEAD + UPLOAD.replace("f.onchange", "f.ondrop")
    assert stage.judge(late, contract, assets=tmp_path)[0].startswith("no")
    plain = HEAD + UPLOAD.replace("type=file", "type=button value=Photo")
    assert stage.judge(plain, contract, assets=tmp_path)[0].startswith(("page", "action"))


@pytest.mark.parametrize("name", ["../secret.png", "more/secret.png", ".."])
def test_a_file_outside_of_the_assets_is_not_uploaded(stage: Stage, tmp_path: Path, name: str):
    assets = tmp_path / "assets"
    (assets / "more").mkdir(parents=True)
    for file in ("assets/cat.png", "assets/more/secret.png", "secret.png"):
        (tmp_path / file).write_bytes(b"picture")
    recorded = do("upload", "#f", "'Got cat.png' is shown.", file="cat.png")
    step = stage.contract(HEAD + UPLOAD, recorded, assets=assets).steps[0]
    action = step.action.model_copy(update={"file": name})
    hostile = Contract(steps=(step.model_copy(update={"action": action}),))
    (answer,) = stage.judge(HEAD + UPLOAD, hostile, assets=assets)
    assert answer.startswith("the task has no file")
