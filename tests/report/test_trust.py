"""The sentence on the judge beside every leaderboard."""

import data_sets as ds
import runs_on_disk as on_disk

from iwr.judge.selftest import tally
from iwr.records import SelfTest, SelfTestMiss
from iwr.report import write_report
from iwr.runs.files import write_record
from iwr.tasks.load import load


def trust(tmp_path, settings=None) -> str:
    """Return the sentence in the reports of a run whose judge was validated under `settings`."""
    tasks = on_disk.tasks_of(tmp_path, "a")
    config = on_disk.config(tmp_path)
    paths = on_disk.paths_of(config)
    on_disk.judged(paths, "m", tasks[0], 2)  # by a judge whose settings are {"judge": "contract"}
    if settings is not None:
        write_selftest(paths, settings)
    summary = write_report(["m"], tasks, config, paths)
    text = (paths.report / "report.md").read_text().replace("\\", "")
    assert summary.trust in text
    assert summary.trust.split(":")[0] in (paths.report / "index.html").read_text()
    return summary.trust


MISS = SelfTestMiss(
    task="a",
    kind="dead handler",
    step=1,
    assertion="The text '<b>A</b>' appears.",
    expected=False,
    answer=True,
    reason="I can see <i>A</i> & more",
    before="before.png",
    after="after.png",
)


def write_selftest(paths, settings, misses=()) -> None:
    write_record(
        paths.selftest("contract"),
        SelfTest(
            judge="contract",
            tasks=("a", "b"),
            settings=settings,
            sensitivity=tally([True] * 99 + [False]),
            specificity=tally([True] * 30 + [None]),
            kinds={
                "dead handler": tally([True] * 29 + [False, None]),
                "layout only": tally([True] * 9),
            },
            pages_a_kind=2,
            exact=tally([True] * 28 + [False]),
            left_out={"wrong order": 3},
            misses=misses,
            flips=tally([False] * 8),
            order_flips=tally([]),
            calls=0,
            seconds=1.0,
        ),
    )


def test_the_self_test_of_the_run_is_shown(tmp_path):
    sentence = trust(tmp_path, {"judge": "contract"})
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
    write_selftest(paths, {"judge": "contract"})
    write_report(["m"], load(tmp_path).tasks, config, paths)
    assert "validated on known pages" in (paths.report / "index.html").read_text()


def report_with(tmp_path, misses):
    """Return the folder of the report of a run whose self-test has these wrong answers."""
    tasks = on_disk.tasks_of(tmp_path, "a")
    config = on_disk.config(tmp_path)
    paths = on_disk.paths_of(config)
    on_disk.judged(paths, "m", tasks[0], 2)
    pictures = paths.selftest_pictures("contract")
    for name in ("before.png", "after.png"):
        ds.image(pictures / name)
    write_selftest(paths, {"judge": "contract"}, misses)
    write_report(["m"], tasks, config, paths)
    return paths.report


def test_the_table_shows_each_kind_with_its_interval(tmp_path):
    report = report_with(tmp_path, (MISS,))
    for text in ((report / "report.md").read_text(), (report / "index.html").read_text()):
        row = next(line for line in text.splitlines() if "dead handler" in line)
        for cell in ("no", "96.7%", "83.3% to 99.4%", "31"):
            assert cell in row
        row = next(line for line in text.splitlines() if "wrong order" in line)
        assert "3" in row  # left out, and never asked
    assert "planted defects noticed at the exact step 96.6%" in (report / "index.html").read_text()


def test_every_wrong_answer_can_be_looked_at(tmp_path):
    report = report_with(tmp_path, (MISS,))
    assert 'href="selftest.html#dead-handler"' in (report / "index.html").read_text()
    page = (report / "selftest.html").read_text()
    assert 'id="dead-handler"' in page and "a, step 1" in page
    assert "The text &#39;&lt;b&gt;A&lt;/b&gt;&#39; appears." in page
    assert "yes: <bdi>I can see &lt;i&gt;A&lt;/i&gt; &amp; more" in page
    for name in ("before.png", "after.png"):
        assert f'src="selftest/{name}"' in page
        assert (report / "selftest" / name).is_file()


def test_without_wrong_answers_there_is_no_list(tmp_path):
    report = report_with(tmp_path, (MISS,))
    assert (report / "selftest.html").is_file()
    report = report_with(tmp_path, ())
    assert not (report / "selftest.html").exists()
    assert "selftest.html" not in (report / "index.html").read_text()


def test_one_under_other_settings_does_not_count(tmp_path):
    sentence = trust(tmp_path, {"judge": "contract", "judge.prompts": "other"})
    assert "other settings (judge.prompts)" in sentence
    assert "iwr selftest judge=contract" in sentence


def test_a_judge_without_a_self_test_is_named(tmp_path):
    message = "Judge `contract` has not been validated on this run: run `iwr selftest"
    assert message in trust(tmp_path)
