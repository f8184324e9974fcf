"""Figures for papers, drawn from a run's scores."""

import json
import shutil

import pytest
import runs_on_disk as on_disk
from PIL import Image

from iwr.report import write_report
from iwr.scores.stage import score


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("figures")
    tasks = on_disk.tasks_of(root, *"abcdef")
    config = on_disk.config(root)
    paths = on_disk.paths_of(config)
    for number, task in enumerate(tasks):
        on_disk.judged(paths, "oracle", task, 2, kind="oracle")
        on_disk.judged(paths, "better", task, *((2, None) if number % 2 else (1, "page")))
        on_disk.judged(paths, "worse", task, 0, "assertion")
    models = ["oracle", "better", "worse"]
    score(models, tasks, config, paths)
    write_report(models, tasks, config, paths)
    return models, tasks, config, paths


def test_each_figure_comes_as_png_svg_and_pdf(run):
    folder = run[3].report / "figures"
    assert {path.stem for path in folder.glob("*.png")} == {
        "scores",
        "ifs_vfs",
        "paired",
    }  # one domain only: nothing to break down
    for name in ("scores", "ifs_vfs", "paired"):
        with Image.open(folder / f"{name}.png") as picture:
            assert picture.width == 1280 and len(picture.convert("RGB").getcolors(1 << 24)) > 3
        assert (folder / f"{name}.svg").read_text().startswith("<?xml") and (
            folder / f"{name}.pdf"
        ).read_bytes().startswith(b"%PDF")


def test_the_page_shows_them(run):
    text = (run[3].report / "index.html").read_text()
    assert (
        text.count('src="figures/') == 6
        and text.count("-dark.svg") == 3
        and "best: oracle with 1.000" in text
    )


def test_the_same_scores_draw_nothing_again_and_the_same_bytes_from_scratch(run):
    models, tasks, config, paths = run
    folder = paths.report / "figures"
    before = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}
    write_report(models, tasks, config, paths)
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == {
        name: when for name, (when, _) in before.items()
    }
    shutil.rmtree(folder)
    write_report(models, tasks, config, paths)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        name: data for name, (_, data) in before.items()
    }


def test_no_scores_no_figures(tmp_path):
    tasks = on_disk.tasks_of(tmp_path, "a")
    config = on_disk.config(tmp_path)
    paths = on_disk.paths_of(config)
    write_report(["m"], tasks, config, paths)
    assert not list((paths.report / "figures").glob("*.png"))
    assert json.loads((paths.report / "leaderboard.json").read_text())[0]["final"] is None
