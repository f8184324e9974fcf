"""What a bad disk does to a run: one clear error, nothing lost, and the same command heals it."""

import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from iwr.runs.content import content
from iwr.runs.paths import RunPaths

TASKS = ["film-rating", "shop-cart", "signup-form"]
FULL = pytest.mark.full
DAMAGES = [b'{"status": ', b"", b"\0" * 50, b"[]", b'{"status": "ok"}']
pytestmark = pytest.mark.browser


def iwr(root: Path, *arguments: str) -> subprocess.CompletedProcess:
    names = [
        "models=[oracle]",
        f"data.tasks=[{','.join(TASKS)}]",
        f"run.root={root}",
        "run.name=run",
    ]
    command = [
        Path(sys.executable).parent / "iwr",
        *(arguments or ["run"]),
        *names,
        "protocol.low=[ssim]",
        "~protocol.metrics.ocr",
    ]
    return subprocess.run(command, capture_output=True, text=True)


def one_clear_error(process: subprocess.CompletedProcess, *words: str) -> None:
    assert process.returncode in (2, 3), process.stderr
    assert "Traceback" not in process.stderr
    for word in words:
        assert word in process.stderr


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    root = tmp_path_factory.mktemp("undisturbed")
    assert iwr(root).returncode == 0
    return content(root / "run")


@pytest.fixture
def disk(tmp_path):
    """A file system of its own: `disk(options)` mounts it or changes how it is mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options: str) -> Path:
        again = "remount," if folder.is_mount() else ""
        process = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", again + options, "tmpfs", folder],
            capture_output=True,
            text=True,
        )
        if process.returncode:
            pytest.skip(f"no file system can be mounted here: {process.stderr.strip()}")
        return folder

    yield mount
    subprocess.run(["umount", "--lazy", folder], capture_output=True)


# full while pages are written, or while they are judged
@pytest.mark.parametrize(
    "size", [pytest.param("40k", marks=FULL), "300k", pytest.param("700k", marks=FULL)]
)
def test_a_full_disk_is_an_error_and_space_heals_it(disk, undisturbed, size):
    root = disk(f"size={size}")
    one_clear_error(iwr(root), "No space left", str(root))
    assert not list(root.rglob("*.part"))
    disk("size=1g")
    assert iwr(root).returncode == 0
    assert content(root / "run") == undisturbed


def test_a_read_only_folder_is_an_error_and_loses_nothing(disk, undisturbed):
    root = disk("size=1g")
    assert iwr(root, "generate").returncode == 0
    disk("ro")
    one_clear_error(iwr(root), "Read-only", str(root))
    disk("rw")
    assert iwr(root).returncode == 0
    assert content(root / "run") == undisturbed


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    root = tmp_path_factory.mktemp("finished")
    assert iwr(root).returncode == 0
    return root


def times_of_other_tasks(root: Path) -> dict[Path, int]:
    """Return the modification times of the records of all tasks but the second."""
    return {
        file: file.stat().st_mtime_ns
        for file in root.glob("run/oracle/*/**/*.json")
        if TASKS[1] not in file.parts
    }


@pytest.mark.parametrize("damages", [DAMAGES[:1], pytest.param(DAMAGES[1:], marks=FULL)])
def test_a_damaged_record_is_made_again(finished, undisturbed, damages):
    files = RunPaths.of(finished, "run").task("oracle", TASKS[1])
    judged = files.judge("contract")
    records = [files.generation, judged.rollout, judged.score("offline")]
    times = times_of_other_tasks(finished)
    for record, damage in itertools.product(records, damages):
        record.write_bytes(damage)
        assert iwr(finished).returncode == 0
        assert content(finished / "run") == undisturbed, f"{record.name} damaged to {damage!r}"
    assert times_of_other_tasks(finished) == times


@pytest.mark.parametrize(
    "damage", ["cut", pytest.param("empty", marks=FULL), pytest.param("gone", marks=FULL)]
)
def test_a_damaged_screenshot_is_judged_again(finished, undisturbed, damage):
    shot = RunPaths.of(finished, "run").task("oracle", TASKS[0]).judge("contract").screenshot(0)
    whole = shot.read_bytes()
    damages = {"cut": whole[: len(whole) // 2], "empty": b""}
    if damage == "gone":
        shot.unlink()
    else:
        shot.write_bytes(damages[damage])
    assert iwr(finished).returncode == 0
    assert shot.read_bytes() == whole
    assert content(finished / "run") == undisturbed
