"""Actions as a person would do them, on real pages."""
# ruff: noqa: E501 - a page is one string

import pytest

from iwr.browser import input as actions
from iwr.browser.input import Scrolled, key_name
from iwr.errors import ActionError

pytestmark = pytest.mark.browser

LOG = "<p id=out style='height:30px'></p><script>var out = document.querySelector('#out'), say = (t) => { out.textContent += t + ' ' }</script>"


def acting(browse, body, act, seen="() => out.textContent.trim()"):
    """What the page shows after `act(tab, locate)` and settling."""

    async def work(tab):
        await tab.settle()
        result = await act(tab, tab.page.locator)
        assert await tab.settle()
        return result, await tab.evaluate(seen)

    return browse("<!doctype html>" + LOG + body, work)


# ---- click ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("<button id=t onclick='say(event.isTrusted)'>a</button>", "true"),
        (
            "<div id=t style='width:99px;height:20px' onpointerdown='say(1)' onmousedown='say(2)' onmouseup='say(3)' onclick='say(4)'></div>",
            "1 2 3 4",
        ),
        ("<button id=t onclick='say(1)' style='position:absolute;top:4000px'>below</button>", "1"),
        (
            "<div style='height:80px;overflow:auto'><div style='height:900px'></div><button id=t onclick='say(1)'>in</button></div>",
            "1",
        ),
        (
            "<button id=t onclick='say(1)'><span style='pointer-events:none'>icon</span></button>",
            "1",
        ),
        (
            "<button onclick='say(1)'><span id=t style='pointer-events:none'>icon</span></button>",
            "1",
        ),
        (
            "<label><input id=t type=checkbox style='display:none' onchange='say(this.checked)'>Agree</label>",
            "true",
        ),
        (
            "<input id=t type=checkbox style='opacity:0;position:absolute' onchange='say(1)'><label for=t style='padding:20px'>Agree</label>",
            "1",
        ),
        ("<a id=t href='#x' onclick='say(1)'>a long link <br> over two lines</a>", "1"),
        ("<div id=t style='display:contents' onclick='say(1)'><b>child</b></div>", "1"),
        (
            "<button id=t onclick='say(1)' style='width:200px;height:50px'>half</button><div style='position:fixed;left:80px;top:0;width:60px;height:600px'></div>",
            "1",
        ),
        (
            "<svg width=50 height=50><circle id=t cx=25 cy=25 r=20 onclick='say(1)'></circle></svg>",
            "1",
        ),
    ],
    ids=[
        "button",
        "all events",
        "below the fold",
        "in a scroller",
        "icon",
        "on an icon",
        "hidden box",
        "see-through box",
        "link",
        "contents",
        "half covered",
        "svg",
    ],
)
def test_a_click_arrives(browse, body, shown):
    assert acting(browse, body, lambda tab, locate: actions.click(tab, locate("#t")))[1] == shown


def test_a_click_reaches_into_shadow_trees_and_frames(browse):
    body = """<div id=h></div><iframe srcdoc="<p style='height:900px'></p><button onclick='parent.say(2)'>b</button>"></iframe>
    <script>h.attachShadow({mode: 'open'}).innerHTML = '<button>s</button>'; h.shadowRoot.firstChild.onclick = () => say(1)</script>"""

    async def act(tab, locate):
        await actions.click(tab, locate("#h button"))
        await actions.click(tab, tab.page.frame_locator("iframe").locator("button"))

    assert acting(browse, body, act)[1] == "1 2"


def test_a_click_lands_on_a_text_that_a_shadow_tree_shows_in_its_slot(browse):
    body = """<div id=h>Send me <b>all</b> offers</div>
    <script>
    h.attachShadow({mode: 'open'}).innerHTML = '<div id=label><slot></slot></div>';
    h.shadowRoot.firstChild.onclick = () => say('label');
    </script>"""
    assert (
        acting(browse, body, lambda tab, locate: actions.click(tab, locate("#label")))[1] == "label"
    )


def test_a_click_at_a_point(browse):
    body = "<canvas width=300 height=200 onclick='say([event.offsetX, event.offsetY])' style='position:absolute;left:0;top:100px'></canvas>"
    assert acting(browse, body, lambda tab, _: actions.click(tab, (30.0, 120.0)))[1] == "30,20"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            "<button id=t>Pay</button><div class='modal dark' style='position:fixed;inset:0'>Wait</div>",
            r'<button#t> "Pay" is covered by <div\.modal\.dark> "Wait"',
        ),
        (
            "<button id=t style='position:fixed;top:9px'>Pay</button><nav style='position:fixed;inset:0'></nav>",
            r"covered by <nav>",
        ),
        ("<button id=t disabled>Pay</button>", r'<button#t> "Pay" is disabled'),
        ("<button id=t style='display:none'>Pay</button>", r"is not visible"),
        ("<button id=t style='position:absolute;left:-900px'>Pay</button>", r"is outside the page"),
        ("<button id=t style='visibility:hidden'>Pay</button>", r"covered by"),
    ],
    ids=["covered", "covered and fixed", "disabled", "not displayed", "outside", "invisible"],
)
def test_a_click_that_a_person_could_not_do_says_why(browse, body, reason):
    with pytest.raises(ActionError, match=reason):
        acting(browse, body, lambda tab, locate: actions.click(tab, locate("#t")))


# ---- typing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "clear", "value"),
    [
        ("<input id=t value=old>", True, "nöw ✓"),
        ("<input id=t value=old>", False, "oldnöw ✓"),
        ("<textarea id=t>old\nline</textarea>", False, "old\nlinenöw ✓"),
        ("<textarea id=t>old</textarea>", True, "nöw ✓"),
        ("<div id=t contenteditable>old</div>", True, "nöw ✓"),
        ("<label for=t id=l>Name</label><input id=t>", True, "nöw ✓"),
        ("<input id=t maxlength=2>", True, "nö"),
    ],
)
def test_text_replaces_or_follows_what_is_there(browse, field, clear, value):
    seen = "() => { const t = document.querySelector('#t'); return t.value ?? t.textContent }"
    assert (
        acting(
            browse,
            field,
            lambda tab, locate: actions.type_text(tab, locate("#t"), "nöw ✓", clear=clear),
            seen,
        )[1]
        == value
    )


def test_each_character_is_a_key_press(browse):
    body = "<input id=t onkeydown='say(event.key)' oninput='say(this.value)'>"
    assert (
        acting(
            browse,
            body,
            lambda tab, locate: actions.type_text(tab, locate("#t"), "aB", clear=False),
        )[1]
        == "End a a B aB"
    )


@pytest.mark.parametrize(
    ("kind", "text"),
    [("date", "2026-03-09"), ("time", "14:05"), ("color", "#ff8800"), ("range", "7")],
)
def test_fields_with_a_picker_take_their_value(browse, kind, text):
    body = f"<input id=t type={kind} max=10 onchange='say(this.value)'>"
    assert (
        acting(browse, body, lambda tab, locate: actions.type_text(tab, locate("#t"), text))[1]
        == text
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("<button id=t>a</button>", "takes no text"),
        ("<input id=t readonly>", "takes no text"),
        ("<input id=t disabled>", "is disabled"),
        ("<input id=t type=date>", "not a value for a field of type date"),
    ],
)
def test_what_takes_no_text_says_so_and_is_left_alone(browse, body, reason):
    with pytest.raises(ActionError, match=reason):
        acting(browse, body, lambda tab, locate: actions.type_text(tab, locate("#t"), "text"))


# ---- keys -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Enter", "Enter"),
        ("Return", "Enter"),
        ("Esc", "Escape"),
        ("escape key", "Escape"),
        ("Ctrl+A", "Control+a"),
        ("Control + a", "Control+a"),
        ("ctrl-c", "Control+c"),
        ("CTRL+SHIFT+K", "Control+Shift+K"),
        ("Shift+Tab", "Shift+Tab"),
        ("Page Down", "PageDown"),
        ("PgUp", "PageUp"),
        ("Arrow Down", "ArrowDown"),
        ("down", "ArrowDown"),
        ("↓", "ArrowDown"),
        ("Del", "Delete"),
        ("Space", "Space"),
        (" ", "Space"),
        ("F5", "F5"),
        ("a", "a"),
        ("A", "A"),
        ("+", "+"),
        ("Ctrl++", "Control++"),
        ("-", "-"),
        ("Ctrl+-", "Control+-"),
        ("Cmd+Enter", "Meta+Enter"),
        ("/", "/"),
    ],
)
def test_keys_are_understood_as_people_write_them(written, name):
    assert key_name(written) == name


@pytest.mark.parametrize("written", ["", "Foo", "Ctrl+", "Enter+A", "hello world"])
def test_a_key_that_does_not_exist_is_refused_by_name(written):
    with pytest.raises(ActionError, match="no such key"):
        key_name(written)


def test_a_chord_is_one_press_not_letters(browse):
    body = '<input id=t value=text autofocus onkeydown=\'say((event.ctrlKey ? "C-" : "") + event.key)\'>'

    async def act(tab, locate):
        await actions.click(tab, locate("#t"))
        await actions.press(tab, "Ctrl+A")
        await actions.press(tab, "Delete")
        return await tab.evaluate("() => t.value")

    assert acting(browse, body, act) == ("", "C-Control C-a Delete")


# ---- scrolling --------------------------------------------------------------------------------------

LONG = "<div style='height:3000px;width:2000px'></div>"
INNER = "<div id=s style='position:absolute;top:50px;height:400px;width:700px;overflow:auto'><div style='height:2000px'></div><b id=deep>x</b></div>"


@pytest.mark.parametrize(
    ("body", "by", "over", "moved"),
    [
        (LONG, (0, 300), None, Scrolled(0, 300)),
        (LONG, (120, 0), None, Scrolled(120, 0)),
        (LONG, (0, -300), None, Scrolled(0, 0)),
        ("<p>short</p>", (0, 300), None, Scrolled(0, 0)),
        (LONG + INNER, (0, 300), "#s", Scrolled(0, 300)),
        (LONG + INNER, (0, 300), "#deep", Scrolled(0, 300)),
        (LONG + INNER, (0, 300), None, Scrolled(0, 300)),
        (INNER, (0, 300), None, Scrolled(0, 300)),
        (
            "<style>body{overflow:hidden;height:100vh}</style>" + INNER,
            (0, 250),
            None,
            Scrolled(0, 250),
        ),
        (
            LONG
            + "<div id=s style='position:fixed;inset:0;overflow:auto'><div style='height:2000px'></div></div>",
            (0, 200),
            None,
            Scrolled(0, 200),
        ),
    ],
    ids=[
        "down",
        "right",
        "at the top",
        "short page",
        "inner",
        "inside inner",
        "window beside inner",
        "only inner",
        "fixed body",
        "wholly covered",
    ],
)
def test_the_wheel_moves_what_is_meant(browse, body, by, over, moved):
    async def act(tab, locate):
        return await actions.scroll(tab, *by, locate(over) if over else None)

    inner = over or body in (INNER, "<style>body{overflow:hidden;height:100vh}</style>" + INNER)
    result, (page, part) = acting(
        browse,
        body,
        act,
        "() => [[scrollX, scrollY], [window.s?.scrollLeft ?? 0, window.s?.scrollTop ?? 0]]",
    )
    assert result == moved
    assert tuple(part if inner else page) == moved
    assert tuple(page if inner else part) == (0, 0)


def test_the_wheel_is_heard_by_the_page(browse):
    body = LONG + "<script>addEventListener('wheel', (e) => say(e.deltaY))</script>"
    assert acting(browse, body, lambda tab, _: actions.scroll(tab, 0, 240))[1] == "240"


# ---- select -----------------------------------------------------------------------------------------

SELECT = "<select id=t onchange='say(this.value)'><option value=1>One<option value=2>Two  two<option value=3 disabled>Three</select>"


@pytest.mark.parametrize("option", ["Two two", "two TWO", "2"])
def test_an_option_is_chosen_by_label_or_value(browse, option):
    assert acting(
        browse, SELECT, lambda tab, locate: actions.select(tab, locate("#t"), option)
    ) == ("Two two", "2")


@pytest.mark.parametrize("option", ["Four", "Three"])
def test_an_option_that_cannot_be_chosen_lists_the_others(browse, option):
    with pytest.raises(
        ActionError, match=rf"no option '{option}'; there are: 'One', 'Two two', 'Three'"
    ):
        acting(browse, SELECT, lambda tab, locate: actions.select(tab, locate("#t"), option))
