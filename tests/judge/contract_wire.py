"""A judge model at the wire that knows the contracts, and sees nothing but its prompts.

The whole path of a judge model on recorded tasks, without a model:

    python -m tests.judge.contract_wire DATA_FOLDER
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from iwr.config import load_config
from iwr.contract.schema import PerformedAction, StepContract, Target, Verb
from iwr.judge.backends import contract_of
from iwr.judge.model.elements import quote
from iwr.judge.rollout import judge
from iwr.progress import silent
from iwr.records import Rollout, Task
from iwr.runs.files import read_record
from iwr.runs.paths import RunPaths
from iwr.tasks.load import load
from tests.judge.conftest import put_page
from tests.judge.wire import images_of, model_wire, prompt_of

LINE = re.compile(r'(\d+)\. (\S+) "(.*?)"(?:; |$)(.*)')
NEAR = re.compile(r'near "(.*?)"$|near "(.*?)"; ')
GESTURES = {Verb.CLICK, Verb.DOUBLE_CLICK, Verb.RIGHT_CLICK, Verb.HOVER, Verb.HOLD, Verb.DRAG}
EMPTY = "<!DOCTYPE html><body></body>"


class Entry(NamedTuple):
    """One element of the numbered list."""

    number: str
    role: str
    label: str
    rest: str


class ContractModel:
    """Answers the questions about one task."""

    def __init__(self, task: Task):
        self.task = task
        self.contract = contract_of(task)
        self.step = 0

    def chat(self, body: dict) -> dict:
        """Return the answer to one request."""
        kind = body["response_format"]["json_schema"]["name"]
        prompt = prompt_of(body)
        if kind == "ruling":
            before, after = images_of(body)
            return {"reason": "by the pixels", "verdict": "no" if before == after else "yes"}
        sentence = prompt.split("<action>")[1].split("</action>")[0]
        step = self._step(sentence)
        answer = getattr(self, f"_{kind}")(step, prompt)
        fields = body["response_format"]["json_schema"]["schema"]["properties"]
        return {"reason": "as recorded"} | {name: answer[name] for name in fields if name in answer}

    def _step(self, sentence: str) -> StepContract:
        """Return the step that has this sentence, the current one or one after it."""
        count = len(self.task.actions)
        for number in (*range(max(1, self.step), count + 1), *range(1, count + 1)):
            if self.task.action(number).parameters.description == sentence:
                self.step = number
                return self.contract.step(number)
        raise AssertionError(f"no step says {sentence!r}")

    # ---- the kinds of questions --------------------------------------------------------

    def _clicking(self, step: StepContract, prompt: str) -> dict:
        action = step.action
        answer = {"text": action.option or action.file or "", "dialog": "accept"}
        for reply in action.dialogs:
            answer["dialog"] = "accept" if reply.accept else "dismiss"
            answer["text"] = reply.text or answer["text"]
        hovered = prompt.count("the person has hovered over")
        if hovered < len(action.hover):
            element = pick(action.hover[hovered], prompt)
            return answer | {"gesture": "hover_first", "element": element}
        if "to open its list" in prompt:
            return answer | {
                "gesture": "click",
                "element": pick(Target(label=action.option), prompt),
            }
        return answer | {"gesture": _gesture(action), "element": pick(step.target, prompt)}

    def _drop(self, step: StepContract, prompt: str) -> dict:
        answer = {"element": "none", "side": "on", "dx": 0, "dy": 0}
        if step.action.drop:
            return answer | {"element": pick(step.action.drop, prompt)}
        dx, dy = step.action.path[-1]
        return answer | {"dx": round(dx), "dy": round(dy)}

    def _duration(self, step: StepContract, _: str) -> dict:
        return {"seconds": step.action.seconds}

    def _writing(self, step: StepContract, prompt: str) -> dict:
        action = step.action
        text = action.text or action.option
        element = pick(step.target, prompt)
        return {"element": element, "append": not action.clear, "keys": [], "text": text}

    def _keys(self, step: StepContract, _: str) -> dict:
        return {"keys": list(step.action.keys) * step.action.count}

    def _times(self, step: StepContract, _: str) -> dict:
        return {"times": step.action.count}

    def _scrolling(self, step: StepContract, prompt: str) -> dict:
        dx, dy = step.action.wheel
        direction = ("right" if dx > 0 else "left") if dx else ("down" if dy > 0 else "up")
        pages = abs(dx) / self.task.width + abs(dy) / self.task.height
        answer = {"scope": "page", "element": "none", "direction": direction}
        if step.target:
            answer |= {"scope": "element", "element": pick(step.target, prompt)}
        return answer | {"amount": "pages", "pages": pages}


def _gesture(action: PerformedAction) -> str:
    if action.button == "right":
        return "right_click"
    if action.verb is Verb.CLICK and action.count == 2:
        return "double_click"
    return action.verb.value


def entries(prompt: str) -> list[Entry]:
    """Return the elements in the numbered list of a prompt."""
    if "<elements>" not in prompt:
        return []
    lines = prompt.split("<elements>\n")[1].split("\n</elements>")[0].splitlines()
    return [Entry(*match.groups()) for line in lines if (match := LINE.match(line))]


def pick(target: Target, prompt: str) -> str:
    """Return the number of the element that fits best; "none" where none has its label.

    Of equals it is the one with the target's place among its like, else the innermost.
    """
    fitting: list[Entry] = []
    most = 0.0
    for entry in entries(prompt):
        points = fit_of(target, entry)
        if points > most:
            fitting = []
            most = points
        if points and points == most:
            fitting.append(entry)
    if not fitting:
        return "none"
    if target.index < len(fitting) == target.count:
        return fitting[target.index].number
    return fitting[-1].number


def fit_of(target: Target, entry: Entry) -> float:
    """Return how well an element fits: by label, kind, states and neighbours. 0: not at all."""
    texts = [target.label, target.name, target.placeholder]
    labels = [quote(text, 80).strip('"') for text in texts if text]
    near = NEAR.search(entry.rest)
    around = (near[1] or near[2]) if near else ""
    has_role = entry.role == target.role or (target.role == "generic" and entry.role[0] == "<")
    is_named = entry.label in labels or any(f'"{label}"' in entry.rest for label in labels)
    is_around = any(label in around for label in labels)
    if not is_named and not (has_role and (is_around or not labels)):
        return 0.0
    points = 4.0 * is_named + 3.0 * has_role
    if not labels and not entry.label:
        points += 1.5
    for place, text in enumerate(target.beside):
        points += (quote(text, 80).strip('"…') in around) / (1 + place)
    for state, value in target.states.items():
        points += f"{state} {value}" in entry.rest
    return points


# ---- comparing -----------------------------------------------------------------------------


def essence(rollout: Rollout) -> list[tuple]:
    """Return what must not depend on who judges."""
    steps = []
    for step in rollout.steps:
        verdict = step.verdict and step.verdict.passed
        steps.append((step.performed, step.credited, step.failed_by, verdict))
    return steps


def rollouts(task: Task, folder: Path, html: str | bytes) -> tuple[Rollout, Rollout]:
    """Return the rollouts of a page by the judge `contract` and by the scripted model."""
    paths = RunPaths.of(folder, task.id)
    put_page(paths, "page", task.id, html)
    with model_wire(ContractModel(task).chat) as (url, _):
        path = "judge.model.path=test/scripted"
        for settings in (["judge=contract"], ["judge=model", path, f"judge.url={url}"]):
            config, _ = load_config([*settings, "protocol=offline"])
            judge([("page", task)], config, paths, silent)
    return rollout_of(paths, task, "contract"), rollout_of(paths, task, "model")


def rollout_of(paths: RunPaths, task: Task, name: str) -> Rollout:
    """Return the rollout of the page by the judge of this name."""
    record = read_record(paths.task("page", task.id).judge(name).rollout, Rollout)
    assert record is not None
    return record


def pictures(rollout: Rollout) -> list[str | None]:
    """Return what was seen at each step."""
    return [step.screenshot_sha256 for step in rollout.steps]


def main() -> int:
    """Compare the two judges on the true pages of a data folder."""
    different = 0
    for task in load(Path(sys.argv[1]), None).tasks:
        with tempfile.TemporaryDirectory() as folder:
            by_contract, by_model = rollouts(task, Path(folder), task.true_page.read_bytes())
        equal = essence(by_contract) == essence(by_model)
        same = pictures(by_contract) == pictures(by_model)
        print(task.id, "same rollout" if equal else "DIFFERENT", f"same pictures: {same}")
        different += not equal
        for one, other in zip(by_contract.steps, by_model.steps, strict=True):
            if one.performed != other.performed or one.failed_by != other.failed_by:
                print("  ", one.step, one.reason, "|", other.reason, other.verdict)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
