"""The commands, settings, files, links and worked examples of the documents work."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import NamedTuple, get_args, get_origin, get_type_hints

import pytest

from iwr.cli.commands import COMMANDS as IWR_COMMANDS
from iwr.config import Config, load_config
from iwr.errors import ConfigError
from iwr.tasks.load import samples_root

ROOT = Path(__file__).parent.parent
IWR = Path(sys.executable).parent / "iwr"
DOCUMENTS = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "slurm/README.md",
        *(ROOT / "docs").glob("*.md"),
    ]
)
EXAMPLE = re.compile(
    r"^`(?P<path>[\w./-]+)`:\n\n```\w+\n(?P<content>.*?)^```$", re.M | re.S
)  # a file to write
EDIT = re.compile(r"^```diff (?P<path>[\w./-]+)\n(?P<lines>.*?)^```$", re.M | re.S)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
BY_HAND = re.compile(r"^sbatch (?:--\S+ )*slurm/array\.sbatch ")
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
GROUP = r"(?:data|model|judge|server|browser|protocol|cluster|run)"
QUICK = {
    "config",
    "validate",
    "doctor",
    "compare",
    "status",
    "completion",
    "export",
    "import",
    "prefetch",
    "report",
}
HYDRA = QUICK - {"compare", "completion"} | {
    "run",
    "generate",
    "judge",
    "score",
    "selftest",
    "submit",
}
OUTSIDE = {
    "server": "GPU",
    "submit": "SLURM",
    "prefetch": "network",
}  # what a command needs -> the word that must mark it


class Command(NamedTuple):
    """One `iwr …` of a document. `section`: the text from its heading to the next."""

    document: str
    words: list[str]
    section: str

    def __str__(self):
        return f"{self.document}: {shlex.join(self.words)}"


def sections(text):
    return re.split(r"(?m)^(?=#)", text)


def lines_of(section):
    """Yield command lines, indented, fenced or in code spans, joined where they go on."""
    plain = EXAMPLE.sub("", EDIT.sub("", section)).replace("\\\n", " ")
    blocks = [
        line.strip() for line in plain.splitlines() if line.startswith("    ") or "`" not in line
    ]
    for line in [*blocks, *SPAN.findall(plain)]:
        match = re.match(r"(?:srun (?:--\S+ )*)?(?:\S*/)?(iwr .*)$", BY_HAND.sub("iwr ", line))
        if match:
            yield match[1]


def commands():
    for document in DOCUMENTS:
        for section in sections(document.read_text()):
            for line in lines_of(section):
                words = shlex.split(line.partition(" #")[0].replace("…", ""))[1:]
                if words and words[0] not in ("<command>", "--help"):
                    yield Command(document.relative_to(ROOT).as_posix(), words, section)


COMMANDS = list(commands())


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Where commands run: the data, pages, runs and outputs that the documents' names stand for."""
    place = tmp_path_factory.mktemp("place")
    for name in ("DIR", "my-tasks"):
        (place / name).symlink_to(samples_root())
    for task in (samples_root() / "data").iterdir():
        shutil.copytree(task / "page", place / "PAGES" / task.name)
    quick = ["data.tasks=[film-rating]", "protocol.low=[ssim]", "~protocol.metrics.ocr"]
    run = [IWR, "run", "models=[oracle,blank]", *quick, "run.name=first"]
    subprocess.run(run, cwd=place, check=True, capture_output=True, timeout=300)
    shutil.copytree(place / "runs/first/oracle", place / "runs/first/demo")
    for other in ("second/demo", "theirs/a", "theirs/b"):
        shutil.copytree(place / "runs/first/demo", place / "runs" / other)
    exported = [IWR, "export", "to=OUTPUTS", "models=[oracle,blank]", "run.name=first"]
    subprocess.run(exported, cwd=place, check=True, capture_output=True, timeout=60)
    return place


def composable(settings, command):
    """Return the settings without the keys of the command itself, with values for placeholders."""
    own = {"import": ("from", "only"), "export": ("to",)}.get(command, ())
    pairs = [setting.partition("=")[::2] for setting in settings if "=" in setting]
    names = {"model": "demo", "judge": "contract", "protocol": "offline", "cluster": "default"}
    values = {
        "NAME": names,
        "N": dict.fromkeys(("server.replicas", "server.in_flight"), "2"),
        "COMMIT": {"model.revision": "c"},
    }
    return [
        f"{key}={values.get(value, {}).get(key, value)}" for key, value in pairs if key not in own
    ]


def of_the_worked_examples(settings):
    names = ("=mine", "=optimist", "=colours")
    return any(setting.endswith(names) and not setting.startswith("run.") for setting in settings)


def test_there_are_commands_in_all_the_places_where_people_look():
    documents = {command.document for command in COMMANDS}
    assert {
        "README.md",
        "slurm/README.md",
        "docs/troubleshooting.md",
        "docs/extending.md",
        "docs/trust.md",
    } <= documents
    assert len(COMMANDS) > 40


def unmarked_needs(command, name, config, models):
    """Return what a command needs and its section does not say: a GPU, SLURM, the network."""
    judges = [config.judge.model] if config.judge.model else []
    large = any(model.weights_gb for model in [*models, *judges])
    hub = any("/" in (model.path or "/") for model in [*models, *judges])
    needs = set()
    if name in ("run", "generate", "judge", "selftest") and large:
        needs.add(OUTSIDE["server"])
    if name == "submit" or (name == "prefetch" and hub):
        needs.add(OUTSIDE[name])
    return {word for word in needs if word not in command.section}


def problem_of(command):
    """Return why a command of a document cannot work, None if it can."""
    name, *settings = (word for word in command.words if not word.startswith("--"))
    if name not in IWR_COMMANDS:
        return "no such command"
    settings = composable(settings, name)
    if name not in HYDRA or of_the_worked_examples(settings):
        return None
    try:
        config, models = load_config(settings)
    except ConfigError as error:
        return str(error)
    needs = unmarked_needs(command, name, config, models)
    return f"not marked: needs {needs}" if needs else None


def test_each_command_exists_and_its_settings_compose():
    problems = {str(command): problem_of(command) for command in COMMANDS}
    assert {command: problem for command, problem in problems.items() if problem} == {}


def run_quick(command, place, folder):
    """Run a quick command of a document in `place`. Return what went wrong, None if nothing did."""
    name, *settings = command.words
    environment = dict(os.environ)
    if name == "prefetch":
        caches = dict.fromkeys(("HF_HUB_CACHE", "TORCH_HOME"), str(folder))
        environment |= {"HF_HUB_OFFLINE": "1"} | caches
    if name == "doctor":
        environment["IWR_CHROMIUM"] = "/nothing/here"
    if name == "export":
        settings = [
            f"to={folder}" if setting.startswith("to=") else setting for setting in settings
        ]
    if name == "import":
        settings = [f"run.root={folder}", *settings]
    here = {"/shared/IWR-Bench": "DIR", "/shared/runs": "runs"}
    settings = [
        "=".join(here.get(part, part) for part in setting.split("=", 1)) for setting in settings
    ]
    words = [word for word in settings if "=" not in word] + composable(settings, "")
    process = subprocess.run(
        [IWR, name, *words], cwd=place, env=environment, capture_output=True, text=True, timeout=120
    )
    allowed = {
        "doctor": (0, 1),
        "status": (0, 1),
        "report": (0, 1),
        "prefetch": (0, 2, 3),
    }  # weights and shards are not here
    if "Traceback" in process.stderr or process.returncode not in allowed.get(name, (0,)):
        return f"{command}: {process.stdout}{process.stderr}"
    return None


@pytest.mark.browser
@pytest.mark.full
def test_each_quick_command_runs(place, tmp_path):
    """The others are run by the worked examples and by the tests of their stages."""
    problems = []
    for number, command in enumerate(COMMANDS):
        name, *settings = command.words
        if name not in QUICK or not settings or {"model=mine", "judge=mine"} & set(settings):
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        problems.append(run_quick(command, place, folder))
    assert len(problems) > 10
    assert [problem for problem in problems if problem] == []


# ---- settings, files, links ---------------------------------------------------------------------


def spans():
    for document in DOCUMENTS:
        text = EXAMPLE.sub("", EDIT.sub("", document.read_text()))
        for span in SPAN.findall(text):
            yield document.relative_to(ROOT).as_posix(), span


def is_setting(key):
    """Whether a dotted key is in the schemas; below a free table anything is."""
    schema = Config
    for part in key.split("."):
        if not is_dataclass(schema) or part not in {field.name for field in fields(schema)}:
            return False
        hint = get_type_hints(schema)[part]
        if get_origin(hint) is dict:
            return True
        schema = next((kind for kind in (hint, *get_args(hint)) if is_dataclass(kind)), hint)
    return True


def test_every_key_that_is_named_is_a_setting():
    keys = [
        (document, key)
        for document, span in spans()
        for key in re.findall(rf"^{GROUP}\.[a-z_]+(?:\.[\w-]+)*", span)
    ]
    assert len(keys) > 40
    wrong = [
        (document, key)
        for document, key in keys
        if not is_setting(key) and not (ROOT / key).exists()
    ]
    assert wrong == []


NEEDED = {
    "data=iwr_bench": "data.root=x",
    "model=directory": "model.path=x",
    "model=hf": "model.path=a/b",
    "server=external": "server.url=http://x/v1",
    "judge=model": "judge.model.path=a/b",
}


def test_every_setting_with_a_value_composes():
    pattern = re.compile(rf"^'?\+?(?:{GROUP}(?:\.[\w-]+)*|models)=[^…]+$")
    examples = [
        (document, span)
        for document, span in spans()
        if pattern.match(span) and "mysite" not in span
    ]
    assert len(examples) > 15
    problems = []
    for document, span in examples:
        settings = composable(shlex.split(span), "")
        base = ["judge=qwen3_vl_8b"] if span.startswith("judge.model.") else []
        for start, setting in NEEDED.items():
            if setting.split("=")[0] not in span and any(s.startswith(start) for s in settings):
                base.append(setting)
        try:
            load_config([*base, *settings])
        except ConfigError as error:
            problems.append(f"{document}: `{span}`: {error}")
    assert problems == []


def test_every_file_that_is_named_is_there():
    examples = {
        match["path"] for document in DOCUMENTS for match in EXAMPLE.finditer(document.read_text())
    }
    examples |= {"configs/cluster/mysite.yaml", "configs/model/NAME.yaml"}  # yours
    pattern = re.compile(r"(?<![\w./<>-])(?:iwr|configs|scripts|tests|docs|slurm)/[\w./-]+")
    paths = [(document, path) for document, span in spans() for path in pattern.findall(span)]
    missing = [
        (document, path)
        for document, path in paths
        if path not in examples and not (ROOT / path).exists()
    ]
    assert len(paths) > 30
    assert missing == []


def test_the_file_map_of_the_readme_names_every_room():
    readme = (ROOT / "README.md").read_text()
    tree = re.findall(r"(?m)^    ((?:iwr|configs|scripts|docs|slurm|tests)/[\w./-]*)", readme)
    assert len(tree) > 10
    assert [path for path in tree if not (ROOT / path).exists()] == []
    rooms = [
        path.name
        for path in (ROOT / "iwr").iterdir()
        if (path.suffix == ".py" or path.is_dir()) and "__" not in path.name
    ]
    assert [room for room in rooms if room not in readme] == []


def slug(heading):
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(document):
    lines = document.read_text().splitlines()
    return {slug(line.lstrip("#")) for line in lines if line.startswith("#")}


def leads_somewhere(document, link):
    """Whether the file of a relative link exists and has the heading of its anchor."""
    path, _, anchor = link.partition("#")
    target = (document.parent / path).resolve() if path else document
    return target.exists() and (not anchor or anchor in anchors(target))


def test_every_link_leads_somewhere():
    broken = [
        f"{document.relative_to(ROOT)}: {link}"
        for document in [*DOCUMENTS, ROOT / "iwr/inference/demo_model/README.md"]
        for link in LINK.findall(document.read_text())
        if not link.startswith(("http://", "https://")) and not leads_somewhere(document, link)
    ]
    assert broken == []


def test_every_document_can_be_found_from_the_readme():
    linked = {
        (ROOT / link.partition("#")[0]).resolve()
        for link in LINK.findall((ROOT / "README.md").read_text())
    }
    assert {
        path for path in DOCUMENTS if path.name != "README.md" or path.parent.name == "slurm"
    } <= linked


# ---- the worked examples ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """A copy of the package in which docs/extending.md was followed to the letter."""
    home = tmp_path_factory.mktemp("extended")
    shutil.copytree(ROOT / "iwr", home / "iwr", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(
        ROOT / "configs", home / "iwr/configs", ignore=shutil.ignore_patterns("__pycache__")
    )
    text = (ROOT / "docs/extending.md").read_text()
    for match in EXAMPLE.finditer(text):
        path = home / (
            f"iwr/{match['path']}" if match["path"].startswith("configs/") else match["path"]
        )
        path.parent.mkdir(exist_ok=True)
        path.write_text(match["content"])
    for match in EDIT.finditer(text):
        lines, file = match["lines"].splitlines(keepends=True), home / match["path"]
        old, new = ("".join(line[1:] for line in lines if line[0] in kept) for kept in (" -", " +"))
        file.write_text(file.read_text().replace(old, new))
    return home


def run(home, *words, code=0):
    environment = os.environ | {"PYTHONPATH": str(home)}
    process = subprocess.run(
        [sys.executable, "-m", "iwr", *words],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == code, process.stdout + process.stderr
    return process.stdout


def documented(start):
    """Return the words of a command as docs/extending.md writes it."""
    (words,) = [
        c.words
        for c in COMMANDS
        if c.document == "docs/extending.md" and shlex.join(c.words).startswith(start)
    ]
    return words


def test_the_lines_that_the_examples_change_are_there():
    for match in EDIT.finditer((ROOT / "docs/extending.md").read_text()):
        old = "".join(
            line[1:] for line in match["lines"].splitlines(keepends=True) if line[0] in " -"
        )
        assert (ROOT / match["path"]).read_text().count(old) == 1, match["path"]


@pytest.mark.full
def test_the_model_and_the_judge_of_the_example_compose(extended):
    settings = json.loads(run(extended, *documented("config model=mine"), "judge=mine", "--json"))
    assert settings["model"]["name"] == "mine"
    assert settings["model"]["context"] == 65536
    assert settings["judge"]["model"]["context"] == 32768
    run(extended, *documented("doctor model=mine"), code=1)


@pytest.mark.browser
@pytest.mark.full
def test_the_judge_that_believes_everything_is_found_out(extended):
    report = json.loads(run(extended, *documented("selftest judge=optimist"), "--json"))
    assert report["kinds"]["true pair"]["share"] == 1.0
    assert report["kinds"]["unchanged pair"]["share"] == 0.0
    assert report["kinds"]["dead handler"]["share"] == 0.0


@pytest.mark.browser
@pytest.mark.full
def test_the_metric_of_the_example_measures(extended):
    rows = {
        row["model"]: row
        for row in json.loads(
            run(extended, *documented("run 'models=[oracle,blank]' protocol=colours"), "--json")
        )
    }
    assert rows["oracle"]["low"] == 1.0 and 0 < rows["blank"]["low"] < 1
    score = json.loads(
        (extended / "runs/colours/blank/film-rating/judge-contract/score-colours.json").read_text()
    )
    assert (
        score["engines"]["colour"] == "mean colour"
        and 0 < score["pairs"][0]["metrics"]["colour"] < 1
    )


@pytest.mark.browser
@pytest.mark.full
def test_the_task_of_the_example_is_recorded_and_its_true_page_scores_one(extended):
    run(extended, *documented("record page=bulb"))
    assert (
        run(extended, *documented("validate data=iwr_bench data.root=my-tasks"))
        == "1 tasks load, 0 faults\n"
    )
    (row,) = json.loads(
        run(extended, *documented("run model=oracle data=iwr_bench data.root=my-tasks"), "--json")
    )
    assert (row["ifs"], row["final"]) == (1.0, 1.0)


def test_the_hooks_before_a_commit_are_the_parts_of_the_check():
    """`pre-commit` accepts the file, and it runs what scripts/check.sh runs."""
    subprocess.run(
        [IWR.parent / "pre-commit", "validate-config", ROOT / ".pre-commit-config.yaml"], check=True
    )
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    parts = re.findall(
        r"(?m)^(\.venv/bin/\S+(?: -m pytest)?)(?: .*)?$", (ROOT / "scripts/check.sh").read_text()
    )
    assert len(parts) >= 4
    assert [part for part in parts if part not in hooks] == []
