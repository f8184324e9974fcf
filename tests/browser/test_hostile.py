"""Pages that mean harm: nothing gets out, each costs a bounded time.

Its neighbours in the same run see no difference.
"""
# ruff: noqa: E501 - a page is one string

import asyncio
import socket
import threading
import time
from typing import NamedTuple

import pytest

from iwr.browser import input as actions
from iwr.browser.chromium import Site
from iwr.browser.deadlines import Limits
from iwr.browser.pool import Pool
from iwr.config import BrowserConfig, Environment
from iwr.errors import IwrError
from tests.browser.hostile import NETWORK, TRAPS, VARIANTS

# all pages are opened in one fixture, and deadlines stretch on a crowded machine
pytestmark = [pytest.mark.browser, pytest.mark.timeout(1500)]

# without a network namespace, so that the flags alone must hold
CONFIG = BrowserConfig(
    name="test", contexts=3, page_seconds=20, settle_seconds=2, renderer_mb=700, namespace=False
)
HEALTHY = "<button onclick=\"setTimeout(() => out.textContent = 'fine', 300)\" style='width:800px;height:500px'>go</button><p id=out></p>"


class Outcome(NamedTuple):
    ended: str  # "ok" or the name of an error
    seconds: float  # of a machine that is not crowded
    words: str  # the error's message, or what was refused


class Listener:
    """A TCP and a UDP socket on this machine; `heard` lists what reached them."""

    def __init__(self):
        self.heard: list[str] = []
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port = self._tcp.getsockname()[1]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        for listen in (self._accept, self._receive):
            threading.Thread(target=listen, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self._tcp.accept()
            self.heard.append("tcp")
            connection.close()

    def _receive(self):
        while True:
            self.heard.append(f"udp {self._udp.recvfrom(9999)[0][:50]}")


def expected(name: str) -> tuple[str, ...]:
    return TRAPS[name][1] or ("ok",) if name in TRAPS else ("ok",)


async def visit(tab):
    await tab.settle()
    before = await tab.screenshot()
    await actions.click(tab, (400.0, 300.0))
    await tab.settle()
    return before, await tab.screenshot(), dict(tab.refused)


async def attack(pool: Pool, folder, name: str, html: str) -> Outcome:
    page = folder / f"{abs(hash(name))}.html"
    page.write_text(html)
    start, crowd, ended, words = time.monotonic(), Limits.of(CONFIG).crowd, "ok", ""
    try:
        words = str((await pool.run(visit, Site(page), 800, 600))[2])
    except IwrError as error:
        ended, words = type(error).__name__, str(error)
    return Outcome(ended, (time.monotonic() - start) / max(crowd, Limits.of(CONFIG).crowd), words)


@pytest.fixture(scope="module")
def run(tmp_path_factory, pytestconfig):
    """Open all pages through one pool, two at a time, beside a healthy one again and again.

    Return the outcomes by name, the healthy page's outcomes, and what the listener heard.
    """
    folder, listener = tmp_path_factory.mktemp("hostile"), Listener()
    pages = {
        name: html.replace("{net}", f"127.0.0.1:{listener.port}") for name, html in NETWORK.items()
    }
    pages |= {
        name: html
        for name, (html, _) in TRAPS.items()
        if name not in VARIANTS or pytestconfig.getoption("--full")
    }
    (folder / "healthy.html").write_text(HEALTHY)

    async def everything():
        outcomes, healthy, pending = {}, [], iter(pages.items())

        async def attacker(pool):
            for name, html in pending:
                outcomes[name] = await attack(pool, folder, name, html)

        async def neighbour(pool):
            while len(outcomes) < len(pages):
                healthy.append(await pool.run(visit, Site(folder / "healthy.html"), 800, 600))
                await asyncio.sleep(1)

        async with Pool(CONFIG, Environment.read()) as pool:
            await asyncio.gather(attacker(pool), attacker(pool), neighbour(pool))
            for name in [name for name in pages if outcomes[name].ended not in expected(name)]:
                outcomes[name] = await attack(
                    pool, folder, name, pages[name]
                )  # was it the crowd? once more, alone
        return outcomes, healthy

    return *asyncio.run(everything()), listener.heard


@pytest.mark.parametrize("name", NETWORK)
def test_a_way_out_leads_nowhere_and_harms_nothing(run, name):
    assert run[0][name].ended in expected(name), run[0][name]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.full] * (name in VARIANTS)) for name in TRAPS]
)
def test_a_trap_costs_its_own_page_bounded_time(run, name):
    outcome = run[0][name]
    assert outcome.ended in expected(name), outcome
    assert outcome.seconds < 60


def test_nothing_reached_the_listener(run):
    assert run[2] == []


def test_the_healthy_neighbour_saw_the_same_every_time(run):
    assert len(run[1]) > 10
    assert len({(before, after) for before, after, _ in run[1]}) == 1


def test_the_table(run, capsys):
    """Prints every page with its end: the table of the documentation comes from here."""
    assert len(run[0]) >= len(NETWORK) + 40
    with capsys.disabled():
        print()
        for name, (ended, seconds, words) in run[0].items():
            print(f"{name:24s} {ended:10s} {seconds:5.1f} s  {words[:90]}")
