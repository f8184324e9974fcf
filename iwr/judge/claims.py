"""Whether an assertion like "The cart badge changes from 0 to 1" holds between two snapshots of a page.

A sentence is cut into clauses; the first pattern of `CLAIMS` that a clause matches says how to decide it, else `fallback` does.
Each decision says whether the claim holds after, and whether that is new. An assertion passes when every clause holds, every
clause that tells of an event is new, and something is new at all: between two equal snapshots nothing ever passes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from iwr.judge import colours
from iwr.judge.candidates import Line, Node, Snapshot
from iwr.judge.effects import Change
from iwr.judge.language import COLOURS, NUMBER, NUMBER_WORDS, QUOTED, SCRIPT, STOP, holds, normal, number_of, ordinal, related, stems, words
from iwr.judge.matching import reading_order, signature
from iwr.judge.phrases import Phrase, phrase
from iwr.judge.states import State, state_of


class Finding(NamedTuple):
    holds: bool
    new: bool
    why: str


class Clause(NamedTuple):
    """One clause, cut at its verb; quotes stay in place as written."""

    text: str
    subject: str
    verb: str
    rest: str


Decide = Callable[[Change, Clause], Finding]


def decide(assertion: str, change: Change) -> tuple[bool, str]:
    """Whether `assertion` came true between `change.before` and `change.after`, and why."""
    if not change.anything:
        return False, "nothing on the page changed"
    findings, context = [], ""
    for text in clauses(assertion):
        finding = judge_clause(text, context, change)
        context = context or cut(text).subject
        findings.append(finding)
    wrong = next((finding for finding in findings if not finding.holds), None)
    if wrong:
        return False, wrong.why
    if not any(finding.new for finding in findings):
        return False, f"nothing new: {findings[0].why}"
    return True, "; ".join(finding.why for finding in findings)


def clauses(sentence: str) -> list[str]:
    """Cut at "and", ";" and ", while" where a new verb follows."""
    spans = [match.span() for match in QUOTED.finditer(sentence)]
    parts, start = [], 0
    for match in re.finditer(r"(?:[,;.]\s+|\s+)(?:and|while|but|then|with|so)\s+|;\s*|\.\s+(?=[A-Z])", sentence):
        outside = all(not a <= match.start() < b for a, b in spans)
        strong = (
            "with" not in match[0]
            or re.search(r"\bwith the (?:text|message|title|label)\b", sentence[match.start() : match.end() + 20]) is None
        )
        if outside and strong and VERB.search(masked(sentence[start : match.start()])) and VERB.search(masked(sentence[match.end() :])):
            parts.append(sentence[start : match.start()])
            start = match.end()
    parts.append(sentence[start:])
    return [part.strip(" .,;") for part in parts if part.strip(" .,;")]


def masked(text: str) -> str:
    """The text with quoted characters blanked, so that no word inside quotes is taken for a verb. Same length."""
    return QUOTED.sub(lambda match: "'" + "_" * (len(match[0]) - 2) + "'", text).translate(SCRIPT) if QUOTED.search(text) else text


def judge_clause(text: str, context: str, change: Change) -> Finding:
    clause = cut(text)
    if not clause.subject.strip() or re.fullmatch(r"(?:it|they|this|its?)\b.*", clause.subject.strip(), re.I):
        clause = clause._replace(subject=context or clause.subject)
    plain = masked(text).lower()
    for pattern, rule in CLAIMS:
        if pattern.search(plain):
            finding = rule(change, clause)
            if finding is not None:
                return finding
    return fallback(change, clause)


# ---- verbs ---------------------------------------------------------------------------------------------

GONE = (
    r"disappears?|disappeared|vanish(?:es|ed)?|(?:is|are|gets?|was) (?:now )?(?:hidden|removed|deleted|dismissed|cleared|closed|gone|collapsed|emptied)|hides|clos(?:es|ed)|collapses|goes away|"
    r"(?:is|are) no longer|no longer|(?:is|are) not (?:visible|shown|displayed|present)|fades? (?:out|away)|(?:is|are) empty|becomes? empty|clears|is replaced"
)
COMES = (
    r"re-?appears?|appears?|appeared|becomes? visible|(?:is|are) (?:now )?(?:visible|in view|open|present|back)|comes? into view|scrolls into view|pops? up|shows? up|"
    r"(?:is|are|gets?|was|were) (?:now )?(?:shown|displayed|added|listed|presented|rendered|loaded|revealed|inserted|opened|created|posted|expanded)|slides? (?:in|out|down)|loads|opens?(?: up)?|drops? down|expands?"
)
TURNS = r"(?:is |are )?(?:changes?|changed|switch(?:es|ed)?|updates?|updated|turns?|becomes?|goes|resets?|incremented|decremented)\b(?: (?:to|into|back to|from))?|increases?|decreases?|increments?|decrements?|drops|rises|grows"
SHOWS = r"(?:now )?(?:shows?|displays?|reads?|says?|contains?|has|have|holds|lists|includes?|indicates?|equals?)"
STAYS = r"remains?|stays?|is still|are still|keeps?|continues?|still"
IS = r"(?:is|are) (?:now )?(?:set to|filled with|filled in with|selected as|equal to)?|there (?:is|are)|moves?|moved|merges?|slides?|scrolls?|jumps?|sorts?|reorders?|plays?|starts?|stops?|pauses?|rotates?|gets?"
VERB = re.compile(rf"\b(?:{GONE}|{COMES}|{STAYS}|{TURNS}|{SHOWS}|{IS})(?=\W|$)", re.I)


def cut(text: str) -> Clause:
    plain = masked(text)
    match = VERB.search(plain)
    if not match:
        return Clause(text, text, "", "")
    return Clause(text, text[: match.start()], match[0].lower().strip(), text[match.end() :])


# ---- appearing and disappearing ------------------------------------------------------------------------


def comes(change: Change, clause: Clause) -> Finding:
    """Something can be seen that could not be seen before."""
    subject, rest = phrase(clause.subject), phrase("the thing" + clause.rest) if clause.rest.strip() else Phrase()
    around = (*subject.around, *rest.around)
    if re.match(r"\s*there", clause.text, re.I):
        subject = phrase(clause.rest)
    texts = subject.quoted or (rest.quoted if not subject.quoted else ())
    if texts:
        missing = next((text for text in texts if not change.places(change.after, text, around)), None)
        if missing is not None:
            return Finding(False, False, f"{missing!r} cannot be read")
        new = all(change.appeared(text, around) for text in texts)
        return Finding(new, new, f"{texts[0]!r} {'came into view' if new else 'could be read before'}")
    counted = count(change, clause)
    return counted or revealed(change, subject, clause)


def revealed(change: Change, subject: Phrase, clause: Clause) -> Finding:
    """An unquoted thing: new content that its words fit, else any new content of weight."""
    wanted = [*subject.words, *subject.roles]
    fitting = [
        node
        for node in change.uncovered
        if any(related(word) & (stems(node.hints) | stems(node.name) | stems(change.after.text(node)[:200])) for word in wanted)
    ]
    if fitting:
        return Finding(True, True, f"{' '.join(wanted)}: {change.after.text(fitting[0])[:60]!r} came into view")
    if change.new_lines and (
        not subject.proper or any(all(related(w) & stems(line.text) for w in subject.words) for line in change.new_lines)
    ):
        return Finding(True, True, f"new text {change.new_lines[0].text[:60]!r}")
    if change.uncovered and not subject.proper:
        return Finding(True, True, "new content came into view")
    state = state_claim(change, clause)
    return state or Finding(False, False, f"no {' '.join(wanted) or 'new content'} came into view")


def goes(change: Change, clause: Clause) -> Finding:
    """Something could be seen before and cannot be seen now."""
    subject, rest = phrase(clause.subject), phrase("the thing" + clause.rest) if clause.rest.strip() else Phrase()
    around = (*subject.around, *rest.around)
    if subject.quoted:
        gone = all(change.vanished(text, around) for text in subject.quoted)
        return Finding(gone, gone, f"{subject.quoted[0]!r} {'disappeared' if gone else 'is still there'}")
    fields = [(old, new) for old, new in pairs(change, subject) if old.value is not None and new.value is not None]
    if fields and re.search(r"clear|empt", clause.verb):
        empty, filled = all(not new.value for _, new in fields[:1]), any(old.value for old, _ in fields[:1])
        return Finding(empty, empty and filled, f"the field holds {fields[0][1].value!r}")
    if re.search(r"empt|clear", clause.verb + clause.rest) and (
        words_new := [line for line in change.new_lines if re.search(r"empty|no |nothing|clear", normal(line.text))]
    ):
        return Finding(True, True, f"new text {words_new[0].text[:60]!r}")
    wanted = [*subject.words, *subject.roles]
    fitting = [
        node
        for node in change.hidden
        if any(related(w) & (stems(node.hints) | stems(node.name) | {node.role} | stems(change.before.text(node)[:200])) for w in wanted)
    ]
    known = [node for node in change.subjects(change.before, subject) if node.in_view]
    if fitting or any(change.after.by_uid.get(node.uid) is None or not change.after.by_uid[node.uid].in_view for node in known):
        return Finding(True, True, f"{' '.join(wanted)} went out of view")
    state = state_claim(change, clause)
    if state is not None and state.holds:
        return state
    lost = bool(change.lost_lines) and not known and not subject.proper
    return Finding(
        lost, lost, f"text {change.lost_lines[0].text[:60]!r} went" if lost else f"{' '.join(wanted) or 'nothing'} did not disappear"
    )


# ---- values --------------------------------------------------------------------------------------------

FROM_TO = re.compile(r"\bfrom (.+?) (?:in)?to (.+)$", re.I)


def from_to(change: Change, clause: Clause) -> Finding | None:
    """ "changes from 0 to 1": one place read the first and now reads the second."""
    match = FROM_TO.search(clause.rest if FROM_TO.search(clause.rest) else clause.verb + clause.rest)
    if not match:
        return None
    first, second = value(match[1]), value(match[2])
    if first is None or second is None:
        return None
    for old, new in pairs(change, phrase(clause.subject)):
        if holds(readable(change.before, old), first) and holds(readable(change.after, new), second):
            return Finding(True, True, f"{first} became {second}")
    if strong(change, clause.subject):
        return Finding(False, False, f"no {clause.subject.strip()} went from {first} to {second}")
    came, went = bool(change.appeared(second)), change.vanished(first)
    return Finding(came and went, came, f"{second!r} {'appeared' if came else 'did not appear'}")


def value(text: str) -> str | None:
    """What a complement names: its quote, else its number, else its words as they stand."""
    quoted = QUOTED.search(text)
    if quoted:
        return next(group for group in quoted.groups() if group is not None)
    plain = re.sub(r"^\s*(?:now |the |a |an |text |value |number |of |only |exactly )+|[.,;\s]+$", "", text.strip(), flags=re.I)
    plain = re.sub(r"\s+(?:in|on|at|after|when|for|inside|below|above|under|next to)\s.*$", "", plain)
    number = re.match(r"[$€£¥]?\s?-?\d[\d,.]*\s?(?:%|/\s?\d+|:\d+)?[KkMm]?", plain)
    if number:
        return number[0].strip(" .,")
    spelled = words(plain)
    if spelled and spelled[0] in NUMBER_WORDS:
        return str(NUMBER_WORDS.index(spelled[0]))
    return plain or None


def shows(change: Change, clause: Clause) -> Finding | None:
    """ "The counter shows 3", "the heading changes to Checkout", "the total is $24"."""
    wanted = value(clause.rest)
    if wanted is None:
        return None
    subject = phrase(clause.subject)
    texts = [next(g for g in match.groups() if g is not None) for match in QUOTED.finditer(clause.rest)] or [wanted]
    findings = [reads(change, subject, clause.subject, text) for text in texts]
    return Finding(
        all(f.holds for f in findings),
        any(f.new for f in findings),
        findings[0].why if all(f.holds for f in findings) else next(f.why for f in findings if not f.holds),
    )


def reads(change: Change, subject: Phrase, name: str, text: str) -> Finding:
    """Whether the subject now reads `text`; a short text must stand at the subject, where there is one."""
    there = change.subjects(change.after, subject)
    for node in there:
        if holds(readable(change.after, node), text):
            old = change.old(node)
            before = holds(readable(change.before, old), text) if old else bool(change.places(change.before, text))
            return Finding(True, not before, f"{text!r} can be read at {name.strip()}")
    came = change.appeared(text)
    if there and len(text) <= 4 and strong(change, name):
        return Finding(False, False, f"{name.strip()} reads {readable(change.after, there[0])[:60]!r}")
    known = bool(change.places(change.after, text))
    return Finding(
        bool(came) or (known and not there),
        bool(came),
        f"{text!r} {'appeared' if came else 'can be read as before' if known else 'cannot be read'}",
    )


def readable(page: Snapshot, node: Node) -> str:
    """What can be read at an element, or right beside it when it is only a label or a sign."""
    own = page.text(node, seen=True)
    parent = page.nodes[node.parent] if node.parent >= 0 else node
    if len(page.lines_in(parent, seen=True)) <= 4 and parent.area < 0.2 * page.width * page.height:
        return own + " " + page.text(parent, seen=True)
    return own


def strong(change: Change, name: str) -> bool:
    """Whether the page has an element that all words of the name fit."""
    subject = phrase(name)
    wanted = [*subject.words, *subject.quoted]
    if not wanted:
        return False
    from iwr.judge.matching import scorer

    judge = scorer(change.after)
    return any(subject.quoted or judge.share(node, subject.words) >= 0.99 for node in change.subjects(change.after, subject))


def pairs(change: Change, subject: Phrase) -> list[tuple[Node, Node]]:
    """The subject before and after, in every reading of it."""
    found: list[tuple[Node | None, Node | None]] = [(change.old(node), node) for node in change.subjects(change.after, subject)]
    found += [(node, change.new(node)) for node in change.subjects(change.before, subject)]
    return [(old, new) for old, new in found if old is not None and new is not None]


def delta(change: Change, clause: Clause) -> Finding | None:
    """ "The like count increases (by 1)"."""
    up = re.search(r"increas|increment|rise|goes up|grows|higher|\bup\b", clause.text, re.I) is not None
    match = re.search(r"\bby (\S+)", clause.rest)
    step = number_of(match[1]) if match else None
    if re.search(r"\bto\b", clause.rest):
        return shows(change, clause._replace(rest=clause.rest.split("to", 1)[1]))
    moved = [
        (a, b)
        for old, new in pairs(change, phrase(clause.subject))
        for a, b in zip(figures(readable(change.before, old)), figures(readable(change.after, new)), strict=False)
        if a != b
    ]
    if not moved and not strong(change, clause.subject):
        moved = [
            (a, b)
            for old, new in zip(change.lost_lines, change.new_lines, strict=False)
            for a, b in zip(figures(old.text), figures(new.text), strict=False)
            if a != b
        ]
    right = [(a, b) for a, b in moved if (b > a) == up and (step is None or abs(abs(b - a) - step) < 1e-9)]
    return Finding(bool(right), bool(right), f"{right[0][0]:g} became {right[0][1]:g}" if right else "no such number changed that way")


def figures(text: str) -> list[float]:
    return [float(match.replace(",", "")) for match in NUMBER.findall(text.translate(SCRIPT))]


def count(change: Change, clause: Clause) -> Finding | None:
    """ "3 results are shown", "only two cards remain": a text that says so, else a row of so many like elements."""
    match = re.search(
        rf"\b(\d+|{'|'.join(NUMBER_WORDS)})\s+((?:[a-z-]+\s)*?[a-z-]+s|people|children|entries)\b", masked(clause.text).lower()
    )
    if not match:
        return None
    number = int(number_of(match[1]) or 0)
    noun = match[2].split()[-1]
    said = [line for line in change.new_lines if holds(line.text, str(number)) and related(noun) & stems(line.text)]
    if said:
        return Finding(True, True, f"new text {said[0].text[:60]!r}")
    before, after = rows(change.before, noun), rows(change.after, noun)
    holds_now = number in after.values() or (number == 0 and not after)
    new = any(size == number and before.get(key) != number for key, size in after.items())
    if number <= 1 and not new:
        new = holds_now = any(size > 1 and after.get(key, 0) == number for key, size in before.items())
    return Finding(holds_now, new, f"{number} {noun} {'are' if holds_now else 'are not'} there")


def rows(page: Snapshot, noun: str) -> dict[tuple, int]:
    """Sizes of all groups of like siblings that can be seen, of those called `noun` if any are."""
    groups: dict[tuple, list[Node]] = {}
    for node in page.nodes:
        if node.visible and node.parent >= 0 and node.area > 16 and (page.text(node) or node.area > 100):
            groups.setdefault((page.nodes[node.parent].uid, *signature(node)), []).append(node)
    named = {
        key: members
        for key, members in groups.items()
        if related(noun) & (stems(members[0].hints) | stems(page.nodes[members[0].parent].hints) | {members[0].role})
    }
    return {key: len(members) for key, members in (named or groups).items()}


# ---- looks and states ----------------------------------------------------------------------------------

COLOUR = re.compile(
    rf"\b(?:(?:turns?|becomes?|changes?(?: colou?r)? to|changed to|is(?: now)?|are(?: now)?|(?:highlighted|shown|displayed|filled|coloured|colored|marked|in)(?: in| with)?|to)\s+(?:a |an |the )?(?:bright |light |dark |solid |pale |deep )?({'|'.join(COLOURS)}))\b",
    re.I,
)


def coloured(change: Change, clause: Clause) -> Finding | None:
    """ "The star turns yellow": pixels of that colour where the subject stands, more than before."""
    match = COLOUR.search(masked(clause.text))
    if not match:
        return None
    if re.search(r"\b(?:theme|mode)\b", clause.text, re.I) or (
        re.search(r"\b(?:background|page|screen)\b", clause.subject, re.I) and COLOURS[match[1].lower()] in ("black", "white")
    ):
        return theme(change, clause)
    family = COLOURS[match[1].lower()]
    subjects = pairs(change, phrase(clause.subject[: match.start()] or clause.subject)) or [
        (old, node)
        for node in change.after.nodes
        if (old := change.before.by_uid.get(node.uid)) and node.in_view and change.restyled(old, node) and node.area < 40_000
    ]
    if change.pictures is None:
        return None
    best = 0.0
    for old, new in subjects:
        before, after = colours.share(change.pictures[0], old.box, family), colours.share(change.pictures[1], new.box, family)
        real = not (new.hovered or new.focused) or (old.marks, old.states) != (new.marks, new.states) or any_restyled(change, old, new)
        if real and after > 0.01:
            best = max(best, after - before)
    return Finding(
        best > 0.015,
        best > 0.015,
        f"{match[1].lower()} grew by {best:.0%} of the place" if best > 0 else f"nothing turned {match[1].lower()}",
    )


def any_restyled(change: Change, old: Node, new: Node) -> bool:
    """Whether a script changed the element, a part of it or what holds it (a hover style changes none of these)."""

    def marks(page: Snapshot, node: Node) -> list[str]:
        return [part.marks for part in (*page.subtree(node), *page.ancestors(node))]

    return marks(change.before, old) != marks(change.after, new)


def theme(change: Change, clause: Clause) -> Finding | None:
    match = re.search(r"\b(dark|light|black|white|night|day)\b", clause.text, re.I)
    if not match or change.pictures is None:
        return None
    grew = colours.brightness(change.pictures[1]) - colours.brightness(change.pictures[0])
    right = grew < -0.1 if match[1].lower() in ("dark", "black", "night") else grew > 0.1
    return Finding(right, right, f"the page became {abs(grew):.0%} {'lighter' if grew > 0 else 'darker'}")


def state_claim(change: Change, clause: Clause) -> Finding | None:
    """ "The box is checked", "the menu is expanded", "the tab becomes active"."""
    state = state_of(masked(clause.text[len(clause.subject) :] if clause.verb else clause.text))
    if state is None:
        return None
    subject = phrase(clause.subject)
    told = [finding for old, new in pairs(change, subject) if (finding := state_change(change, state, old, new)) is not None]
    if told:
        return max(told, key=lambda finding: (finding.holds, finding.new))
    if state.content is not None:
        lines = change.new_lines if state.content else change.lost_lines
        return Finding(
            bool(lines),
            bool(lines),
            f"{'new' if state.content else 'lost'} text {lines[0].text[:60]!r}" if lines else f"it is not {state.name}",
        )
    return None


def state_change(change: Change, state: State, old: Node, new: Node) -> Finding | None:
    """What a known state of the subject (or of a part of it, or what holds it) says; else whether a script restyled it."""
    for before, after in zip(family(change.before, old), family(change.after, new), strict=False):
        now, then = state.of(after), state.of(before)
        if now is not None:
            return Finding(now, now and not then, f"{'is' if now else 'is not'} {state.name}")
    if state.content is not None:
        return None
    changed = (old.marks, old.states) != (new.marks, new.states) or change.altered(old, new)
    return Finding(changed, changed, f"{'changed its look' if changed else 'looks the same'}")


def family(page: Snapshot, node: Node) -> list[Node]:
    """The element, its parts, and what holds it, as far as that holds little else."""
    holders = [holder for holder in list(page.ancestors(node))[:2] if len(page.lines_in(holder)) <= 3]
    return [node, *page.subtree(node)[1:6], *holders]


# ---- order, place, scrolling ---------------------------------------------------------------------------


def scrolled(change: Change, clause: Clause) -> Finding:
    """The window or an inner scroller moved, and the place that is named came into view."""
    moved = scroll_of(change.after) != scroll_of(change.before)
    target = phrase(clause.rest)
    if target.quoted:
        seen = all(change.places(change.after, text) for text in target.quoted)
        return Finding(seen, moved, f"{target.quoted[0]!r} {'is' if seen else 'is not'} in view")
    if re.search(r"\btop\b", clause.rest) and not target.words:
        return Finding(change.after.scroll[1] == 0, moved, f"scrolled to {change.after.scroll[1]} px")
    if re.search(r"\bbottom\b|\bend\b", clause.rest) and not target.words:
        return Finding(change.after.scroll[1] >= change.after.reach[1] - 2, moved, f"scrolled to {change.after.scroll[1]} px")
    down, up = re.search(r"\bdown|right\b", clause.rest), re.search(r"\bup|left\b", clause.rest)
    right = moved if not (down or up) else (sum(scroll_of(change.after)) > sum(scroll_of(change.before))) == bool(down) and moved
    return Finding(right, moved, "scrolled" if moved else "nothing scrolled")


def scroll_of(page: Snapshot) -> list[int]:
    inner = [position[0] for node in page.nodes for position in (node.scroll_x, node.scroll_y) if position]
    return [*page.scroll, *inner]


def sorted_by(change: Change, clause: Clause) -> Finding | None:
    """ "The products are sorted by price from low to high": some column of like texts now stands in that order."""
    falling = (
        re.search(r"descend|high(?:est)? to low|z to a|z-a|newest|highest|largest|most .* first|decreas", clause.text, re.I) is not None
    )
    numeric = (
        re.search(r"price|number|rating|score|cost|date|size|year|population|numer|low|high|amount|quantity", clause.text, re.I) is not None
    )
    after, before = columns(change.after), columns(change.before)
    right = [column for column in after if in_order(column, falling, numeric)]
    new = [column for column in right if column not in before]
    return Finding(bool(new), bool(new), f"{' < '.join(new[0][:4])}" if new else "no column of texts came into that order")


def columns(page: Snapshot) -> list[list[str]]:
    """Texts of like elements in reading order, three or more."""
    groups: dict[tuple, list[Line]] = {}
    for line in page.seen_lines:
        node = page.nodes[line.runs[0].node]
        chain = tuple(signature(holder) for holder in [node, *list(page.ancestors(node))[:3]])
        siblings = page.children[node.parent].index(node.index) if node.parent >= 0 and page.nodes[node.parent].tag in ("tr", "li") else 0
        groups.setdefault((chain, siblings), []).append(line)
    found = []
    for lines in groups.values():
        if len(lines) >= 3:
            order = {node.index: i for i, node in enumerate(reading_order([page.nodes[line.runs[0].node] for line in lines]))}
            found.append([line.text for line in sorted(lines, key=lambda line: order[line.runs[0].node])])
    return found


def in_order(column: list[str], falling: bool, numeric: bool) -> bool:
    keys: list = [number_of(text) for text in column] if numeric else [normal(text) for text in column]
    if None in keys or len(set(keys)) < 2:
        return False
    return keys == sorted(keys, reverse=falling)


def nth_is(change: Change, clause: Clause) -> Finding | None:
    """ "The first product is 'Tea Pot'": it stands before all its like."""
    place = ordinal(clause.subject)
    texts = [next(g for g in match.groups() if g is not None) for match in QUOTED.finditer(clause.text)]
    if place is None or not texts:
        return None

    def position(page: Snapshot) -> bool:
        for column in columns(page):
            index = place - 1 if place > 0 else len(column) - 1
            if index < len(column) and holds(column[index], texts[-1]):
                return True
        return False

    now, then = position(change.after), position(change.before)
    return Finding(now, now and not then, f"{texts[-1]!r} {'is' if now else 'is not'} number {place}")


def moved(change: Change, clause: Clause) -> Finding | None:
    """ "The card 'X' moves to the Done column", "the tiles move left"."""
    target, subject = phrase("the thing in" + re.sub(r"^\s*(?:in)?to\b", "", clause.rest)), phrase(clause.subject)
    match = re.search(r"\b(left|right|up|down|top|bottom)(?:wards?)?\b", clause.rest)
    if subject.quoted and target.around and (target.around[0].quoted or target.around[0].words):
        now = bool(change.places(change.after, subject.quoted[0], (nested(change.after, target.around[0]),)))
        new = bool(change.appeared(subject.quoted[0], target.around))
        return Finding(now, new, f"{subject.quoted[0]!r} {'is' if now else 'is not'} there")
    shifts = [(new.box[0] - old.box[0], new.box[1] - old.box[1]) for old, new in pairs(change, subject)]
    if match and shifts:
        axis, sign = {"left": (0, -1), "right": (0, 1), "up": (1, -1), "top": (1, -1), "down": (1, 1), "bottom": (1, 1)}[match[1]]
        far = any(shift[axis] * sign > 2 for shift in shifts)
        if far:
            return Finding(True, True, f"moved {match[1]}")
    changed = any(change.altered(old, new) for old, new in pairs(change, subject)) or bool(change.new_lines)
    return Finding(changed, changed, "it moved" if changed else "it did not move")


def nested(page: Snapshot, around):
    return around


def differs(change: Change, clause: Clause) -> Finding:
    """ "The main image changes": the subject looks different, by script and not by hovering."""
    found = pairs(change, phrase(clause.subject))
    changed = any(change.altered(old, new) for old, new in found) or (
        not found and bool(change.new_lines or change.uncovered or change.repainted)
    )
    if not changed and change.pictures is not None:
        changed = any(repainted_at(change, new) for _, new in found if not (new.hovered or new.focused))
    return Finding(changed, changed, "it changed" if changed else "it looks the same")


def repainted_at(change: Change, node: Node) -> bool:
    if change.pictures is None or not node.in_view:
        return False
    x, y, width, height = (int(v) for v in node.box)
    old, new = (picture[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)] for picture in change.pictures)
    return bool(old.size and (old != new).any(axis=2).mean() > 0.002)


def stays(change: Change, clause: Clause) -> Finding:
    """ "… remains visible": holds now; never new by itself."""
    texts = [next(g for g in match.groups() if g is not None) for match in QUOTED.finditer(clause.text)]
    if texts:
        there = all(change.places(change.after, text) for text in texts)
        return Finding(there, change.anything, f"{texts[0]!r} {'is' if there else 'is not'} there")
    there = bool([node for node in change.subjects(change.after, phrase(clause.subject)) if node.in_view])
    return Finding(there, change.anything, "it is there" if there else f"no {clause.subject.strip()} in view")


def fallback(change: Change, clause: Clause) -> Finding:
    """An unknown form: its quotes must be readable and new; without quotes its words must be new, or its subject have changed."""
    texts = [next(g for g in match.groups() if g is not None) for match in QUOTED.finditer(clause.text)]
    if texts:
        there = all(change.places(change.after, text) for text in texts)
        new = any(change.appeared(text) for text in texts)
        return Finding(there and new, new, f"{texts[0]!r} {'is new' if new else 'is not new' if there else 'cannot be read'}")
    wanted = [word for word in words(clause.text) if word not in STOP]
    said = [line for line in change.new_lines if sum(bool(related(word) & stems(line.text)) for word in wanted) >= max(1, len(wanted) // 3)]
    if said:
        return Finding(True, True, f"new text {said[0].text[:60]!r}")
    return differs(change, clause)


def first_of(*rules: Callable[[Change, Clause], Finding | None]) -> Decide:
    def decide_first(change: Change, clause: Clause) -> Finding:
        return next((finding for rule in rules if (finding := rule(change, clause)) is not None), None) or fallback(change, clause)

    return decide_first


CLAIMS: Iterable[tuple[re.Pattern[str], Decide]] = [
    (re.compile(rf"\b(?:{STAYS})\b"), stays),
    (re.compile(r"\bsort(?:ed|s)?\b|\bin (?:ascending|descending|alphabetical|reverse) order\b|\breordered\b"), first_of(sorted_by)),
    (re.compile(r"\bfrom\b.+\bto\b"), first_of(from_to, sorted_by)),
    (re.compile(r"\b(?:dark|light|night) (?:mode|theme)\b"), first_of(theme)),
    (re.compile(rf"\b(?:{GONE})(?=\W|$)"), goes),
    (re.compile(r"\bscroll(?:s|ed)?\b(?! into view)"), scrolled),
    (re.compile(r"\b(?:increas|decreas|increment|decrement)\w*|\b(?:rises|drops|grows|goes up|goes down)\b(?! down)"), first_of(delta)),
    (COLOUR, first_of(coloured, state_claim)),
    (
        re.compile(r"\b(?:first|second|third|fourth|fifth|last|\d+(?:st|nd|rd|th))\b.*\b(?:is|becomes|shows|reads|contains)\b"),
        first_of(nth_is, state_claim, shows),
    ),
    (
        re.compile(
            r"\b(?:is|are|gets?|becomes?|turns?|turned|now|as|looks?|appears?|marked|shown|has been|in|with)\b.*\b(?:checked|unchecked|ticked|unticked|selected|deselected|unselected|active|inactive|highlighted|enabled|disabled|focused|"
            r"focussed|pressed|bold|underlined|italic|crossed|struck|strikethrough|line-through|playing|paused|expanded|collapsed|on|off|invalid|valid|greyed|grayed|dimmed|completed|done|filled|lit|liked|muted|bordered|outlined|larger|smaller|zoomed|maximi[sz]ed|full)\b\s*(?:out|screen|state|with.*|in.*|now|through)?\W*$"
        ),
        first_of(state_claim, shows),
    ),
    (re.compile(rf"\b(?:{COMES})(?=\W|$)|^\s*there (?:is|are)\b"), comes),
    (re.compile(r"\b(?:moves?|moved|slides?|jumps?)\b"), first_of(moved)),
    (
        re.compile(
            rf"\b(?:only )?(?:\d+|{'|'.join(NUMBER_WORDS)}) [a-z]+.*\b(?:are|remain|left|match)\b|\b(?:shows?|contains?|lists?|displays?|has|have)\b (?:only |exactly |now )*(?:\d+|{'|'.join(NUMBER_WORDS)}) [a-z]"
        ),
        first_of(count, shows),
    ),
    (re.compile(rf"\b(?:{SHOWS})\b"), first_of(shows)),
    (
        re.compile(
            r"\b(?:changes?|changed|updates?|updated|switch(?:es|ed)?|turns?|becomes?|resets?|is|are)\b(?: now)?(?: set)?(?: back)?(?: in)?(?:to)? ['\d$€£a-z]"
        ),
        first_of(shows),
    ),
    (re.compile(rf"\b(?:{TURNS})(?=\W|$)"), differs),
]
"""Which rule decides a clause, in order; the patterns see the clause in lower case with its quotes blanked."""
