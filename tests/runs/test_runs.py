"""Files of a run: whole or not at all, resumed only under the same settings."""

import os
import socket
import subprocess
import sys

import pytest

from iwr.errors import ConfigError, DataError, StaleRunError
from iwr.records import Generation, GenerationStatus
from iwr.runs.files import clear_parts, part_of, read_record, write_record
from iwr.runs.paths import RunPaths
from iwr.runs.resume import is_pending


def generation(status="ok", **fingerprint):
    return Generation(model="m", task="t", status=GenerationStatus(status), fingerprint=fingerprint)


def test_names_that_leave_the_run_are_refused(tmp_path):
    paths = RunPaths.of(tmp_path, "run")
    for name in ("../x", "/x", "a/b", "", ".hidden", "a b"):
        with pytest.raises(ConfigError, match="folder name"):
            paths.task("model", name)


def test_a_record_comes_back_as_it_was_written(tmp_path):
    record = generation(task="1", prompt="2")
    write_record(tmp_path / "deep/generation.json", record)
    assert read_record(tmp_path / "deep/generation.json", Generation) == record


def test_complete_pending_and_stale_records(tmp_path):
    path = tmp_path / "generation.json"
    assert is_pending(path, Generation, {"prompt": "1"}, "stop")
    write_record(path, generation(prompt="1"))
    assert not is_pending(path, Generation, {"prompt": "1"}, "stop")
    with pytest.raises(StaleRunError) as stale:
        is_pending(path, Generation, {"prompt": "2"}, "stop")
    assert "prompt: 1 -> 2" in str(stale.value)
    assert all(choice in stale.value.hint for choice in ("resume", "overwrite", "run.name"))
    assert is_pending(path, Generation, {"prompt": "2"}, "overwrite")


def test_other_inputs_make_a_record_pending_again(tmp_path):
    path = tmp_path / "rollout.json"
    write_record(path, generation(**{"input.page": "a", "judge": "contract"}))
    assert is_pending(path, Generation, {"input.page": "b", "judge": "contract"}, "stop")


def test_a_failure_of_the_infrastructure_is_tried_again(tmp_path):
    write_record(tmp_path / "g.json", generation("failed", prompt="1"))
    assert is_pending(tmp_path / "g.json", Generation, {"prompt": "1"}, "stop")


def test_a_damaged_record_is_named_and_made_again(tmp_path, caplog):
    for number, damage in enumerate((b"", b"{", b"\xff\xfe", b"[]", b'{"model": 1}')):
        path = tmp_path / f"{number}.json"
        path.write_bytes(damage)
        with pytest.raises(DataError, match="not a valid Generation"):
            read_record(path, Generation)
        assert is_pending(path, Generation, {}, "stop")
        assert str(path) in caplog.text


def test_a_killed_writer_leaves_the_old_file_or_the_new_one(tmp_path):
    """kill -9 in the middle of many writes: the file is always one of the two whole versions."""
    path = tmp_path / "file"
    code = (
        "import sys, itertools; from pathlib import Path; from iwr.runs.files import write_atomic\n"
        "for i in itertools.cycle('ab'):\n"
        "    write_atomic(Path(sys.argv[1]), i * 2_000_000); print(flush=True)"
    )
    for _ in range(5):
        writer = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
        for _ in range(3):
            writer.stdout.readline()
        writer.kill()
        writer.wait()
        writer.stdout.close()
        assert path.read_bytes() in (b"a" * 2_000_000, b"b" * 2_000_000)


def test_a_disk_that_refuses_is_one_clear_error_and_leaves_nothing_behind(tmp_path):
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from iwr.runs.files import write_atomic\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "write_atomic(Path(sys.argv[1]), b'x' * 2000)"
    )
    process = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "file")], capture_output=True, text=True
    )
    assert f"DataError: cannot write {tmp_path / 'file'}" in process.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_writer_left_goes_and_what_a_living_one_writes_stays(tmp_path):
    ended = subprocess.Popen(["true"])
    ended.wait()
    living = part_of(tmp_path / "report" / "a.json")
    killed = living.with_name(living.name.replace(str(os.getpid()), str(ended.pid)))
    elsewhere = killed.with_name(killed.name.replace(socket.gethostname(), "another-node"))
    living.parent.mkdir()
    for part in (living, killed, elsewhere):
        part.write_text("half")
    clear_parts(tmp_path)
    assert set(living.parent.iterdir()) == {living, elsewhere}
