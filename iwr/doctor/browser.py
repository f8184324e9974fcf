"""The browser: whether it starts and shows a page, and what keeps pages off the network."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from iwr.browser.chromium import Chromium, find_executable
from iwr.browser.isolation import isolate, namespace
from iwr.doctor.disk import temporary_folder
from iwr.doctor.result import CheckResult, DoctorContext
from iwr.errors import BrowserError

INSTALL = (
    "install one (apt install chromium, or `playwright install chromium`), or set IWR_CHROMIUM"
)
FLAGS = "browser flags keep pages off the network"
PROGRAM = "/bin/true"
"""Any program: the isolation of it is that of the browser."""


def start(context: DoctorContext) -> CheckResult:
    """Start the browser and show a page."""
    try:
        executable = find_executable(context.config.browser, context.environment)
        version = asyncio.run(_probe(context))
    except (BrowserError, OSError) as error:
        hint = getattr(error, "hint", None)
        return CheckResult("browser", "fail", str(error), hint or INSTALL)
    source = executable or "Playwright's own"
    return CheckResult("browser", "ok", f"{version} starts and shows a page ({source})")


async def _probe(context: DoctorContext) -> str:
    """Return the version of a browser that shows a page. Raises BrowserError."""
    async with Chromium(context.config.browser, context.environment) as chromium:
        await chromium.probe()
        return chromium.version


def sandbox(context: DoctorContext) -> CheckResult:
    """Check that a browser can be started without a network."""
    if not context.config.browser.namespace:
        return CheckResult(
            "sandbox",
            "warn",
            f"{FLAGS}; the network namespace is turned off",
            "browser.namespace=true",
        )
    try:
        with tempfile.TemporaryDirectory(dir=temporary_folder(context)) as folder:
            isolation = isolate(PROGRAM, Path(folder))
    except OSError as error:
        return CheckResult(
            "sandbox",
            "fail",
            f"no temporary file: {error}",
            "set IWR_TMP to a folder that is there and writable",
        )
    if isolation.executable == PROGRAM:
        return _not_isolated()
    chromium_sandbox = "without Chromium's own sandbox, which root cannot have"
    if isolation.sandboxed:
        chromium_sandbox = "and Chromium's own sandbox"
    return CheckResult(
        "sandbox",
        "ok",
        f"{FLAGS}, a network namespace as well, {chromium_sandbox}",
    )


def _not_isolated() -> CheckResult:
    """Return why no network namespace is to be had, and what would change that."""
    if namespace():
        reason = "the temporary folder does not let files run"
        fix = "set IWR_TMP to another folder"
    else:
        reason = "this machine lets you have none"
        fix = "allow user namespaces (kernel.unprivileged_userns_clone=1, AppArmor)"
    return CheckResult(
        "sandbox",
        "warn",
        f"{FLAGS}, without a network namespace: {reason}",
        f"{fix}; docs/sandbox.md",
    )
