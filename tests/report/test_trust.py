"""The sentence on the judge beside every leaderboard."""

import runs_on_disk as on_disk

from iwr.judge.selftest import tally
from iwr.records import SelfTest
from iwr.report import write_report
from iwr.runs.files import write_record
from iwr.tasks.load import load


def trust(tmp_path, settings=None) -> str:
    """Return the sentence in the reports of a run whose judge was validated under `settings`."""
    tasks = on_disk.tasks_of(tmp_path, "a")
    config = on_disk.config(tmp_path)
    paths = on_disk.paths_of(config)
    on_disk.judged(paths, "m", tasks[0], 2)  # by a judge whose settings are {"judge": "rules"}
    if settings is not None:
        write_selftest(paths, settings)
    summary = write_report(["m"], tasks, config, paths)
    text = (paths.report / "report.md").read_text().replace("\\", "")
    assert summary.trust in text
    assert summary.trust.split(":")[0] in (paths.report / "index.html").read_text()
    return summary.trust


def write_selftest(paths, settings) -> None:
    write_record(
        paths.selftest("rules"),
        SelfTest(
            judge="rules",
            tasks=("a", "b"),
            settings=settings,
            sensitivity=tally([True] * 99 + [False]),
            specificity=tally([True] * 30 + [None]),
            kinds={},
            flips=tally([False] * 8),
            order_flips=tally([]),
            calls=0,
            seconds=1.0,
        ),
    )


def test_the_self_test_of_the_run_is_shown(tmp_path):
    sentence = trust(tmp_path, {"judge": "rules"})
    assert "validated on known pages (2 tasks)" in sentence
    assert "correct when an assertion holds 99.0% (94.6% to 99.8%, 100 questions)" in sentence
    assert (
        "correct when it does not 100.0% (88.6% to 100.0%, 30 questions, 1 without a usable answer)"
        in sentence
    )
    assert "asked again 0.0%" in sentence and "swapped" not in sentence  # never asked


def test_a_self_test_after_the_report_changes_the_report(tmp_path):
    assert "has not been validated" in trust(tmp_path)
    config = on_disk.config(tmp_path)
    paths = on_disk.paths_of(config)
    write_selftest(paths, {"judge": "rules"})
    write_report(["m"], load(tmp_path).tasks, config, paths)
    assert "validated on known pages" in (paths.report / "index.html").read_text()


def test_one_under_other_settings_does_not_count(tmp_path):
    sentence = trust(tmp_path, {"judge": "rules", "judge.prompts": "other"})
    assert "other settings (judge.prompts)" in sentence and "iwr selftest judge=rules" in sentence


def test_a_judge_without_a_self_test_is_named(tmp_path):
    assert "Judge `rules` has not been validated on this run: run `iwr selftest" in trust(tmp_path)
