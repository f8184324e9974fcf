"""After `settle`, a page shows what a person would see a second later, however the effect comes about."""
# ruff: noqa: E501 - a page is one string

import io
import time

import pytest

from iwr.browser import input as actions
from iwr.browser.chromium import Site

pytestmark = pytest.mark.browser

# each is code that runs on the click; it must have called done() (or made `state` true) when settle returns
TRANSITION = "b.style.cssText = 'transition: width .4s; width: 50px; display: block'; b.offsetWidth; b.style.width = '90px'; "
SHADOW = "const s = document.createElement('span'); b.attachShadow({{mode: '{}'}}).append(s); "
EFFECTS = {
    "at once": "done()",
    "promise": "Promise.resolve().then(done)",
    "timer 120": "setTimeout(done, 120)",
    "timer 900": "setTimeout(done, 900)",
    "timer as text": "setTimeout('done()', 300)",
    "chain of timers": "setTimeout(() => setTimeout(() => setTimeout(done, 300), 300), 300)",
    "interval that ends": "let n = 0; const i = setInterval(() => { if (++n === 10) { clearInterval(i); done() } }, 80)",
    "async function": "(async () => { for (let i = 0; i < 5; i++) await new Promise((r) => setTimeout(r, 100)); done() })()",
    "animation frames": "let n = 0; const f = () => (++n === 30 ? done() : requestAnimationFrame(f)); f()",
    "animation by time": "const t = performance.now(); const f = (n) => (n - t > 700 ? done() : requestAnimationFrame(f)); requestAnimationFrame(f)",
    "idle callback": "requestIdleCallback(() => done())",
    "message channel": "const c = new MessageChannel(); c.port1.onmessage = done; c.port2.postMessage(0)",
    "css transition": TRANSITION + "b.ontransitionend = done",
    "transition, then timer": TRANSITION + "b.ontransitionend = () => setTimeout(done, 200)",
    "css animation": "b.style.animation = 'x .6s'; b.onanimationend = done",
    "two animations in turn": "b.style.animation = 'x .3s'; b.onanimationend = () => { b.style.animation = 'y .3s'; b.onanimationend = done }",
    "web animation": "b.animate([{opacity: 0}, {opacity: 1}], 500).finished.then(done)",
    "view transition": "document.startViewTransition(() => { b.textContent = 'new' }).finished.then(done)",
    "fetch": "fetch('/assets/data.json').then((r) => r.json()).then((j) => j.ok && done())",
    "fetch after a timer": "setTimeout(() => fetch('/assets/data.json').then(done), 400)",
    "timer after a fetch": "fetch('/assets/data.json').then(() => setTimeout(done, 400))",
    "fetch that is refused": "fetch('https://example.org/').catch(() => setTimeout(done, 100))",
    "xhr": "const x = new XMLHttpRequest(); x.open('GET', '/assets/data.json'); x.onload = done; x.send()",
    "image": "const i = new Image(); i.onload = done; i.src = '/assets/dot.png'; document.body.append(i)",
    "broken image": "const i = new Image(); i.onerror = done; i.src = '/assets/none.png'; document.body.append(i)",
    "lazy image scrolled to": "const i = new Image(); i.loading = 'lazy'; i.onload = done; i.src = '/assets/dot.png'; i.style.cssText ="
    "'position:absolute;top:5000px'; document.body.append(i); setTimeout(() => i.scrollIntoView(), 50)",
    "script element": "const e = document.createElement('script'); e.src = '/assets/late.js'; document.body.append(e)",
    "smooth scrolling": "scrollTo({top: 1500, behavior: 'smooth'}); onscroll = () => { if (scrollY === 1500) done() }",
    "smooth scrolling by style": "document.documentElement.style.scrollBehavior = 'smooth'; b.scrollIntoView(); state = () => scrollY > 2000",
    "intersection observer": "new IntersectionObserver((e) => e[0].isIntersecting && setTimeout(done, 150)).observe(b); scrollTo(0, 2500)",
    "resize observer": "new ResizeObserver(() => b.offsetWidth === 77 && done()).observe(b); setTimeout(() => b.style.width = '77px', 90)",
    "mutation observer": "new MutationObserver(done).observe(b, {childList: true}); setTimeout(() => b.textContent = 'x', 90)",
    "worker": "new Worker(URL.createObjectURL(new Blob(['postMessage(1)']))).onmessage = () => setTimeout(done, 50)",
    "timer in a frame": "f.srcdoc = '<script>setTimeout(() => parent.done(), 500)<\\/script>'",
    "frame of another origin": "onmessage = done; f.src = 'data:text/html,<script>setTimeout(() => parent.postMessage(1, \"*\"), 300)<\\/script>'",
    "video to its end": "v.onended = done; v.src = '/assets/clip.webm'; v.play()",
    "dialog": "d.showModal(); d.onclose = done; setTimeout(() => d.close(), 200)",
    "confirm": "confirm('sure?') && setTimeout(done, 50)",
    "error on the way": "setTimeout(() => { throw 1 }, 50); setTimeout(done, 100)",
    "short toast is gone": "b.textContent = 'saved'; setTimeout(() => { b.textContent = ''; done() }, 800)",
    "toast of some seconds is gone": "b.textContent = 'saved'; setTimeout(() => { b.textContent = ''; done() }, 2500)",
    "long toast is there": "b.textContent = 'saved'; setTimeout(() => b.textContent = '', 7500); state = () => b.textContent === 'saved'",
    "timer 3000": "setTimeout(done, 3000)",
    "chain of slow timers": "setTimeout(() => setTimeout(() => setTimeout(done, 1200), 1200), 1200)",
    "slow async function": "(async () => { for (let i = 0; i < 4; i++) await new Promise((r) => setTimeout(r, 900)); done() })()",
    "typewriter": "let n = 0; const f = () => (++n === 30 ? done() : setTimeout(f, 120)); f()",
    "slow transition": TRANSITION.replace(".4s", "3s") + "b.ontransitionend = done",
    "slow timer, then transition": "setTimeout(() => { "
    + TRANSITION
    + "b.ontransitionend = done }, 2200)",
    "interval goes on": "let n = 0; setInterval(() => n++, 100); state = () => n > 5 && n < 15",
    "fetch after a slow timer": "setTimeout(() => fetch('/assets/data.json').then(() => setTimeout(done, 700)), 2000)",
    "animation in a shadow tree": SHADOW.format("open")
    + "s.animate([{opacity: 0}, {opacity: 1}], 300).finished.then(done)",
    "animation in a closed shadow tree": SHADOW.format("closed")
    + "s.animate([{opacity: 0}, {opacity: 1}], 300).finished.then(done)",
    "transition in a shadow tree in a shadow tree": SHADOW.format("closed")
    + "const r = s.attachShadow({mode: 'open'});"
    " r.innerHTML = '<i style=\"transition: opacity .4s\">x</i>'; const i = r.firstChild; i.offsetWidth; i.style.opacity = 0; i.ontransitionend = done",
    "animation in a declared shadow tree": "b.setHTMLUnsafe('<p><template shadowrootmode=open><i>x</i></template></p>');"
    " b.firstChild.shadowRoot.firstChild.animate([{opacity: 0}, {opacity: 1}], 300).finished.then(done)",
    "image in a shadow tree": SHADOW.format("closed")
    + "const i = new Image(); i.onload = done; s.append(i); i.setAttribute('src', '/assets/dot.png')",
    "posted task": "scheduler.postTask(done, {priority: 'background'})",
    "posted task with a delay": "scheduler.postTask(done, {delay: 1500})",
    "slow worker": "const w = new Worker(URL.createObjectURL(new Blob(['onmessage = () => { const t = Date.now();"
    " while (Date.now() - t < 400); postMessage(1) }']))); w.onmessage = done; w.postMessage(0)",
    "snapping scroller": "b.innerHTML = '<div style=\"height: 290px; scroll-snap-align: start\"></div>'.repeat(5);"
    " b.style.cssText = 'position: fixed; top: 0; width: 200px; height: 300px; overflow: auto; scroll-snap-type: y mandatory'; b.scrollBy(0, 200); state = () => b.scrollTop === 290",
}
PAGE = """<!doctype html><style>@keyframes x {{ from {{ opacity: 0 }} }} @keyframes y {{ from {{ left: 9px }} }} body {{ height: 6000px }}</style>
<button id=go>go</button><div id=b style="position: absolute; top: 2600px; width: 50px">box</div><svg id=s></svg><dialog id=d>d</dialog>
<video id=v muted></video><iframe id=f></iframe>
<script>let over = false, state = () => over; var done = () => {{ over = true }}; go.onclick = () => {{ {code} }}</script>"""


@pytest.fixture(scope="module")
def assets(tmp_path_factory):
    import av
    import numpy
    from PIL import Image

    folder = tmp_path_factory.mktemp("assets")
    (folder / "data.json").write_text('{"ok": true}')
    (folder / "late.js").write_text("setTimeout(done, 100)")
    Image.new("RGB", (5, 5), "red").save(folder / "dot.png")
    with av.open(folder / "clip.webm", "w") as file:
        stream = file.add_stream("libvpx", rate=10)
        stream.width = stream.height = 32
        for i in range(6):
            file.mux(
                stream.encode(
                    av.VideoFrame.from_ndarray(numpy.full((32, 32, 3), 40 * i, numpy.uint8))
                )
            )
        file.mux(stream.encode())
    return folder


async def click_and_settle(tab):
    assert await tab.settle()
    assert not await tab.evaluate("() => state()")
    await actions.click(tab, tab.page.locator("#go"))
    settled = await tab.settle()
    return settled, await tab.evaluate("() => state()")


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_has_happened_when_the_page_is_settled(browse, assets, tmp_path, name):
    page = tmp_path / "index.html"
    page.write_text(PAGE.format(code=EFFECTS[name]))
    assert browse(Site(page, assets), click_and_settle) == (True, True)


MOVING = """<!doctype html><style>@keyframes r { to { rotate: 1turn } } .spin { width: 60px; height: 60px; background: linear-gradient(red, blue);
animation: r 1.3s infinite linear } #bar { width: 10px; height: 9px; background: green; transition: width 2.7s } #bar.on { width: 500px }</style>
<div class=spin></div><div id=bar></div><marquee>news</marquee><canvas id=c width=300 height=60></canvas><input autofocus value=caret>
<p id=p></p><video id=v autoplay muted loop src="__PLACEHOLDER_ASSETS_BASE_DIR__/clip.webm"></video><img src="__PLACEHOLDER_ASSETS_BASE_DIR__/gif.gif">
<svg width=80 height=20><rect width=9 height=20><animate attributeName=x from=0 to=70 dur=3s repeatCount=indefinite></rect></svg>
<button id=go>go</button>
<script>
const g = c.getContext('2d'); let n = 0;
const draw = (t) => { g.fillStyle = `hsl(${t / 5} 80% 50%)`; g.fillRect(n++ % 300, Math.random() * 50, 9, 9); requestAnimationFrame(draw) };
draw(0);
setInterval(() => { p.textContent = new Date().toISOString() + ' ' + performance.now() + ' ' + Math.random() }, 130);
go.onclick = () => { bar.classList.add('on'); fetch('__PLACEHOLDER_ASSETS_BASE_DIR__/data.json').then(() => setTimeout(() => document.body.append('x'), 333)) };
</script>"""


def test_same_page_same_actions_same_bytes_over_twenty_runs(browse, assets, tmp_path):
    from PIL import Image

    frames = [Image.new("P", (30, 30), i * 20) for i in range(8)]
    frames[0].save(assets / "gif.gif", save_all=True, append_images=frames[1:], duration=50, loop=0)
    page = tmp_path / "index.html"
    page.write_text(MOVING)

    async def run(tab):
        shots = []
        for act in (
            None,
            actions.click(tab, tab.page.locator("#go")),
            actions.type_text(tab, tab.page.locator("input"), "ab"),
        ):
            if act:
                await act
            assert await tab.settle()
            shots.append(await tab.screenshot())
        return tuple(shots)

    runs = {browse(Site(page, assets), run) for _ in range(20)}
    assert len(runs) == 1
    assert len(set(next(iter(runs)))) == 3  # and the page did move between the states


def test_a_page_that_never_rests_is_given_up_at_the_cap_and_says_so(browse):
    page = "<body><script>new Worker(URL.createObjectURL(new Blob(['setInterval(() => postMessage(0), 1)']))).onmessage"
    page += " = () => { document.body.textContent = Math.random() * 9e9 }</script>"

    async def run(tab):
        while not await tab.evaluate("() => document.body.textContent > 0"):
            pass  # the worker starts
        start = time.monotonic()
        return await tab.settle(), time.monotonic() - start

    settled, seconds = browse(page, run)
    assert not settled
    assert seconds < 60  # what one page may cost


UNSETTLED = {
    "for (let i = 1; i < 9; i++) setTimeout(() => { out.textContent = i }, 700 * i)": "still waiting for a timer due in 0.7 s",
    "out.animate([{opacity: 0}, {opacity: 1}], 5500)": "an animation of 'p#out.big' still runs",
}


@pytest.mark.parametrize("code", UNSETTLED)
def test_a_state_that_is_not_final_at_the_cap_says_why(browse, code):
    page = f"<button id=go>go</button><p id=out class=big>x</p><script>go.onclick = () => {{ {code} }}</script>"

    async def run(tab):
        assert await tab.settle()
        assert tab.unsettled_reason is None
        await actions.click(tab, tab.page.locator("#go"))
        settled, reason = await tab.settle(), tab.unsettled_reason
        return settled, reason, await tab.settle()

    assert browse(page, run) == (False, UNSETTLED[code], True)


LOOPS = {
    "interval": "setInterval(tick, 500)",
    "one function": "const f = () => { tick(); setTimeout(f, 500) }; f()",
    "new functions": "const f = () => { setTimeout(() => { tick(); f() }, 500) }; f()",
    "async": "(async () => { for (;;) { await new Promise((r) => setTimeout(r, 500)); tick() } })()",
    "polling": "const f = () => fetch('/none').then(() => { tick(); setTimeout(f, 500) }); f()",
    "frames": "const f = () => { setTimeout(() => { tick(); requestAnimationFrame(f) }, 500) }; f()",
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_of_timers_is_no_effect_of_later_actions(browse, name):
    page = f"<script>let n = 0; const tick = () => n++; {LOOPS[name]}</script>"

    async def run(tab):
        assert await tab.settle()
        before = await tab.evaluate("() => n")
        assert await tab.settle()
        return before, await tab.evaluate("() => n") - before

    first, then = browse(page, run)
    assert first <= 14  # the cap, and not one run more than it takes to know the loop
    assert then in (2, 3)  # one second


def test_a_snapping_scroller_comes_to_rest_at_the_same_place(browse):
    page = "<body style='margin:0'><div id=s style='height: 400px; overflow: auto; scroll-snap-type: y mandatory'>"
    page += "<div style='height: 500px; scroll-snap-align: start'>x</div>" * 5

    async def run(tab):
        await tab.settle()
        await actions.scroll(tab, 0, 360)
        assert await tab.settle()
        return await tab.evaluate("() => s.scrollTop")

    assert {browse(page, run) for _ in range(3)} == {500}


def test_in_real_time_the_timers_of_an_action_are_waited_for(browse):
    page = "<button id=go>go</button><script>let over = false; go.onclick = () => setTimeout(() => { over = true }, 2000)</script>"

    async def run(tab):
        assert await tab.settle()
        await actions.click(tab, tab.page.locator("#go"))
        return await tab.settle(), await tab.evaluate("() => over")

    assert browse(page, run, real_time=True) == (True, True)


def test_the_caret_of_a_focused_field_does_not_blink(browse):
    async def run(tab):
        await tab.settle()
        return {await tab.screenshot() for _ in range(12)}

    assert len(browse("<input autofocus value=x>", run)) == 1


def test_in_real_time_a_page_keeps_its_natural_clock_but_opens_on_the_same_date(browse):
    page = "<p id=p></p><script>const t = Date.now(); setTimeout(() => p.textContent = Date.now() - t, 400)</script>"

    async def run(tab):
        settled = await tab.settle()
        return (
            settled,
            int(await tab.evaluate("() => p.textContent")),
            await tab.evaluate("() => new Date().getUTCFullYear()"),
        )

    settled, passed, year = browse(page, run, real_time=True)
    assert settled
    assert 390 <= passed < 5000
    assert year == 2025


def test_a_screenshot_has_the_size_of_the_viewport(browse):
    from PIL import Image

    async def run(tab):
        return await tab.screenshot()

    assert Image.open(io.BytesIO(browse("<body style='height:3000px'>", run))).size == (800, 600)
