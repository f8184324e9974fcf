"""The frozen records that stages exchange on disk. Stages share nothing else.

All lengths are CSS pixels, all times seconds, all scores in [0, 1] unless a field says otherwise.
A score that does not exist is None with a reason beside it, never 0 and never NaN.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

Fingerprint = dict[str, str]
"""What a record was made from: setting name -> value or content hash. Equal: nothing to redo."""


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


# ---- tasks --------------------------------------------------------------------------------------


class ActionType(StrEnum):
    """What a user does in one step."""

    CLICK = "Click"
    TYPE = "Type"
    SCROLL = "Scroll"
    PRESS = "Press"


class Parameters(Record):
    """Of one action, as the data set gives them."""

    description: str = ""  # the sentence that the judge grounds
    key: str | None = None
    direction: str | None = None
    scroll_page: str | None = None
    text: str | None = None
    element_index: str | None = None


class Action(Record):
    """One step of a task."""

    type: ActionType
    parameters: Parameters
    visual_evaluation_flag: bool = False
    logical_assertion: str | None = None


class Classification(Record):
    """The benchmark's three axes; any may be missing in the data."""

    interaction_complexity: str | None = None
    visual_complexity: str | None = None
    domain: str | None = None
    sub_domain: str | None = None


class Task(Record):
    """One benchmark task, loaded and checked: every path in it exists.

    Step 0 is the page as first opened, step k (1-based) the state after `actions[k - 1]`.
    `checkpoints` maps a step to its reference screenshot; step 0 is always there.
    """

    id: str
    folder: Path
    classification: Classification
    width: int
    height: int
    source_website: str | None = None
    environment: str | None = None
    actions: tuple[Action, ...]
    checkpoints: dict[int, Path]
    video: Path
    assets: Path | None  # folder
    stitched: tuple[Path, ...]  # overview images, in order
    true_page: Path | None  # page/index.html, where the data has it
    contract: Path | None = None  # contract.json, where the data has it; not in the digest
    digest: str  # sha256 over the task's line and the files that a model or a score depends on

    def action(self, step: int) -> Action:
        """The action that leads to `step` (1-based)."""
        return self.actions[step - 1]


# ---- inference ----------------------------------------------------------------------------------


class GenerationStatus(StrEnum):
    """What became of asking for a page."""

    OK = "ok"  # a page lies beside the record
    MISSING = "missing"  # the model answered, but not with a page: the model's failure, scored 0
    FAILED = "failed"  # infrastructure: nothing is known of the model; the next run asks again


class Frames(Record):
    """Audit of the video that the engine saw. `planned` is what the protocol asks for.

    `delivered` is lower only when the context was too small (`Generation.reason` says so), and None
    when the engine or the model's processor cannot tell. Any other difference makes the task fail.
    """

    mode: str  # native | frames
    planned: int
    delivered: int | None
    planned_tokens: int | None = None  # of the frames asked for, by the model's own processor
    delivered_tokens: int | None = None  # video tokens in the prompt that the engine used
    unaudited: str | None = None  # why the processor cannot count tokens


class Usage(Record):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Generation(Record):
    """One model's answer to one task."""

    model: str
    task: str
    status: GenerationStatus
    reason: str | None = None
    fingerprint: Fingerprint
    usage: Usage = Usage()
    frames: Frames | None = None
    finish_reason: str | None = None
    truncated: bool = False
    extraction: str | None = None  # how the page stood in the reply: fence | unclosed fence | …
    page_sha256: str | None = None
    seconds: float | None = None
    engine: str | None = None  # what produced it, e.g. "vllm 0.32.0"
    weights: str | None = None  # hub commit or digest of a local folder, where it is known
    sampling: dict[str, int | float] = Field(default_factory=dict)  # every value the engine got


class Session(Record):
    """One process's work with the servers of one model; a resumed or sharded run has several."""

    model: str
    engine: str
    gpus: int  # of all replicas together; 0 on a CPU
    start_seconds: float  # from launch to readiness, restarts included
    seconds: float  # from the first question to the last answer
    answered: int  # tasks
    prompt_tokens: int
    completion_tokens: int

    @property
    def gpu_hours(self) -> float:
        """Return the hours of all GPUs, starts included."""
        return self.gpus * (self.start_seconds + self.seconds) / 3600


# ---- judge --------------------------------------------------------------------------------------


class FailedBy(StrEnum):
    """What of the page ended a rollout."""

    PAGE = "page"  # nothing on the page fits the description, or the page hangs or crashes
    ACTION = "action"  # the element is there but cannot be acted on (covered, disabled, …)
    ASSERTION = "assertion"  # the action was done, its effect is not visible
    JUDGE = "judge"  # the judge gave no usable answer: unscored
    INFRASTRUCTURE = "infrastructure"  # browser or server failed: unscored


class Gesture(Record):
    """How an action was done, so that a replay does the same. The verb says which fields count."""

    verb: str  # see contract/schema.py
    first: tuple[tuple[str, str], ...] = ()  # (verb, locator): what revealed the element
    button: Literal["left", "middle", "right"] = "left"
    count: int = Field(default=1, ge=1, le=20)
    at: tuple[float, float] | None = None  # share of the element's box
    text: str | None = None  # typed; the name of an option, or of a file
    clear: bool = True  # the text replaces what the field holds
    keys: tuple[str, ...] = ()  # pressed, after a text too
    wheel: tuple[float, float] | None = None  # CSS pixels
    drop: str | None = None  # locator: where a drag ends
    drop_at: tuple[float, float] | None = None
    path: tuple[tuple[float, float], ...] = ()  # of a drag, relative to where it starts
    seconds: float | None = None  # of a hold
    replies: tuple[tuple[bool, str | None], ...] = ()  # to dialogs: accepted, text


class Grounding(Record):
    """The element that a description was matched to."""

    found: bool
    role: str | None = None
    name: str | None = None
    locator: str | None = None  # CSS path, for people and for replay
    point: tuple[float, float] | None = None  # viewport coordinates acted on
    candidates: int = 0  # how many were offered
    set_of_mark: bool = Field(  # chosen on the screenshot with numbered marks
        default=False, validation_alias=AliasChoices("set_of_mark", "second_look")
    )
    reason: str | None = None
    prompt_sha256: str | None = None
    answer: str | None = None  # raw judge output
    gesture: Gesture | None = None


class Verdict(Record):
    """Answer to one assertion. `passed` is None when the judge gave no usable answer."""

    passed: bool | None
    reason: str
    probability: float | None = None  # P(yes), where the judge has log-probabilities
    attempts: int = 1
    answer: str | None = None  # raw judge output


class Rubric(Record):
    """High-level comparison of one checkpoint, in points: see judge/model/rubric.py."""

    layout: int = Field(ge=0, le=10)
    elements: int = Field(ge=0, le=15)
    content: int = Field(ge=0, le=40)
    style: int = Field(ge=0, le=15)
    overall: int = Field(ge=0, le=20)
    total: int = Field(ge=0, le=100)  # their sum
    swapped_total: int | None = Field(None, ge=0, le=100)  # with the pictures in the other order
    reason: str | None = None


class Step(Record):
    """Step k of a rollout: action k was performed (or not), then screenshot k was taken.

    Step 0: the page was opened.
    """

    step: int
    action: Action | None = None  # None for step 0
    grounding: Grounding | None = None
    performed: bool
    verdict: Verdict | None = None  # None when the action has no assertion, or was never reached
    credited: bool  # reached and passed, and so were all steps before it
    failed_by: FailedBy | None = None
    reason: str | None = None
    screenshot: str | None = None  # file name beside the record
    screenshot_sha256: str | None = None
    rest_screenshot: str | None = None  # where the next action began, if a message hid itself
    settled: bool = True  # False: the cap on waiting was hit before the page was still
    unsettled_reason: str | None = None  # what still moved, where `settled` is False
    rubric: Rubric | None = None
    second_rubric: Rubric | None = None  # protocol `reference`: screenshot 0 against checkpoint 1
    rubric_reason: str | None = None  # why there is no rubric, if one was asked for
    seconds: float = 0.0

    @property
    def is_unscored(self) -> bool:
        """Whether the judge or the infrastructure failed: nothing is known about the page."""
        return self.failed_by in (FailedBy.JUDGE, FailedBy.INFRASTRUCTURE)


class PageEvent(Record):
    """What a page wrote to its console, or asked for in vain, during a step of its rollout."""

    step: int
    kind: str  # error | warning | "refused" and the kind of request
    text: str  # the message or the address, cut


class RolloutStatus(StrEnum):
    OK = "ok"  # judged to the end; failures in it are the page's
    FAILED = "failed"  # judge or infrastructure failed: unscored, run again by the next command


class Rollout(Record):
    """One page driven through one task's recorded actions. `steps[0]` is the opened page."""

    model: str
    task: str
    judge: str
    status: RolloutStatus
    reason: str | None = None
    fingerprint: Fingerprint
    steps: tuple[Step, ...]
    refused: dict[str, int] = Field(default_factory=dict)  # requests the sandbox refused, by kind
    events: tuple[PageEvent, ...] = ()
    seconds: float = 0.0
    calls: int = 0  # judge model calls
    browser: str | None = None  # e.g. "Chromium 156.0.8078.73"


class Tally(Record):
    """How often something was so, of the usable answers. `share` is None when there was none."""

    asked: int
    yes: int
    unusable: int
    share: float | None = None
    low: float | None = None  # 95 % interval
    high: float | None = None

    def __str__(self) -> str:
        if self.share is None or self.low is None or self.high is None:
            return f"unknown (no usable answer to {self.asked} questions)"
        interval = f"{self.low:.1%} to {self.high:.1%}"
        usable = self.asked - self.unusable
        lost = f", {self.unusable} without a usable answer" if self.unusable else ""
        return f"{self.share:.1%} ({interval}, {usable} questions{lost})"


class SelfTestMiss(Record):
    """A question of the self-test that was answered wrongly or, where `answer` is None, not."""

    task: str
    kind: str
    step: int
    assertion: str
    expected: bool
    answer: bool | None
    reason: str  # the judge's words
    before: str | None = None  # file names in the folder of the self-test's pictures
    after: str | None = None


class SelfTest(Record):
    """A judge measured on ground truth: see judge/selftest.py."""

    judge: str
    tasks: tuple[str, ...]
    settings: Fingerprint  # of the judge
    sensitivity: Tally  # yes, of what is true
    specificity: Tally  # no, of what is false
    kinds: dict[str, Tally]  # answered rightly, by kind of question
    flips: Tally  # another answer to the same question
    order_flips: Tally  # another answer when the pictures are shown in the other order
    exact: Tally | None = None  # planted defects whose step is the first that is refused
    pages_a_kind: int | None = None  # with a planted defect, at most, of each task
    left_out: dict[str, int] = Field(default_factory=dict)  # no certain answer; by kind
    misses: tuple[SelfTestMiss, ...] = ()
    calls: int
    seconds: float


# ---- metrics and scores -------------------------------------------------------------------------


class Pair(Record):
    """One checkpoint against the screenshot of the same step.

    A metric that could not run is None, with a reason.
    """

    step: int
    reference_sha256: str | None  # None: the file cannot be read
    candidate_sha256: str | None  # None: there is no screenshot
    metrics: dict[str, float | None]
    reasons: dict[str, str] = Field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    note: str | None = None  # sizes that differ: each metric has a policy for it


class ScoreStatus(StrEnum):
    """Whether a task has scores, and why not."""

    OK = "ok"
    MISSING = "missing"  # no page: scored 0 and counted in every mean
    UNSCORED = "unscored"  # judge, browser, server or metric failed: None, shown and counted apart


class TaskScore(Record):
    """The scores of one page on one task; None: could not be computed."""

    model: str
    judge: str
    protocol: str
    task: str
    status: ScoreStatus
    reason: str | None = None
    fingerprint: Fingerprint
    steps: int  # actions in the task
    passed: int | None
    ifs: float | None
    low: float | None
    high: float | None
    vfs: float | None
    final: float | None
    failed_step: int | None = None  # 1-based; None when all steps passed or nothing was judged
    failed_by: FailedBy | None = None
    pairs: tuple[Pair, ...] = ()
    engines: dict[str, str] = Field(default_factory=dict)  # metric -> e.g. "rapidocr 3.10.0"
    classification: Classification = Classification()
