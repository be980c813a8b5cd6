"""A journal that a test writes by hand, second by second; stores in both kinds of database."""

from __future__ import annotations

import getpass
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from sqlalchemy import Engine, create_engine, event

from denxanh.agents.observation import Commitment
from denxanh.controller.centre.app import create_app
from denxanh.controller.centre.command.service import Line
from denxanh.controller.centre.people.passwords import Cost, Hasher
from denxanh.controller.centre.people.people import gather
from denxanh.controller.centre.server import bind, config
from denxanh.controller.centre.store import migrate
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.codec import encode_input, encode_output
from denxanh.controller.console_site import Console
from denxanh.controller.mode import Mode
from denxanh.controller.operator.client import Answer
from denxanh.controller.operator.message import Order
from denxanh.controller.record import Event, LaneView, TickInput, TickOutput
from denxanh.errors import UnreachableError
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import Corridor


class Scribe:
    """Builds journal records for a corridor and appends them to a file."""

    def __init__(self, path: Path, corridor: Corridor) -> None:
        self.path = path
        self.corridor = corridor
        self.intersection = corridor.intersections[0]

    def output(self, **changes: object) -> TickOutput:
        """The first stage, green, in ADAPTIVE, nothing committed."""
        stage = self.intersection.stages[0]
        usual = TickOutput(
            mode=Mode.ADAPTIVE,
            cause="in-charge",
            aspects="".join(stage.aspects),
            stage=0,
            elapsed_s=12.0,
            in_interstage=False,
            commitment=None,
            request=0,
            why="Stage A has more pressure",
            why_vi="Pha A có áp lực cao hơn",
            guard_refusal=None,
            cabinet_refusal=None,
            command=None,
            plan=1,
            lanes=tuple(LaneView(3.25, 1.0, 0.9) for _ in self.intersection.lanes),
            events=(),
        )
        return replace(usual, **changes)  # type: ignore[arg-type]

    def tick(self, number: int, intersection: str | None = None, **changes: object) -> dict[str, object]:
        """One tick record."""
        heard = TickInput(number, 23_400.0 + number, "2026-11-23", None, None)
        return {
            "k": "tick",
            "i": intersection or self.intersection.id,
            "in": encode_input(heard),
            "out": encode_output(self.output(**changes)),
        }

    def write(self, *records: dict[str, object]) -> None:
        """Append records as lines."""
        self.raw("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))

    def raw(self, text: str) -> None:
        """Append text as it is."""
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(text)

    @staticmethod
    def opened() -> dict[str, object]:
        """The first record of a run."""
        return {
            "k": "open",
            "v": 1,
            "site": "s",
            "corridor": "c",
            "policy": "max-pressure",
            "epoch": 3,
            "t": 0,
        }

    @staticmethod
    def mode_event() -> Event:
        """A fall from ADAPTIVE."""
        return Event(
            "mode", "Thích nghi → chương trình", "Adaptive → plan", "link-lost", Mode.ADAPTIVE, Mode.PLAN
        )

    @staticmethod
    def promise(seconds: int, stage: int) -> Commitment:
        """A commitment."""
        return Commitment(seconds, stage)


@pytest.fixture
def corridor() -> Corridor:
    return crossroads_corridor(2)


@pytest.fixture
def scribe(tmp_path: Path, corridor: Corridor) -> Scribe:
    return Scribe(tmp_path / "journal.jsonl", corridor)


class Nobody:
    """A line at whose other end no controller listens."""

    async def give(self, order: Order) -> Answer:
        raise UnreachableError("no controller", where="operator.sock")


class Hosted:
    """A centre being served, one snapshot each 0.1 s; whoever reaches it may look."""

    def __init__(self, corridor: Corridor, journal: Path, line: Line | None = None) -> None:
        listening = bind("127.0.0.1", 0)
        port = listening.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self.store = open_store(f"sqlite:///{journal.parent / 'centre.db'}")
        console = Console("127.0.0.1", port, viewers_without_login=True)
        self.people = gather(self.store, console, hasher=Hasher(Cost(passes=1, memory_kib=8)))
        self.app = create_app(
            corridor, journal, store=self.store, people=self.people, line=line or Nobody(), period_s=0.1
        )
        self._server = uvicorn.Server(config(self.app))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]})
        self._thread.start()
        while not self._server.started:
            time.sleep(0.02)

    def end(self) -> None:
        """Stop serving; a second time does nothing."""
        self._server.should_exit = True
        self._thread.join()
        self.store.close()


@pytest.fixture
def hosted(scribe: Scribe) -> Iterator[Hosted]:
    """A running page over the scribe's journal."""
    hosted = Hosted(scribe.corridor, scribe.path)
    yield hosted
    hosted.end()


@pytest.fixture
def address(hosted: Hosted) -> str:
    """Where it is."""
    return hosted.address


class PostgresServer:
    """A PostgreSQL server of Debian's, in a folder of its own, on a Unix socket only.

    It refuses to run as root: then it runs as the account `postgres`.
    """

    def __init__(self) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        if not found:
            missing = "PostgreSQL is not installed (Debian: postgresql)"
            if os.environ.get("CI"):
                pytest.fail(missing)
            pytest.skip(missing)
        self._bin = found[-1].parent
        self._account = "postgres" if os.getuid() == 0 else getpass.getuser()
        self.folder = Path(tempfile.mkdtemp(prefix="denxanh-pg-"))  # short: a socket's path has a limit
        if os.getuid() == 0:
            shutil.chown(self.folder, self._account)
        self._made = 0
        self._free: list[str] = []
        # The server's own durability is not what is tested here; without it a database is made in no time.
        self._run("initdb", "-A", "trust", "-N", "-E", "UTF8", "--locale=C.UTF-8", "-U", self._account)
        self.start()

    def start(self) -> None:
        """Start and wait until it answers."""
        options = f"-k {self.folder} -c listen_addresses= -c shared_buffers=16MB -c fsync=off"
        options += " -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0 -c autovacuum=off"
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        """End at once, as a killed machine would: connections break, nothing is put in order."""
        self._run("pg_ctl", "-m", "immediate", "stop")

    def database(self) -> str:
        """URL of an empty database."""
        if self._free:
            return self._free.pop()
        self._made += 1
        name = f"test{self._made}"
        subprocess.run(
            [self._bin / "createdb", "-h", self.folder, "-U", self._account, name], check=True, timeout=30
        )
        return f"postgresql+psycopg://{self._account}@/{name}?host={self.folder}"

    def recycle(self, url: str) -> None:
        """Empty a database for the next test: far quicker than to make and to delete one."""
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql("SET lock_timeout = '10s'")
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
        engine.dispose()
        self._free.append(url)

    def remove(self) -> None:
        """End it and leave nothing behind."""
        if (self.folder / "data" / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._bin / program, "-D", self.folder / "data", *arguments],
            check=True,
            timeout=60,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self._account if os.getuid() == 0 else None,
            group=self._account if os.getuid() == 0 else None,
        )


class Tables:
    """Makes a new database's tables by the statements that the steps of the schema said the first time.

    Alembic takes ten times as long to find them, and most tests begin with a new database.
    """

    MAKING = ("CREATE", "ALTER", "DROP", "INSERT", "UPDATE", "DELETE")

    def __init__(self) -> None:
        self.steps = migrate.upgrade
        self._said: dict[str, list[tuple[str, Any]]] = {}

    def upgrade(self, engine: Engine, name: str, revision: str = "head") -> None:
        """Instead of `migrate.upgrade`; anything but a new database goes by the steps."""
        with migrate._alone(engine) as connection:
            new = revision == "head" and not migrate.tables(connection)
            said = self._said.get(engine.dialect.name)
            if new and said:
                for statement, parameters in said:
                    connection.exec_driver_sql(statement, parameters)
                return
        if not new:
            self.steps(engine, name, revision)
            return
        heard: list[tuple[str, Any]] = []

        def hear(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
            if statement.lstrip().startswith(self.MAKING):
                heard.append((statement, parameters))

        event.listen(engine, "before_cursor_execute", hear)
        self.steps(engine, name, revision)
        event.remove(engine, "before_cursor_execute", hear)
        self._said[engine.dialect.name] = heard


@pytest.fixture(scope="session", autouse=True)
def tables() -> Iterator[Tables]:
    """New databases get their tables quickly; the steps of the schema have tests of their own."""
    tables = Tables()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "upgrade", tables.upgrade)
        yield tables


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server for all tests; each takes a database of its own."""
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server that one test may stop and start."""
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Makes the URL of an empty database of a kind, `sqlite` or `postgresql`."""
    numbers = itertools.count(1)
    taken: list[tuple[PostgresServer, str]] = []

    def url(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / f'centre-{next(numbers)}.db'}"
        server: PostgresServer = request.getfixturevalue("postgres")
        taken.append((server, server.database()))
        return taken[-1][1]

    yield url
    for server, database in taken:
        server.recycle(database)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, empty_database: Callable[[str], str]) -> str:
    """URL of an empty database, of each kind in turn."""
    return empty_database(request.param)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store, of each kind in turn."""
    store = open_store(store_url)
    yield store
    store.close()


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


PATIENCE_S = 30.0
"""How long something may take on a machine that is busy with other things."""


class Visit:
    """One opened page with everything that it asked for and everything that went wrong in it."""

    WIDTHS = (1920, 1280, 800)

    def __init__(self, context: Any, address: str) -> None:
        self.asked: list[str] = []
        self.wrong: list[str] = []
        self.page = context.new_page()
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda message: message.type == "error" and self.wrong.append(message.text))
        self.page.goto(address)

    def wait(self, expression: str) -> None:
        """Until a JavaScript expression is true (the page's policy forbids Playwright's own way)."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.page.evaluate(expression):
            assert time.monotonic() < deadline, (expression, self.wrong)
            self.page.wait_for_timeout(50)

    def text(self, selector: str) -> str:
        """What is read there."""
        return str(self.page.inner_text(selector)).replace("\u00a0", " ")

    def resize(self, width: int) -> None:
        """Make the window so wide; what watches its size is told in the next frame."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.drawn()

    def drawn(self) -> None:
        """Until the page has been laid out and drawn anew."""
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def cut_off(self) -> list[int]:
        """Of the usual widths of a window those at which the page is wider."""
        found = []
        for width in self.WIDTHS:
            self.resize(width)
            if self.page.evaluate("document.documentElement.scrollWidth") > width:
                found.append(width)
        self.resize(1440)
        return found

    def grave(self, within: str | None = None) -> list[Any]:
        """What axe finds that keeps somebody out, in the page or in a part of it."""
        axe = pytest.importorskip("axe_playwright_python.sync_playwright")
        found = axe.Axe().run(self.page, context=within).response["violations"]
        return [
            (one["id"], [node["html"][:160] for node in one["nodes"]][:3])
            for one in found
            if one["impact"] in ("serious", "critical")
        ]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, or a reason why there is none."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None and os.environ.get("CI") != "true":
        pytest.skip("no Chromium on this machine (apt install chromium)")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Callable[..., Visit]]:
    """Opens pages: `visit(path, link=…, lang=…, theme=…, width=…, height=…)`; a link lets in before."""
    contexts = []

    def opened(
        path: str = "/",
        *,
        link: str | None = None,
        lang: str = "vi",
        theme: str = "dark",
        width: int = 1440,
        height: int = 900,
    ) -> Visit:
        context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
        contexts.append(context)
        cookies = {"denxanh-lang": lang, "denxanh-theme": theme}
        context.add_cookies([{"name": key, "value": one, "url": address} for key, one in cookies.items()])
        if link is not None:
            assert context.request.get(address + link, max_redirects=0).status == 303
        return Visit(context, address + path)

    yield opened
    for context in contexts:
        context.close()
