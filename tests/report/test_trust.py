"""What stands beside a leaderboard about its judge."""

import runs_on_disk as on_disk

from iwr.judge.selftest import tally
from iwr.records import SelfTest
from iwr.report import write_report
from iwr.runs.files import write_record
from iwr.tasks.load import load


def said(tmp_path, settings=None) -> str:
    """The sentence in report.md of a run whose judge was measured under `settings`; None: not at all."""
    tasks = on_disk.tasks_of(tmp_path, "a")
    config = on_disk.config(tmp_path)
    paths = on_disk.paths_of(config)
    on_disk.judged(paths, "m", tasks[0], 2)  # by a judge whose settings are {"judge": "rules"}
    if settings is not None:
        measured(paths, settings)
    shown = write_report(["m"], tasks, config, paths)
    assert shown.trust.replace("`", "") in (paths.report / "report.md").read_text().replace(
        "\\", ""
    ).replace("`", "")
    assert shown.trust.split(":")[0] in (paths.report / "index.html").read_text()
    return shown.trust


def measured(paths, settings) -> None:
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
    sentence = said(tmp_path, {"judge": "rules"})
    assert "on pages whose truth is known (2 tasks)" in sentence
    assert "right when an assertion holds 99.0% (94.6% to 99.8%, 100 questions)" in sentence
    assert (
        "right when it does not 100.0% (88.6% to 100.0%, 30 questions, 1 without a usable answer)"
        in sentence
    )
    assert "asked again 0.0%" in sentence and "other order" not in sentence  # never asked


def test_a_self_test_after_the_report_changes_the_report(tmp_path):
    assert "Nobody has measured" in said(tmp_path)
    config = on_disk.config(tmp_path)
    paths = on_disk.paths_of(config)
    measured(paths, {"judge": "rules"})
    write_report(["m"], load(tmp_path).tasks, config, paths)
    assert "on pages whose truth is known" in (paths.report / "index.html").read_text()


def test_one_under_other_settings_does_not_count(tmp_path):
    sentence = said(tmp_path, {"judge": "rules", "judge.prompts": "other"})
    assert "other settings (judge.prompts)" in sentence and "iwr selftest judge=rules" in sentence


def test_none_is_said(tmp_path):
    assert "Nobody has measured the judge rules here" in said(tmp_path)
