"""A message that hides itself is a part of the state; whatever else comes is waited for."""

import pytest

from iwr.browser import input as actions
from iwr.browser.page_state import HOOK
from iwr.browser.states import settled_state

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><body><h1>Notes</h1><ul><li id=row>Milk</li><li>Tea</li></ul>
<p id=out></p><div id=toast hidden></div>
<style>#toast {{ position: fixed; bottom: 9px; right: 9px; background: #dfd }}
@keyframes leave {{ to {{ opacity: 0; visibility: hidden }} }}</style>
<button id=go>Save</button><script>
const toast = document.getElementById("toast"), out = document.getElementById("out");
const show = (text) => {{ toast.textContent = text; toast.hidden = false }};
const hide = () => {{ toast.hidden = true }};
go.onclick = () => {{ {code} }};</script>"""

MESSAGES = {
    "a timer hides it": "show('Saved'); setTimeout(hide, 3000)",
    "it fades away": "show('Saved'); toast.style.animation = 'leave .4s 2.6s forwards'",
    "the row is gone at once": "row.remove(); show('Saved'); setTimeout(hide, 4000)",
    "the button says it": "go.textContent = 'Saved'; go.style.color = 'green';"
    "setTimeout(() => { go.textContent = 'Save'; go.style.color = '' }, 2000)",
    "its element is removed": "const e = document.createElement('output'); e.textContent = 'Saved';"
    "document.body.append(e); setTimeout(() => e.remove(), 1800)",
    "a place of its own counts down": "show('Saved'); let n = 3; out.textContent = n;"
    "const i = setInterval(() => { out.textContent = --n }, 900);"
    "setTimeout(() => { clearInterval(i); out.textContent = ''; hide() }, 2800)",
}

EFFECTS = {
    "the result follows": "show('Loading');"
    "setTimeout(() => { hide(); out.textContent = 'Done' }, 2000)",
    "the row goes later": "show('Deleting'); setTimeout(() => { hide(); row.remove() }, 2000)",
    "the row goes alone": "setTimeout(() => row.remove(), 2000)",
    "a box is ticked": "show('Loading');"
    "setTimeout(() => { hide(); const b = document.createElement('input');"
    "b.type = 'checkbox'; b.checked = true; document.body.append(b) }, 2000)",
    "it turns red": "show('Checking'); setTimeout(() => { hide(); row.style.color = 'red' }, 2000)",
}


def state_after_click(browse, code):
    async def run(tab):
        before = await settled_state(tab, None)
        await actions.click(tab, tab.page.locator("#go"))
        state = await settled_state(tab, before.rest)
        assert tab.unsettled_reason is None
        return state, await settled_state(tab, state.rest)

    return browse(PAGE.format(code=code), run, scripts=[HOOK])


def texts(page):
    return [line.text for line in page.seen_lines]


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_is_shown_and_gone_when_the_next_action_begins(browse, name):
    state, later = state_after_click(browse, MESSAGES[name])
    assert "Saved" in texts(state.shown)
    assert "Saved" not in texts(state.rest)
    assert state.shown.screenshot != state.rest.screenshot
    assert texts(later.shown) == texts(state.rest)  # nothing comes any more


@pytest.mark.parametrize("name", EFFECTS)
def test_whatever_else_comes_is_waited_for(browse, name):
    state, later = state_after_click(browse, EFFECTS[name])
    assert state.rest is state.shown
    assert state.shown.screenshot == later.shown.screenshot


def test_a_message_that_outlives_the_wait_is_in_both_states(browse):
    state, _ = state_after_click(browse, "show('Saved'); setTimeout(hide, 9000)")
    assert state.rest is state.shown
    assert "Saved" in texts(state.shown)
