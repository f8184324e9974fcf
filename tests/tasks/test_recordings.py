"""Recordings as people have them: whole, damaged, and of codecs that not every engine knows."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import av
import numpy as np
import pytest

from iwr.cli.main import main
from iwr.errors import DataError
from iwr.tasks.load import samples_root
from iwr.tasks.recordings import verify

SAMPLE = "shop-cart"
ORIGINAL = samples_root() / "data" / SAMPLE / "video.mp4"


@pytest.fixture(scope="module")
def pictures():
    """Every third frame of a sample: most of the bytes are in frames after the first."""
    with av.open(str(ORIGINAL)) as container:
        frames = list(container.decode(video=0))
    return [frame.reformat(640, 360, "yuv420p") for frame in frames[::3]]


def encode(path, images, codec="libx264", container_format="mp4", **options):
    """Write the images as a video of 10 frames a second."""
    with av.open(str(path), "w", format=container_format, options=options) as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for index, image in enumerate(images):
            image.pts = index
            container.mux(stream.encode(image))
        container.mux(stream.encode(None))


def sound(path, images):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        samples = np.zeros((2, 1024), np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def truncated(path, images):
    encode(path, images)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])


def truncated_with_its_index(path, images):
    encode(path, images, movflags="faststart")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])


def flipped_bytes(path, images):
    encode(path, images, movflags="faststart")
    data = bytearray(path.read_bytes())
    places = np.random.default_rng(0).integers(len(data) * 2 // 3, len(data), 400)
    for place in places:
        data[place] ^= 0xFF
    path.write_bytes(data)


def av1(path, images):
    """Encode in a process of its own: run by root, SVT-AV1 gives its process real-time priority."""
    source = path.with_suffix(".source.mp4")
    encode(source, images[:10])
    subprocess.run([sys.executable, __file__, source, path], check=True, timeout=120)
    source.unlink()


def one_frame(path, images):
    encode(path, images[:1])


BROKEN = {
    truncated: "cannot be read as a video",
    truncated_with_its_index: "is cut off",
    flipped_bytes: "is damaged",
    sound: "has no video stream",
    av1: "is av1 video, which vLLM cannot decode here; encode it again: ffmpeg ",
    one_frame: "holds a single frame",
}


@pytest.mark.parametrize("write", BROKEN, ids=lambda write: write.__name__)
def test_validate_names_a_recording_that_no_model_could_see_whole(
    write, tmp_path, pictures, capsys
):
    folder = tmp_path / "data" / SAMPLE
    shutil.copytree(samples_root() / "data" / SAMPLE, folder)
    for line in (samples_root() / "data.jsonl").read_text().splitlines():
        if json.loads(line)["id"] == SAMPLE:
            (tmp_path / "data.jsonl").write_text(line + "\n")
    video = folder / "video.mp4"
    video.unlink()
    write(video, pictures)
    assert main(["validate", "data=iwr_bench", f"data.root={tmp_path}"]) == 1
    output = capsys.readouterr()
    assert output.out == "0 tasks load, 1 faults\n"
    fault = output.err.splitlines()[-1]
    assert fault.startswith(f"{video}: task {SAMPLE}: {BROKEN[write]}")
    with pytest.raises(DataError, match=f"task {SAMPLE}: "):
        verify(video, SAMPLE)


WHOLE = {
    "fragmented": {"movflags": "frag_keyframe+empty_moov+default_base_moof"},
    "vp9": {"codec": "libvpx-vp9"},
    "mpeg4": {"codec": "mpeg4"},
    "hevc": {"codec": "libx265"},
}


@pytest.mark.parametrize("kind", WHOLE)
def test_recordings_that_engines_decode_are_taken(kind, tmp_path, pictures):
    path = tmp_path / "video.mp4"
    encode(path, pictures[:20], **WHOLE[kind])
    recording = verify(path, "t")
    assert (recording.frames, recording.width, recording.height) == (20, 640, 360)


if __name__ == "__main__":
    with av.open(sys.argv[1]) as recording:
        encode(sys.argv[2], list(recording.decode(video=0)), "libsvtav1")
