"""The machine: system, browser, network isolation, fonts, ports, SLURM."""

from __future__ import annotations

import asyncio
import platform
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

from iwr.doctor.result import CheckResult, DoctorContext, output
from iwr.errors import BrowserError
from iwr.version import __version__

FONTS = {
    "Arial": "Liberation",
    "monospace": "DejaVu",
}  # family asked for -> what the samples were recorded with
SLURM = ("sbatch", "squeue", "scontrol", "sinfo")


def system(context: DoctorContext) -> Iterator[CheckResult]:
    from iwr.inference.memory import free_bytes

    system = f"{platform.system()} {platform.machine()}"
    versions = f"iwr {__version__}, Python {platform.python_version()}, {system}"
    if platform.system() != "Linux":
        yield CheckResult(
            "machine", "fail", versions, "use Linux: servers and browsers are watched through /proc"
        )
        return
    free, browsers = (free_bytes() or 0) / 1e9, context.config.browser.contexts
    needed = browsers * context.config.browser.renderer_mb / 1e3
    status = "warn" if free < needed else "ok"
    fix = (
        f"{browsers} pages at a time may take {needed:.0f} GB: "
        "end other programs, or set browser.contexts=1"
    )
    yield CheckResult("machine", status, f"{versions}, {free:.1f} GB of memory free", fix)


def browser(context: DoctorContext) -> Iterator[CheckResult]:
    from iwr.browser.chromium import Chromium, find_executable

    async def start() -> str:
        async with Chromium(context.config.browser, context.environment) as chromium:
            await chromium.probe()
            return chromium.version

    try:
        where = find_executable(context.config.browser, context.environment) or "Playwright's own"
        yield CheckResult(
            "browser", "ok", f"{asyncio.run(start())} starts and shows a page ({where})"
        )
    except (BrowserError, OSError) as error:
        fix = (
            getattr(error, "hint", None)
            or "install one (apt install chromium, or `playwright install chromium`), "
            "or set IWR_CHROMIUM"
        )
        yield CheckResult("browser", "fail", str(error), fix)


def sandbox(context: DoctorContext) -> Iterator[CheckResult]:
    from iwr.browser.isolation import isolate, namespace

    flags = "browser flags keep pages off the network"
    if not context.config.browser.namespace:
        yield CheckResult(
            "sandbox",
            "warn",
            f"{flags}; the network namespace is turned off",
            "browser.namespace=true",
        )
        return
    try:
        with tempfile.TemporaryDirectory(dir=temporary(context)) as folder:
            cage = isolate("/bin/true", Path(folder))
    except OSError as error:
        yield CheckResult(
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
        yield CheckResult(
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
        yield CheckResult("sandbox", "ok", f"{flags}, a network namespace as well, {own}")


def fonts(context: DoctorContext) -> Iterator[CheckResult]:
    fix = "scripts/setup.sh, or apt install fontconfig fonts-liberation fonts-dejavu-core"
    if not shutil.which("fc-match"):
        yield CheckResult(
            "fonts", "warn", "fontconfig's fc-match is not there, so fonts are not known", fix
        )
        return
    found = {family: output("fc-match", "--format=%{family}", family) for family in FONTS}
    wrong = [
        f"{asked} is {found[asked]}, the samples have {wanted}"
        for asked, wanted in FONTS.items()
        if wanted not in found[asked]
    ]
    yield CheckResult(
        "fonts", "warn" if wrong else "ok", "; ".join(wrong) or ", ".join(found.values()), fix
    )


def port(context: DoctorContext) -> Iterator[CheckResult]:
    """Check that servers can listen on a free port of 127.0.0.1 and be reached there.

    Without the loopback interface a port can be had, but not reached.
    """
    try:
        with (
            socket.create_server(("127.0.0.1", 0)) as listening,
            socket.create_connection(listening.getsockname(), timeout=5),
        ):
            yield CheckResult(
                "port", "ok", f"127.0.0.1 gives free ports, e.g. {listening.getsockname()[1]}"
            )
    except OSError as error:
        status = "fail" if context.served else "warn"
        yield CheckResult(
            "port",
            status,
            f"127.0.0.1 cannot be used: {error}",
            "bring the loopback interface up: `ip link set lo up`",
        )


def slurm(context: DoctorContext) -> Iterator[CheckResult]:
    there = [name for name in SLURM if shutil.which(name)]
    if not there:
        yield CheckResult("slurm", "ok", "not here; only `iwr submit` needs it")
        return
    absent = [name for name in SLURM if name not in there]
    if absent:
        yield CheckResult(
            "slurm", "warn", f"{', '.join(absent)} not found", "load your site's SLURM module"
        )
        return
    partitions = output("sinfo", "--noheader", "--format=%R").split()
    wanted = context.config.cluster.partition
    if not partitions:
        found = "installed, but its controller does not answer `sinfo`; only `iwr submit` needs it"
        yield CheckResult("slurm", "warn", found, "run this on a login node")
    elif wanted and wanted not in partitions:
        yield CheckResult(
            "slurm",
            "warn",
            f"no partition {wanted}",
            f"cluster.partition= one of {', '.join(partitions)}",
        )
    else:
        yield CheckResult("slurm", "ok", f"partitions {', '.join(partitions)}")


def temporary(context: DoctorContext) -> Path:
    return Path(context.environment.temporary or tempfile.gettempdir())
