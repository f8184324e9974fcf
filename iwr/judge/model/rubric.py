"""How well a screenshot matches its reference, asked of a judge model: five scores, added up here.

Points of the reference evaluator's rubric: layout 10, elements 15, content and text 40, style 15,
overall 20. Unlike there, the model is told which picture is the reference, and no number is read
out of prose.
"""

from __future__ import annotations

from pydantic import Field

from iwr.judge.model.asking import PAGE_IS_EVIDENCE, Asker, Part, StructuredReply, image, text
from iwr.records import Rubric

REASON = 400  # characters
POINTS = {"layout": 10, "elements": 15, "content": 40, "style": 15, "overall": 20}

QUESTION = """\
You compare two screenshots of web pages: the REFERENCE is the original page, the CANDIDATE is an \
attempt to rebuild it. Score the CANDIDATE in whole points, full points only where there is no \
difference that a person would notice:
- layout, 0 to 10: position, size and spacing of the parts
- elements, 0 to 15: the same elements are there (images, buttons, fields, icons), none missing, \
none added
- content, 0 to 40: the same texts and pictures
- style, 0 to 15: colours, fonts, borders, shadows
- overall, 0 to 20: the impression as a whole
An empty, broken or different page gets 0 where nothing matches. {voice}
Answer with JSON: a short reason, then the five scores."""


class Scores(StructuredReply):
    """The judge's points for one pair of screenshots."""

    reason: str = Field(max_length=REASON)
    layout: int = Field(ge=0, le=POINTS["layout"])
    elements: int = Field(ge=0, le=POINTS["elements"])
    content: int = Field(ge=0, le=POINTS["content"])
    style: int = Field(ge=0, le=POINTS["style"])
    overall: int = Field(ge=0, le=POINTS["overall"])

    @property
    def total(self) -> int:
        """Points of 100, added up here: a model that adds may be wrong."""
        return self.layout + self.elements + self.content + self.style + self.overall


async def rate(
    asker: Asker,
    step: int,
    reference: bytes,
    candidate: bytes,
) -> Rubric:
    """Return the model's points for two screenshots (PNG). Raises JudgeError, ServerError.

    With `judge.swap` the pair is shown a second time the other way round; the difference of the
    totals is how much order matters.
    """
    scores = await _scores(asker, f"step {step}: rubric", question(reference, candidate))
    swapped_total = None
    if asker.judge.swap:
        parts = question(reference, candidate, swapped=True)
        swapped_scores = await _scores(asker, f"step {step}: rubric, swapped", parts)
        swapped_total = swapped_scores.total
    return Rubric(
        layout=scores.layout,
        elements=scores.elements,
        content=scores.content,
        style=scores.style,
        overall=scores.overall,
        total=scores.total,
        swapped_total=swapped_total,
        reason=scores.reason,
    )


async def _scores(
    asker: Asker,
    name: str,
    parts: list[Part],
) -> Scores:
    """Ask for the points of one pair of pictures. `name` names the question in logs and errors."""
    answer = await asker.ask(name, parts, Scores)
    return answer.reply


def question(
    reference: bytes,
    candidate: bytes,
    *,
    swapped: bool = False,
) -> list[Part]:
    """Return both pictures, each named, and the question. `swapped` shows the candidate first."""
    first = [text("The REFERENCE:"), image(reference)]
    second = [text("The CANDIDATE:"), image(candidate)]
    words = QUESTION.format(voice=PAGE_IS_EVIDENCE)
    if swapped:
        first, second = second, first
    return [*first, *second, text(words)]
