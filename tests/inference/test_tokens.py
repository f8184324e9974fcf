"""Tokens that media cost: counted without pixels, equal to what real processors and engines use."""

from __future__ import annotations

import json
import textwrap

import numpy as np
import pytest
import recordings
import tiny_models
from PIL import Image
from test_client import ANSWER, Wire
from test_external import PAGE

from iwr import progress
from iwr.config import load_config
from iwr.inference.engines import qwen
from iwr.inference.generate import generate
from iwr.inference.largest import largest_video
from iwr.inference.processors import processor_of, video_input, with_options
from iwr.inference.tokens import TokenCounter
from iwr.inference.video import indices, shrunk
from iwr.records import Generation
from iwr.runs.files import read_record
from iwr.runs.paths import RunPaths
from iwr.tasks.recordings import Recording, probe

RECORDING = Recording(frames=300, rate=25, width=640, height=360)
CHECKPOINTS = {  # budgets of released checkpoints: image processor, video processor
    "qwen2_5_vl": ((3136, 12845056), (3136, 12845056)),
    "qwen3_vl": ((65536, 16777216), (4096, 25165824)),
}


def model_of(family, root, *overrides):
    settings = [f"model={tiny_models.CONFIGS[family]}", f"model.path={root / family}"]
    return load_config([*settings, *overrides])[1][0]


def used(model, number, recording=RECORDING):
    """Return the media tokens of a prompt with real pixels, from the processor itself."""
    loaded = processor_of(model.path, model.revision, model.trust_remote_code)
    assert loaded is not None
    text = loaded.processor.apply_chat_template(
        [{"role": "user", "content": [{"type": "video"}]}], tokenize=False
    )
    pixels = np.full((number, recording.height, recording.width, 3), 90, np.uint8)
    media = video_input(recording, indices(recording.frames, number), pixels)
    prompt = loaded.processor(text=[text], **media, **model.processor)["input_ids"][0]
    return sum(int(token) in loaded.media_tokens for token in prompt), len(prompt)


@pytest.mark.parametrize("family", tiny_models.FAMILIES)
def test_the_plan_counts_what_the_processor_uses(family, tmp_path):
    tiny_models.build(family, tmp_path)
    model = model_of(family, tmp_path, "model.video=native")
    sheet = tmp_path / "sheet.png"
    Image.new("RGB", (700, 400)).save(sheet)
    counter = TokenCounter(model)
    for number in (2, 7):
        plan = counter.plan(RECORDING, number, [], "")
        assert (plan.video_tokens, plan.prompt_tokens) == used(model, number)
    loaded = processor_of(model.path, model.revision, model.trust_remote_code)
    text = loaded.processor.apply_chat_template(
        [{"role": "user", "content": [{"type": "image"}]}], tokenize=False
    )
    prompt = loaded.processor(text=[text], images=[Image.open(sheet)], **model.processor)
    tokens = [int(token) in loaded.media_tokens for token in prompt["input_ids"][0]]
    plan = counter.plan(RECORDING, 2, [sheet], "")
    assert plan.image_tokens == sum(tokens)


def with_budgets_of_the_release(family, root):
    path = tiny_models.build(family, root) / "processor_config.json"
    settings = json.loads(path.read_text())
    for part, (least, most) in zip(
        ("image_processor", "video_processor"), CHECKPOINTS[family], strict=True
    ):
        settings[part]["size"] = {"shortest_edge": least, "longest_edge": most}
        settings[part].pop("cap_pixels_per_frame", None)
    path.write_text(json.dumps(settings))


@pytest.mark.parametrize(
    ("family", "number", "tokens"),
    [("qwen2_5_vl", 10, 3600), ("qwen2_5_vl", 64, 23040), ("qwen3_vl", 10, 3600)],
)
def test_frames_cost_what_they_cost_in_the_authors_pipeline(
    family, number, tokens, tmp_path, monkeypatch
):
    """qwen-vl-utils on a file of 1080p; assets keep their resolution."""
    monkeypatch.setenv("FORCE_QWENVL_VIDEO_READER", "decord")
    from qwen_vl_utils import process_vision_info

    with_budgets_of_the_release(family, tmp_path)
    model = model_of(family, tmp_path)
    recording = Recording(frames=64 * 25, rate=25, width=1920, height=1080)
    sheet = tmp_path / "sheet.png"
    Image.new("RGB", (2000, 2000)).save(sheet)
    plan = TokenCounter(model).plan(recording, number, [sheet], "")
    assert plan.video_tokens == tokens
    assert plan.image_tokens > 3800
    patch = 14 if family == "qwen2_5_vl" else 16
    recordings.record(tmp_path / "v.mp4", 2, 4, size=(1920, 1080))
    video = {"type": "video", "video": str(tmp_path / "v.mp4")}
    question = [{"role": "user", "content": [video]}]
    _, videos = process_vision_info(question, image_patch_size=patch)
    _, _, height, width = videos[0].shape
    assert (height // patch // 2) * (width // patch // 2) * number // 2 == tokens


@pytest.mark.parametrize("cap", ["true", "false"])
@pytest.mark.parametrize("family", ["qwen2_5_vl", "qwen3_vl"])
def test_both_engines_use_the_same_number_of_video_tokens(family, cap, tmp_path):
    """vLLM's are those of the plan (test_process.py); transformers gets frames of qwen-vl-utils."""
    with_budgets_of_the_release(family, tmp_path)
    options = f"model.processor={{videos_kwargs: {{cap_pixels_per_frame: {cap}}}}}"
    model = model_of(family, tmp_path, options)
    loaded = processor_of(model.path, model.revision, model.trust_remote_code)
    processor = with_options(loaded.processor, model.processor)
    token = processor.video_processor.patch_size * processor.video_processor.merge_size
    counter = TokenCounter(model)
    for width, height in ((1920, 1080), (640, 360), (390, 844)):
        recording = Recording(frames=2000, rate=25, width=width, height=height)
        frame = Image.new("RGB", (width, height))
        for number in (2, 7, 31, 64):
            first, *_ = qwen.shrunk_frames([frame] * number, processor)
            tokens = (first.width // token) * (first.height // token) * ((number + 1) // 2)
            assert tokens == counter.plan(recording, number, [], "").video_tokens


def test_frames_that_go_as_images_have_a_budget_and_assets_have_none(tmp_path):
    with_budgets_of_the_release("qwen2_5_vl", tmp_path)
    images = ["model.video=frames", "model.frame_pixels=602112"]
    recording = Recording(frames=64 * 25, rate=25, width=1920, height=1080)
    sheet = tmp_path / "sheet.png"
    Image.new("RGB", (2000, 2000)).save(sheet)
    counter = TokenCounter(model_of("qwen2_5_vl", tmp_path, *images))
    plan = counter.plan(recording, 50, [sheet], "")
    assert plan.video_tokens <= 50 * 800 and plan.image_tokens == 5041
    assert shrunk(1920, 1080, 602112) == (1034, 581) and shrunk(640, 360, 602112) == (640, 360)


def test_the_largest_recording_is_known_before_a_server_starts(tmp_path):
    tiny_models.build("qwen2_5_vl", tmp_path)
    tasks = [recordings.task(tmp_path, name, seconds) for name, seconds in (("a", 2), ("b", 6))]
    broken = recordings.task(tmp_path, "c", 9)
    broken.video.write_bytes(b"broken")
    protocol = load_config([])[0].protocol
    model = model_of("qwen2_5_vl", tmp_path)
    plan = TokenCounter(model).plan(probe(tasks[1].video, "b"), 6, [], "")
    assert largest_video([*tasks, broken], model, protocol) == plan.video_tokens > 0
    assert largest_video([broken], model, protocol) == 0
    as_images = model_of("qwen2_5_vl", tmp_path, "model.video=frames")
    assert largest_video(tasks, as_images, protocol) == 0


# ---- processors of unknown make ------------------------------------------------------------------

SIGNATURE = "text=None, images=None, **options"
STRANGERS = {
    "takes other arguments": "raise TypeError('unexpected keyword argument videos')",
    "gives nested lists": "return {'input_ids': [[[1, 2]]]}",
    "gives no ids": "return {'pixel_values': []}",
    "names no media tokens": "return {'input_ids': [[1, 2, 3]]}",
    "fails inside": "return {}['tgt_sizes']",
}
PROCESSOR = textwrap.dedent('''
    from transformers import AutoTokenizer

    class Stranger:
        """A processor of a model with code of its own, for an older transformers."""
        @classmethod
        def from_pretrained(cls, path, **options):
            self = cls()
            self.tokenizer = AutoTokenizer.from_pretrained(path)
            return self

        def apply_chat_template(self, messages, **options):
            return "<video>"

        def __call__(self, {signature}):
            {body}

        @classmethod
        def register_for_auto_class(cls, *_):
            pass
''')


def stranger(folder, body, signature=SIGNATURE):
    folder.mkdir()
    tiny_models.tokenizer(tiny_models.QWEN).save_pretrained(folder)
    (folder / "processing.py").write_text(PROCESSOR.format(body=body, signature=signature))
    (folder / "config.json").write_text('{"model_type": "qwen2", "architectures": ["Stranger"]}')
    own = {"auto_map": {"AutoProcessor": "processing.Stranger"}, "processor_class": "Stranger"}
    (folder / "processor_config.json").write_text(json.dumps(own))


def generated(folder, tmp_path, *overrides):
    tasks = [recordings.task(tmp_path, "a", 2), recordings.task(tmp_path, "b", 2)]
    answer = ANSWER | {
        "choices": [{"message": {"content": PAGE}, "finish_reason": "stop"}],
        "prompt_token_ids": [1, 2, 3],
    }
    wire = Wire((200, answer), (200, answer), models=["x"])
    server = ["server=external", f"server.url={wire.endpoint.url}"]
    settings = ["model=hf", f"model.path={folder}", "model.trust_remote_code=true", *server]
    config, (model,) = load_config([*settings, *overrides])
    paths = RunPaths.of(tmp_path, "run")
    generate(tasks, model, config, paths, progress.silent)
    return [read_record(paths.task("hf", task.id).generation, Generation) for task in tasks]


@pytest.mark.parametrize("how", STRANGERS)
def test_a_processor_of_unknown_make_leaves_the_run_unaudited_with_one_warning(
    how, tmp_path, caplog
):
    stranger(tmp_path / "model", STRANGERS[how])
    for record in generated(tmp_path / "model", tmp_path):
        assert (record.status, record.frames.planned, record.frames.delivered) == ("ok", 2, None)
        assert "does not count tokens" in record.frames.unaudited
    assert caplog.text.count("are not audited") == 1


MAKES = {
    # takes nested lists of images alone, and gives nested ids
    "minicpm_v_4_5": ("text, images=None, max_slice_nums=None", "return {'input_ids': [[[1]]]}"),
    # takes images alone, by order
    "kimi_vl_a3b_thinking": ("images=None, text=None", "return {'input_ids': [[1, 2]]}"),
    # as its code for transformers 4 does
    "keye_vl_1_5_8b": (SIGNATURE, "from transformers.image_utils import VideoInput"),
}


@pytest.mark.parametrize("name", MAKES)
def test_stand_ins_of_models_with_code_of_their_own_run_unaudited(name, tmp_path, caplog):
    signature, body = MAKES[name]
    stranger(tmp_path / "model", body, signature)
    video = load_config([f"model={name}"])[1][0].video
    for record in generated(tmp_path / "model", tmp_path, f"model.video={video}"):
        assert (record.status, record.frames.delivered) == ("ok", None)
        assert record.frames.unaudited
    assert caplog.text.count("are not audited") == 1


def test_a_model_with_a_tokenizer_alone_runs_unaudited(tmp_path, caplog):
    """InternVideo2.5 has no processor."""
    tiny_models.tokenizer(tiny_models.QWEN).save_pretrained(tmp_path / "model")
    (tmp_path / "model" / "config.json").write_text('{"model_type": "qwen2"}')
    for record in generated(tmp_path / "model", tmp_path):
        assert (record.status, record.frames.delivered) == ("ok", None)
        assert record.frames.unaudited
    assert caplog.text.count("are not audited") == 1


def test_a_processor_that_does_not_load_leaves_the_run_unaudited(tmp_path, caplog):
    stranger(tmp_path / "model", "pass")
    (tmp_path / "model" / "processing.py").write_text("from transformers import VideoInputs\n")
    for record in generated(tmp_path / "model", tmp_path):
        assert (record.status, record.frames.delivered) == ("ok", None)
        assert "does not load" in record.frames.unaudited
    assert caplog.text.count("are not audited") == 1
