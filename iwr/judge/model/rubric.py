"""How well a screenshot matches its reference, asked of a judge model: five bounded scores, added up here.

Points of the reference evaluator's rubric: layout 10, elements 15, content and text 40, style 15, overall 20. Unlike there, the model is
told which picture is the reference, and no number is read out of prose.
"""

from __future__ import annotations

from pydantic import Field

from iwr.judge.model.asking import PAGE_IS_NO_VOICE, Asker, Part, Reply, image, text
from iwr.records import Rubric

REASON = 400  # characters
POINTS = {"layout": 10, "elements": 15, "content": 40, "style": 15, "overall": 20}

QUESTION = """\
You compare two screenshots of web pages: the REFERENCE is the original page, the CANDIDATE is an attempt to rebuild it. Score the \
CANDIDATE in whole points, full points only where there is no difference that a person would notice:
- layout, 0 to 10: position, size and spacing of the parts
- elements, 0 to 15: the same elements are there (images, buttons, fields, icons), none missing, none added
- content, 0 to 40: the same texts and pictures
- style, 0 to 15: colours, fonts, borders, shadows
- overall, 0 to 20: the impression as a whole
An empty, broken or different page gets 0 where nothing matches. {voice}
Answer with JSON: a short reason, then the five scores."""


class Scores(Reply):
    reason: str = Field(max_length=REASON)
    layout: int = Field(ge=0, le=POINTS["layout"])
    elements: int = Field(ge=0, le=POINTS["elements"])
    content: int = Field(ge=0, le=POINTS["content"])
    style: int = Field(ge=0, le=POINTS["style"])
    overall: int = Field(ge=0, le=POINTS["overall"])

    @property
    def total(self) -> int:
        return self.layout + self.elements + self.content + self.style + self.overall


def question(reference: bytes, candidate: bytes, *, swapped: bool = False) -> list[Part]:
    """Both pictures, each named; `swapped` shows the candidate first."""
    pictures = [
        [text("The REFERENCE:"), image(reference)],
        [text("The CANDIDATE:"), image(candidate)],
    ]
    first, second = reversed(pictures) if swapped else pictures
    return [*first, *second, text(QUESTION.format(voice=PAGE_IS_NO_VOICE))]


async def rate(asker: Asker, step: int, reference: bytes, candidate: bytes) -> Rubric:
    """The model's points for two screenshots (PNG). Raises JudgeError, ServerError.

    With `judge.swap` the pair is shown a second time the other way round; the difference of the totals is how much order matters.
    """
    scores = (await asker.ask(f"step {step}: rubric", question(reference, candidate), Scores)).reply
    swapped = None
    if asker.judge.swap:
        swapped = (
            await asker.ask(
                f"step {step}: rubric, swapped",
                question(reference, candidate, swapped=True),
                Scores,
            )
        ).reply.total
    points = {name: getattr(scores, name) for name in POINTS}
    return Rubric(**points, total=scores.total, swapped_total=swapped, reason=scores.reason)
