"""Whether an assertion like "The cart badge changes from 0 to 1" holds between two snapshots of a page.

A sentence is cut into clauses; the first pattern of `CLAIMS` that a clause matches says how to decide it, else `fallback` does.
Each finding says whether the claim holds after, and whether that is new. An assertion passes when every clause holds and
something about it is new: between two equal snapshots nothing ever passes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from iwr.browser.page_state import Node
from iwr.judge.rules.clauses import (
    COMES,
    COUNT,
    GONE,
    OPENS,
    SHOWS,
    STAYS,
    TURNS,
    Clause,
    clauses,
    cut,
)
from iwr.judge.rules.clauses import masked as blank
from iwr.judge.rules.effects import Change, Finding
from iwr.judge.rules.language import STOP, normal, related, stem, stems, words
from iwr.judge.rules.looks import COLOUR, coloured, differs, has_state, theme
from iwr.judge.rules.order import moved, nth_is, scrolled, sorted_by
from iwr.judge.rules.phrases import Phrase, phrase
from iwr.judge.rules.states import STATES
from iwr.judge.rules.values import count, delta, from_to, shows

Rule = Callable[[Change, Clause], Finding | None]


def decide(assertion: str, change: Change) -> tuple[bool, str]:
    """Whether `assertion` came true between `change.before` and `change.after`, and why."""
    if not change.anything:
        return False, "nothing on the page changed"
    findings, subject = [], ""
    for text in clauses(assertion):
        clause = cut(text, subject)
        findings.append(judge_clause(clause, change))
        subject = clause.subject or subject
    wrong = next((finding for finding in findings if not finding.holds), None)
    if wrong or not findings:
        return False, wrong.why if wrong else "the assertion says nothing"
    if not any(finding.new for finding in findings):
        return False, f"nothing new: {findings[0].why}"
    return True, "; ".join(finding.why for finding in findings)


def judge_clause(clause: Clause, change: Change) -> Finding:
    plain = blank(clause.text).lower()
    for pattern, *rules in CLAIMS:
        if pattern.search(plain):
            for rule in rules:
                finding: Finding | None = rule(change, clause)
                if finding is not None:
                    return finding
    return fallback(change, clause)


# ---- appearing and disappearing ------------------------------------------------------------------------


def comes(change: Change, clause: Clause) -> Finding | None:
    """Something can be seen that could not be seen before."""
    there = re.match(r"\s*there\b", clause.text, re.I)
    subject = phrase(clause.rest if there else clause.subject)
    rest = phrase("the thing" + clause.rest) if clause.rest.strip() and not there else Phrase()
    around = (*subject.around, *rest.around)
    texts = subject.quoted or rest.quoted
    if not texts:
        return count(change, clause) or revealed(change, subject)
    missing = next((text for text in texts if not change.places(change.after, text, around)), None)
    if missing is not None:
        return Finding(False, False, f"{missing!r} cannot be read")
    new = all(change.appeared(text, around) for text in texts)
    if not new and re.search(r"\bonly\b", clause.text, re.I):
        new = bool(change.lost_lines)
    return Finding(new, new, f"{texts[0]!r} {'came into view' if new else 'could be read before'}")


def revealed(change: Change, subject: Phrase) -> Finding | None:
    """An unquoted thing: new content that its words fit, else any new content; a name must be read in it."""
    wanted = [*subject.words, *subject.roles]

    def fits(node: Node) -> bool:
        said = (
            stems(node.hints)
            | stems(node.name)
            | stems(change.after.text(node)[:200])
            | {stem(node.role)}
        )
        return any(related(word) & said for word in wanted)

    fitting = next((node for node in change.uncovered if fits(node)), None)
    if fitting is not None:
        return Finding(
            True, True, f"{' '.join(wanted)}: {change.after.text(fitting)[:60]!r} came into view"
        )
    if subject.proper or not (change.new_lines or change.uncovered):
        return None
    return Finding(
        True,
        True,
        f"new content {change.new_lines[0].text[:60]!r}"
        if change.new_lines
        else "new content came into view",
    )


def nothing_came(change: Change, clause: Clause) -> Finding:
    return Finding(False, False, f"{clause.subject.strip() or clause.text} did not come into view")


def goes(change: Change, clause: Clause) -> Finding:
    """Something could be seen before and cannot be seen now."""
    subject, rest = (
        phrase(clause.subject),
        phrase("the thing" + clause.rest) if clause.rest.strip() else Phrase(),
    )
    if subject.quoted:
        gone = all(
            change.vanished(text, (*subject.around, *rest.around)) for text in subject.quoted
        )
        return Finding(
            gone, gone, f"{subject.quoted[0]!r} {'disappeared' if gone else 'is still there'}"
        )
    if re.search(r"clear|empt", clause.verb + clause.rest):
        return emptied(change, subject)
    wanted = [*subject.words, *subject.roles]

    def fits(node: Node) -> bool:
        said = (
            stems(node.hints)
            | stems(node.name)
            | stems(change.before.text(node)[:200])
            | {stem(node.role)}
        )
        return any(related(word) & said for word in wanted)

    seen_after = {node.uid for node in change.after.nodes if node.in_view}
    known = [node for node in change.subjects(change.before, subject) if node.in_view]
    if any(fits(node) for node in change.hidden) or any(
        node.uid not in seen_after for node in known
    ):
        return Finding(True, True, f"{' '.join(wanted)} went out of view")
    lost = bool(change.lost_lines) and not known and not subject.proper
    return Finding(
        lost,
        lost,
        f"text {change.lost_lines[0].text[:60]!r} went"
        if lost
        else f"{' '.join(wanted) or 'nothing'} did not disappear",
    )


def emptied(change: Change, subject: Phrase) -> Finding:
    """ "The search field is cleared", "the cart is empty"."""
    fields = [
        (old, new)
        for old, new in change.pairs(subject)
        if old.value is not None and new.value is not None
    ]
    if fields:
        old, new = fields[0]
        return Finding(
            not new.value, bool(old.value) and not new.value, f"the field holds {new.value!r}"
        )
    said = next(
        (
            line
            for line in change.new_lines
            if re.search(r"\b(?:empty|no|nothing|cleared|0)\b", normal(line.text))
        ),
        None,
    )
    if said:
        return Finding(True, True, f"new text {said.text[:60]!r}")
    bare = [
        new
        for old, new in change.pairs(subject)
        if len(change.before.lines_in(old)) > len(change.after.lines_in(new)) <= 1
    ]
    return Finding(bool(bare), bool(bare), "it lost its content" if bare else "it is not empty")


def stays(change: Change, clause: Clause) -> Finding:
    """ "… remains visible": it holds now. Something else on the page must have changed."""
    if clause.quotes:
        there = all(change.places(change.after, text) for text in clause.quotes)
        return Finding(there, True, f"{clause.quotes[0]!r} {'is' if there else 'is not'} there")
    there = any(node.in_view for node in change.subjects(change.after, phrase(clause.subject)))
    return Finding(there, True, f"{clause.subject.strip()} {'is' if there else 'is not'} in view")


def only_count(change: Change, clause: Clause) -> Finding | None:
    return count(change, clause) if re.search(r"\bonly\b", clause.text, re.I) else None


def opens(change: Change, clause: Clause) -> Finding | None:
    """ "The section 'Shipping' expands": its state tells; else its content comes into view."""
    subject = phrase(clause.subject)
    known = subject.quoted and all(change.places(change.before, text) for text in subject.quoted)
    return has_state(change, clause) if known or not subject.quoted else None


def fallback(change: Change, clause: Clause) -> Finding:
    """An unknown form: its quotes must be readable and one of them new; without quotes its words must be new, or its subject changed."""
    if clause.quotes:
        there = all(change.places(change.after, text) for text in clause.quotes)
        new = any(change.appeared(text) for text in clause.quotes)
        return Finding(
            there and new,
            new,
            f"{clause.quotes[0]!r} {'is new' if new else 'is not new' if there else 'cannot be read'}",
        )
    wanted = [word for word in words(clause.text) if word not in STOP]
    said = next(
        (
            line
            for line in change.new_lines
            if 3 * sum(bool(related(word) & stems(line.text)) for word in wanted)
            >= max(1, len(wanted))
        ),
        None,
    )
    return Finding(True, True, f"new text {said.text[:60]!r}") if said else differs(change, clause)


STATE = "|".join(f"(?:{pattern})" for pattern, _ in STATES)
CLAIMS: list[tuple[Any, ...]] = [
    (re.compile(rf"\b(?:{STAYS})\b"), only_count, stays),
    (
        re.compile(
            r"\bsort(?:ed|s)?\b|\bin (?:ascending|descending|alphabetical|reverse) order\b|\breordered\b"
        ),
        sorted_by,
    ),
    (
        re.compile(
            r"\b(?:increas|decreas|increment|decrement)\w*|\b(?:rises|grows|goes up|goes down)\b"
        ),
        delta,
    ),
    (re.compile(r"\bfrom\b.+\bto\b"), from_to),
    (re.compile(r"\b(?:dark|light|night) (?:mode|theme)\b"), theme),
    (re.compile(rf"\b(?:no longer|not) (?:{STATE})"), has_state),
    (re.compile(rf"\b(?:{GONE})(?=\W|$)"), goes),
    (re.compile(r"\bscroll(?:s|ed)?\b(?! into view)"), scrolled),
    (COLOUR, coloured, has_state),
    (
        re.compile(
            r"\b(?:first|second|third|fourth|fifth|last|\d+(?:st|nd|rd|th))\b.*\b(?:is|becomes|shows|reads|contains)\b"
        ),
        nth_is,
    ),
    (re.compile(rf"\b(?:{OPENS})(?=\W|$)"), opens),
    (re.compile(rf"\b(?:{COMES})(?=\W|$)|^\s*there (?:is|are)\b"), comes, has_state, nothing_came),
    (
        re.compile(
            rf"\b(?:is|are|gets?|becomes?|turns?|turned|now|as|looks?|marked|has been|have been)\b.*(?:{STATE})"
        ),
        has_state,
    ),
    (re.compile(r"\b(?:moves?|moved|slides?|jumps?)\b"), moved),
    (re.compile(rf"\b(?:{COUNT}) [a-z]+.*\b(?:are|remain|left|match)\b"), count, shows),
    (re.compile(rf"\b(?:{SHOWS}) (?:only |exactly |now )*(?:{COUNT}) [a-z]"), count, shows),
    (re.compile(rf"\b(?:{SHOWS})\b"), shows),
    (
        re.compile(
            rf"\b(?:{TURNS}|navigates|is|are)(?: now| set| back)*(?: into| to)? ['\d$€£a-z]"
        ),
        shows,
    ),
    (re.compile(rf"\b(?:{TURNS})(?=\W|$)"), differs),
]
"""(pattern, rules …): the patterns see a clause in lower case with its quotes blanked; a rule that cannot tell answers None."""
