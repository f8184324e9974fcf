"""Recordings on their way to a model: what is in the file, and which frames are asked for."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import recordings

from iwr.config import ModelConfig, ProtocolConfig
from iwr.errors import DataError
from iwr.inference import video
from iwr.inference.engines.transformers import decoded
from iwr.tasks.load import samples_root
from iwr.tasks.recordings import Recording, probe

PROTOCOL = ProtocolConfig(name="p", low=[], high=False)
MODEL = ModelConfig(name="m", kind="vllm")


@pytest.mark.parametrize("rate", [10, 25, Fraction(60000, 1001)])
@pytest.mark.parametrize(("seconds", "frames"), [(0.4, 2), (1, 2), (3, 3), (10.02, 10), (90, 64)])
def test_one_frame_a_second_at_most_64_first_and_last_included(tmp_path, seconds, rate, frames):
    total = recordings.record(tmp_path / "v.mp4", seconds, rate, size=(64, 48))
    found = probe(tmp_path / "v.mp4", "t")
    assert (found.frames, found.width, found.height) == (total, 64, 48)
    assert found.rate == pytest.approx(float(rate), rel=1e-3) and found.seconds == pytest.approx(
        seconds, abs=0.06
    )
    wanted = video.indices(found.frames, video.count(found, PROTOCOL))
    assert len(wanted) == frames and (wanted[0], wanted[-1]) == (0, total - 1)
    steps = np.diff(wanted)
    assert steps.max() - steps.min() <= 1


def test_no_more_frames_than_there_are(tmp_path):
    recordings.record(tmp_path / "v.mp4", 3, 1, size=(64, 48))
    recording = probe(tmp_path / "v.mp4", "t")
    dense = ProtocolConfig(name="p", low=[], high=False, fps=5)
    assert (recording.frames, video.count(recording, dense)) == (3, 3)


def test_the_protocol_decides(tmp_path):
    found = Recording(frames=250, rate=25, width=64, height=48)
    assert (
        video.count(found, ProtocolConfig(name="p", low=[], high=False, fps=2, max_frames=16)) == 16
    )
    assert video.engine_settings(MODEL, PROTOCOL) == {
        "video_backend": "opencv",
        "fps": 1.0,
        "num_frames": 64,
    }
    own = ModelConfig(name="m", kind="vllm", video_io={"fps": 4})
    assert (
        video.engine_settings(own, PROTOCOL) == {"fps": 4} and video.request_settings(own, 5) == {}
    )


def test_models_that_take_images_get_70_at_most():
    found, images = (
        Recording(frames=2500, rate=25, width=64, height=48),
        ModelConfig(name="m", kind="vllm", video="frames"),
    )
    assert [video.count_for(found, PROTOCOL, model, 20) for model in (MODEL, images)] == [64, 50]
    assert video.count_for(found, PROTOCOL, images, 90) == 1


def broken(path, how):
    recordings.record(path, 2, 25, size=(64, 48))
    data = path.read_bytes()
    path.write_bytes(
        {
            "empty": b"",
            "text": b"not a video\n" * 99,
            "half": data[: len(data) // 2],
            "noise": bytes(5000),
        }[how]
    )


@pytest.mark.parametrize("how", ["empty", "text", "half", "noise"])
def test_a_broken_recording_names_its_task(tmp_path, how):
    broken(tmp_path / "v.mp4", how)
    with pytest.raises(DataError, match="task t7"):
        probe(tmp_path / "v.mp4", "t7")


def test_a_missing_recording_and_one_without_pictures(tmp_path):
    with pytest.raises(DataError, match="task t7"):
        probe(tmp_path / "none.mp4", "t7")
    import av

    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(
            np.zeros((2, 1024), np.float32), format="fltp", layout="stereo"
        )
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(DataError, match="no video stream"):
        probe(tmp_path / "sound.mp4", "t7")


def test_the_frames_asked_for_are_the_frames_decoded(tmp_path):
    total = recordings.record(tmp_path / "v.mp4", 2, 25)
    first, last = video.frames(tmp_path / "v.mp4", [0, total - 1], "t")
    lefts = [
        np.asarray(image)[80, :, 2].argmin() for image in (first, last)
    ]  # the square moves from left to right
    assert lefts[0] < 5 and lefts[1] > 250
    assert video.data_url(first).startswith("data:image/jpeg;base64,")


def test_both_engines_decode_the_same_pictures():
    """vLLM with OpenCV, transformers with decord, models that take images with PyAV."""
    import cv2

    path = samples_root() / "data" / "film-rating" / "video.mp4"
    wanted = video.indices(probe(path, "t").frames, 7)
    capture, read = cv2.VideoCapture(str(path)), []
    while (step := capture.read())[0]:
        read.append(step[1][:, :, ::-1])
    for index, ours, local in zip(
        wanted, video.frames(path, wanted, "t"), decoded(path, wanted), strict=True
    ):
        assert np.array_equal(ours, local) and np.array_equal(ours, read[index])
