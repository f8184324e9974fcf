"""`iwr record` on a page of the test's own, in real Chromium."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from iwr.errors import DataError
from iwr.tasks.load import load
from iwr.tasks.recorder.record import checkpoints, record_task, record_video

PAGE = """<!DOCTYPE html><title>Greeter</title>
<style>*{margin:0} body{font:20px Arial,sans-serif;background:#9ad} main{height:900px}
.bar{transition:width .3s;width:10px;height:10px;background:red}
.twin{position:absolute;top:300px;height:40px;width:90px;left:0} #lid{background:#333}</style>
<main><img src="__PLACEHOLDER_ASSETS_BASE_DIR__/asset_001.png" width="60" height="60">
<input id="name"><div class="btn" id="go">Greet</div><p id="out"></p><div class="bar"></div>
<div class="twin" id="under">under</div><div class="twin" id="lid">lid</div>
<p style="margin-top:700px" id="end">The end</p></main>
<script>
const $ = s => document.querySelector(s)
go.onclick = () => {
  out.textContent = "Hello " + $("#name").value; $(".bar").style.width = "200px" }
document.onkeydown = e => { if (e.key == "Escape") out.textContent = "" }
</script>"""
SCRIPT = """resolution: 640x480
source_website: greeter
classification: {domain: Tests, interaction_complexity: low}
actions:
- {type: Type, target: "#name", text: Ada, description: Type 'Ada' into the field.}
- type: Click
  target: "#go"
  description: Click 'Greet'.
  assertion: The text 'Hello Ada' appears.
  checkpoint: true
- type: Scroll
  direction: down
  pages: 0.8
  description: Scroll down to the end.
  checkpoint: true
- {type: Press, key: Escape, description: Press Escape.}
"""
SECONDS = 4.5  # of the recording at pace 0.5, roughly


def site(folder: Path, script: str = SCRIPT, page: str = PAGE) -> Path:
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(page)
    (folder / "script.yaml").write_text(script)
    Image.new("RGB", (60, 60), "#c03020").save(folder / "assets" / "asset_001.png")
    Image.new("RGB", (60, 60), "#209040").save(folder / "assets" / "asset_002.png")
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set with one recorded task, `greeter`; the other lines in it were there before."""
    folder = tmp_path_factory.mktemp("record")
    made, data = site(folder / "site"), folder / "data set"
    data.mkdir()
    (data / "data.jsonl").write_text('{"id": "greeter", "old": true}\nnot JSON at all\n')
    assert (
        record_task(made, made / "script.yaml", data, "greeter", pace=0.5)
        == data / "data" / "greeter"
    )
    return data


def frames(video: Path) -> tuple[list[Image.Image], list[int], object]:
    import av

    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        decoded = list(container.decode(stream))
        return (
            [frame.to_image() for frame in decoded],
            [int(frame.pts * frame.time_base * 1000 + 0.5) for frame in decoded],
            stream,
        )


def painted_over(frame: Image.Image, state: bytes) -> tuple[int, int, int, int] | None:
    """Where a frame of the video differs clearly from a screenshot."""
    difference = ImageChops.difference(frame, Image.open(io.BytesIO(state)).convert("RGB")).convert(
        "L"
    )
    return difference.point(lambda value: 255 * (value > 90)).getbbox()


@pytest.mark.browser
def test_the_video_has_a_constant_rate_and_the_length_of_the_script(root):
    images, times, stream = frames(root / "data/greeter/video.mp4")
    assert (stream.codec_context.name, stream.codec_context.pix_fmt, stream.average_rate) == (
        "h264",
        "yuv420p",
        25,
    )
    assert {image.size for image in images} == {(640, 480)}
    assert times == [40 * number for number in range(len(times))]
    assert SECONDS * 0.7 < len(images) / 25 < SECONDS * 1.5
    assert float(stream.duration * stream.time_base) == pytest.approx(len(images) / 25, abs=0.05)


@pytest.mark.browser
def test_the_cursor_is_visible_and_travels_to_its_target(root):
    images, _, _ = frames(root / "data/greeter/video.mp4")
    opened = (root / "data/greeter/checkpoints/step_0.png").read_bytes()
    left, top, right, bottom = painted_over(images[2], opened)
    assert (left, top) == pytest.approx((640 * 0.6, 480 * 0.8), abs=3)  # the tip of the arrow
    assert 8 <= right - left <= 24 and 16 <= bottom - top <= 36
    places = [painted_over(image, opened) for image in images[:25]]
    tops = [place[1] for place in places if place]
    assert tops == sorted(tops, reverse=True) and tops[0] - tops[-1] > 50  # upwards, to the field
    assert len(set(tops)) >= 6  # in small steps


@pytest.mark.browser
def test_checkpoints_are_the_opened_page_and_the_flagged_states_byte_for_byte(root):
    folder = root / "data/greeter"
    shipped = [file.read_bytes() for file in sorted((folder / "checkpoints").glob("*"))]
    assert [file.name for file in sorted((folder / "checkpoints").glob("*"))] == [
        "step_0.png",
        "step_1.png",
        "step_2.png",
    ]
    assert len(set(shipped)) == 3
    assert (
        checkpoints(folder / "page/index.html", folder / "assets", folder / "script.yaml")
        == shipped
    )


@pytest.mark.browser
def test_the_loader_accepts_the_task(root):
    (task,) = load(root, ["greeter"]).tasks
    assert (task.id, task.width, task.height, task.source_website) == (
        "greeter",
        640,
        480,
        "greeter",
    )
    assert task.classification.domain == "Tests" and task.environment.startswith("Chromium ")
    assert [
        (str(a.type), a.parameters.text, a.parameters.key, a.parameters.direction)
        for a in task.actions
    ] == [
        ("Type", "Ada", None, None),
        ("Click", None, None, None),
        ("Scroll", None, None, "down"),
        ("Press", None, "Escape", None),
    ]
    assert task.actions[2].parameters.scroll_page == "0.8"
    assert sorted(task.checkpoints) == [0, 2, 3] and task.true_page and len(task.stitched) == 1


@pytest.mark.browser
def test_the_line_replaces_the_old_one_and_leaves_the_others(root):
    lines = (root / "data.jsonl").read_text().splitlines()
    assert len(lines) == 2 and lines[1] == "not JSON at all"
    assert json.loads(lines[0])["id"] == "greeter" and "old" not in json.loads(lines[0])


@pytest.mark.browser
def test_every_asset_is_on_the_sheet_with_its_name(root):
    from rapidocr import RapidOCR

    sheet = root / "data/greeter/stitched_assets/stitched_image_1.png"
    colours = {colour for _, colour in Image.open(sheet).convert("RGB").getcolors(1_000_000)}
    assert {(0xC0, 0x30, 0x20), (0x20, 0x90, 0x40)} <= colours
    seen = "".join(RapidOCR()(str(sheet)).txts).replace(" ", "")
    assert "asset_001.png" in seen and "asset_002.png" in seen


@pytest.mark.browser
def test_a_seed_varies_the_timing_and_a_pace_the_length(root, tmp_path):
    folder = root / "data/greeter"
    lengths = []
    for seed in (1, 2):
        record_video(
            folder / "page/index.html",
            folder / "assets",
            folder / "script.yaml",
            tmp_path / "v.mp4",
            pace=0.2,
            seed=seed,
        )
        lengths.append(len(frames(tmp_path / "v.mp4")[0]))
    assert max(lengths) < 0.8 * len(frames(folder / "video.mp4")[0])
    assert lengths[0] != lengths[1]


@pytest.mark.browser
def test_a_page_that_is_too_large_or_a_place_that_cannot_be_written_is_one_message(tmp_path):
    folder = site(tmp_path / "site", page=PAGE + "x" * 5_000_001)
    with pytest.raises(DataError, match=r"script\.yaml: the page has .* at most 5,000,000"):
        record_task(folder, folder / "script.yaml", tmp_path / "out", "t")
    with pytest.raises(DataError, match="cannot make"):
        record_task(folder, folder / "script.yaml", folder / "index.html", "t")
    (folder / "index.html").write_text(PAGE)
    with pytest.raises(DataError, match="cannot write"):
        record_video(
            folder / "index.html", folder / "assets", folder / "script.yaml", tmp_path, pace=0.01
        )


def click(target: str) -> str:
    first = "{type: Press, key: a, description: x}"
    second = f"{{type: Click, target: '{target}', description: Click it.}}"
    return f"actions:\n- {first}\n- {second}\n"


@pytest.mark.browser
@pytest.mark.parametrize(
    ("script", "says"),
    [
        (click("#nowhere"), "'#nowhere' fits 0 elements"),
        (click(".twin"), "'.twin' fits 2 elements"),
        (click("#under"), "covered by <div#lid.twin>"),
        (click("#end"), "outside the window"),
        (click("p["), "p["),
        (click("#go").replace("key: a", "key: Banana"), "no such key: 'Banana'"),
        (click("#go").replace("Click,", "Type, text: x,"), "takes no text"),
    ],
)
def test_an_action_that_cannot_be_done_is_named_and_nothing_is_left_behind(tmp_path, script, says):
    folder = site(tmp_path / "site", script)
    with pytest.raises(DataError) as caught:
        record_task(folder, folder / "script.yaml", tmp_path / "out", "t", pace=0.05)
    message = str(caught.value)
    assert (
        message.startswith(f"{folder / 'script.yaml'}: action ")
        and says in message
        and "\n" not in message
    )
    assert caught.value.hint
    assert (
        list((tmp_path / "out" / "data").iterdir()) == []
        and not (tmp_path / "out" / "data.jsonl").exists()
    )


def test_a_folder_without_a_page_is_refused(tmp_path):
    (tmp_path / "script.yaml").write_text(SCRIPT)
    with pytest.raises(DataError, match=r"there is no index\.html"):
        record_task(tmp_path, tmp_path / "script.yaml", tmp_path / "out", "t")
