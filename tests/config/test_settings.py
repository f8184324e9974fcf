"""Every setting: its limits, its choices, what it affects; text is taken as it is written."""

import string
from dataclasses import fields, is_dataclass
from typing import get_type_hints

import pytest

from iwr.config import GROUPS, RunConfig, load_config
from iwr.config.fields import MARK, Result, mark_of, settings_of
from iwr.config.schema import SamplingConfig
from iwr.errors import ConfigError

SCHEMAS = GROUPS | {"run": RunConfig, "model.sampling": SamplingConfig}
NUMBERS = {int, float, int | None, float | None}
BASE = ["judge=qwen3_vl_8b", "server.url=http://x/v1"]


def settings():
    """Yield (key, type, mark) of every setting."""
    for group, schema in SCHEMAS.items():
        kinds = get_type_hints(schema)
        for declared in fields(schema):
            if not is_dataclass(kinds[declared.name]):
                yield f"{group}.{declared.name}", kinds[declared.name], mark_of(declared)


def refusal(*overrides):
    with pytest.raises(ConfigError) as refused:
        load_config([*BASE, *overrides])
    assert "\n" not in f"{refused.value}{refused.value.hint or ''}"
    return str(refused.value)


def test_every_setting_says_what_it_affects():
    for group, schema in SCHEMAS.items():
        for declared in fields(schema):
            assert MARK in declared.metadata, f"{group}.{declared.name} needs `affects`"
            assert set(mark_of(declared).affects) <= set(Result)


def test_nonsense_numbers_are_refused_with_the_limit():
    numbers = [(key, mark) for key, kind, mark in settings() if kind in NUMBERS]
    assert len(numbers) >= 40
    for key, mark in numbers:
        assert mark.limits.most is not None, f"{key} has no upper limit"
        assert mark.limits.least is not None or mark.limits.above is not None, (
            f"{key} has no lower limit"
        )
        for text in ("nan", "1e400", "9" * 40, "-9", "two", ""):
            message = refusal(f"{key}={text}")
            assert message.startswith(f"{key}="), message
            assert "must be " in message, message
        for number in (0, -1):
            if mark.limits.fault(number):
                words = ("must be at least", "must be more than")
                assert any(word in refusal(f"{key}={number}") for word in words)
            else:
                load_config([*BASE, f"{key}={number}"])


def test_a_near_miss_of_a_choice_names_the_choices():
    closed = [(key, mark.limits.choices) for key, _, mark in settings() if mark.limits.choices]
    assert {"model.video", "model.kind", "judge.kind", "server.kind"} <= {key for key, _ in closed}
    for key, choices in closed:
        message = refusal(f"{key}={choices[0]}s")
        assert message.startswith(f"{key}={choices[0]}s: must be")
        assert all(choice in message for choice in choices)


def test_a_misspelled_name_is_answered_with_the_nearest():
    for override, nearest in {
        "model=oracl": "oracle",
        "models=[oracle,blnk]": "blank",
        "modles=[oracle]": "models",
        "protocol=papr": "paper",
        "run.nmae=x": "run.name",
        "+run.nmae=x": "run.name",
        "model.temprature=1": "model.temperature",
        "judge.model.temprature=1": "judge.model.temperature",
        "modle.path=x": "model.path",
        "~protocol.metrics.orc": "protocol.metrics.ocr",
    }.items():
        with pytest.raises(ConfigError) as refused:
            load_config([*BASE, "models=[oracle]", override])
        assert refused.value.hint == f"did you mean {nearest}?", override


TEXTS = [
    "~/pages",
    "/ckpt/epoch=999-step=88000",
    "/data/日本/ページ",
    "/x/run(1)",
    "/x/o'brien",
    '/x/"quoted"',
    "/x/C#",
    "a&b|c;d",
    "50%",
    "me@host:/path",
    "a,b",
    "[a]",
    "{a: 1}",
    "${oc.env:HOME}",
    "${",
    "\\${x}",
    "a\\b",
    "$HOME",
    "`id`",
    "2025_11_25",
    "1e3",
    "5e102315",
    "007",
    "0x1F",
    "1.0",
    "inf",
    "true",
    "no",
    "~",
    "!tag",
    "*anchor",
    "&anchor",
    "? key",
    "- item",
    " leading and trailing ",
    "a  b\tc",
    "a: b",
    "a # comment",
    "é\u0301🙂\u2028x",
    string.punctuation,
    *string.punctuation,
]
"""What people paste: each has a meaning in some shell, in YAML or in Hydra."""


def test_text_is_taken_as_it_is_written():
    for text in TEXTS:
        config, (model,) = load_config(
            [
                f"model.path={text}",
                f"run.name={text}",
                f"server.environment.X={text}",
                f"cluster.account={text}",
            ]
        )
        environment = config.server.environment
        values = (model.path, config.run.name, environment["X"], config.cluster.account)
        assert values == (text, text, text, text)


def test_lists_keep_their_elements():
    for text, elements in {
        "[--qos=long]": ["--qos=long"],
        "--qos=long": ["--qos=long"],
        "[a, b ,c]": ["a", "b", "c"],
        "['a, b',\"c, d\"]": ["a, b", "c, d"],
        "[source x/bin/activate,export A=1]": ["source x/bin/activate", "export A=1"],
        "[o'brien,C#]": ["o'brien", "C#"],
        "[2025_01,1e3]": ["2025_01", "1e3"],
        "[]": [],
    }.items():
        config, _ = load_config([f"cluster.options={text}"])
        assert config.cluster.options == elements, text
    _, models = load_config(["models=oracle"])
    assert [model.name for model in models] == ["oracle"]
    message = refusal("models=oracle,blank")
    assert message == "models=oracle,blank: must be a list: [oracle,blank]"


def test_options_of_other_programs_keep_their_types():
    for text, value in {
        "0.8": 0.8,
        "3": 3,
        "1e-3": 0.001,
        "true": True,
        "fp8": "fp8",
        "0,1": "0,1",
        "2025-11-25": "2025-11-25",
        '{"a":{"b":1}}': {"a": {"b": 1}},
        "{image: 3, video: 0}": {"image": 3, "video": 0},
        "{image:3,video:{count:0}}": {"image": 3, "video": {"count": 0}},
        "{engine:easyocr,path:/a/b,languages:[en,de]}": {
            "engine": "easyocr",
            "path": "/a/b",
            "languages": ["en", "de"],
        },
        "{note: 'a, b', text: C#}": {"note": "a, b", "text": "C#"},
        "[1,2]": [1, 2],
    }.items():
        config, _ = load_config([f"server.engine_args.x={text}"])
        assert config.server.engine_args["x"] == value


def test_a_job_array_of_the_user_is_not_taken_for_shards(monkeypatch):
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    assert load_config([])[0].run.shard == 0
    assert load_config(["run.shards=4"])[0].run.shard == 3
    with pytest.raises(ConfigError) as refused:
        load_config(["run.shards=2"])
    assert "SLURM_ARRAY_TASK_ID=3" in str(refused.value)
    assert "--array=0-1" in refused.value.hint


def test_settings_by_the_result_that_depends_on_them():
    config, (model,) = load_config(["browser.page_seconds=30", "server.engine_args.seed=7"])
    rollouts = dict(settings_of(config.browser, Result.ROLLOUTS))
    assert rollouts["page_seconds"] == 30 and "contexts" not in rollouts
    answers = dict(settings_of(config.server, Result.ANSWERS))
    assert answers["engine_args"] == {"seed": 7} and "in_flight" not in answers
    assert "trust_remote_code" in dict(settings_of(model, Result.ANSWERS))
