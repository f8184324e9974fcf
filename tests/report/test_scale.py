"""A report of the benchmark's full size: 113 tasks, 11 models."""

import os
import time
from pathlib import Path

import data_sets as ds
import pytest
import runs_on_disk as on_disk
from playwright.sync_api import sync_playwright

from iwr.browser.sandbox import find_executable
from iwr.config import BrowserConfig, Environment
from iwr.records import FailedBy, Generation, Rollout, TaskScore, Verdict, file_digest
from iwr.report import write_report
from iwr.runs import read_record
from iwr.scores.stage import score
from iwr.tasks.load import load

TASKS, MODELS, STEPS = 113, 11, 9


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """(models, tasks, config, paths): one judged page is real, its records stand in for all others."""
    root = tmp_path_factory.mktemp("scale")
    names = [f"task-{number:03}" for number in range(TASKS)]
    actions = [ds.click(f"Click {n}", visual_evaluation_flag=n % 3 == 0, logical_assertion="'A' appears") for n in range(STEPS)]
    for name in names:
        ds.folder(root, name, (0, 1, 2, 3))
    tasks = load(ds.write(root, *[ds.line(name, actions, classification={"domain": f"D{i % 9}"}) for i, name in enumerate(names)])).tasks
    config = on_disk.config(root)
    paths = on_disk.paths_of(config)
    models = [f"model-{number}" for number in range(MODELS)]
    on_disk.judged(paths, "first", tasks[0], STEPS)
    score(["first"], tasks[:1], config, paths)
    copies(paths, models, tasks)
    return models, tasks, config, paths


def copies(paths, models, tasks):
    """The records of `first` under every name, each with another end; written plainly, as no run is at stake."""
    source = paths.task("first", tasks[0].id)
    generation = read_record(source.generation, Generation)
    rollout = read_record(source.judge("rules").rollout, Rollout)
    scored = read_record(source.judge("rules").score("offline"), TaskScore)
    for m, model in enumerate(models):
        for t, task in enumerate(tasks):
            target = paths.task(model, task.id)
            target.judge("rules").folder.mkdir(parents=True)
            target.page.write_text("<p>page</p>" * 500)
            target.generation.write_text(generation.model_copy(update={"model": model, "task": task.id}).model_dump_json())
            passed = (m * 7 + t * 3) % (STEPS + 1)
            verdicts = [Verdict(passed=step.step <= passed, reason="seen " * 40) for step in rollout.steps]
            steps = [step.model_copy(update={"verdict": verdict}) for step, verdict in zip(rollout.steps, verdicts, strict=True)]
            made = rollout.model_copy(update={"model": model, "task": task.id, "steps": tuple(steps)})
            target.judge("rules").rollout.write_text(made.model_dump_json())
            for step in steps:
                os.link(source.judge("rules").screenshot(step.step), target.judge("rules").screenshot(step.step))
            ifs = passed / STEPS
            end = {"failed_step": passed + 1, "failed_by": FailedBy.ASSERTION} if passed < STEPS else {}
            update = {"model": model, "task": task.id, "passed": passed, "ifs": ifs, "final": 0.7 * ifs + 0.3, **end}
            inputs = {"input.generation": file_digest(target.generation), "input.rollout": file_digest(target.judge("rules").rollout)}
            inputs["input.task"] = task.digest
            final = scored.model_copy(update=update | {"fingerprint": scored.fingerprint | inputs, "classification": task.classification})
            target.judge("rules").score("offline").write_text(final.model_dump_json())


def test_it_is_written_in_a_minute_and_a_second_time_in_three_seconds(world):
    models, tasks, config, paths = world
    assert all(found.final is not None for found in score(models, tasks, config, paths))  # finished: nothing is compared
    started = time.process_time()
    write_report(models, tasks, config, paths)
    first = time.process_time() - started
    started = time.process_time()
    score(models, tasks, config, paths)
    write_report(models, tasks, config, paths)
    second = time.process_time() - started
    print(f"first {first:.1f} s, again {second:.1f} s of processor time")
    assert first < 60 and second < 3


@pytest.mark.browser
def test_it_opens_in_three_seconds_and_two_hundred_megabytes(world):
    models, tasks, config, paths = world
    write_report(models, tasks, config, paths)
    executable = find_executable(BrowserConfig(name="chromium"), Environment.read())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto("about:blank")
        started = time.monotonic()
        page.goto((paths.report / "index.html").as_uri())
        assert page.locator("#matrix tbody tr").count() == TASKS
        seconds = time.monotonic() - started
        megabytes = resident(browser)
        page.locator("#words").fill("task-11")
        assert page.locator("#matrix tbody tr:visible").count() == 3
        page.locator("#matrix th", has_text="model-3").get_by_role("button").click()
        page.locator("#matrix tbody tr:visible a").first.click()
        assert page.locator(".step").count() == STEPS + 1
        print(f"opened in {seconds:.2f} s, {megabytes:.0f} MB")
        browser.close()
    assert seconds < 3 and megabytes < 200


def resident(browser) -> float:
    """The largest page process's memory, megabytes."""
    found = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    pages = [process["id"] for process in found if process["type"] == "renderer"]
    lines = [line for pid in pages for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return max(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024
