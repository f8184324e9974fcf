"""From a model's reply to its page.

Rules, in order; the first that finds a page wins and is recorded as `found`:

1. Thinking is dropped: leading `<think>…</think>` blocks, and everything before a lone `</think>`.
2. `fence`: code fences marked html, unmarked, or whose content is an HTML document. Several: the last one that is a
   whole document, else the longest. A fence closes at its first closing line, unless `</html>` comes only before a
   later one (pages may hold fences themselves).
3. `unclosed fence`: as above, but the reply ends inside the fence.
4. `bare`: no fence, but `<!doctype html` or `<html`; the page runs to the last `</html>`, else to the end.

Everything else is a GenerationError with the reason: the model answered, but not with a page.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import NamedTuple

from iwr.errors import GenerationError

THOUGHTS = re.compile(r"\A(?:\s*<think>.*?</think>)+", re.DOTALL)
MARKUP = ("html", "htm", "xhtml", "")  # languages of a fence that may hold a part of a page
OPENING = re.compile(
    r"(?:^[ \t]*(?P<marks>`{3,}|~{3,})[ \t]*(?P<language>[\w+#.-]*)|(?P<inline>`{3,})[ \t]*html\b)(?P<rest>[^\n]*)(?:\n|\Z)",
    re.MULTILINE | re.IGNORECASE,
)
DOCUMENT = re.compile(r"<!doctype\s+html|<html[\s>]", re.IGNORECASE)
DOCUMENT_START = re.compile(
    r"\s*(?:<!--.*?-->\s*)*(?:<!doctype\s+html|<html[\s>])", re.IGNORECASE | re.DOTALL
)
TAG = re.compile(r"<[a-zA-Z][^<>]*>")
END = re.compile(r"</html\s*>", re.IGNORECASE)


class Page(NamedTuple):
    """`truncated`: the model was cut off before the page's end."""

    html: str
    found: str  # fence | unclosed fence | bare
    truncated: bool


class _Block(NamedTuple):
    language: str
    content: str
    closed: bool


def page_of(reply: str, finish_reason: str | None = None) -> Page:
    """The page in `reply`. Raises GenerationError with a reason when there is none."""
    if not reply.strip():
        raise GenerationError("the reply is empty")
    text = _without_thinking(reply)
    if not text.strip():
        raise GenerationError("nothing follows the thinking")
    cut = finish_reason == "length"
    page = _fenced(text, cut) or _bare(text, cut)
    if page is None:
        raise GenerationError(_why_none(text))
    if "\0" in page.html:
        raise GenerationError("the page is binary (it holds NUL characters)")
    return page


def _without_thinking(reply: str) -> str:
    text = THOUGHTS.sub("", reply, count=1)
    if text.lstrip().startswith("<think>"):
        raise GenerationError("the reply ends while still thinking (<think> is not closed)")
    if "</think>" in text and "<think>" not in text:
        text = text.partition("</think>")[2]  # the chat template opened it
    return text


def _fenced(text: str, cut: bool) -> Page | None:
    blocks = [block for block in _blocks(text) if _is_html(block)]
    if not blocks:
        return None
    documents = [block for block in blocks if DOCUMENT.search(block.content)]
    block = documents[-1] if documents else max(blocks, key=lambda block: len(block.content))
    if block.closed:
        return Page(block.content.strip() + "\n", "fence", cut and not END.search(block.content))
    page = _until_end(block.content)
    return Page(page, "unclosed fence", not END.search(page))


def _blocks(text: str) -> list[_Block]:
    """All code fences, in order. Linear in the text: replies may be megabytes of fences."""
    blocks, at = [], 0
    document_ends = [match.start() for match in END.finditer(text)]
    while opening := OPENING.search(text, at):
        start = opening.start("rest") if "<" in opening["rest"] else opening.end()
        closing = _closing(text, start, opening["marks"] or opening["inline"], document_ends)
        end, at = (closing.start(), closing.end()) if closing else (len(text), len(text))
        blocks.append(
            _Block(
                (opening["language"] or "html" * bool(opening["inline"])).lower(),
                text[start:end],
                closing is not None,
            )
        )
    return blocks


def _closing(text: str, start: int, marks: str, document_ends: list[int]) -> re.Match[str] | None:
    """Where the fence closes whose content begins at `start`."""
    line = re.compile(
        rf"(?:^|(?<=>))[ \t]*{re.escape(marks[0])}{{{len(marks)},}}[ \t\r]*$", re.MULTILINE
    )
    first = line.search(text, start)
    if not first or not DOCUMENT_START.match(text, start):
        return first
    place = bisect_left(document_ends, start)
    if place == len(document_ends) or document_ends[place] < first.start():
        return first
    # the document ends only behind this line, so the fence is one of its own, unless another page begins first
    another = DOCUMENT.search(text, first.end(), document_ends[place])
    return first if another else line.search(text, document_ends[place]) or first


def _is_html(block: _Block) -> bool:
    if block.language in MARKUP:
        return bool(TAG.search(block.content))
    return bool(DOCUMENT_START.match(block.content))


def _bare(text: str, cut: bool) -> Page | None:
    start = DOCUMENT.search(text)
    if not start:
        return None
    page = _until_end(text[start.start() :])
    return Page(page, "bare", cut and not END.search(page))


def _until_end(text: str) -> str:
    """Up to the last `</html>`, where there is one."""
    ends = list(END.finditer(text))
    return (text[: ends[-1].end()] if ends else text).strip() + "\n"


def _why_none(text: str) -> str:
    if re.search(r"&lt;(?:!doctype|html)", text, re.IGNORECASE):
        return "the page is escaped (&lt;html&gt;), so it is text and not a page"
    languages = {block.language for block in _blocks(text)}
    if languages - set(MARKUP):
        return f"no fence holds HTML, only {', '.join(sorted(languages - set(MARKUP)))}"
    return "the fence holds no HTML" if languages else "there is no HTML in the reply"
