"""manifest.json: what a run was made with."""

import json

import runs_on_disk as on_disk

from iwr.config import load_config
from iwr.runs.manifest import merge_manifests, write_manifest


def test_the_weights_that_answered_are_named_by_model(tmp_path):
    tasks = on_disk.tasks_of(tmp_path, "a", "b", "c")
    settings = on_disk.settings(tmp_path)
    config, models = load_config([*settings, "models=[oracle,qwen3_vl_8b]", "judge=qwen3_vl_8b"])
    paths = on_disk.paths_of(config)
    write_manifest(config, models, tasks, paths)
    for task, weights in zip(tasks, ("abc", "abc", "def"), strict=True):
        on_disk.generation(paths, "qwen3_vl_8b", task, weights=weights)
        on_disk.generation(paths, "oracle", task, kind="oracle")
    merge_manifests(paths)
    manifest = json.loads(paths.manifest.read_text())
    assert manifest["weights"] == {
        "qwen3_vl_8b": ["abc", "def"]
    }  # `main` moved while the run was done
    (setup,) = manifest["setups"]
    assert [model["revision"] for model in setup["settings"]["model"]] == [None, "main"]
