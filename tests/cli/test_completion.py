"""The Tab key in a real bash, at a real terminal."""

import os
import pty
import select
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
PATIENCE = 30  # seconds without any output
UNIQUE = {
    "iwr doc": "doctor ",
    "iwr config model=orac": "model=oracle ",
    "iwr run run.on_change=o": "run.on_change=overwrite ",
    "iwr run run.na": "run.name=",
    "iwr run server.in_": "server.in_flight=",
    "iwr run judge.model.tem": "judge.model.temperature=",
    "iwr run run.allow_unscored=t": "run.allow_unscored=true ",
    "iwr run models=[oracle,scr": "oracle,screenshot",
    "iwr record pag": "page=",
    "iwr completion z": "zsh ",
}
"""What is typed, and what is on the screen after the Tab key."""


class Terminal:
    """An interactive bash that has read `iwr completion bash`."""

    def __init__(self):
        self.process, self.fd = pty.fork()
        if self.process == 0:
            environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}", "TERM": "dumb"}
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], environment)
        self.send('PS1="> "; stty cols 300; eval "$(iwr completion bash)"; echo re"ady"\n')
        self.until("ready")

    def send(self, text):
        os.write(self.fd, text.encode())

    def until(self, text):
        """Return the output up to and with `text`; raise TimeoutError when it stops before."""
        screen = ""
        while text not in screen:
            if not select.select([self.fd], [], [], PATIENCE)[0]:
                raise TimeoutError(f"no {text!r} in {screen!r}")
            screen += os.read(self.fd, 65536).decode(errors="replace")
        return screen

    def tab(self, line, text):
        """Type, press Tab twice, and wait until `text` is on the screen; then clear the line."""
        self.send(line + "\t\t")
        screen = self.until(text)
        self.send("\x15")
        return screen

    def close(self):
        self.send("\x15exit\n")
        os.waitpid(self.process, 0)
        os.close(self.fd)


@pytest.fixture(scope="module")
def terminal():
    if not shutil.which("bash"):
        pytest.skip("no bash here")
    terminal = Terminal()
    yield terminal
    terminal.close()


def test_what_is_unique_is_completed(terminal):
    for line, completion in UNIQUE.items():
        terminal.tab(line, completion)


def test_several_are_listed(terminal):
    screen = terminal.tab("iwr run judge=qwen", "qwen3_vl_8b")
    assert "qwen2_5_vl_7b" in screen and "rules" not in screen


def test_files_are_completed(terminal, tmp_path):
    (tmp_path / "my-outputs").mkdir()
    terminal.tab(f"iwr export to={tmp_path}/my", "my-outputs/")


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_script_is_valid(shell):
    script = subprocess.run(
        [BIN / "iwr", "completion", shell], capture_output=True, text=True, check=True
    ).stdout
    assert "iwr" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)


def test_another_shell_is_refused():
    process = subprocess.run([BIN / "iwr", "completion", "fish"], capture_output=True, text=True)
    assert process.returncode == 2 and "bash or zsh" in process.stderr
