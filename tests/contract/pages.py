"""States of a page made by hand: a few nodes and texts, as the walker would yield them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from iwr.browser.page_state import picture_of
from iwr.browser.snapshot import Box, Node, Run, Snapshot

LOOK = "rgb(0, 0, 0)|rgba(0, 0, 0, 0)|none|rgb(0, 0, 0)|400|none|rgb(0, 0, 0)|none|1|none|none"


class PageMaker:
    """Adds elements below the body, in document order."""

    def __init__(self, width: int = 800, height: int = 600):
        root = picture_of(b"", width, height).nodes[0]
        body = replace(root, index=1, parent=0, uid="body", tag="body", look=LOOK)
        self.nodes: list[Node] = [replace(root, look=LOOK), body]
        self.runs: list[Run] = []
        self.size = (width, height)

    def add(self, box: Box, text: str = "", parent: int = 1, **changes: Any) -> int:
        """Add an element, with a text of its own; return its index."""
        index = len(self.nodes)
        fields = {"uid": f"n{index}", "tag": "div", "in_view": True, **changes}
        node = replace(self.nodes[1], index=index, parent=parent, box=box, **fields)
        self.nodes.append(node)
        value = node.value or text
        kind = "value" if node.value else "text"
        if value:
            self.runs.append(Run(index, value, box, True, index, 0, kind))
        return index

    def button(self, box: Box, text: str = "", **changes: Any) -> int:
        return self.add(box, text, tag="button", role="button", how="semantic", **changes)

    def field(self, box: Box, **changes: Any) -> int:
        return self.add(box, tag="input", role="textbox", how="semantic", **changes)

    def page(self, screenshot: bytes = b"") -> Snapshot:
        width, height = self.size
        place = ((0, 0), (0, 0), "/")
        nodes = tuple(self.nodes)
        return Snapshot(nodes, tuple(self.runs), width, height, *place, False, False, screenshot)


def lines(*texts: str, left: float = 10) -> Snapshot:
    """Return a page with one text a row."""
    maker = PageMaker()
    for row, text in enumerate(texts):
        maker.add((left, 30.0 * row, 200, 20), text)
    return maker.page()
