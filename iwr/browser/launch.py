"""How Chromium is found and started: without a network, with one image for one state."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from iwr.browser.isolation import Isolation, isolate
from iwr.config import BrowserConfig, Environment
from iwr.errors import BrowserError

if TYPE_CHECKING:
    from playwright.async_api import Browser, Playwright

SYSTEM_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INHERITED = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "FONTCONFIG_PATH",
    "FONTCONFIG_FILE",
)
"""Environment variables that the browser gets; no keys."""
DISPLAY = ("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR")
"""What a browser with a window gets as well."""

NO_NETWORK = (
    "--proxy-server=http://127.0.0.1:9",  # nothing listens there
    "--proxy-bypass-list=<-loopback>",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy",
    "--dns-prefetch-disable",
)
BLINK_SETTINGS = (
    # the last --blink-settings wins, so Playwright's own four are repeated
    "primaryHoverType=2",
    "availableHoverTypes=2",
    "primaryPointerType=4",
    "availablePointerTypes=4",
    "imageAnimationPolicy=2",  # GIFs and SMIL animations stay at their first frame
)
SAME_IMAGE = (
    "--disable-smooth-scrolling",
    "--disable-checker-imaging",
    "--disable-lcd-text",
    "--disable-partial-raster",  # a part that is painted again gets other rounded corners
    "--font-render-hinting=none",
    "--autoplay-policy=user-gesture-required",
    f"--blink-settings={','.join(BLINK_SETTINGS)}",
)
FLAGS = (*NO_NETWORK, *SAME_IMAGE, "--js-flags=--max-old-space-size=512")
REMOVED_FLAGS = ("--disable-ipc-flooding-protection", "--disable-popup-blocking")
"""Playwright's: they let pages flood the browser."""


def find_executable(config: BrowserConfig, environment: Environment) -> str | None:
    """Return the browser to start; None leaves the choice to Playwright.

    Raises BrowserError when the settings name one that does not exist.
    """
    name = config.executable or environment.chromium
    if not name:
        return next(filter(None, map(shutil.which, SYSTEM_BROWSERS)), None)
    if not Path(name).is_file() and not shutil.which(name):
        hint = "correct browser.executable or IWR_CHROMIUM"
        raise BrowserError(f"no browser at {name}", hint=hint)
    return shutil.which(name)


async def launch(
    playwright: Playwright,
    executable: str | None,
    token: str,
    folder: Path,
    config: BrowserConfig,
    environment: Environment,
    *,
    visible: bool = False,
) -> Browser:
    """Start the browser, with `token` among its arguments, isolated where the machine allows it.

    `folder` is temporary; `visible` opens a window. Raises FileNotFoundError and what Playwright
    raises.
    """
    executable = executable or playwright.chromium.executable_path
    if not Path(executable).is_file():
        raise FileNotFoundError(f"no browser at {executable}")
    isolation = Isolation(executable, sandboxed=False)
    if config.namespace:
        isolation = isolate(executable, folder)
    inherited = environment.inherited
    names = list(INHERITED)
    if visible:
        names += DISPLAY
    return await playwright.chromium.launch(
        executable_path=isolation.executable,
        chromium_sandbox=isolation.sandboxed,
        args=[*FLAGS, token],
        ignore_default_args=list(REMOVED_FLAGS),
        env={name: inherited[name] for name in names if name in inherited},
        headless=not visible,
    )
