"""A centre with a person of every role, and a controller that the test plays."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient

from denxanh.agents.observation import Commitment
from denxanh.controller.centre.app import create_app
from denxanh.controller.centre.people.deed import Actor
from denxanh.controller.centre.people.passwords import Cost, Hasher
from denxanh.controller.centre.people.people import People, gather
from denxanh.controller.centre.server import bind
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.codec import encode_input, encode_output
from denxanh.controller.ladder import Cause
from denxanh.controller.mode import Mode
from denxanh.controller.operator.client import Answer
from denxanh.controller.operator.message import Order, Release, Role
from denxanh.controller.operator.standing import StandingView
from denxanh.controller.record import LaneView, TickInput, TickOutput
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import Corridor, Intersection
from denxanh.plc.contract import CabinetMode, CabinetStatus, Fault, Readings, Refusal
from denxanh.plc.contract import LoopReading as Loop
from denxanh.plc.contract import ZoneReading as Zone
from denxanh.plc.modbus.layout import MAP_VERSION, layout
from denxanh.plc.modbus.registers import encode_readings, encode_status

HOST = "http://127.0.0.1"
_MODES = {
    "hold": (Mode.MANUAL, Cause.OPERATOR_HOLD),
    "plan": (Mode.PLAN, Cause.OPERATOR_PLAN),
    "preempt": (Mode.PREEMPT, Cause.PREEMPTION),
}


class Street:
    """A controller and its cabinets as far as the centre sees them: the journal that they write.

    `obedient`: an order that is given shows in the next second; otherwise it only stands.
    """

    def __init__(self, journal: Path, corridor: Corridor) -> None:
        self.journal = journal
        self.corridor = corridor
        self.given: list[Order] = []
        self.obedient = True
        self.answer: Answer | Exception = Answer(True, None, "")
        self.tick = 0
        self.shown: dict[str, TickOutput] = {}
        self.status: dict[str, CabinetStatus] = {}
        for one in corridor.intersections:
            self.shown[one.id] = quiet(one)
            self.status[one.id] = status_of(one)

    async def give(self, order: Order) -> Answer:
        """The line's other end."""
        self.given.append(order)
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer.ok:
            self._take(order)
            self.second()
        return self.answer

    def second(self, *places: str) -> None:
        """Write one second of these intersections, by default of all."""
        self.tick += 1
        with self.journal.open("a", encoding="utf-8") as stream:
            for place in places or tuple(self.shown):
                record = {
                    "k": "tick",
                    "i": place,
                    "in": encode_input(self._heard(place)),
                    "out": encode_output(self.shown[place]),
                }
                stream.write(json.dumps(record, ensure_ascii=False) + "\n")

    def change(self, place: str, status: dict[str, Any] | None = None, **decided: Any) -> None:
        """From the next second on it is so."""
        self.shown[place] = replace(self.shown[place], **decided)
        self.status[place] = replace(self.status[place], **(status or {}))

    def _heard(self, place: str) -> TickInput:
        intersection = self.corridor.intersection(place)
        self.status[place] = replace(self.status[place], heartbeat=self.tick % 65_536)
        wire = layout(intersection)
        readings = Readings(
            loops=tuple(Loop(7, 40, False, 12) for _ in range(wire.loops)),
            zones=tuple(Zone(3, 2, 0.25, 30.0, False, 4) for _ in range(wire.zones)),
            buttons=tuple(index == 0 for index in range(wire.buttons)),
        )
        words = (encode_status(self.status[place]), *encode_readings(readings))
        return TickInput(self.tick, 23_400.0 + self.tick, "2026-11-23", words, None)

    def _take(self, order: Order) -> None:
        place = order.intersection
        if isinstance(order, Release):
            self.change(place, mode=Mode.ADAPTIVE, cause="in-charge", orders=(), status=ADAPTIVE)
            return
        stage = getattr(order, "stage", None)
        plan = getattr(order, "plan", None)
        standing = StandingView(
            order.id, order.kind, order.actor, order.role, order.reason, stage, plan, order.for_s
        )
        self.change(place, orders=(standing,))
        if self.obedient:
            mode, cause = _MODES[order.kind]
            number = plan or self.shown[place].plan or 1
            self.change(place, mode=mode, cause=cause.value, plan=number)
            if order.kind == "plan":
                self.change(place, {"mode": CabinetMode.CENTRAL_PLAN, "plan": number})
            else:
                aspects = "".join(self.corridor.intersection(place).stages[stage or 0].aspects)
                self.change(
                    place, {**ADAPTIVE, "stage": stage, "stage_next": stage}, stage=stage, aspects=aspects
                )


ADAPTIVE = {"mode": CabinetMode.ADAPTIVE}


def quiet(intersection: Intersection) -> TickOutput:
    """The first stage, green, in ADAPTIVE, nothing committed."""
    return TickOutput(
        mode=Mode.ADAPTIVE,
        cause="in-charge",
        aspects="".join(intersection.stages[0].aspects),
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
        lanes=tuple(LaneView(3.25, 1.0, 0.9) for _ in intersection.lanes),
        events=(),
    )


def status_of(intersection: Intersection) -> CabinetStatus:
    """What its cabinet says of that."""
    stage = intersection.stages[0]
    green = sum(1 << index for index in range(len(intersection.groups)) if stage.serves(index))
    return CabinetStatus(
        map_version=MAP_VERSION,
        junction=intersection.number,
        mode=CabinetMode.ADAPTIVE,
        faults=Fault.NONE,
        heartbeat=0,
        accepted_seq=1,
        refusal=Refusal.NONE,
        epoch=1,
        lease_ds=30,
        heard_ds=0,
        stage=0,
        stage_elapsed_ds=120,
        stage_next=0,
        plan=0,
        cycle_second=0,
        cycle_s=0,
        utc_s=1_764_000_000,
        green=green,
        yellow=0,
        red=(1 << len(intersection.groups)) - 1 - green,
        flashing=0,
        lamp_fault=0,
        panel=0,
        config_crc=0,
        countdown_s=0,
        monitor=0,
        min_left_s=(0,) * len(intersection.stages),
    )


def promised(seconds: int, stage: int) -> dict[str, Any]:
    """Changes for a commitment, as `Street.change` takes them."""
    return {
        "status": {"countdown_s": seconds + 1, "stage_next": stage},
        "commitment": Commitment(seconds, stage),
    }


@dataclass
class Town:
    """The centre under test."""

    app: FastAPI
    store: Store
    people: People
    street: Street
    tokens: dict[Role, str] = field(default_factory=dict)
    client: TestClient | None = None

    def ask(self, method: str, path: str, role: Role | None = Role.ENGINEER, **more: Any) -> Any:
        """A request as somebody of this role; None: as nobody."""
        assert self.client is not None
        headers = dict(more.pop("headers", {}))
        if role is not None:
            headers["authorization"] = f"Bearer {self.tokens[role]}"
        address = path if path.startswith(("/", "http://")) else f"/api/v1/{path}"
        return self.client.request(method, address, headers=headers, **more)

    def get(self, path: str, role: Role | None = Role.ENGINEER, **query: Any) -> Any:
        """The JSON of an answer 200."""
        answer = self.ask("GET", path, role, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def order(self, path: str, key: str, role: Role = Role.ENGINEER, **body: Any) -> Any:
        """A command; the answer."""
        said = {"reason": "Kiểm thử giữ pha", **body}
        return self.ask("POST", path, role, json=said, headers={"idempotency-key": key})

    def until(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait for what comes about by itself."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "did not come about"
            time.sleep(0.05)


def found_town(folder: Path, corridor: Corridor, url: str | None = None) -> Town:
    """A centre that is not running yet, with an account and a token for each role."""
    store = open_store(url or f"sqlite:///{folder / 'centre.db'}")
    people = gather(store, hasher=Hasher(Cost(passes=1, memory_kib=8)))
    journal = folder / "journal.jsonl"
    street = Street(journal, corridor)
    app = create_app(corridor, journal, store=store, people=people, line=street, period_s=0.1)
    town = Town(app, store, people, street)
    now_ms = people.clock.wall_ms()
    for role in Role:
        name = f"test-{role}"
        people.accounts.create(name, display=name, role=role, by=Actor("unix:test"), now_ms=now_ms)
        issued = people.tokens.issue(Actor(name, role), role=role, label="test", days=1, now_ms=now_ms)
        town.tokens[role] = issued.secret
    return town


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A running centre, shared by a module's tests; every test leaves the street as it likes."""
    town = found_town(tmp_path_factory.mktemp("town"), crossroads_corridor(2))
    with TestClient(town.app, base_url=HOST) as client:
        town.client = client
        yield town
    town.store.close()


class Served:
    """A town's centre behind a real socket."""

    def __init__(self, town: Town) -> None:
        self.town = town
        listening = bind("127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        config = uvicorn.Config(town.app, log_level="error", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]})
        self._thread.start()
        town.until(lambda: self._server.started)

    def end(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        self._thread.join()
        self.town.store.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A running centre that others reach by HTTP."""
    served = Served(found_town(tmp_path_factory.mktemp("served"), crossroads_corridor(2)))
    yield served
    served.end()


@pytest.fixture
def founded() -> Callable[..., Town]:
    """Makes centres: `founded(folder, corridor, url)`."""
    return found_town


@pytest.fixture
def place(town: Town) -> str:
    """The first intersection, in its quiet state and heard of."""
    one = town.street.corridor.intersections[0]
    town.street.obedient = True
    town.street.answer = Answer(True, None, "")
    town.street.shown[one.id], town.street.status[one.id] = quiet(one), status_of(one)
    town.street.second()
    tick = town.street.tick

    def heard() -> bool:
        answer = town.ask("GET", f"intersections/{one.id}/status")
        return bool(answer.status_code == 200 and answer.json()["tick"] >= tick)

    town.until(heard)
    return one.id
