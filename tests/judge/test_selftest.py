"""The self-test tells a good judge from a bad one, on pages whose truth is known."""

import json

import pytest

from iwr.cli.main import main
from iwr.config import load_config
from iwr.judge.selftest import selftest, tally
from iwr.judge.selftest_cases import garbled
from iwr.progress import silent
from iwr.records import SelfTest
from iwr.runs.files import read_record
from iwr.tasks.load import load, samples_root
from tests.judge.wire import model_wire

pytestmark = pytest.mark.browser
SAMPLE = "tiles-2048"


def test_the_rules_on_a_sample(tmp_path, capsys):
    assert (
        main(
            [
                "selftest",
                "judge=rules",
                f"data.tasks=[{SAMPLE}]",
                f"run.root={tmp_path}",
                "run.name=st",
                "--json",
            ]
        )
        == 0
    )
    shown = json.loads(capsys.readouterr().out)
    record = read_record(tmp_path / "st" / "selftest-rules.json", SelfTest)
    assert record.model_dump(mode="json") == shown
    assert record.sensitivity.share == 1
    assert record.specificity.share == 1 and record.specificity.asked > 20
    assert set(record.kinds) == {
        "true pair",
        "unchanged pair",
        "reversed pair",
        "planted defect",
        "true page",
        "empty page",
    }
    assert record.flips.share == 0


@pytest.mark.parametrize(
    ("verdict", "sensitivity", "specificity"), [("yes", 1.0, 0.0), ("no", 0.0, 1.0)]
)
def test_a_judge_that_always_says_the_same(paths, verdict, sensitivity, specificity):
    tasks = load(samples_root(), [SAMPLE]).tasks

    def chat(body):
        name = body["response_format"]["json_schema"]["name"]
        return (
            {"reason": "as always", "verdict": verdict}
            if name == "ruling"
            else {"reason": "none", "element": "none"}
        )

    with model_wire(chat) as (url, _):
        config, _ = load_config(
            ["judge=model", "judge.model.path=test/scripted", f"judge.url={url}"]
        )
        record = selftest(tasks, config, paths, silent)
    assert record.kinds["true pair"].share == sensitivity
    assert all(
        record.kinds[kind].share == specificity
        for kind in ("unchanged pair", "reversed pair", "planted defect")
    )
    assert record.flips.share == 0 and record.order_flips.share == 0 and record.calls > 60


def test_unusable_answers_are_counted_apart(paths):
    tasks = load(samples_root(), [SAMPLE]).tasks
    with model_wire(lambda body: "I would rather not say") as (url, _):
        config, _ = load_config(
            [
                "judge=model",
                "judge.model.path=test/scripted",
                f"judge.url={url}",
                "judge.attempts=1",
            ]
        )
        record = selftest(tasks, config, paths, silent)
    true_pairs = record.kinds["true pair"]
    assert true_pairs.share is None and true_pairs.unusable == true_pairs.asked


def test_tallies():
    assert tally([True, True, None, False]).model_dump() == pytest.approx(
        {"asked": 4, "yes": 2, "unusable": 1, "share": 2 / 3, "low": 0.2077, "high": 0.9385},
        abs=1e-4,
    )
    assert tally([None]).share is None
    assert tally([False] * 20).high == pytest.approx(0.1611, abs=1e-4)


def test_garbled_text_is_another_text():
    assert garbled("Rating updated: 9/10") == "gnitar :detadpu 34/2"
