"""Replies as models really give them, and broken ones: each has its documented page or its documented failure."""

from __future__ import annotations

import contextlib
import time

import pytest

from iwr.errors import GenerationError
from iwr.inference.reply import page_of

PAGE = "<!DOCTYPE html>\n<html><head><title>x</title></head><body><p>Hello</p></body></html>"
OTHER = PAGE.replace("Hello", "Other")
CUT = PAGE[: PAGE.index("</p>")]
HOLDS_FENCE = PAGE.replace("<p>Hello</p>", "<pre>\n```js\nrun()\n```\n</pre>")
FRAGMENT = '<div class="btn">Go</div>'

PAGES = {  # reply -> (page, how it is found, cut off)
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
def test_a_page_is_found(name):
    reply, page, found, truncated = PAGES[name]
    got = page_of(reply, "stop")
    assert (got.html.replace("\r", ""), got.found, got.truncated) == (
        page.strip() + "\n",
        found,
        truncated,
    )


@pytest.mark.parametrize("name", FAILURES)
def test_no_page_has_a_reason(name):
    reply, reason = FAILURES[name]
    with pytest.raises(GenerationError, match=reason):
        page_of(reply, "stop")


def test_a_page_cut_off_by_the_token_limit_is_kept_and_marked():
    assert page_of(CUT, "length").truncated
    assert (
        page_of(f"```html\n{PAGE}", "length").truncated is False
    )  # only the closing fence is missing


@pytest.mark.parametrize(
    "body",
    [
        "<p>x</p>" * 250_000,
        "```\n" * 500_000,
        "<" * 2_000_000,
        "<!--" * 500_000,
        "<think>" * 300_000,
    ],
)
@pytest.mark.timeout(30)
def test_two_megabytes_are_read_quickly(body):
    started = time.monotonic()
    got = page_of(f"```html\n<!DOCTYPE html><html><body>{body}</body></html>\n```", "stop")
    assert got.html.endswith("</html>\n") and time.monotonic() - started < 5


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "part", ["```html\n<html>\n```\n", "```html\n<html>\n", "<html>", "<think></think>", "```"]
)
def test_two_megabytes_of_anything_end_quickly(part):
    started = time.monotonic()
    with contextlib.suppress(GenerationError):
        page_of(part * (2_000_000 // len(part)), "length")
    assert time.monotonic() - started < 5
