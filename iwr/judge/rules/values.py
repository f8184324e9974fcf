"""Claims about what can be read at some place: values, numbers that grow, how many of something there are."""

from __future__ import annotations

import re

from iwr.browser.page_state import Node, Snapshot
from iwr.judge.rules.clauses import COUNT, Clause, masked, quoted, value
from iwr.judge.rules.effects import Change, Finding
from iwr.judge.rules.language import NUMBER, SCRIPT, holds, number_of, related, stem, stems, words
from iwr.judge.rules.matching import scorer, signature
from iwr.judge.rules.phrases import Phrase, phrase

FROM_TO = re.compile(r"\bfrom (.+?) (?:in)?to (.+)$", re.I)


def from_to(change: Change, clause: Clause) -> Finding | None:
    """ "changes from 0 to 1": one place read the first and now reads the second."""
    match = FROM_TO.search(clause.rest)
    first, second = (value(match[1]), value(match[2])) if match else (None, None)
    if first is None or second is None:
        return None
    subject = phrase(clause.subject)
    for old, new in change.pairs(subject):
        if holds(readable(change.before, old, subject), first) and holds(
            readable(change.after, new, subject), second
        ):
            return Finding(True, True, f"{first} became {second}")
    if known(change, subject):
        return Finding(
            False, False, f"{clause.subject.strip()} did not go from {first} to {second}"
        )
    came = bool(change.appeared(second)) and change.vanished(first)
    return Finding(came, came, f"{first!r} {'became' if came else 'did not become'} {second!r}")


def shows(change: Change, clause: Clause) -> Finding | None:
    """ "The counter shows 3", "the heading changes to Checkout", "the total is $24"."""
    texts = quoted(clause.rest) or [text for text in [value(clause.rest)] if text]
    if not texts:
        return None
    findings = [
        reads(change, phrase(clause.subject), text, bool(quoted(clause.rest))) for text in texts
    ]
    wrong = next((finding for finding in findings if not finding.holds), None)
    return wrong or Finding(True, any(finding.new for finding in findings), findings[0].why)


def reads(change: Change, subject: Phrase, text: str, exact: bool) -> Finding:
    """Whether the subject reads `text` now; a short text must stand at the subject, where the page has one."""
    there = change.subjects(change.after, subject)
    for node in there:
        old = change.old(node)
        if holds(readable(change.after, node, subject), text):
            before = (
                holds(readable(change.before, old, subject), text)
                if old
                else bool(change.places(change.before, text))
            )
            return Finding(True, not before, f"{text!r} can be read there")
    came = bool(change.appeared(text))
    if there and len(text) <= 4 and known(change, subject):
        return Finding(False, False, f"it reads {readable(change.after, there[0], subject)[:60]!r}")
    if not came and (sign := becomes(change, subject, text)):
        return Finding(True, True, sign)
    if (
        not came
        and not exact
        and not re.search(r"\d|[A-Z]", text)
        and any(change.altered(old, new) for old, new in change.pairs(subject))
    ):
        return Finding(True, True, "it changed")
    if (
        not came
        and not exact
        and not there
        and not re.search(r"\d|[A-Z]", text)
        and change.new_lines
    ):
        return Finding(True, True, f"new text {change.new_lines[0].text[:60]!r}")
    still = bool(change.places(change.after, text)) and not there
    return Finding(
        came or still,
        came,
        f"{text!r} {'appeared' if came else 'is there as before' if still else 'cannot be read there'}",
    )


def becomes(change: Change, subject: Phrase, text: str) -> str | None:
    """Signs count as words: a play button that shows ⏸, or is now labelled so, became a pause button."""
    wanted = {stem(word) for word in words(text)} - {stem(role) for role in subject.roles}
    for old, new in change.pairs(subject):
        if (
            wanted
            and wanted <= scorer(change.after).words(new)
            and not wanted <= scorer(change.before).words(old)
        ):
            return f"it is {text!r} now"
    return None


def readable(page: Snapshot, node: Node, subject: Phrase) -> str:
    """What can be read at an element; of a mere label also what stands beside it."""
    own = page.text(node, seen=True)
    parent = page.nodes[node.parent] if node.parent >= 0 else node
    named = stems(" ".join((*subject.words, *subject.roles, *subject.quoted)))
    if stems(own) <= named and len(page.lines_in(parent, seen=True)) <= 3:
        return page.text(parent, seen=True)
    return own


def known(change: Change, subject: Phrase) -> bool:
    """Whether the page has something that all words of the subject fit."""
    judge = scorer(change.after)
    exact = (
        subject.quoted or judge.share(node, subject.words) >= 0.99
        for node in change.subjects(change.after, subject)
    )
    return bool(subject.quoted or subject.words) and any(exact)


def delta(change: Change, clause: Clause) -> Finding | None:
    """ "The like count increases (by 1)"."""
    target = re.search(r"\bto (?=['\d$€£])(.+)$", clause.rest)
    if target:
        return from_to(change, clause) or shows(change, clause._replace(rest=target[1]))
    up = (
        re.search(r"increas|increment|rise|goes up|grow|higher|\bup\b", clause.text, re.I)
        is not None
    )
    by = re.search(r"\bby (\S+)", clause.rest)
    step = number_of(by[1]) if by else None
    subject = phrase(clause.subject)
    texts = [
        (readable(change.before, old, subject), readable(change.after, new, subject))
        for old, new in change.pairs(subject)
    ]
    if not texts:
        texts = [
            (old.text, new.text)
            for old, new in zip(change.lost_lines, change.new_lines, strict=False)
        ]
    moved = [
        (a, b)
        for old, new in texts
        for a, b in zip(figures(old), figures(new), strict=False)
        if a != b
    ]
    right = [
        (a, b)
        for a, b in moved
        if (b > a) == up and (step is None or abs(abs(b - a) - step) < 1e-9)
    ]
    if right:
        return Finding(True, True, f"{right[0][0]:g} became {right[0][1]:g}")
    if step is None and not moved:  # a bar, a chart: its parts may grow without a number
        grown = [
            (a.box, b.box)
            for old, new in change.pairs(subject)
            for a, b in zip(change.before.subtree(old), change.after.subtree(new), strict=False)
        ]
        larger = any(
            (b[2] > a[2] + 1 or b[3] > a[3] + 1) if up else (b[2] < a[2] - 1 or b[3] < a[3] - 1)
            for a, b in grown
        )
        return Finding(larger, larger, f"it {'changed' if larger else 'did not change'} its size")
    return Finding(False, False, "no such number changed that way")


def figures(text: str) -> list[float]:
    return [float(match.replace(",", "")) for match in NUMBER.findall(text.translate(SCRIPT))]


def count(change: Change, clause: Clause) -> Finding | None:
    """ "3 results are shown", "only two cards remain": a text that says so, else a row of so many like elements."""
    match = re.search(
        rf"\b({COUNT})\s+(?:[a-z-]+\s)*?([a-z-]+s|people|children|item|card|result|product|entry|row)\b",
        masked(clause.text).lower(),
    )
    if not match:
        return None
    number, noun = int(number_of(match[1]) or 0), match[2]
    said = [
        line
        for line in change.new_lines
        if holds(line.text, str(number)) and related(noun) & stems(line.text)
    ]
    if said:
        return Finding(True, True, f"new text {said[0].text[:60]!r}")
    before, after = rows(change.before, noun), rows(change.after, noun)
    now = number in after.values() or (number == 0 and not after)
    new = any(size == number and before.get(key) != number for key, size in after.items()) or any(
        size > number and after.get(key, 0) == number for key, size in before.items()
    )
    return Finding(now or new, new, f"{number} {noun} {'are' if now or new else 'are not'} there")


def rows(page: Snapshot, noun: str) -> dict[tuple[object, ...], int]:
    """Sizes of the groups of like siblings that can be seen: those called `noun`, if any are."""
    groups: dict[tuple[object, ...], list[Node]] = {}
    for node in page.nodes:
        if (
            node.visible
            and node.parent >= 0
            and node.area > 16
            and (page.text(node) or node.area > 100)
        ):
            groups.setdefault((page.nodes[node.parent].uid, *signature(node)), []).append(node)
    called = {
        key: members
        for key, members in groups.items()
        if related(noun)
        & (
            stems(members[0].hints)
            | stems(page.nodes[members[0].parent].hints)
            | {stem(members[0].role)}
        )
    }
    return {key: len(members) for key, members in (called or groups).items()}
