"""`iwr doctor` on data in many writing systems, on a machine that has fonts for none of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import data_sets
import pytest

IWR = Path(sys.executable).parent / "iwr"
SENTENCES = {
    "点击“确认”按钮。": "Han",
    "「はい」を押す。": "Hiragana",
    "'확인'을 누르세요.": "Hangul",
    "انقر فوق موافق": "Arabic",
    "לחץ על אישור": "Hebrew",
    "क्लिक करें": "Devanagari",
    "Нажмите «ОК»": "Cyrillic",
    "Click the 😀 button": "😀",
}


def writing(root: Path, fonts: Path | None) -> dict[str, str]:
    """Return the result of the check for the data set under `root`."""
    settings = ["model=blank", "data=iwr_bench", f"data.root={root}"]
    environment = os.environ | {"IWR_CHROMIUM": "/nothing/here"}
    if fonts:
        environment["FONTCONFIG_FILE"] = str(fonts)
    command = [IWR, "doctor", "--json", *settings]
    process = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    (result,) = [check for check in json.loads(process.stdout) if check["check"] == "writing"]
    return result


@pytest.mark.skipif(not shutil.which("fc-list"), reason="fontconfig is not installed")
def test_a_writing_system_without_a_font_is_named_with_the_packages_that_help(tmp_path):
    settings = f"<fontconfig><dir>{tmp_path}</dir><cachedir>{tmp_path}</cachedir></fontconfig>"
    no_fonts = tmp_path / "fonts.conf"
    no_fonts.write_text(settings)
    for number, (sentence, name) in enumerate(SENTENCES.items()):
        root = tmp_path / str(number)
        action = data_sets.click(sentence, visual_evaluation_flag=True)
        line = data_sets.line(actions=[action])
        data_sets.folder(root)
        (root / "data.jsonl").write_text(json.dumps(line, ensure_ascii=False) + "\n")
        result = writing(root, no_fonts)
        assert (result["status"], name in result["found"]) == ("warn", True), sentence
        assert "fonts-noto-cjk" in result["fix"] and "emoji" in result["fix"]


@pytest.mark.skipif(not shutil.which("fc-list"), reason="fontconfig is not installed")
def test_plain_english_needs_no_more_than_the_fonts_of_the_set_up(tmp_path):
    data_sets.folder(tmp_path)
    line = data_sets.line(actions=[data_sets.click(visual_evaluation_flag=True)])
    (tmp_path / "data.jsonl").write_text(json.dumps(line) + "\n")
    assert writing(tmp_path, None)["status"] == "ok"
