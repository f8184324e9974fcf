"""The question put to a model: one prompt for every model and engine.

Its digest is part of each fingerprint.
"""

from __future__ import annotations

from iwr.digests import digest
from iwr.records import Task

ASSETS_PLACEHOLDER = "__PLACEHOLDER_ASSETS_BASE_DIR__"

TEMPLATE = """\
You see overview images of a website's assets, each labelled with its file name, \
and then a screen recording of a person using that website at {width}x{height}.

Rebuild the website as ONE file, index.html, that looks and behaves the same:
- Reproduce what you see at {width}x{height}: layout, text, colours, sizes, images.
- Make every interaction of the recording work, with the same effect. Mock any server in JavaScript.
- Everything is inline: HTML, CSS, JavaScript. No external library, font or address.
- Every element that can be clicked has the class "btn".
- Refer to an asset as {placeholder}/<file name>, with the name from the overview images; \
give every <img> its width and height.

Answer with the complete file in a single ```html fence and nothing else."""


def text_for(task: Task) -> str:
    """Return the text part of the prompt; it follows the overview images and the recording."""
    return TEMPLATE.format(width=task.width, height=task.height, placeholder=ASSETS_PLACEHOLDER)


def prompt_digest() -> str:
    """Return the digest of everything that decides the prompt's text."""
    return digest(TEMPLATE, ASSETS_PLACEHOLDER)
