"""Settings: composed by Hydra from anywhere, refused with one clear line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from iwr.config import load_config
from iwr.errors import ConfigError

ROOT = Path(__file__).parents[2]
WRONG = [
    ("model=oracl", ["model=oracl", "oracle", "screenshot"]),  # the valid choices are named
    ("model.pth=x", ["model.pth"]),
    ("run.shards=two", ["run.shards"]),
    ("run.shard=3 run.shards=2", ["run.shard=3", "0..1"]),
    ("data=iwr_bench", ["data.root"]),
    ("model=directory", ["model.path"]),
    ("server=external", ["server.url"]),
    ("models=[oracle,oracle]", ["oracle"]),
    ("models=[]", ["empty"]),
    ("run.on_change=maybe", ["stop", "overwrite"]),
    ("judge=rules", ["judge=contract"]),
    ("nonsense", ["nonsense"]),
]
"""Overrides, and words that their message must contain."""

REQUIRED = {"data": "data.root=x", "server": "server.url=http://x/v1", "model": "model.path=x"}
"""A setting by group, without which some configs of the group do not compose."""


def test_the_defaults_run_the_demo_on_the_samples():
    config, models = load_config([])
    assert (config.data.name, config.judge.name, config.protocol.name) == (
        "samples",
        "contract",
        "offline",
    )
    assert [model.name for model in models] == ["demo"]


def test_several_models_come_in_the_order_they_are_named():
    _, models = load_config(["models=[screenshot,oracle,blank]", "run.name=x"])
    assert [(model.name, model.kind) for model in models] == [
        (n, n) for n in ("screenshot", "oracle", "blank")
    ]


def test_every_config_file_composes():
    for path in sorted((ROOT / "configs").glob("*/*.yaml")):
        group, name = path.parent.name, path.stem
        settings = [f"{group}={name}"]
        if group in REQUIRED:
            settings.append(REQUIRED[group])
        if (group, name) == ("judge", "model"):
            settings.append("judge.model.path=x")
        config, _ = load_config(settings)
        assert getattr(config, group).name == name, f"{path}: its `name` must be its file name"


def test_options_of_vllm_need_no_plus_although_no_schema_knows_them():
    """As in the documents: a new key, an existing one, one of a judge, a table, with a plus."""
    config, (model,) = load_config(
        [
            "model=hf",
            "model.path=a/b",
            "model.engine_args.gpu-memory-utilization=0.8",
            "+model.engine_args.max-num-seqs=3",
            "judge=qwen3_vl_8b",
            "judge.model.engine_args.limit-mm-per-prompt={image: 3}",
            "protocol=local",
            "protocol.metrics.clip.path=here",
            "server.environment={VLLM_BATCH_INVARIANT: 1}",
        ]
    )
    assert model.engine_args == {"gpu-memory-utilization": 0.8, "max-num-seqs": 3}
    assert config.judge.model.engine_args["limit-mm-per-prompt"]["image"] == 3
    assert config.protocol.metrics["clip"] == {"path": "here", "view": "longest"}
    assert config.server.environment == {"VLLM_BATCH_INVARIANT": "1"}


def test_a_wrong_setting_is_one_message_that_names_it():
    for overrides, words in WRONG:
        with pytest.raises(ConfigError) as refusal:
            load_config(overrides.split())
        message = f"{refusal.value} {refusal.value.hint}"
        assert "\n" not in str(refusal.value)
        assert all(word in message for word in words), f"{overrides}: {message}"


def test_a_wheel_works_from_any_folder(tmp_path):
    """`configs/` is installed as iwr.configs, with the samples and the demo model."""
    build = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        tmp_path / "dist",
        ROOT,
    ]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    site = tmp_path / "site"
    subprocess.run([sys.executable, "-m", "zipfile", "-e", wheel, site], check=True)
    (tmp_path / "elsewhere").mkdir()
    code = (
        "import sys; sys.path.insert(0, sys.argv.pop(1))\n"
        "import iwr; assert iwr.__file__.startswith(sys.path[0])\n"
        "from iwr.cli.main import main; sys.exit(main())"
    )

    def installed(*arguments: str) -> str:
        command = [sys.executable, "-I", "-c", code, site, *arguments]
        folder = tmp_path / "elsewhere"
        process = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert process.returncode == 0, process.stderr
        return process.stdout

    assert json.loads(installed("config", "--json"))["model"]["name"] == "demo"
    assert "0 faults" in installed("validate")
    assert (site / "iwr/inference/demo_model/config.json").exists()
