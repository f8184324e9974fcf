"""Further shapes of replies, as chat models and their servers give them. See also test_replies.py.

Each is found in public transcripts or follows from how the text on the wire comes about: chat
templates, special tokens, Markdown, JSON, and pages that hold pages.
"""

from __future__ import annotations

import json

import pytest

from iwr.errors import GenerationError
from iwr.inference.reply import page_of

PAGE = "<!DOCTYPE html>\n<html><head><title>x</title></head><body><p>Hello</p></body></html>"
DRAFT = PAGE.replace("Hello", "Draft")
FENCED = f"```html\n{PAGE}\n```"


def with_body(text: str) -> str:
    return PAGE.replace("<p>Hello</p>", text)


UPPER = "<!DOCTYPE HTML>\n<HTML><HEAD></HEAD><BODY><P>Hello</P></BODY></HTML>"
OLD = (
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" '
    '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\n'
    '<html xmlns="http://www.w3.org/1999/xhtml"><body><p>Hello</p></body></html>'
)
FRAME = with_body('<iframe srcdoc="<html><body>in</body></html>"></iframe><p>Hello</p>')
TEMPLATE = with_body('<script type="text/x">\n<html><body>in</body></html>\n</script><p>Hello</p>')
AREA = with_body("<textarea><html><body>in</body></html></textarea><p>Hello</p>")
COMMENT = with_body("<!-- ends with </html> --><p>Hello</p>")
STYLE = with_body("<style>p::after { content: '</html>' }</style><p>Hello</p>")
TELLS = with_body("<p>Write &lt;think&gt; and <code>&lt;/think&gt;</code></p>")
LISTING = with_body("<pre>```html\n&lt;p&gt;\n```</pre>")

PAGES = {
    "code that writes the page": (f'```python\npage = """{PAGE}"""\n```', PAGE),
    "capital tags": (f"```html\n{UPPER}\n```", UPPER),
    "an old doctype": (OLD, OLD),
    "language html5": (f"```html5\n{PAGE}\n```", PAGE),
    "language xhtml": (f"```xhtml\n{OLD}\n```", OLD),
    "attributes behind the language": (f"```html {{.line-numbers}}\n{PAGE}\n```", PAGE),
    "file behind a colon": (f"```html:index.html\n{PAGE}\n```", PAGE),
    "title behind the language": (f'```html title="index.html"\n{PAGE}\n```', PAGE),
    "blanks behind the closing marks": (f"```html\n{PAGE}\n```   \n", PAGE),
    "an empty thought": (f"<think>\n\n</think>\n\n{FENCED}", PAGE),
    "a thought in capitals": (f"<THINK>{DRAFT}</THINK>\n{FENCED}", PAGE),
    "an end token behind the fence": (f"{FENCED}<|im_end|>", PAGE),
    "an end token behind a bare page": (f"{PAGE}<|endoftext|>", PAGE),
    "a start token in front": (f"<|im_start|>assistant\n{FENCED}", PAGE),
    "the role in front": (f"assistant\n\n{FENCED}", PAGE),
    "answer tags around a fence": (f"<answer>\n{FENCED}\n</answer>", PAGE),
    "zero-width blanks in front": (f"\u200b\u200b\n{FENCED}", PAGE),
    "old Mac line ends": (FENCED.replace("\n", "\r"), PAGE),
    "a blockquote": ("\n".join(f"> {line}" for line in FENCED.splitlines()), PAGE),
    "an outer fence of Markdown": (f"````markdown\n# Page\n\n{FENCED}\n````", PAGE),
    "prose that names the fence": (f"I use a ```html fence.\n\n{FENCED}", PAGE),
    "inline code before a bare page": (f"With `<html>` at the top:\n\n{PAGE}", PAGE),
    "a page in a frame": (f"```html\n{FRAME}\n```", FRAME),
    "a page in a frame, bare": (FRAME, FRAME),
    "a page in a template": (f"```html\n{TEMPLATE}\n```", TEMPLATE),
    "a page in a text area": (f"```html\n{AREA}", AREA),
    "an end in a comment": (f"{COMMENT}\nThat is all.", COMMENT),
    "an end in a style": (f"```html\n{STYLE}\n```", STYLE),
    "a page about thoughts": (f"```html\n{TELLS}\n```", TELLS),
    "a listing with marks": (f"```html\n{LISTING}\n```\nDone.", LISTING),
    "an array of files": (json.dumps([{"name": "index.html", "content": PAGE}]), PAGE),
    "json in a text of json": (json.dumps(json.dumps({"html": PAGE})), PAGE),
    "css and script behind the page": (f"{FENCED}\n```css\np {{}}\n```\n```js\nrun()\n```", PAGE),
    "a command behind the page": (f"{FENCED}\nOpen it:\n```bash\nopen index.html\n```", PAGE),
    "a heading before each file": (
        f"### index.html\n{FENCED}\n### a.css\n```css\np{{}}\n```",
        PAGE,
    ),
}

FAILURES = {
    "a picture of the page": ("![The page](page.png)", "no HTML"),
    "cut off in the doctype": ("```html\n<!DOCTYPE ht", "holds no HTML"),
    "a refusal": ("I'm sorry, but I can't help with that.", "no HTML"),
    "a description": ("The page has a <button> and a list.", "no HTML"),
    "a thought without an end": (
        "<think>\n" + "Wait, the button is blue. " * 200,
        "still thinking",
    ),
}


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_found_whole(name):
    reply, html = PAGES[name]
    page = page_of(reply, "stop")
    assert page.html == html.strip() + "\n"
    assert not page.truncated


@pytest.mark.parametrize("name", FAILURES)
def test_what_is_no_page_has_a_reason(name):
    reply, reason = FAILURES[name]
    with pytest.raises(GenerationError, match=reason):
        page_of(reply, "length")
