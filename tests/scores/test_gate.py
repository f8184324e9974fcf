"""`iwr compare` as a gate: the exit code says whether a model may pass."""

import json

import pytest
import runs_on_disk as on_disk

from iwr.cli.main import main
from iwr.records import Generation
from iwr.runs.files import read_record, write_record
from iwr.scores.stage import score

BETTER, WORSE, INCOMPLETE, INCOMPARABLE = 0, 5, 1, 2


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run's folder: `good` passes all steps of four tasks, `weak` loses one step of one task.

    `bad` fails everywhere, `cut` is unscored on one task, `other` was asked another prompt.
    """
    root = tmp_path_factory.mktemp("gate")
    tasks = on_disk.tasks_of(root, *"abcd")
    config = on_disk.config(root)
    paths = on_disk.paths_of(config)
    for task in tasks:
        on_disk.judged(paths, "good", task, 2)
        on_disk.judged(paths, "other", task, 2)
        on_disk.judged(paths, "bad", task, 0, "page")
        if task.id == "a":
            on_disk.judged(paths, "weak", task, 1, "assertion")
            on_disk.generation(paths, "cut", task, "failed", "server died")
        else:
            on_disk.judged(paths, "weak", task, 2)
            on_disk.judged(paths, "cut", task, 2)
    for task in tasks:
        file = paths.task("other", task.id).generation
        record = read_record(file, Generation)
        fingerprint = record.fingerprint | {"prompt": "another"}
        write_record(file, record.model_copy(update={"fingerprint": fingerprint}))
    score(["good", "weak", "bad", "cut", "other"], tasks, config, paths)
    return paths.folder


@pytest.mark.parametrize(
    ("model", "baseline", "margin", "code", "words"),
    [
        ("good", "bad", "0", BETTER, "better: r/good against r/bad: Final +0."),
        ("good", "good", "0", BETTER, "equal: r/good against r/good: Final +0.000"),
        ("weak", "good", "0.2", BETTER, "equal: r/weak against r/good: Final -0.0"),
        ("weak", "good", "0.02", WORSE, "worse: r/weak against r/good: Final -0.0"),
        ("bad", "good", "0.02", WORSE, "worse: r/bad against r/good"),
        ("cut", "good", "0", INCOMPLETE, "over 3 tasks, margin 0; 1 left out, without a score"),
        ("other", "good", "0", INCOMPARABLE, "prompt: p and another"),
    ],
)
def test_a_baseline(run, capsys, model, baseline, margin, code, words):
    arguments = ["--no-worse-than", str(run / baseline), "--by", margin]
    assert main(["compare", str(run / model), *arguments]) == code
    output = capsys.readouterr()
    assert words in output.out + output.err


@pytest.mark.parametrize(
    ("model", "condition", "code", "words"),
    [
        ("good", "final>=0.99", BETTER, "met: r/good has final 1.000, required >= 0.99"),
        ("weak", "ifs >= 0.9", WORSE, "not met: r/weak has ifs 0.875, required >= 0.9"),
        ("bad", "ifs<.1", BETTER, "met: r/bad has ifs 0.000, required < 0.1"),
        ("cut", "final>0.5", INCOMPLETE, "1 left out, without a score"),
        ("good", "high>=0.1", INCOMPARABLE, "r/good has no high"),
        ("good", "final=0.4", INCOMPARABLE, "the scores are ifs, low, high, vfs, final"),
        ("good", "fame>=0.4", INCOMPARABLE, "write a score, a sign and a number"),
    ],
)
def test_a_required_score(run, capsys, model, condition, code, words):
    assert main(["compare", str(run / model), "--require", condition]) == code
    output = capsys.readouterr()
    assert words in output.out + output.err


def test_all_requirements_must_be_met(run, capsys):
    first = ["--require", "final>=0.9", "--require", "ifs>=0.9"]
    second = ["--no-worse-than", str(run / "bad")]
    assert main(["compare", str(run / "good"), *first, *second, "--json"]) == BETTER
    outcomes = json.loads(capsys.readouterr().out)
    assert [outcome["verdict"] for outcome in outcomes] == ["met", "met", "better"]
    assert main(["compare", str(run / "weak"), *first, *second]) == WORSE


@pytest.mark.parametrize(
    "arguments", [["--by", "much"], ["--by", "-1"], ["RUN/bad"]], ids=["word", "negative", "two"]
)
def test_what_cannot_be_understood_is_refused(run, arguments):
    texts = [text.replace("RUN", str(run)) for text in arguments]
    gate = ["--no-worse-than", str(run / "good")]
    assert main(["compare", str(run / "good"), *texts, *gate]) == INCOMPARABLE
