"""The demo's processes, from the first start to the last word."""

from __future__ import annotations

import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from denxanh.cli.demo_files import Folder, Wish, read_json, write_community, write_site, write_spec
from denxanh.cli.output import note
from denxanh.cli.processes import Child, Stop, ended_together, start
from denxanh.errors import SimulationError
from denxanh.plc.security.secrets import read_line

if TYPE_CHECKING:
    from denxanh.networks.model import Corridor

STREET_READY_S = 180.0
"""Building a net and loading it may take this long on a busy machine, seconds of wall time."""
JOURNAL_END_BYTES = 32_768
"""More than one record; enough to find the last tick."""
PAGE_READY_S = 120.0
"""The centre may take this long to answer on a busy machine, seconds of wall time."""
LOOK_S = 0.25
"""Between two looks at the children, seconds."""
CONTROLLER_LAST_WORD_S = 20.0
"""The controller writes its journal's end and its summary after the street has ended, seconds."""


class Demo:
    """Starts, watches and ends the street, the controller, the page and who watches the page's store.

    Args:
        wish: what to run.
        folder: where.
        page_port: of the page; None: no page.
        progress: told the simulated seconds that are over.
    """

    def __init__(
        self, wish: Wish, folder: Folder, page_port: int | None, progress: Callable[[float], None]
    ) -> None:
        self._wish = wish
        self._folder = folder
        self._page_port = page_port
        self._progress = progress
        self._said: set[str] = set()
        self.failure: str | None = None
        """Why the controller ended before the street did, if it did."""

    def run(self, stop: Stop) -> None:
        """From start to end; every child is ended however this returns.

        Raises:
            SimulationError: the street or the controller could not start, or broke off.
            DenXanhError: what the site file's writing says.
        """
        with ended_together() as children:
            street = self._start(
                "street", ["-m", "denxanh.sim.street_process", str(self._folder.spec)], children
            )
            ports = self._ports(street, stop)
            if ports is None:
                return
            write_site(self._wish, self._folder, ports, self._page_port)
            site = str(self._folder.site)
            controller = self._start(
                "controller", ["-m", "denxanh.cli", "-v", "run", "--json", site], children
            )
            beside: list[tuple[Child, str]] = []
            if self._page_port is not None:
                page = self._start("centre", self._centre(site), children)
                self._announce(page, stop)
                notifier = self._start("notifier", ["-m", "denxanh.cli", "notify", "run", site], children)
                beside = [
                    (page, "the page ended; traffic is not touched by it, the demo goes on"),
                    (notifier, "the notifier ended; there are no new notices, the demo goes on"),
                ]
            self._watch(street, controller, beside, stop)
            street.ask_to_end()
            self._last_words(street, controller)

    def _start(self, name: str, arguments: list[str], children: list[Child]) -> Child:
        child = start(name, arguments, self._folder.root)
        children.append(child)
        return child

    def prepare(self, corridor: Corridor) -> None:
        """Write what the street reads; nothing of an earlier run in this folder is taken for this one's."""
        for old in (self._folder.ports, self._folder.summary, _controller_summary(self._folder)):
            old.unlink(missing_ok=True)
        write_community(self._folder)
        write_spec(self._wish, self._folder, corridor)

    def _ports(self, street: Child, stop: Stop) -> dict[str, object] | None:
        waited = 0.0
        while (ports := read_json(self._folder.ports)) is None:
            if not street.running:
                raise _broken(street, "the street did not start")
            if waited > STREET_READY_S:
                raise _broken(street, f"the street was not ready after {STREET_READY_S:.0f} s")
            if stop.wait(LOOK_S):
                return None
            waited += LOOK_S
        return ports

    def _centre(self, site: str) -> list[str]:
        self._folder.guest_link.unlink(missing_ok=True)
        return ["-m", "denxanh.controller.centre", site, "--guest-link", str(self._folder.guest_link)]

    def _announce(self, page: Child, stop: Stop) -> None:
        address = f"http://127.0.0.1:{self._page_port}"
        waited = 0.0
        while page.running and waited < PAGE_READY_S and not _answers(address + "/healthz"):
            if stop.wait(LOOK_S):
                return
            waited += LOOK_S
        if not page.running:
            return  # told where the children are watched
        if not self._tell_address():
            self._say(page, f"no page after {waited:.0f} s; its address follows, the demo goes on meanwhile")

    def _tell_address(self) -> bool:
        """Say once where the page is, as soon as it answers and its link is there."""
        address = f"http://127.0.0.1:{self._page_port}"
        if not self._folder.guest_link.exists() or not _answers(address + "/healthz"):
            return False
        link = read_line(self._folder.guest_link)
        self._folder.guest_link.unlink()
        note(f"Trang trực tiếp / live page: {address}/   (Ctrl-C ends)")
        note(f"Đăng nhập một lần / log in, once: {address}{link}")
        return True

    def _watch(
        self, street: Child, controller: Child, beside: Sequence[tuple[Child, str]], stop: Stop
    ) -> None:
        """Until the street ends; `beside` are those that may end before, and what is said then."""
        while street.running and not stop.asked:
            if not controller.running:
                self._controller_ended(controller)
            self._tell_address()
            for child, words in beside:
                if not child.running:
                    self._say(child, words)
            self._progress(self._second())
            stop.wait(LOOK_S)
        if not street.running and street.process.returncode != 0:
            raise _broken(street, "the street broke off")

    def _controller_ended(self, controller: Child) -> None:
        code = controller.process.returncode
        if code > 0:
            raise _broken(controller, f"the controller ended with status {code}")
        if code < 0:
            self.failure = f"the controller was ended by signal {-code}"
            advice = "the cabinets go over to their own plans. Start it again with:"
            self._say(controller, f"{self.failure}; {advice} denxanh run {self._folder.site}")

    def _say(self, child: Child, what: str) -> None:
        if what in self._said:
            return
        self._said.add(what)
        tail = child.tail()
        note(f"{child.name}: {what}" + (f"\n{tail}" if tail else ""))

    def _second(self) -> float:
        """The tick that the journal's end speaks of; only for the progress bar."""
        try:
            with (self._folder.state / "journal.jsonl").open("rb") as journal:
                journal.seek(max(0, journal.seek(0, os.SEEK_END) - JOURNAL_END_BYTES))
                ticks = re.findall(rb'"in":\{"tick":(\d+)', journal.read())
        except OSError:
            return 0.0
        return float(ticks[-1]) + 1 if ticks else 0.0

    def _last_words(self, street: Child, controller: Child) -> None:
        """The clock's end tells the controller that the street is over; both write their summaries."""
        waited = 0.0
        while (street.running or controller.running) and waited < CONTROLLER_LAST_WORD_S:
            time.sleep(LOOK_S)
            waited += LOOK_S


def _controller_summary(folder: Folder) -> Path:
    from denxanh.controller.tally import SUMMARY_NAME

    return folder.state / SUMMARY_NAME


def controller_summary(folder: Folder) -> dict[str, object]:
    """What the controller counted; empty when it never wrote."""
    return read_json(_controller_summary(folder)) or {}


def _broken(child: Child, what: str) -> SimulationError:
    """The child's own last words say more than we could."""
    tail = child.tail().splitlines()
    errors = [place for place, line in enumerate(tail) if " ERROR " in line or line.startswith("denxanh: ")]
    words = "\n".join(tail[errors[-1] :] if errors else tail)
    return SimulationError(what + (f"; its last words:\n{words}" if words else ""), where=child.name)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False
