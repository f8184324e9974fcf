"""Which weights answered: a branch of the hub is recorded as the commit that it meant."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import pytest

from iwr.config import load_config
from iwr.inference.weights import identity, weights_digest

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
    """Environment of a compute node without network, whose hub cache holds org/name at one commit."""
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
        "judge=rules",
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
