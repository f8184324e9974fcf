"""The judge without a model: candidates matched to the sentence, assertions decided from what is visible before and after.

It reads the page, not its pixels: text inside images or on a canvas does not exist for it. Same page, same answer.
"""

from __future__ import annotations

import re
from dataclasses import replace

from iwr.browser.page_state import EDITABLE, Node, Snapshot
from iwr.errors import JudgeError
from iwr.judge.rules.claims import decide
from iwr.judge.rules.effects import Change
from iwr.judge.rules.intents import Typing, keys, scrolling, typing
from iwr.judge.rules.matching import Match, best, matches, scorer
from iwr.judge.rules.phrases import Around, Phrase, phrase
from iwr.records import Action, ActionType, Grounding, Rubric, Verdict

TAKES_VALUE = EDITABLE | {"combobox", "slider"}
OUT_OF_REACH = {
    "heading",
    "paragraph",
    "img",
    "cell",
    "columnheader",
    "row",
    "list",
    "main",
    "region",
    "form",
    "banner",
    "contentinfo",
    "navigation",
}


ITEM_VERBS = {
    "delete",
    "remove",
    "add",
    "close",
    "dismiss",
    "like",
    "play",
    "pause",
    "start",
    "show",
    "hide",
    "increase",
    "decrease",
}
LABELLED = {
    "checkbox",
    "tickbox",
    "radio",
    "toggle",
    "switch",
    "slider",
    "field",
    "input",
    "box",
    "dropdown",
    "select",
}


class RulesJudge:
    """Knows nothing but the page. See iwr.judge.base.Judge."""

    calls = 0
    rates = False

    async def ground(self, step: int, action: Action, page: Snapshot) -> Grounding:
        rule = {
            ActionType.CLICK: ground_click,
            ActionType.TYPE: ground_typing,
            ActionType.SCROLL: ground_scrolling,
            ActionType.PRESS: ground_press,
        }
        return rule[action.type](action, page)

    async def verify(
        self, step: int, assertion: str, before: Snapshot, after: Snapshot, *, swapped: bool = False
    ) -> Verdict:
        passed, why = decide(assertion, Change(before, after))
        return Verdict(passed=passed, reason=why)

    async def rate(self, step: int, reference: bytes, candidate: bytes) -> Rubric:
        raise JudgeError(
            "the judge `rules` has no rubric",
            hint="choose a protocol with high=false, or a judge model",
        )


def grounding(page: Snapshot, found: Node | None, missing: str = "") -> Grounding:
    if found is None:
        return Grounding(found=False, candidates=len(page.candidates), reason=missing)
    return Grounding(
        found=True,
        role=found.role,
        name=page.label(found)[:120] or None,
        locator=found.path,
        point=found.center,
        candidates=len(page.candidates),
    )


def ground_click(action: Action, page: Snapshot) -> Grounding:
    wanted = phrase(action.parameters.description)
    if wanted.empty and wanted.ordinal is None:
        return grounding(page, None, "the description names no element")
    nodes = clickable(page)
    found = None
    if (
        wanted.quoted and wanted.verb in ITEM_VERBS
    ):  # "Delete the task 'Buy milk'": a control that says delete, beside that text
        found = choose(page, replace(labelled(wanted), words=(wanted.verb,), roles=()), nodes)
    found = found or choose(page, wanted, nodes)
    if (
        found is None and wanted.quoted and LABELLED & set(wanted.roles)
    ):  # "Click the checkbox 'Buy milk'": the text only labels the control
        found = choose(page, labelled(wanted), nodes)
    return grounding(
        page, found, f"nothing that can be clicked fits {action.parameters.description!r}"
    )


def clickable(page: Snapshot) -> list[Node]:
    """Candidates, without texts and frames of the page that only a listener on the whole page could make react."""
    return [node for node in page.candidates if node.how != "page" or node.role not in OUT_OF_REACH]


def choose(page: Snapshot, wanted: Phrase, nodes: list[Node]) -> Node | None:
    found: Match | None = best(page, wanted, nodes)
    return found.node if found else None


def labelled(wanted: Phrase) -> Phrase:
    """The same element, its quotes taken for what stands beside it."""
    return replace(
        wanted, quoted=(), around=(*wanted.around, Around(wanted.quoted, (), (), frozenset()))
    )


def ground_typing(action: Action, page: Snapshot) -> Grounding:
    wanted: Typing = typing(action)
    fields = writable(page)
    if not fields:
        return grounding(page, None, "the page has nothing to type into")
    if not wanted.target:
        focused = [node for node in fields if node.focused]
        return grounding(
            page,
            (focused or fields)[0] if focused or len(fields) == 1 else None,
            "the description names no field",
        )
    target = phrase(wanted.target)
    found = choose(page, target, fields) if not target.empty else None
    if found is None and target.quoted:
        found = choose(page, labelled(target), fields)
    if found is None and len(fields) == 1 and not target.quoted and nameless(page, fields[0]):
        found = fields[0]
    return grounding(page, found, f"nothing to type into fits {wanted.target!r}")


def writable(page: Snapshot) -> list[Node]:
    """What text can be typed into, or a value given to."""
    return [
        node
        for node in page.candidates
        if node.role in TAKES_VALUE and node.states.get("disabled") != "true"
    ]


def nameless(page: Snapshot, node: Node) -> bool:
    """Whether nothing tells what the only field is for."""
    return not scorer(page).labels(node)


def ground_scrolling(action: Action, page: Snapshot) -> Grounding:
    wanted = scrolling(action)
    if wanted.target:
        target = phrase(wanted.target)
        found = (
            matches(page, target, [node for node in page.nodes if node.visible and node.index > 2])
            if not target.empty
            else []
        )
        if found:
            headings = [
                match
                for match in found
                if match.node.role == "heading" and match.score > found[0].score - 4
            ]
            return grounding(page, (headings or found)[0].node)
        if target.quoted or not (wanted.dx or wanted.dy):
            return grounding(page, None, f"the page has no {wanted.target!r} to scroll to")
    inner = [
        node
        for node in page.nodes
        if node.in_view and (node.scroll_x or node.scroll_y) and node.index > 1
    ]
    if wanted.inside and inner:
        target = phrase(wanted.inside)
        named = matches(page, target, inner) if not target.empty else []
        return grounding(page, named[0].node if named else max(inner, key=lambda node: node.area))
    return Grounding(found=True, role="page", candidates=len(page.candidates))


def ground_press(action: Action, page: Snapshot) -> Grounding:
    """Keys go to whatever listens; a page on which nothing can take a key is a page on which the action cannot be done."""
    focused = next((node for node in page.nodes if node.focused), None)
    pressed = " ".join(keys(action)).lower()
    scrolls = any(page.reach) or any(node.scroll_x or node.scroll_y for node in page.nodes)
    moves = (
        scrolls and re.search(r"arrow|page|home|end|space|up|down|left|right", pressed) is not None
    )
    focuses = "tab" in pressed and any(node.how == "semantic" for node in page.candidates)
    if not (page.keys or focused or moves or focuses):
        return grounding(page, None, "nothing on the page takes the keyboard")
    role = focused.role if focused else "page"
    return Grounding(
        found=True,
        role=role,
        name=focused.name or None if focused else None,
        candidates=len(page.candidates),
    )
