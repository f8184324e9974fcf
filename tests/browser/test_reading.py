"""What is read of a page reaches into everything that a person sees, and can be acted on."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from iwr.browser.page_state import HOOK
from iwr.browser.snapshot import Node, Snapshot
from iwr.browser.states import snapshot_of
from iwr.contract.schema import Verb
from iwr.errors import ActionError
from iwr.judge.perform import Performer
from iwr.records import Gesture

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><body style="margin: 8px"><p id=log>nothing</p>
<script>
const say = (text) => {{ log.textContent = text }};
addEventListener("message", (event) => say(event.data));
</script>{body}"""
CLICK = Gesture(verb=Verb.CLICK)
TYPE = Gesture(verb=Verb.TYPE, text="Oslo")
FAR = '<button onclick="parent.postMessage(`far`, `*`)">Far away</button>'
PICTURE = "data:image/svg+xml,<svg xmlns=%27http://www.w3.org/2000/svg%27/>"
FIELD = '<input aria-label=City oninput="parent.postMessage(this.value, `*`)">'


def framed(inner: str, more: str = "") -> str:
    inner = inner.replace('"', "&quot;")
    return f'<iframe sandbox="allow-scripts" {more} srcdoc="{inner}"></iframe>'


class Case(NamedTuple):
    body: str
    label: str  # of the element that is acted on
    said: str  # what the page says then
    gesture: Gesture = CLICK


CASES = {
    "sandboxed frame": Case(framed(FAR), "Far away", "far"),
    "frame below the fold": Case("<p style='height:2000px'>" + framed(FAR), "Far away", "far"),
    "scrolled in the frame": Case(framed("<p style='height:900px'>" + FAR), "Far away", "far"),
    "frame with a border in a box": Case(
        "<div style='margin-left:90px;padding:20px'>" + framed(FAR, "style='border:30px solid'"),
        "Far away",
        "far",
    ),
    "field in a frame": Case(framed(FIELD), "City", "Oslo", TYPE),
    "closed shadow tree": Case(
        """<x-a></x-a><script>
        const root = document.querySelector("x-a").attachShadow({mode: "closed"});
        root.innerHTML = "<p style='height:60px'>Text</p><button>Inside</button>";
        root.querySelector("button").onclick = () => say("clicked");
        </script>""",
        "Inside",
        "clicked",
    ),
    "field in a closed shadow tree": Case(
        """<x-a></x-a><script>
        const root = document.querySelector("x-a").attachShadow({mode: "closed"});
        root.innerHTML = "<input aria-label=City>";
        root.querySelector("input").oninput = (event) => say(event.target.value);
        </script>""",
        "City",
        "Oslo",
        TYPE,
    ),
    "area of an image": Case(
        f"""<img usemap="#m" width=200 height=100 alt="Plan" src="{PICTURE}"><map name=m>
        <area shape=rect coords="0,0,50,50" href="#" alt="Kitchen" onclick="say('kitchen')">
        <area shape=circle coords="150,50,40" href="#" alt="Bath" onclick="say('bath')"></map>""",
        "Bath",
        "bath",
    ),
}


def labelled(page: Snapshot, label: str) -> Node:
    """Return the innermost element with the label that can be acted on."""
    nodes = [node for node in page.nodes if node.how and page.label(node) == label]
    assert nodes, [(node.tag, page.label(node)) for node in page.nodes]
    return nodes[-1]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_element_is_read_where_it_is_and_can_be_acted_on(browse, case: Case):
    async def act(tab):
        await tab.settle()
        page = await snapshot_of(tab)
        node = labelled(page, case.label)
        point = await Performer(tab).act(case.gesture, node.path)
        await tab.settle()
        after = await snapshot_of(tab)
        moved = labelled(after, case.label)
        assert moved.uid == node.uid
        return point, moved.box, after

    (x, y), (left, top, width, height), after = browse(
        PAGE.format(body=case.body), act, scripts=[HOOK]
    )
    assert left <= x <= left + width and top <= y <= top + height
    assert case.said in [line.text for line in after.lines]


def test_frames_in_frames_are_read_in_order(browse):
    inner = framed("<p>inner</p>").replace("&quot;", "&amp;quot;").replace('"', "&quot;")
    outer = f'<iframe sandbox="allow-scripts" srcdoc="<p>first</p>{inner}<p>last</p>"></iframe>'

    async def read(tab):
        await tab.settle()
        return await snapshot_of(tab)

    body = f"<main><p>above</p>{outer}</main><p>below</p>"
    page: Snapshot = browse(PAGE.format(body=body), read, scripts=[HOOK])
    assert [line.text for line in page.lines[1:]] == ["above", "first", "inner", "last", "below"]
    main = next(node for node in page.nodes if node.tag == "main")
    assert [line.text for line in page.lines_in(main)] == ["above", "first", "inner", "last"]
    paragraphs = [node for node in page.subtree(main) if node.tag == "p"]
    assert [page.text(node) for node in paragraphs] == ["above", "first", "inner", "last"]


def test_a_frame_that_was_replaced_is_no_longer_there(browse):
    async def act(tab):
        await tab.settle()
        page = await snapshot_of(tab)
        node = labelled(page, "Far away")
        await tab.evaluate("() => document.querySelector('iframe').remove()")
        with pytest.raises(ActionError, match="no longer on the page"):
            await Performer(tab).act(CLICK, node.path)

    browse(PAGE.format(body=framed(FAR)), act, scripts=[HOOK])
