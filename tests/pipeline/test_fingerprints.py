"""Each setting changes the fingerprints of the results that it affects, and no others."""

from dataclasses import fields, is_dataclass, replace
from typing import get_type_hints

from iwr.config import GROUPS, load_config
from iwr.config.fields import Result, mark_of
from iwr.inference.fingerprint import fingerprint as fingerprint_of_answer
from iwr.judge.rollout import fingerprint as fingerprint_of_rollout
from iwr.runs.paths import RunPaths
from iwr.tasks.load import load, samples_root

FOLDER = samples_root().parents[1] / "inference/demo_model"  # weights that are here
APART = {
    "model.path": "names the weights, whose digest counts",
    "model.architecture": "is compared with the weights, and refused",
    "judge.url": "says whose weights answer",
    "server.kind": "says whose weights answer",
    "model.reasoning_parser": "only judges use it",
    "model.sampling": "counts under protocol.sampling=recommended",
    "judge.model": "is compared by its own settings",
    "judge.replays": "counts for judge=replay",
}
NOT_OF_JUDGES = {
    "kind",
    "path",
    "architecture",
    "video",
    "interface",
    "over_context",
    "max_tokens",
    "sampling",
}


def other(value, kind, mark):
    """Return another valid value of a setting."""
    if mark.limits.choices:
        return next(choice for choice in mark.limits.choices if choice != value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1 if mark.limits.fault(value + 1) is None else value / 2
    if isinstance(value, dict) or "dict" in str(kind):
        return {"x": "1"}
    if isinstance(value, list):
        return ["x"]
    if "int" in str(kind) or "float" in str(kind):
        return 1
    return "x"


def changes(config, group, node):
    """Yield (key, affected results, config with another value) for each setting of a group."""
    kinds = get_type_hints(GROUPS[group.split(".")[-1]])
    for declared in fields(node):
        mark, value = mark_of(declared), getattr(node, declared.name)
        key = f"{group}.{declared.name}"
        if key not in APART and not is_dataclass(value):
            changed = other(value, kinds[declared.name], mark)
            yield key, mark.affects, replace(node, **{declared.name: changed})


def test_answers_depend_on_what_affects_them():
    config, (model,) = load_config(
        ["model=demo", "model.max_tokens=null", "model.sampling.top_k=20"]
    )
    task = load(samples_root(), ["film-rating"]).tasks[0]
    before = fingerprint_of_answer(task, model, config)
    for key, affects, changed in changes(config, "model", model):
        same = fingerprint_of_answer(task, changed, config) == before
        assert same != (Result.ANSWERS in affects), key
    for group in ("server", "protocol", "browser", "judge"):
        for key, affects, node in changes(config, group, getattr(config, group)):
            changed = replace(config, **{group: node})
            same = fingerprint_of_answer(task, model, changed) == before
            assert same != (Result.ANSWERS in affects), key


def test_rollouts_depend_on_what_affects_them(tmp_path):
    config, _ = load_config(["judge=model", f"judge.model.path={FOLDER}"])
    task = load(samples_root(), ["film-rating"]).tasks[0]
    paths = RunPaths.of(tmp_path, "run")
    before = fingerprint_of_rollout(task, "m", config, paths)
    for group in ("browser", "judge", "protocol", "server"):
        for key, affects, node in changes(config, group, getattr(config, group)):
            changed = replace(config, **{group: node})
            same = fingerprint_of_rollout(task, "m", changed, paths) == before
            judged = Result.ROLLOUTS in affects
            asked = group == "server" and Result.ANSWERS in affects
            assert same != (judged or asked), key
    for key, affects, node in changes(config, "judge.model", config.judge.model):
        if key.rpartition(".")[2] not in NOT_OF_JUDGES:
            changed = replace(config, judge=replace(config.judge, model=node))
            same = fingerprint_of_rollout(task, "m", changed, paths) == before
            assert same != (Result.ANSWERS in affects), key
