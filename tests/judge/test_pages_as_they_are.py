"""Pages of other tools, as people have them: with files beside them, with photos inside them."""

import base64
import json
import random

import pytest

from iwr.cli.main import main
from iwr.tasks.load import samples_root

pytestmark = pytest.mark.browser
TRUE = samples_root() / "data/film-rating/page/index.html"


def judged(tmp_path, *more):
    """Run all stages on the pages; return what tasks.jsonl says of the one task."""
    settings = [
        "model=directory",
        f"model.path={tmp_path}/pages",
        "data.tasks=[film-rating]",
        "protocol.low=[ssim]",
        "~protocol.metrics.ocr",
        f"run.root={tmp_path}",
        "run.name=r",
        *more,
    ]
    assert main(["run", *settings]) == 0
    return json.loads((tmp_path / "r/report/tasks.jsonl").read_text())


@pytest.fixture
def page(tmp_path):
    folder = tmp_path / "pages/film-rating"
    folder.mkdir(parents=True)
    return folder / "index.html"


def test_style_and_script_beside_the_page_are_taken_along(page, tmp_path):
    """The true page, with its style sheet and its script in files of their own."""
    source = TRUE.read_text()
    style = source.partition("<style>")[2].partition("</style>")[0]
    code = source.partition("<script>")[2].partition("</script>")[0]
    source = source.replace(f"<style>{style}</style>", '<link rel="stylesheet" href="css/a.css">')
    source = source.replace(f"<script>{code}</script>", '<script src="./code.js"></script>')
    page.write_text(source)
    (page.parent / "css").mkdir()
    (page.parent / "css/a.css").write_text(style)
    (page.parent / "code.js").write_text(code)
    (page.parent / ".git").mkdir()
    (page.parent / ".git/config").write_text("secret")
    assert judged(tmp_path)["final"] == pytest.approx(1.0, abs=0.01)
    beside = tmp_path / "r/directory/film-rating/beside"
    files = {str(each.relative_to(beside)) for each in beside.rglob("*") if each.is_file()}
    assert files == {"css/a.css", "code.js"}
    (page.parent / "code.js").write_text("")
    assert judged(tmp_path)["ifs"] < 1


def test_a_photo_inside_the_page_does_not_make_it_too_large(page, tmp_path):
    """6 MB of noise as a data: URL; the picture is shown, and the page judged as ever."""
    bitmap = b"BM" + random.Random(0).randbytes(4_500_000)
    photo = base64.b64encode(bitmap).decode()
    address = f"data:image/bmp;base64,{photo}"
    image = f'<img alt="" style="position:absolute;left:-9999px" src="{address}">'
    page.write_text(TRUE.read_text().replace("</body>", f"{image}</body>"))
    assert page.stat().st_size > 5_000_000
    assert judged(tmp_path)["final"] == pytest.approx(1.0, abs=0.01)


def test_a_page_that_is_large_without_photos_says_how_to_open_it(page, tmp_path):
    page.write_text(TRUE.read_text() + f"<!--{'x' * 5_000_000}-->")
    assert judged(tmp_path)["failed_by"] == "page"
    rollout = (tmp_path / "r/directory/film-rating/judge-contract/rollout.json").read_text()
    assert "at most 5,000,000 are opened" in json.loads(rollout)["steps"][0]["reason"]
