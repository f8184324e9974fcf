"""What a bad disk does to a run: one clear error, nothing lost, and the same command heals it."""

import subprocess
import sys
from pathlib import Path

import pytest

from iwr.runs.content import content
from iwr.runs.paths import RunPaths

TASKS = ["film-rating", "shop-cart", "signup-form"]
FULL = pytest.mark.full
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


def one_clear_error(done: subprocess.CompletedProcess, *words: str) -> None:
    assert done.returncode in (2, 3), done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


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
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", again + options, "tmpfs", folder],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
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


@pytest.mark.parametrize(
    "damage",
    [
        b'{"status": ',
        *(pytest.param(d, marks=FULL) for d in (b"", b"\0" * 50, b"[]", b'{"status": "ok"}')),
    ],
)
@pytest.mark.parametrize("record", ["generation", "rollout", "score"])
def test_a_damaged_record_is_made_again(finished, undisturbed, record, damage):
    files = RunPaths.of(finished, "run").task("oracle", TASKS[1])
    judged = files.judge("rules")
    path = {
        "generation": files.generation,
        "rollout": judged.rollout,
        "score": judged.score("offline"),
    }[record]
    kept = {
        file: file.stat().st_mtime_ns
        for file in finished.glob("run/oracle/*/**/*.json")
        if TASKS[1] not in file.parts
    }
    path.write_bytes(damage)
    assert iwr(finished).returncode == 0
    assert content(finished / "run") == undisturbed
    assert all(
        file.stat().st_mtime_ns == made for file, made in kept.items()
    )  # the other tasks were left alone


@pytest.mark.parametrize(
    "damage", ["cut", pytest.param("empty", marks=FULL), pytest.param("gone", marks=FULL)]
)
def test_a_damaged_screenshot_is_judged_again(finished, undisturbed, damage):
    shot = RunPaths.of(finished, "run").task("oracle", TASKS[0]).judge("rules").screenshot(0)
    whole = shot.read_bytes()
    shot.unlink() if damage == "gone" else shot.write_bytes(
        whole[: len(whole) // 2] if damage == "cut" else b""
    )
    assert iwr(finished).returncode == 0
    assert shot.read_bytes() == whole
    assert content(finished / "run") == undisturbed
