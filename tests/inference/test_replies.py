"""Replies as models really give them, and broken ones: each has its page or its failure."""

from __future__ import annotations

import contextlib
import json

import pytest

from iwr.errors import GenerationError
from iwr.inference.reply import page_of

PAGE = "<!DOCTYPE html>\n<html><head><title>x</title></head><body><p>Hello</p></body></html>"
OTHER = PAGE.replace("Hello", "Other")
CUT = PAGE[: PAGE.index("</p>")]
HOLDS_FENCE = PAGE.replace("<p>Hello</p>", "<pre>\n```js\nrun()\n```\n</pre>")
FRAGMENT = '<div class="btn">Go</div>'


def with_script(script: str) -> str:
    return PAGE.replace("<p>", f"<script>{script}</script><p>")


CUT_IN_SCRIPT = PAGE[: PAGE.index("<p>")] + '<script>const t = "<html></html>"; function go() {'
SAYS_THINK = with_script('let s = "</think>"')
SAYS_HTML = with_script('w.document.write("<html><body>popup</body></html>")')
SAYS_FENCE = with_script('let s = "```html"')
FENCE_IN_SCRIPT = with_script("let s = `\n```js\nx\n```\n`")

PAGES = {  # name: (reply, page, how it is recorded, cut off)
    "a fence": (f"```html\n{PAGE}\n```", PAGE, "fence", False),
    "capital HTML": (f"```HTML\n{PAGE}\n```", PAGE, "fence", False),
    "unmarked fence": (f"```\n{PAGE}\n```", PAGE, "fence", False),
    "file name after the language": (f"```html index.html\n{PAGE}\n```", PAGE, "fence", False),
    "four marks": (f"````html\n{PAGE}\n````", PAGE, "fence", False),
    "tildes": (f"~~~html\n{PAGE}\n~~~", PAGE, "fence", False),
    "prose around": (
        f"Here is the page:\n\n```html\n{PAGE}\n```\n\nIt has one paragraph.",
        PAGE,
        "fence",
        False,
    ),
    "indented fence": (f"  ```html\n{PAGE}\n  ```", PAGE, "fence", False),
    "windows line ends": (f"```html\r\n{PAGE}\r\n```\r\n", PAGE, "fence", False),
    "fence on the line of the prose": (f"Here: ```html\n{PAGE}\n```", PAGE, "fence", False),
    "page on the line of the fence": (f"```html {PAGE}\n```", PAGE, "fence", False),
    "closing marks behind the page": (f"```html\n{PAGE}```", PAGE, "fence", False),
    "marked as xml": (f"```xml\n{PAGE}\n```", PAGE, "fence", False),
    "marked as javascript": (f"```javascript\n{PAGE}\n```", PAGE, "fence", False),
    "comment first": (
        f"```html\n<!-- index.html -->\n{PAGE}\n```",
        f"<!-- index.html -->\n{PAGE}",
        "fence",
        False,
    ),
    "a part of a page": (f"```html\n{FRAGMENT}\n```", FRAGMENT, "fence", False),
    "two documents: the last": (
        f"```html\n{PAGE}\n```\nBetter:\n```html\n{OTHER}\n```",
        OTHER,
        "fence",
        False,
    ),
    "index.html, then about.html": (
        f"`index.html`:\n```html\n{PAGE}\n```\n\nAnd **about.html**:\n\n```html\n{OTHER}\n```",
        PAGE,
        "fence",
        False,
    ),
    "about.html, then index.html": (
        f"```html about.html\n{OTHER}\n```\n```html index.html\n{PAGE}\n```",
        PAGE,
        "fence",
        False,
    ),
    "a page, then about.html": (
        f"```html\n{PAGE}\n```\nabout.html:\n```html\n{OTHER}\n```",
        PAGE,
        "fence",
        False,
    ),
    "index.html twice: the last": (
        f"index.html:\n```html\n{PAGE}\n```\nBetter index.html:\n```html\n{OTHER}\n```",
        OTHER,
        "fence",
        False,
    ),
    "a page of another name alone": (
        f"page.html:\n```html\n{PAGE}\n```",
        PAGE,
        "fence",
        False,
    ),
    "a document, then a part": (
        f"```html\n{PAGE}\n```\nNote the button:\n```html\n{FRAGMENT}\n```",
        PAGE,
        "fence",
        False,
    ),
    "css, then a document": (f"```css\np {{}}\n```\n```html\n{PAGE}\n```", PAGE, "fence", False),
    "two parts: the longer": (
        f"```html\n<p>a</p>\n```\n```html\n{FRAGMENT}\n```",
        FRAGMENT,
        "fence",
        False,
    ),
    "a fence inside the page": (f"```html\n{HOLDS_FENCE}\n```", HOLDS_FENCE, "fence", False),
    "a fence inside, prose behind": (
        f"```html\n{HOLDS_FENCE}\n```\nDone.",
        HOLDS_FENCE,
        "fence",
        False,
    ),
    "not closed, complete": (f"```html\n{PAGE}", PAGE, "unclosed fence", False),
    "not closed, complete, prose behind": (
        f"```html\n{PAGE}\nThat is all.",
        PAGE,
        "unclosed fence",
        False,
    ),
    "not closed, cut off": (f"```html\n{CUT}", CUT, "unclosed fence", True),
    "bare": (PAGE, PAGE, "bare", False),
    "bare, prose around": (f"Sure!\n{PAGE}\nEnjoy.", PAGE, "bare", False),
    "bare, no doctype": (PAGE.partition("\n")[2], PAGE.partition("\n")[2], "bare", False),
    "thinking first": (
        f"<think>A page, <html> with\n```html\n<p>draft</p>\n```\n</think>\n```html\n{PAGE}\n```",
        PAGE,
        "fence",
        False,
    ),
    "thinking opened by the template": (
        f"hmm, ```html\n<p>draft</p>\n```\n</think>\n```html\n{PAGE}\n```",
        PAGE,
        "fence",
        False,
    ),
    "thinking in the marks of Kimi": (
        f"◁think▷A page\n```html\n{OTHER}\n```\n◁/think▷\n```html\n{PAGE}\n```",
        PAGE,
        "fence",
        False,
    ),
    "analysis first": (
        f"<analysis>A page\n```html\n{OTHER}\n```\n</analysis>\n{PAGE}",
        PAGE,
        "bare",
        False,
    ),
    "thinking behind a greeting": (
        f"Sure.\n<think>```html\n{OTHER}\n```</think>\n{PAGE}",
        PAGE,
        "bare",
        False,
    ),
    "thinking with half a page, opened by the template": (
        f"hmm\n```html\n{CUT}\n```\n</think>\n```html\n{FRAGMENT}\n```",
        FRAGMENT,
        "fence",
        False,
    ),
    "a mark of thinking in a script": (f"```html\n{SAYS_THINK}\n```", SAYS_THINK, "fence", False),
    "a document in a script": (f"```html\n{SAYS_HTML}\n```", SAYS_HTML, "fence", False),
    "a fence in a script": (f"```html\n{FENCE_IN_SCRIPT}\n```", FENCE_IN_SCRIPT, "fence", False),
    "marks in a script, bare": (SAYS_FENCE, SAYS_FENCE, "bare", False),
    "marks in a script, cut off": (
        f"```html\n{SAYS_FENCE[:-20]}",
        SAYS_FENCE[:-20],
        "unclosed fence",
        True,
    ),
    "cut off in a script that holds a document": (
        f"```html\n{CUT_IN_SCRIPT}",
        CUT_IN_SCRIPT,
        "unclosed fence",
        True,
    ),
    "a whole page, then half of another": (
        f"```html\n{PAGE}\n```\nBetter:\n```html\n{OTHER[:60]}",
        PAGE,
        "fence",
        False,
    ),
    "json": (json.dumps({"index.html": PAGE}), PAGE, "bare", False),
    "files in json": (
        json.dumps({"files": [{"path": "a.css", "text": ""}, {"path": "i.html", "text": PAGE}]}),
        PAGE,
        "bare",
        False,
    ),
    "json, cut off": (json.dumps({"a.html": CUT})[:-2], CUT, "bare", False),
    "json, cut off in an escape": (json.dumps({"a.html": CUT + "\n"})[:-3], CUT, "bare", False),
    "files in json, cut off": (
        json.dumps({"files": [{"path": "a.css"}, {"text": CUT}]})[:-4],
        CUT,
        "bare",
        False,
    ),
    "json, prose behind": (json.dumps({"html": PAGE}) + "\nEnjoy.", PAGE, "bare", False),
    "two pages in json: index.html": (
        json.dumps({"about.html": OTHER, "index.html": PAGE}),
        PAGE,
        "bare",
        False,
    ),
    "json in a fence": (f"```json\n{json.dumps({'html': PAGE})}\n```", PAGE, "fence", False),
    "the box of GLM": (
        f"<|begin_of_box|>```html\n{PAGE}\n```<|end_of_box|>",
        PAGE,
        "fence",
        False,
    ),
    "a fence in a list": (
        f"1. file:\n\n   ```html\n   {PAGE.partition(chr(10))[2]}\n   ```",
        PAGE.partition("\n")[2],
        "fence",
        False,
    ),
    "thinking twice": (f"<think>a</think><think>b</think>\n{PAGE}", PAGE, "bare", False),
    "binary around the page": (f"\x00\x01\x02```\n```html\n{PAGE}\n```", PAGE, "fence", False),
    "lone surrogate": (
        f"```html\n{PAGE.replace('Hello', chr(0xD83D))}\n```",
        PAGE.replace("Hello", chr(0xD83D)),
        "fence",
        False,
    ),
    "another script": (
        f"以下是网页:\n```html\n{PAGE.replace('Hello', '你好')}\n```",
        PAGE.replace("Hello", "你好"),
        "fence",
        False,
    ),
}

FAILURES = {
    "empty": ("", "empty"),
    "white space": (" \n\t ", "empty"),
    "prose": ("I cannot watch videos.", "no HTML"),
    "thinking not closed": (f"<think>I will write\n```html\n{PAGE}\n```", "still thinking"),
    "Kimi's thinking not closed": (f"◁think▷Plan:\n```html\n{PAGE}\n```\nwait", "still thinking"),
    "analysis not closed": (f"<analysis>Plan:\n```html\n{PAGE}\n```\nwait", "still thinking"),
    "thinking only": ("<think>done</think>  ", "nothing follows"),
    "other languages only": ("```css\np {}\n```\n```js\nrun()\n```", "only css, js"),
    "an empty fence": ("```html\n\n```", "holds no HTML"),
    "prose in the fence": ("```html\nthe page is as in the video\n```", "holds no HTML"),
    "escaped": ("&lt;!DOCTYPE html&gt;&lt;html&gt;&lt;/html&gt;", "escaped"),
    "binary page": ("```html\n<!DOCTYPE html><html>\x00\x00</html>\n```", "binary"),
    "json": ('{"page": "none"}', "no HTML"),
    "only the fence's first line": ("```html", "holds no HTML"),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_extracted(name):
    reply, html, source, truncated = PAGES[name]
    page = page_of(reply, "stop")
    assert (page.html, page.source, page.truncated) == (html.strip() + "\n", source, truncated)


@pytest.mark.parametrize("name", FAILURES)
def test_no_page_has_a_reason(name):
    reply, reason = FAILURES[name]
    with pytest.raises(GenerationError, match=reason):
        page_of(reply, "stop")


MARKS = ("[[plan]]", "[[/plan]]")  # of no family


def test_a_model_may_have_marks_of_its_own():
    draft = f"```html\n{OTHER}\n```"
    assert page_of(f"[[plan]]{draft}[[/plan]]{PAGE}", "stop", MARKS).html == PAGE + "\n"
    assert page_of(f"{draft}[[/plan]]{PAGE}", "stop", MARKS).html == PAGE + "\n"
    with pytest.raises(GenerationError, match=r"still thinking \(\[\[plan\]\]"):
        page_of(f"[[plan]]{draft}", "stop", MARKS)


def test_json_that_was_cut_off_is_marked():
    assert page_of(json.dumps({"html": CUT})[:-2], "length").truncated


def test_a_page_cut_off_by_the_token_limit_is_kept_and_marked():
    assert page_of(CUT, "length").truncated
    # only the closing fence is missing
    assert not page_of(f"```html\n{PAGE}", "length").truncated


@pytest.mark.timeout(120)  # work that grows with the square of the length would take hours
@pytest.mark.parametrize(
    "part", ["<p>x</p>", "```\n", "<", "<!--", "<think>", "<script>", "</html>"]
)
def test_a_megabyte_of_a_page_is_read(part):
    body = part * (1_000_000 // len(part))
    page = page_of(f"```html\n<!DOCTYPE html><html><body>{body}</body></html>\n```", "stop")
    assert page.html.endswith("</html>\n")


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "part", ["```html\n<html>\n```\n", "```html\n<html>\n", "<html>", "<think></think>", "```"]
)
def test_a_megabyte_of_anything_ends(part):
    with contextlib.suppress(GenerationError):
        page_of(part * (1_000_000 // len(part)), "length")
