"""Malformed data sets get one clear message each; the tasks beside the bad one go on."""

from __future__ import annotations

import json
import os
import shutil

import data_sets as ds
import pytest

from iwr.records import ActionType
from iwr.tasks.files import content_digest
from iwr.tasks.load import load


def test_a_valid_data_set_loads(tmp_path):
    ds.folder(tmp_path, 7, (0, 1))
    ds.folder(tmp_path, "b")
    typed = ds.click(
        type="Type",
        parameters={"text": "abc", "element_index": 3},
        visual_evaluation_flag=True,
        logical_assertion=" ",
    )
    ds.write(
        tmp_path,
        ds.line(7, [ds.click(logical_assertion="'Done' appears"), typed]),
        b"",
        ds.line("b", classification=None),
    )
    loaded = load(tmp_path)
    assert (loaded.faults, loaded.notes) == ((), ())
    task, other = loaded.tasks
    assert (task.id, task.width, task.height, task.environment) == ("7", 640, 480, "desktop")
    assert task.action(2).type is ActionType.TYPE
    assert task.action(2).parameters.element_index == "3"
    assert [action.logical_assertion for action in task.actions] == ["'Done' appears", None]
    assert task.checkpoints == {
        0: task.folder / "checkpoints/step_0.png",
        2: task.folder / "checkpoints/step_1.png",
    }
    assert task.stitched == (task.folder / "stitched_assets/stitched_image.png",)
    assert other.classification.domain is None


def two_tasks(root):
    """Task 1 is what a case breaks, task 2 must survive."""
    ds.folder(root, 1)
    ds.folder(root, 2)
    return ds.write(root, ds.line(1), ds.line(2))


def lines(*items):
    return lambda root: ds.write(root, *items, ds.line(2))


def first(**fields):
    return lines(ds.line(1, **fields))


def actions(*items):
    return lines(ds.line(1, list(items)))


def explicit(path):
    return actions(ds.click(visual_evaluation_flag=True, checkpoint_screenshot=path))


def files(change):
    return lambda root: change(root / "data" / "1")


def link_out(folder):
    (folder.parent / "secret.png").write_bytes((folder / "assets/asset_001.png").read_bytes())
    (folder / "assets/asset_002.png").symlink_to(folder.parent / "secret.png")


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


def without(key):
    return lines({name: value for name, value in ds.line(1).items() if name != key})


VIDEO, STEPS, SHEET = (
    "data/1/video.mp4",
    "data/1/checkpoints",
    "data/1/stitched_assets/stitched_image.png",
)
RESOLUTION = "recording_details.resolution"

# name: (how task 1 is broken, the fault: file, line, step, field, words of the message)
CASES = {
    "broken JSON": (
        lines(b'{"id": 1, "action_seq'),
        ("data.jsonl", 1, None, None, "broken JSON at column 11"),
    ),
    "not an object": (
        lines(b"[1, 2]"),
        ("data.jsonl", 1, None, None, "found [1, 2] where a task is expected"),
    ),
    "nested without end": (
        lines(b"[" * 200_000),
        ("data.jsonl", 1, None, None, "nested too deeply"),
    ),
    "NaN": (lines(b'{"id": NaN}'), ("data.jsonl", 1, None, None, "NaN is not JSON")),
    "field twice": (
        lines(b'{"id": 1, "id": 2}'),
        ("data.jsonl", 1, None, None, "'id' appears twice"),
    ),
    "not UTF-8": (
        lines(b'{"id": "caf\xe9"}'),
        ("data.jsonl", 1, None, None, "byte 12 of the line is not UTF-8"),
    ),
    "no id": (without("id"), ("data.jsonl", 1, None, "id", "is missing; add it")),
    "id is a list": (
        first(id=[1]),
        ("data.jsonl", 1, None, "id", "must be a number or text, found [1]"),
    ),
    "id is a bool": (
        first(id=True),
        ("data.jsonl", 1, None, "id", "must be a number or text, found true"),
    ),
    "id leads out": (first(id="../1"), ("data.jsonl", 1, None, "id", "cannot be a folder name")),
    "id is a path": (first(id="a/b"), ("data.jsonl", 1, None, "id", "use letters, digits")),
    "id twice": (lines(ds.line(2)), ("data.jsonl", 2, None, "id", "line 1 has the same id")),
    "no resolution": (
        first(recording_details={}),
        ("data.jsonl", 1, None, RESOLUTION, "is missing"),
    ),
    "wrong cross": (
        first(recording_details={"resolution": "1920×1080"}),
        ("data.jsonl", 1, None, RESOLUTION, "write WIDTHxHEIGHT with the letter x"),
    ),
    "no pixels": (
        first(recording_details={"resolution": "0x0"}),
        ("data.jsonl", 1, None, RESOLUTION, "outside 64..8192"),
    ),
    "no actions": (
        actions(),
        ("data.jsonl", 1, None, "action_sequence", "is empty; a task needs at least one action"),
    ),
    "actions missing": (
        without("action_sequence"),
        ("data.jsonl", 1, None, "action_sequence", "is missing"),
    ),
    "actions are text": (
        first(action_sequence="Click"),
        ("data.jsonl", 1, None, "action_sequence", 'must be a list of actions, found "Click"'),
    ),
    "unknown action": (
        actions(ds.click(), ds.click(type="Hover")),
        ("data.jsonl", 1, 2, "type", 'unknown action type "Hover"; use Click, Type, Scroll, Press'),
    ),
    "no parameters": (actions({"type": "Click"}), ("data.jsonl", 1, 1, "parameters", "is missing")),
    "nothing to click": (
        actions(ds.click("  ")),
        ("data.jsonl", 1, 1, "parameters.description", "Click without a description"),
    ),
    "flag is text": (
        actions(ds.click(visual_evaluation_flag="yes")),
        ("data.jsonl", 1, 1, "visual_evaluation_flag", 'must be true or false, found "yes"'),
    ),
    "assertion is a number": (
        actions(ds.click(logical_assertion=3)),
        ("data.jsonl", 1, 1, "logical_assertion", "must be text, found 3"),
    ),
    "lone surrogate": (
        actions(ds.click("\ud800")),
        ("data.jsonl", 1, None, None, "half of a surrogate pair"),
    ),
    "no folder": (files(shutil.rmtree), ("data/1", None, None, None, "folder is missing")),
    "no video": (
        files(lambda f: (f / "video.mp4").unlink()),
        (VIDEO, None, None, None, "is missing"),
    ),
    "empty video": (
        files(lambda f: cut(f / "video.mp4", 0)),
        (VIDEO, None, None, None, "is empty"),
    ),
    "video is text": (
        files(lambda f: (f / "video.mp4").write_text("version https://git-lfs.github.com/spec/v1")),
        (VIDEO, None, None, None, "not an MP4 video"),
    ),
    "video is a pipe": (
        files(lambda f: ((f / "video.mp4").unlink(), os.mkfifo(f / "video.mp4"))),
        (VIDEO, None, None, None, "not a regular file"),
    ),
    "no first screenshot": (
        files(lambda f: (f / "checkpoints/step_0.png").unlink()),
        (STEPS + "/step_0.png", None, 0, None, "is missing"),
    ),
    "no checkpoint": (
        files(lambda f: (f / "checkpoints/step_1.png").unlink()),
        (
            STEPS,
            None,
            2,
            "visual_evaluation_flag",
            "need step_1.png or step_2.png, found nothing beside step_0.png",
        ),
    ),
    "checkpoint leads out": (
        explicit("../2/checkpoints/step_0.png"),
        (
            "data/1/../2/checkpoints/step_0.png",
            None,
            1,
            "checkpoint_screenshot",
            "leads out of the task's folder",
        ),
    ),
    "checkpoint is absolute": (
        explicit("/etc/passwd"),
        (STEPS, None, 1, "checkpoint_screenshot", "relative to the task's folder"),
    ),
    "checkpoint is cut off": (
        files(lambda f: cut(f / "checkpoints/step_1.png", 60)),
        (STEPS + "/step_1.png", None, 2, None, "is cut off"),
    ),
    "checkpoint is no image": (
        files(lambda f: (f / "checkpoints/step_0.png").write_text("no")),
        (STEPS + "/step_0.png", None, 0, None, "cannot be read as an image"),
    ),
    "overview is no image": (
        files(lambda f: (f / "stitched_assets/stitched_image.png").write_text("no")),
        (SHEET, None, None, None, "cannot be read as an image"),
    ),
    "asset leads out": (
        files(link_out),
        ("data/1/assets/asset_002.png", None, None, None, "leads out of the task's folder"),
    ),
    "asset is a broken link": (
        files(lambda f: (f / "assets/b.png").symlink_to("nowhere")),
        ("data/1/assets/b.png", None, None, None, "is missing"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_named_in_one_message_and_the_other_task_goes_on(name, tmp_path):
    breaks, (file, line, step, field, words) = CASES[name]
    breaks(two_tasks(tmp_path))
    loaded = load(tmp_path)
    assert [task.id for task in loaded.tasks] == ["2"]
    (fault,) = loaded.faults
    assert (fault.file, fault.line, fault.step, fault.field) == (
        str(tmp_path / file),
        line,
        step,
        field,
    )
    assert words in fault.message
    text = str(fault)
    assert (
        text.startswith(str(tmp_path / file))
        and words in text
        and "\n" not in text
        and len(text) < 500
    )
    json.loads(fault.model_dump_json())


WHOLE_FILE = {
    "no data.jsonl": (
        lambda file: file.unlink(),
        "data.root must be the folder that holds data.jsonl",
    ),
    "a folder": (lambda file: (file.unlink(), file.mkdir()), "Is a directory"),
    "empty": (lambda file: cut(file, 0), "holds no task"),
    "UTF-16": (
        lambda file: file.write_bytes(file.read_text().encode("utf-16")),
        "save it as UTF-8",
    ),
}


@pytest.mark.parametrize("name", WHOLE_FILE)
def test_an_unreadable_data_set_gives_one_message(name, tmp_path):
    breaks, words = WHOLE_FILE[name]
    breaks(two_tasks(tmp_path) / "data.jsonl")
    loaded = load(tmp_path)
    assert loaded.tasks == ()
    (fault,) = loaded.faults
    assert fault.file == str(tmp_path / "data.jsonl") and words in fault.message


def test_every_fault_of_a_line_is_said(tmp_path):
    two_tasks(tmp_path)
    ds.write(
        tmp_path,
        ds.line(
            1,
            [ds.click(type="Hover"), ds.click(visual_evaluation_flag=1)],
            recording_details={"resolution": 5},
        ),
    )
    assert {(fault.step, fault.field) for fault in load(tmp_path).faults} == {
        (None, RESOLUTION),
        (1, "type"),
        (2, "visual_evaluation_flag"),
    }


def test_unknown_fields_and_a_byte_order_mark_are_tolerated_and_noted(tmp_path):
    two_tasks(tmp_path)
    ds.write(
        tmp_path,
        b"\xef\xbb\xbf" + json.dumps(ds.line(1, [ds.click(speed=2)], author="me")).encode(),
        ds.line(2, author="you"),
    )
    loaded = load(tmp_path)
    assert len(loaded.tasks) == 2 and not loaded.faults
    notes = "\n".join(loaded.notes)
    assert "byte order mark" in notes
    assert "data.jsonl:1: unknown field author is ignored (2 tasks)" in notes
    assert "data.jsonl:1: unknown field action_sequence.speed is ignored (1 tasks)" in notes


FLAGS = [False, True, False, True]  # actions 2 and 4 are checkpoints


@pytest.mark.parametrize(
    ("flags", "numbers", "expected"),
    [
        (FLAGS, (1, 2), {2: 1, 4: 2}),  # by order
        (FLAGS, (2, 4), {2: 2, 4: 4}),  # by index
        (
            FLAGS,
            (1, 2, 3, 4),
            {2: 2, 4: 4},
        ),  # a screenshot of every state: only the index explains all files
        (FLAGS, (1, 2, 3), {2: 1, 4: 2}),  # one file too many, but no step_4
        ([True, True], (1, 2), {1: 1, 2: 2}),  # both are the same
        ([False, False], (), {}),
        (FLAGS, (1, 4), None),
        (FLAGS, (), None),
        ([False, True, True], (1, 2, 3, 9), None),  # both have their files, neither explains step_9
    ],
)
def test_checkpoint_numbering_is_decided_from_the_files(tmp_path, flags, numbers, expected):
    ds.folder(tmp_path, 1, (0, *numbers))
    ds.write(tmp_path, ds.line(1, [ds.click(visual_evaluation_flag=flag) for flag in flags]))
    loaded = load(tmp_path)
    if expected is None:
        assert loaded.faults[0].field == "visual_evaluation_flag"
        assert all(f"step_{number}.png" in loaded.faults[0].message for number in numbers)
        return
    checkpoints = {0: 0} | expected
    assert {step: path.name for step, path in loaded.tasks[0].checkpoints.items()} == {
        s: f"step_{n}.png" for s, n in checkpoints.items()
    }


@pytest.mark.parametrize("given", ["other/final.png", "data/1/other/final.png"])
def test_an_explicit_checkpoint_wins(tmp_path, given):
    folder = ds.folder(tmp_path, 1, (0, 1, 2))
    ds.image(folder / "other/final.png", "blue")
    flagged = ds.click(visual_evaluation_flag=True)
    ds.write(tmp_path, ds.line(1, [flagged, flagged | {"checkpoint_screenshot": given}]))
    loaded = load(tmp_path)
    assert not loaded.faults
    assert loaded.tasks[0].checkpoints[1].name == "step_1.png"
    assert loaded.tasks[0].checkpoints[2].relative_to(folder).as_posix() == "other/final.png"
    assert any("step_2.png" in note for note in loaded.notes)


def test_only_some_tasks(tmp_path):
    ds.good(tmp_path, 1, 2, 3)
    (tmp_path / VIDEO).unlink()
    loaded = load(tmp_path, only=["3", "9"])
    assert [task.id for task in loaded.tasks] == ["3"]
    assert [(fault.task, fault.field) for fault in loaded.faults] == [("9", "id")]


def test_overview_images_come_in_the_order_of_their_numbers(tmp_path):
    folder = ds.folder(ds.good(tmp_path, 1), 1)
    for name in ("stitched_image_10.png", "stitched_image_2.png", "stitched_image_1.jpg"):
        ds.image(folder / "stitched_assets" / name)
    names = [path.stem for path in load(tmp_path).tasks[0].stitched]
    assert names == ["stitched_image", "stitched_image_1", "stitched_image_2", "stitched_image_10"]


def test_the_digest_follows_the_content_and_nothing_else(tmp_path):
    ds.good(tmp_path / "a", 1)
    before = load(tmp_path / "a").tasks[0].digest
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert load(tmp_path / "b").tasks[0].digest == before
    ds.image(tmp_path / "b/data/1/assets/asset_001.png", "green")
    assert load(tmp_path / "b").tasks[0].digest != before
    ds.write(tmp_path / "a", ds.line(1, source_website="https://other.test"))
    assert load(tmp_path / "a").tasks[0].digest != before


def test_a_large_file_is_told_from_another_by_its_ends_and_its_size(tmp_path):
    big = tmp_path / "video.mp4"
    content = bytearray(os.urandom(6 << 20))
    digests = set()
    for change in (
        lambda: None,
        lambda: content.__setitem__(5, content[5] ^ 1),
        lambda: content.__setitem__(-5, content[-5] ^ 1),
        lambda: content.extend(b"x"),
    ):
        change()
        big.write_bytes(content)
        digests.add(content_digest(big))
    assert len(digests) == 4
