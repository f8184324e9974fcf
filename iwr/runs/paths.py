"""Names of the files of a run. No other module builds one.

<run.root>/<run.name>/manifest.json, manifests/<digest>.json
<run.root>/<run.name>/report/
<run.root>/<run.name>/<model>/<task>/generation.json, reply.txt, index.html
<run.root>/<run.name>/<model>/<task>/judge-<judge>/rollout.json, step_<k>.png,
    score-<protocol>.json
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from iwr.errors import ConfigError

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def safe_name(kind: str, name: str) -> str:
    """Return `name` if it can be a folder name, so that nothing is written outside the run.

    Raise ConfigError, which names `kind`, otherwise.
    """
    if not SAFE_NAME.fullmatch(name):
        raise ConfigError(
            f"{kind} {name!r} cannot be a folder name",
            hint="use letters, digits, '.', '_' and '-'",
        )
    return name


@dataclass(frozen=True)
class JudgePaths:
    """What one judge, and the scores by its rollout, say about one model's page."""

    folder: Path

    @property
    def rollout(self) -> Path:
        """Return the record of what the judge did and saw."""
        return self.folder / "rollout.json"

    @property
    def calls(self) -> Path:
        """Return the file of all questions to a judge model and their answers, a line each."""
        return self.folder / "calls.jsonl"

    def screenshot(self, step: int) -> Path:
        """Return the page after a step; step 0 is the opened page."""
        return self.folder / f"step_{step}.png"

    def rest_screenshot(self, step: int) -> Path:
        """Return where the page is kept as the next action found it, if it was another then."""
        return self.folder / f"step_{step}_rest.png"

    def score(self, protocol: str) -> Path:
        """Return the record of the scores under a protocol."""
        return self.folder / f"score-{safe_name('protocol', protocol)}.json"


@dataclass(frozen=True)
class TaskPaths:
    """What one model made of one task."""

    folder: Path

    @property
    def generation(self) -> Path:
        """Return the record of the answer; it is written last."""
        return self.folder / "generation.json"

    @property
    def reply(self) -> Path:
        """Return the file of the raw reply."""
        return self.folder / "reply.txt"

    @property
    def page(self) -> Path:
        """Return the page that the model wrote."""
        return self.folder / "index.html"

    @property
    def beside(self) -> Path:
        """Return the folder of the files that a page of another tool brings along."""
        return self.folder / "beside"

    def judge(self, judge: str) -> JudgePaths:
        """Return the files of one judge of this page."""
        return JudgePaths(self.folder / f"judge-{safe_name('judge', judge)}")


@dataclass(frozen=True)
class ReportPaths:
    """The HTML report: a folder that holds all it shows, so it can be copied anywhere."""

    folder: Path

    @property
    def index(self) -> Path:
        """Return the page to open."""
        return self.folder / "index.html"

    @property
    def made_from(self) -> Path:
        """Return the record of what the pages were made from: unchanged ones stay."""
        return self.folder / "made_from.json"

    @property
    def figures(self) -> Path:
        """Return the folder of the figures for papers."""
        return self.folder / "figures"

    @property
    def selftest(self) -> Path:
        """Return the page of what the judge's self-test was wrong about."""
        return self.folder / "selftest.html"

    def selftest_picture(self, name: str) -> Path:
        """Return a screenshot that the judge was asked about."""
        return self.selftest.with_suffix("") / name

    @property
    def pages(self) -> Path:
        """Return the folder of the pages, one folder a model."""
        return self.folder / "pages"

    @property
    def tasks(self) -> Path:
        """Return the folder of what all models share, one folder a task."""
        return self.folder / "tasks"

    def page(self, model: str, task: str) -> Path:
        """Return the page of one model and task."""
        pages = self.pages / safe_name("model", model)
        return pages / f"{safe_name('task', task)}.html"

    def screenshot(self, model: str, task: str, step: int) -> Path:
        """Return the candidate after a step."""
        return self.page(model, task).with_suffix("") / f"step_{step}.png"

    def evidence(self, model: str, task: str, name: str) -> Path:
        """Return a text file beside the page: the raw reply, the source, the judge's questions."""
        return self.page(model, task).with_suffix("") / f"{name}.txt"

    @property
    def gallery(self) -> Path:
        """Return the page of all pages beside their references."""
        return self.folder / "gallery.html"

    def moments(self, task: str) -> Path:
        """Return the record of when each step shows in the recording."""
        return self.tasks / safe_name("task", task) / "moments.json"

    def reference(self, task: str, step: int) -> Path:
        """Return the checkpoint that a candidate's screenshot is compared with."""
        return self.tasks / safe_name("task", task) / f"step_{step}.png"

    def video(self, task: str) -> Path:
        """Return the recording of a task."""
        return self.tasks / safe_name("task", task) / "video.mp4"


@dataclass(frozen=True)
class RunPaths:
    """The one owner of every file name in a run."""

    folder: Path

    @classmethod
    def of(cls, root: str | Path, name: str) -> RunPaths:
        """Return the paths of the run `name`. Raise ConfigError when it cannot be a folder."""
        return cls(Path(root).expanduser().absolute() / safe_name("run.name", name))

    @property
    def settings(self) -> Path:
        """Return the record of the settings that the run was made with."""
        return self.folder / "settings.json"

    @property
    def settings_lock(self) -> Path:
        """Return the lock of the one process that adds settings."""
        return self.folder / "locks" / "settings.lock"

    @property
    def manifest(self) -> Path:
        """Return the manifest of all shards together."""
        return self.folder / "manifest.json"

    @property
    def manifests(self) -> Path:
        """Return the folder of the set-ups of which the manifest is made."""
        return self.folder / "manifests"

    @property
    def report(self) -> Path:
        """Return the folder of the report."""
        return self.folder / "report"

    @property
    def cache(self) -> Path:
        """Return the folder of embeddings and OCR texts, unless run.cache names another."""
        return self.folder / "cache"

    @property
    def logs(self) -> Path:
        """Return the folder of batch scripts, server logs and session records."""
        return self.folder / "logs"

    def selftest(self, judge: str) -> Path:
        """Return the record of a judge's self-test."""
        return self.folder / f"selftest-{safe_name('judge', judge)}.json"

    def selftest_pictures(self, judge: str) -> Path:
        """Return the folder of the pictures that a judge's self-test was wrong about."""
        return self.selftest(judge).with_suffix("")

    def session(self, model: str, name: str) -> Path:
        """Return the record of one process's work with one model's servers.

        `name` is unique to the process.
        """
        model = safe_name("model", model)
        return self.logs / f"session-{model}-{name}.json"

    def sessions(self, model: str) -> list[Path]:
        """Return the session records of a model, sorted by name."""
        model = safe_name("model", model)
        return sorted(self.logs.glob(f"session-{model}-[0-9]*.json"))

    def generations(self) -> list[Path]:
        """Return the generation records of every model and task."""
        return sorted(self.folder.glob("*/*/generation.json"))

    def lock(self, stage: str, model: str, shard: int, shards: int) -> Path:
        """Return the lock of the one process that works on this stage of this shard."""
        model = safe_name("model", model)
        name = f"{stage}-{model}-{shard}of{shards}.lock"
        return self.folder / "locks" / name

    def model(self, model: str) -> Path:
        """Return the folder of everything that one model made."""
        return self.folder / safe_name("model", model)

    def task(self, model: str, task: str) -> TaskPaths:
        """Return the files of one model and task. Raise ConfigError for unsafe names."""
        return TaskPaths(self.model(model) / safe_name("task", task))
