"""Which weights answered: a branch of the hub is recorded as the commit that it meant."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from typing import NamedTuple

import pytest

from iwr.config import load_config
from iwr.errors import ServerError
from iwr.inference.server import process
from iwr.inference.weights import identity, on_disk, weights_digest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ASK = textwrap.dedent("""
    import sys
    from iwr.config import load_config
    from iwr.inference.weights import identity
    for settings in sys.argv[1:]:
        config, (model,) = load_config(["model=hf", *settings.split()])
        print(identity(model, config.server))
""")


@pytest.fixture
def hub(tmp_path):
    """Environment of a node without network, whose hub cache holds org/name at one commit."""
    folder = tmp_path / "models--org--name"
    (folder / "snapshots" / COMMIT).mkdir(parents=True)
    (folder / "snapshots" / COMMIT / "config.json").write_text("{}")
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(COMMIT)
    return os.environ | {"HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": "1"}


def test_a_branch_is_the_commit_that_was_downloaded(hub):
    asked = [
        "model.path=org/name",
        "model.path=org/name model.revision=main",
        f"model.path=org/name model.revision={COMMIT}",
        "model.path=org/name model.revision=v2",
        "model.path=org/other",
    ]
    done = subprocess.run(
        [sys.executable, "-c", ASK, *asked], env=hub, capture_output=True, text=True
    )
    assert done.stdout.split() == [COMMIT, COMMIT, COMMIT, "None", "None"], done.stderr


def test_prefetch_prints_the_commit(hub):
    words = [
        "prefetch",
        "model=hf",
        "model.path=org/name",
        "judge=contract",
        "protocol=offline",
        "--json",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "iwr", *words], env=hub, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["hf"].endswith(f"/snapshots/{COMMIT}")


def test_a_local_folder_is_its_content(tmp_path):
    (tmp_path / "config.json").write_text('{"architectures": ["X"]}')
    config, (model,) = load_config(["model=hf", f"model.path={tmp_path}"])
    first = identity(model, config.server)
    assert first and first == weights_digest(model, config.server)
    (tmp_path / "config.json").write_text('{"architectures": ["XY"]}')
    assert identity(model, config.server) not in (None, first)


@pytest.fixture
def snapshot(tmp_path, monkeypatch):
    """Folder of a snapshot of org/name in a cache of the hub; it holds no weights yet."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    folder = tmp_path / "models--org--name"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(COMMIT)
    (folder / "blobs").mkdir()
    snapshot = folder / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    return snapshot


def hub_model(path="org/name"):
    _, (model,) = load_config(["model=hf", f"model.path={path}"])
    return model


def test_weights_are_on_disk_when_all_files_of_the_index_are(snapshot):
    assert not on_disk(hub_model())
    files = {"a.weight": "1-of-2.safetensors", "b.weight": "2-of-2.safetensors"}
    index = snapshot / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": files}))
    (snapshot / "1-of-2.safetensors").write_bytes(b"")
    assert not on_disk(hub_model())
    (snapshot / "2-of-2.safetensors").write_bytes(b"")
    assert on_disk(hub_model())
    assert not on_disk(hub_model("org/other"))


def test_weights_of_an_interrupted_download_are_not_on_disk(snapshot):
    (snapshot / "model.safetensors").write_bytes(b"")
    assert on_disk(hub_model())
    (snapshot.parents[1] / "blobs" / "0123.incomplete").write_bytes(b"")
    assert not on_disk(hub_model())


class Launch(NamedTuple):
    """The process that a server would start: it ends at once, and its environment is kept."""

    environments: list[dict[str, str]]

    def __call__(self, words, *, env, **_):
        self.environments.append(env)
        return subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.PIPE)


@pytest.mark.parametrize("complete", [True, False])
def test_a_server_asks_the_hub_only_for_weights_that_are_not_here(
    complete, snapshot, tmp_path, monkeypatch
):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    if complete:
        (snapshot / "model.safetensors").write_bytes(b"")
    launch = Launch([])
    monkeypatch.setattr(process, "_spawn", launch)
    config, (model,) = load_config(["model=hf", "model.path=org/name"])
    with pytest.raises(ServerError, match="ended with code 0"):
        process.Server(model, config, media=None, logs=tmp_path / "logs").start()
    (environment,) = launch.environments
    assert ("HF_HUB_OFFLINE" in environment) is complete
