"""`iwr record` does everything that a person does, and the contract says what it was."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from iwr.contract import Contract
from iwr.errors import DataError
from iwr.tasks.load import load
from iwr.tasks.recorder.record import record_contract, record_task

PAGE = """<!DOCTYPE html><title>Gestures</title>
<style>*{margin:0} body{font:16px Arial;padding:8px} button,.box{margin:4px;font:inherit}
.box{display:inline-block;background:#cde;padding:8px;width:90px} #log{height:22px}
.menu ul{display:none} .menu:hover ul{display:block} #done{opacity:0;width:24px;height:24px}
#handle{position:absolute;top:420px;left:20px;width:20px;height:20px;background:#36c}</style>
<p id="log">ready</p><h2>Controls</h2>
<div class="menu box">Products<ul><li id="laptops">Laptops</li></ul></div>
<button id="twice">Rename</button><button id="context">Options</button>
<div class="box" id="hold">Hold</div>
<label class="box"><input type="checkbox" id="done">Accept</label>
<div class="box" id="tip">Tooltip</div>
<button id="sure">Delete</button><button id="name">Greet</button>
<select id="size"><option>Small<option>Large</select><button id="up">Upload</button>
<input type="file" id="file" hidden><div class="box" id="wheel">Wheel zone</div>
<div class="box" draggable="true" id="card">Card</div><div class="box" id="bin">Bin</div>
<canvas id="canvas" width="90" height="30" style="background:#eee"></canvas>
<img usemap="#m" width="40" height="30" alt=""
 src="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>">
<map name="m"><area id="area" shape="rect" coords="0,0,40,30" href="#"></map>
<open-root></open-root><iframe id="frame" width="90" height="40"></iframe>
<iframe id="foreign" sandbox="allow-scripts" width="90" height="40"></iframe>
<div id="handle"></div>
<script>
const $ = (id) => document.getElementById(id);
const say = (text) => { $("log").textContent = text };
const on = (id, type, text) => $(id).addEventListener(type, (event) => {
  event.preventDefault(); say(text) });
on("laptops", "click", "bought a laptop"); on("twice", "dblclick", "renaming");
on("tip", "mouseenter", "a tip");
on("context", "contextmenu", "options are open");
on("area", "click", "area chosen");
$("done").onchange = () => say("accepted");
let timer; $("hold").onmousedown = () => { timer = setTimeout(() => say("held long"), 600) };
$("hold").onmouseup = () => clearTimeout(timer);
$("sure").onclick = () => say(confirm("Delete all 3 files?") ? "gone" : "kept");
$("name").onclick = () => say("Hello " + prompt("Your name?", "nobody"));
$("size").onchange = () => say("size " + $("size").value);
$("up").onclick = () => $("file").click();
$("file").onchange = () => say("sent " + $("file").files[0].name);
$("wheel").addEventListener("wheel", (event) => {
  event.preventDefault(); say("wheel turned") }, {passive: false});
$("card").ondragstart = (event) => event.dataTransfer.setData("text", "x");
$("bin").ondragover = (event) => event.preventDefault(); on("bin", "drop", "thrown away");
$("canvas").onclick = (event) =>
  say(event.offsetX < 30 ? "left of canvas" : "right of canvas");
customElements.define("open-root", class extends HTMLElement { connectedCallback() {
  this.attachShadow({mode: "open"}).innerHTML = "<button>Inside</button>";
  this.shadowRoot.querySelector("button").onclick = () => say("inside the root"); } });
$("frame").srcdoc = `<button onclick="parent.say('inside the frame')">In</button>`;
window.say = say;
$("foreign").srcdoc = `<button onclick="parent.postMessage('from afar', '*')">Far</button>`;
addEventListener("message", (event) => { if (event.data === "from afar") say(event.data) });
let from = null; $("handle").onmousedown = (event) => { from = event.clientX };
addEventListener("mousemove", (event) => {
  if (from !== null) $("handle").style.left = 20 + event.clientX - from + "px" });
addEventListener("mouseup", (event) => {
  if (from !== null) say("slid by " + (event.clientX - from)); from = null });
</script>"""
ACTIONS = [
    ("bought a laptop", {"target": "#laptops", "hover": ".menu"}),
    ("renaming", {"target": "#twice", "count": 2}),
    ("options are open", {"target": "#context", "button": "right"}),
    ("held long", {"target": "#hold", "hold": 0.8}),
    ("accepted", {"target": "#done"}),
    ("a tip", {"target": "#tip", "hover_only": True}),
    ("kept", {"target": "#sure", "dialog": {"accept": False}}),
    ("Hello Ada", {"target": "#name", "dialog": {"accept": True, "text": "Ada"}}),
    ("size Large", {"target": "#size", "option": "Large"}),
    ("sent asset_001.png", {"target": "#up", "file": "asset_001.png"}),
    ("wheel turned", {"type": "Scroll", "target": "#wheel", "direction": "down"}),
    ("thrown away", {"target": "#card", "drag_to": "#bin"}),
    ("slid by 60", {"target": "#handle", "drag_by": [60, 0]}),
    ("right of canvas", {"target": "#canvas", "at": [0.8, 0.5]}),
    ("area chosen", {"target": "#area"}),
    ("inside the root", {"target": "open-root button"}),
    ("inside the frame", {"target": "#frame ||| button"}),
    ("from afar", {"target": "#foreign ||| button"}),
]
"""What the page says then, and the action as the script has it."""
VERBS = (
    "click double_click right_click hold click hover click click select upload scroll drag drag "
    "click click click click click"
)


def script(*actions: tuple[str, dict[str, object]]) -> str:
    entries = []
    for effect, fields in actions:
        common = {"type": "Click", "description": "Do it.", "checkpoint": True}
        entries.append({**common, "assertion": f"The text '{effect}' appears.", **fields})
    return json.dumps({"resolution": "640x480", "actions": entries})


def site(folder: Path, text: str) -> Path:
    (folder / "assets").mkdir(parents=True)
    Image.new("RGB", (8, 8), "red").save(folder / "assets" / "asset_001.png")
    (folder / "index.html").write_text(PAGE)
    (folder / "script.yaml").write_text(text)
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set with one task that has all gestures."""
    folder = tmp_path_factory.mktemp("gestures")
    source = site(folder / "site", script(*ACTIONS))
    record_task(source, source / "script.yaml", folder / "data set", "all", pace=0.3)
    return folder / "data set"


def contract_of(root: Path) -> Contract:
    return Contract.model_validate_json((root / "data/all/contract.json").read_bytes())


def video_frames(root: Path) -> list[Image.Image]:
    import av

    with av.open(str(root / "data/all/video.mp4")) as container:
        return [frame.to_image() for frame in container.decode(video=0)]


@pytest.mark.browser
def test_each_gesture_has_its_effect_in_the_replay(root):
    steps = contract_of(root).steps
    effects = [[getattr(each, "text", None) for each in step.expectations] for step in steps]
    assert len(effects) == len(ACTIONS)
    assert [effect in texts for (effect, _), texts in zip(ACTIONS, effects, strict=True)] == [
        True
    ] * len(ACTIONS)


@pytest.mark.browser
def test_the_contract_says_what_was_done_to_what(root):
    steps = contract_of(root).steps
    assert [str(step.action.verb) for step in steps] == VERBS.split()
    by_effect = dict(zip([effect for effect, _ in ACTIONS], steps, strict=True))
    bought, kept = by_effect["bought a laptop"], by_effect["kept"]
    assert (bought.target.label, [each.label for each in bought.action.hover]) == (
        "Laptops",
        ["Products"],
    )
    assert [answer.accept for answer in kept.action.dialogs] == [False]
    assert by_effect["Hello Ada"].action.dialogs[0].text == "Ada"
    assert by_effect["thrown away"].action.drop.label == "Bin"
    assert by_effect["slid by 60"].action.path == ((60, 0),)
    assert by_effect["held long"].action.seconds == 0.8
    assert by_effect["size Large"].action.option == "Large"
    assert by_effect["sent asset_001.png"].action.file == "asset_001.png"
    assert by_effect["wheel turned"].action.wheel == (0, 240)
    assert by_effect["inside the root"].target.label == "Inside"
    assert by_effect["inside the frame"].target.label == "In"


@pytest.mark.browser
def test_the_film_ends_in_the_state_of_the_replay(root):
    """So each gesture has its effect in real time, too."""
    last = Image.open(root / f"data/all/checkpoints/step_{len(ACTIONS)}.png").convert("RGB")
    text = (0, 0, 300, 60)
    difference = ImageChops.difference(last.crop(text), video_frames(root)[-1].crop(text))
    assert difference.convert("L").point(lambda value: 255 * (value > 90)).getbbox() is None


@pytest.mark.browser
def test_dialogs_are_drawn_into_the_film_and_answered_there(root):
    shows = [blue_pixels(frame) > 800 for frame in video_frames(root)]
    openings = [after and not before for before, after in pairwise(shows)]
    assert openings.count(True) == 2
    assert 5 <= shows.count(True) < len(shows) / 2


def blue_pixels(frame: Image.Image) -> int:
    """How many pixels at the top have the blue of the button OK."""
    blue = Image.new("RGB", frame.size, (26, 115, 232))
    distance = ImageChops.difference(frame, blue).convert("L").crop((96, 0, 544, 200))
    return sum(distance.histogram()[:12])


@pytest.mark.browser
def test_a_contract_is_written_again_without_touching_the_rest(root):
    folder = root / "data/all"
    files = [path for path in folder.rglob("*") if path.is_file()]
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}
    digest = load(root).tasks[0].digest
    path = folder / "contract.json"
    path.unlink()
    assert load(root).tasks[0].contract is None
    assert load(root).tasks[0].digest == digest
    assert record_contract(folder) == path
    assert path.read_bytes() == before.pop(path)[0]
    assert load(root).tasks[0].contract == path
    assert before == {each: (each.read_bytes(), each.stat().st_mtime_ns) for each in before}


@pytest.mark.browser
def test_what_the_script_expects_replaces_what_is_derived(tmp_path):
    expect = [{"kind": "text_disappears", "text": "ready"}]
    text = script(("", {"target": "#twice", "count": 2, "assertion": None, "expect": expect}))
    folder = site(tmp_path, text)
    contract = Contract.model_validate_json(record_contract(folder).read_bytes())
    assert [each.kind for each in contract.steps[0].expectations] == ["text_disappears"]


@pytest.mark.browser
@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"target": "#twice", "file": "asset_001.png"}, "opens no file dialog"),
        ({"target": "#up", "file": "../script.yaml"}, "no file '../script.yaml' in the assets"),
        ({"target": "#twice", "dialog": {"accept": True}}, "0 dialogs open"),
        ({"target": "#twice", "option": "Large"}, "no options"),
        ({"target": "#frame ||| .none"}, "fits 0 elements"),
        ({"target": "#size", "option": "Huge"}, "there are: 'Small', 'Large'"),
    ],
)
def test_a_gesture_that_cannot_be_done_is_refused(tmp_path, fields, says):
    folder = site(tmp_path, script(("x", fields)))
    with pytest.raises(DataError, match="action 1") as caught:
        record_contract(folder)
    assert says in str(caught.value)


@pytest.mark.browser
def test_a_state_that_never_settles_is_refused_with_the_reason(tmp_path):
    """An animation outlasts the five seconds in which effects of an action are waited for."""
    folder = site(tmp_path, script(("x", {"target": "#twice"})))
    animation = "$('log').animate([{opacity: 0}, {opacity: 1}], 5500)"
    page = f"{PAGE}<script>$('twice').onclick = () => {{ {animation} }}</script>"
    (folder / "index.html").write_text(page)
    with pytest.raises(DataError, match=r"action 1 .* rest afterwards .an animation of 'p#log'"):
        record_contract(folder)


def test_an_unreadable_contract_is_a_fault_and_one_of_another_length_too(tmp_path):
    import data_sets as ds

    ds.folder(tmp_path, 1)
    ds.write(tmp_path, ds.line(1))
    path = tmp_path / "data/1/contract.json"
    path.write_text('{"steps": [{"step": 1}]}')
    assert "action: Field required" in load(tmp_path).faults[0].message
    path.write_text('{"steps": []}')
    assert "does not describe the" in load(tmp_path).faults[0].message


@pytest.mark.browser
def test_a_page_sees_the_assets_but_never_the_contract(root):
    from iwr.browser.site import ORIGIN, Site

    folder = root / "data/all"
    served = Site(folder / "page/index.html", folder / "assets")
    assert served.asset(f"{ORIGIN}/assets/asset_001.png")
    for address in ("/contract.json", "/assets/../contract.json", "/assets/contract.json"):
        assert served.asset(ORIGIN + address) is None
