"""The machine: system, browser, its cage, fonts, ports, SLURM."""

from __future__ import annotations

import asyncio
import platform
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

from iwr.doctor.finding import Case, Finding, output
from iwr.errors import BrowserError
from iwr.version import __version__

FONTS = {
    "Arial": "Liberation",
    "monospace": "DejaVu",
}  # family asked for -> what the samples were recorded with
SLURM = ("sbatch", "squeue", "scontrol", "sinfo")


def system(case: Case) -> Iterator[Finding]:
    from iwr.inference.memory import free_bytes

    versions = f"iwr {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    if platform.system() != "Linux":
        yield Finding(
            "machine", "fail", versions, "use Linux: servers and browsers are watched through /proc"
        )
        return
    free, browsers = (free_bytes() or 0) / 1e9, case.config.browser.contexts
    needed = browsers * case.config.browser.renderer_mb / 1e3
    status = "warn" if free < needed else "ok"
    fix = f"{browsers} pages at a time may take {needed:.0f} GB: end other programs, or set browser.contexts=1"
    yield Finding("machine", status, f"{versions}, {free:.1f} GB of memory free", fix)


def browser(case: Case) -> Iterator[Finding]:
    from iwr.browser.chromium import Chromium, find_executable

    async def start() -> str:
        async with Chromium(case.config.browser, case.environment) as chromium:
            await chromium.probe()
            return chromium.version

    try:
        where = find_executable(case.config.browser, case.environment) or "Playwright's own"
        yield Finding("browser", "ok", f"{asyncio.run(start())} starts and shows a page ({where})")
    except (BrowserError, OSError) as error:
        fix = (
            getattr(error, "hint", None)
            or "install one (apt install chromium, or `playwright install chromium`), or set IWR_CHROMIUM"
        )
        yield Finding("browser", "fail", str(error), fix)


def sandbox(case: Case) -> Iterator[Finding]:
    from iwr.browser.isolation import isolate, namespace

    flags = "browser flags keep pages off the network"
    if not case.config.browser.namespace:
        yield Finding(
            "sandbox",
            "warn",
            f"{flags}; the network namespace is turned off",
            "browser.namespace=true",
        )
        return
    try:
        with tempfile.TemporaryDirectory(dir=temporary(case)) as folder:
            cage = isolate("/bin/true", Path(folder))
    except OSError as error:
        yield Finding(
            "sandbox",
            "fail",
            f"no temporary file: {error}",
            "set IWR_TMP to a folder that is there and writable",
        )
        return
    if cage.executable == "/bin/true":
        why = (
            "the temporary folder does not let files run"
            if namespace()
            else "this machine lets you have none"
        )
        fix = (
            "set IWR_TMP to another folder"
            if namespace()
            else "allow user namespaces (kernel.unprivileged_userns_clone=1, AppArmor)"
        )
        yield Finding(
            "sandbox",
            "warn",
            f"{flags}, without a network namespace: {why}",
            f"{fix}; docs/sandbox.md",
        )
    else:
        own = (
            "and Chromium's own sandbox"
            if cage.sandboxed
            else "without Chromium's own sandbox, which root cannot have"
        )
        yield Finding("sandbox", "ok", f"{flags}, a network namespace as well, {own}")


def fonts(case: Case) -> Iterator[Finding]:
    fix = "scripts/setup.sh, or apt install fontconfig fonts-liberation fonts-dejavu-core"
    if not shutil.which("fc-match"):
        yield Finding(
            "fonts", "warn", "fontconfig's fc-match is not there, so fonts are not known", fix
        )
        return
    found = {family: output("fc-match", "--format=%{family}", family) for family in FONTS}
    wrong = [
        f"{asked} is {found[asked]}, the samples have {wanted}"
        for asked, wanted in FONTS.items()
        if wanted not in found[asked]
    ]
    yield Finding(
        "fonts", "warn" if wrong else "ok", "; ".join(wrong) or ", ".join(found.values()), fix
    )


def port(case: Case) -> Iterator[Finding]:
    """Servers listen on a free port of 127.0.0.1; without the interface such a port is given all the same, but nobody gets through."""
    try:
        with (
            socket.create_server(("127.0.0.1", 0)) as listening,
            socket.create_connection(listening.getsockname(), timeout=5),
        ):
            yield Finding(
                "port", "ok", f"127.0.0.1 gives free ports, e.g. {listening.getsockname()[1]}"
            )
    except OSError as error:
        status = "fail" if case.served else "warn"
        yield Finding(
            "port",
            status,
            f"127.0.0.1 cannot be used: {error}",
            "bring the loopback interface up: `ip link set lo up`",
        )


def slurm(case: Case) -> Iterator[Finding]:
    there = [name for name in SLURM if shutil.which(name)]
    if not there:
        yield Finding("slurm", "ok", "not here; only `iwr submit` needs it")
        return
    absent = [name for name in SLURM if name not in there]
    if absent:
        yield Finding(
            "slurm", "warn", f"{', '.join(absent)} not found", "load your site's SLURM module"
        )
        return
    partitions = output("sinfo", "--noheader", "--format=%R").split()
    wanted = case.config.cluster.partition
    if not partitions:
        found = "installed, but its controller does not answer `sinfo`; only `iwr submit` needs it"
        yield Finding("slurm", "warn", found, "run this on a login node")
    elif wanted and wanted not in partitions:
        yield Finding(
            "slurm",
            "warn",
            f"no partition {wanted}",
            f"cluster.partition= one of {', '.join(partitions)}",
        )
    else:
        yield Finding("slurm", "ok", f"partitions {', '.join(partitions)}")


def temporary(case: Case) -> Path:
    return Path(case.environment.temporary or tempfile.gettempdir())
