"""From a model's reply to its page.

Rules, in order; the first that finds a page wins and is recorded as `extraction`:

1. Thoughts before the page are dropped, in the marks of each family (`thinking.py`). A thought that
   is not closed means that there is no page. A reply that is JSON, cut off or not, counts as the
   page in it.
2. `fence`: code fences marked html, unmarked, or whose content is an HTML document. Several: a
   document that is introduced as another file than index.html only counts when all are; then the
   last whole document, else the last document, else the longest. Fences inside of a document
   belong to it.
3. `unclosed fence`: as above, but the reply ends inside the fence.
4. `bare`: no fence, but `<!doctype html` or `<html`; the page runs to the last `</html>`, else to
   the end.

Fences are those of CommonMark, and three more that models write: an opening fence behind prose, the
page on the line of its fence, and closing marks behind the page's last tag. Everything else is a
GenerationError with the reason: the model answered, but not with a page.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pydantic_core import from_json

from iwr.errors import GenerationError
from iwr.inference import documents
from iwr.inference.thinking import Marks, without_thinking

MARKUP = ("html", "htm", "xhtml", "")  # languages of a fence that may hold a part of a page
TAG = re.compile(r"<[a-zA-Z][^<>]*>")
ESCAPED_DOCUMENT = re.compile(r"&lt;(?:!doctype|html)", re.IGNORECASE)
BOX = re.compile(r"<\|(?:begin|end)_of_box\|>")  # GLM puts its answer into one
NEWLINE = re.compile(r"\r\n?")
LANGUAGE = re.compile(r"[\w+#.-]*")
FILE = re.compile(r"[\w-]+\.html?\b", re.IGNORECASE)
INDEX = ("index.html", "index.htm")

FENCES = MarkdownIt("zero").enable("fence").disable(["normalize", "inline", "text_join"])
MARKS = r"`{3,}|~{3,}"
OPENING_BEHIND_PROSE = re.compile(
    r"(?<=[^\s`])(?=[ \t]*`{3,}[ \t]*html[ \t]*(?:$|<))", re.IGNORECASE | re.MULTILINE
)
QUOTED_FENCE = re.compile(rf"^> ?(?:{MARKS})", re.MULTILINE)
QUOTE = re.compile(r"^> ?", re.MULTILINE)
PAGE_ON_LINE_OF_FENCE = re.compile(
    rf"^([ \t]*(?:{MARKS})[ \t]*[\w+#.-]*)(?=[^\n<`]*<)", re.MULTILINE
)
CLOSING_BEHIND_TAG = re.compile(rf"(?<=>)(?=[ \t]*(?:{MARKS})[ \t]*$)", re.MULTILINE)

ANY_TEXT = json.JSONDecoder(strict=False)  # line ends and tabs in texts, too

# noncharacters of Unicode: for marks inside of a document, and before a line end of ours
MASK = str.maketrans({"`": "\ufdd0", "~": "\ufdd1"})
UNMASK = str.maketrans({"\ufdd0": "`", "\ufdd1": "~"})
BREAK = "\ufdd2\n"


class Page(NamedTuple):
    """A page and how it was found. `truncated`: the model was cut off before the page's end."""

    html: str
    source: str  # fence | unclosed fence | bare
    truncated: bool


class Fence(NamedTuple):
    """A fenced code block."""

    language: str  # in lower case, "" without one
    content: str
    closed: bool
    file: str | None = None  # the page's name, where the fence or the line before it tells one

    @property
    def is_html(self) -> bool:
        """Whether it holds a page or, where it is marked as HTML, a part of one."""
        if self.language in MARKUP:
            return TAG.search(self.content) is not None
        return documents.begins(self.content)

    @property
    def is_other_file(self) -> bool:
        """Whether it is introduced as another page than index.html."""
        return self.file is not None and self.file not in INDEX

    @property
    def is_whole(self) -> bool:
        """Whether nothing was cut off its end."""
        return self.closed or documents.end_of_last(self.content) is not None


def page_of(reply: str, finish_reason: str | None = None, marks: Marks | None = None) -> Page:
    """Return the page in `reply`; `marks`: further ones of thoughts.

    Raise GenerationError with a reason when there is none.
    """
    if not reply.strip():
        raise GenerationError("the reply is empty")
    text = without_thinking(NEWLINE.sub("\n", reply), marks)
    if not text.strip():
        raise GenerationError("nothing follows the thinking")
    text = _from_json(text) or BOX.sub("", text)
    if QUOTED_FENCE.search(text):
        text = QUOTE.sub("", text)
    is_cut = finish_reason == "length"
    fences = _fences(text)
    page = _fenced(fences, is_cut) or _bare(text, is_cut)
    if page is None:
        raise GenerationError(_why_none(text, fences))
    if "\0" in page.html:
        raise GenerationError("the page is binary (it holds NUL characters)")
    return page


# ---- fences -----------------------------------------------------------------------------------


def _fences(text: str) -> list[Fence]:
    """Return all code fences outside of documents, in order."""
    masked = _masked(text)
    masked = OPENING_BEHIND_PROSE.sub(BREAK, masked)
    masked = PAGE_ON_LINE_OF_FENCE.sub(rf"\1{BREAK}", masked)
    masked = CLOSING_BEHIND_TAG.sub(BREAK, masked)
    lines = masked.split("\n")
    fences = []
    for token in FENCES.parse(masked):
        if token.type == "fence":
            fences.append(_fence(token, lines))
    return fences


def _masked(text: str) -> str:
    """Return `text` without the marks of fences inside of documents."""
    pieces = []
    end = 0
    for document in documents.whole_documents(text):
        pieces.append(text[end : document.start])
        pieces.append(text[document.start : document.end].translate(MASK))
        end = document.end
    pieces.append(text[end:])
    return "".join(pieces)


def _fence(token: Token, lines: list[str]) -> Fence:
    """Return one fenced block of a reply."""
    assert token.map is not None
    first, end = token.map
    language = LANGUAGE.findall(token.info.strip())[0].lower()
    content = token.content.replace(BREAK, "").translate(UNMASK)
    if language == "json":
        content = _from_json(content) or content
    is_longer = end - first > 1
    return Fence(
        language=language,
        content=content,
        closed=is_longer and _closes(lines[end - 1].strip(), token.markup),
        file=_file_name(token.info) or _file_name(_line_before(first, lines)),
    )


def _line_before(number: int, lines: list[str]) -> str:
    """Return the last line before a line that is not empty."""
    for line in reversed(lines[:number]):
        if line.strip():
            return line
    return ""


def _file_name(line: str) -> str | None:
    """Return the last name of a page in a line, in lower case."""
    names = FILE.findall(line)
    if not names:
        return None
    last: str = names[-1]
    return last.lower()


def _closes(line: str, markup: str) -> bool:
    """Return whether a line of a fence is its last: it holds marks alone, no fewer."""
    return line.startswith(markup) and not line.strip(markup[0])


def _fenced(fences: list[Fence], is_cut: bool) -> Page | None:
    """Return the page in the best fence of HTML; None when there is none."""
    with_html = [fence for fence in fences if fence.is_html]
    fence = _best(with_html)
    if fence is None:
        return None
    if not fence.closed:
        return _until_end(fence.content, "unclosed fence", is_cut=True)
    content = fence.content
    html = content.strip() + "\n"
    has_end = documents.end_of_last(content) is not None
    return Page(html, "fence", truncated=is_cut and not has_end)


def _best(fences: list[Fence]) -> Fence | None:
    """Return the last whole document, else the last document, else the longest fence."""
    pages = [fence for fence in fences if documents.has_start(fence.content)]
    pages = [fence for fence in pages if not fence.is_other_file] or pages
    whole = [fence for fence in pages if fence.is_whole]
    if whole:
        return whole[-1]
    if pages:
        return pages[-1]
    return max(fences, key=lambda fence: len(fence.content), default=None)


# ---- without a fence --------------------------------------------------------------------------


def _bare(text: str, is_cut: bool) -> Page | None:
    """Return the page that stands in a reply without a fence; None when there is none."""
    starts = [match.start() for match in documents.START.finditer(text)]
    if not starts:
        return None
    # prose may name a tag as `<html>`
    written = [start for start in starts if text[start - 1 : start] != "`"]
    first = (written or starts)[0]
    return _until_end(text[first:], "bare", is_cut)


def _until_end(text: str, source: str, is_cut: bool) -> Page:
    """Return the page up to the end of its last document, where it has one."""
    end = documents.end_of_last(text)
    html = text[:end].strip() + "\n"
    return Page(html, source, truncated=is_cut and end is None)


# ---- JSON -------------------------------------------------------------------------------------


def _from_json(text: str) -> str | None:
    """Return the first text with a document in a reply that is JSON, None if there is none."""
    text = text.lstrip()
    if not text.startswith(("{", "[", '"')):
        return None
    try:
        value, _ = ANY_TEXT.raw_decode(text)
    except (ValueError, RecursionError):
        value = _cut_json(text)
    return _document_in(value)


def _cut_json(text: str) -> Any:
    """Return what there is of a JSON value that was cut off; None when it is no JSON."""
    try:
        return from_json(text, allow_partial="trailing-strings")
    except ValueError:
        return None


def _document_in(value: Any) -> str | None:
    """Return the first text with a document inside of a JSON value."""
    if isinstance(value, str):
        if not documents.has_start(value):
            return None
        return _from_json(value) or value  # some servers quote a reply in JSON twice
    if isinstance(value, dict):
        pages = []
        for name in INDEX:
            if name in value:
                pages.append(value[name])
        value = [*pages, *value.values()]
    if isinstance(value, list):
        for item in value:
            document = _document_in(item)
            if document is not None:
                return document
    return None


def _why_none(text: str, fences: list[Fence]) -> str:
    """Return why a reply holds no page."""
    if ESCAPED_DOCUMENT.search(text):
        return "the page is escaped (&lt;html&gt;), so it is text and not a page"
    languages = {fence.language for fence in fences}
    others = sorted(languages - set(MARKUP))
    if others:
        return f"no fence holds HTML, only {', '.join(others)}"
    if languages:
        return "the fence holds no HTML"
    return "there is no HTML in the reply"
