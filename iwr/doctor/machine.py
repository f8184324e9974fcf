"""The machine: system and memory, fonts, ports."""

from __future__ import annotations

import platform
import shutil
import socket

from iwr.doctor.result import CheckResult, DoctorContext, output
from iwr.version import __version__

SAMPLE_FONTS = {"Arial": "Liberation", "monospace": "DejaVu"}
"""Family that a page names -> the font with which the samples were recorded."""


def system(context: DoctorContext) -> CheckResult:
    """Check for Linux, and for the memory that the browser's pages may take."""
    from iwr.inference.memory import free_bytes

    system = f"{platform.system()} {platform.machine()}"
    versions = f"iwr {__version__}, Python {platform.python_version()}, {system}"
    if platform.system() != "Linux":
        return CheckResult(
            "machine",
            "fail",
            versions,
            "use Linux: servers and browsers are watched through /proc",
        )
    free_gb = free_bytes() / 1e9
    contexts = context.config.browser.contexts
    needed_gb = contexts * context.config.browser.renderer_mb / 1e3
    return CheckResult(
        "machine",
        "warn" if free_gb < needed_gb else "ok",
        f"{versions}, {free_gb:.1f} GB of memory free",
        f"{contexts} pages at a time may take {needed_gb:.0f} GB: "
        "end other programs, or set browser.contexts=1",
    )


def fonts() -> CheckResult:
    """Check that pages show in the fonts with which the samples were recorded."""
    fix = "scripts/setup.sh, or apt install fontconfig fonts-liberation fonts-dejavu-core"
    if not shutil.which("fc-match"):
        return CheckResult(
            "fonts",
            "warn",
            "fontconfig's fc-match is not there, so fonts are not known",
            fix,
        )
    matches = []
    differences = []
    for family, sample_font in SAMPLE_FONTS.items():
        match = output("fc-match", "--format=%{family}", family)
        matches.append(match)
        if sample_font not in match:
            differences.append(f"{family} is {match}, the samples have {sample_font}")
    if differences:
        return CheckResult("fonts", "warn", "; ".join(differences), fix)
    return CheckResult("fonts", "ok", ", ".join(matches), fix)


def port(context: DoctorContext) -> CheckResult:
    """Check that servers can listen on a free port of 127.0.0.1 and be reached there.

    Without the loopback interface a port can be had, but not reached.
    """
    try:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = listener.getsockname()
            socket.create_connection(address, timeout=5).close()
    except OSError as error:
        return CheckResult(
            "port",
            "fail" if context.served else "warn",
            f"127.0.0.1 cannot be used: {error}",
            "bring the loopback interface up: `ip link set lo up`",
        )
    return CheckResult("port", "ok", f"127.0.0.1 gives free ports, e.g. {address[1]}")
