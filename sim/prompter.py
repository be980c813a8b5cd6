"""What people and gauges tell the controller in a simulated window, each in its second.

Orders and requests come in as on a street: as bytes, sealed where a seal is asked for, judged by the
controller's own desks, and recorded before they have any effect.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from denxanh.controller.clock import VIETNAM
from denxanh.controller.operator import desk as orders
from denxanh.controller.operator import message as order
from denxanh.controller.priority import message as request
from denxanh.controller.priority import receiver
from denxanh.controller.priority.seal import read_key, seal
from denxanh.controller.site import Site
from denxanh.sim.day import Day, Window
from denxanh.sim.grants import Grant
from denxanh.sim.inprocess import Tray

ENGINEER = "ky-su-mo-phong"
"""Who orders the fixed plans; an account that no person has."""
REASON = "Ngày đối chứng: chạy kế hoạch cố định (mô phỏng)"
BEYOND_S = 60
"""So long an order would stand after its window."""
WATER_EVERY_S = 300
"""Between two readings of the water gauge."""
WATER_VALID_S = 900


def local(date: str, second: float) -> datetime:
    """A local second of a date, YYYY-MM-DD."""
    return datetime.fromisoformat(date).replace(tzinfo=VIETNAM) + timedelta(seconds=second)


class Prompter:
    """One window's.

    Args:
        site: its sources of requests have a gauge each, in order.
        day: whether it has adaptive control, and how high the water stands.
        window: from its first second on.

    Attributes:
        orders: where the controller hears people.
        requests: where it hears gauges; None where the site takes no requests.

    Raises:
        SecretError: the key of a source cannot be read.
    """

    def __init__(self, site: Site, day: Day, window: Window) -> None:
        self._site, self._day, self._window = site, day, window
        self._clock_s = float(window.begin_s)
        self._readings = 0
        self._order_tray, self._request_tray = Tray(), Tray()
        self._keys = {name: read_key(path) for name, path in site.key_files}
        sites = {one.id: one for one in site.intersections}
        self.orders = orders.Desk(sites, self._order_tray, wall=self._wall, monotonic=self._up)
        self.requests: receiver.Desk | None = None
        if site.requests is not None:
            self.requests = receiver.Desk(
                site.requests, self._keys, self._request_tray, wall=self._wall, monotonic=self._up
            )

    def tick(self, grant: Grant) -> None:
        """Say what is to be said before the controller's tick."""
        self._clock_s = grant.clock_s
        since_s = round(self._clock_s) - self._window.begin_s
        if since_s == 0 and not self._day.adaptive:
            self._order_plans()
        if self._day.water_cm is not None and since_s % WATER_EVERY_S == 0:
            self._report_water(self._day.water_cm)

    def _order_plans(self) -> None:
        window = self._window
        for one in self._site.intersections:
            given = order.SetPlan(
                id=f"mo-phong.{self._day.date}.{window.begin_s}.{one.number}",
                intersection=one.id,
                actor=ENGINEER,
                role=order.Role.ENGINEER,
                reason=REASON,
                issued_s=self._wall(),
                plan=None,
                for_s=window.end_s - window.begin_s + BEYOND_S,
            )
            self._order_tray.put(order.body(given))

    def _report_water(self, level_cm: float) -> None:
        gauges = () if self._site.requests is None else self._site.requests.gauges
        for gauge, (source, key) in zip(gauges, self._keys.items(), strict=False):
            self._readings += 1
            reading = request.Water(
                source=source,
                seq=self._readings,
                issued_s=self._wall(),
                gauge=gauge.id,
                level_cm=level_cm,
                valid_s=WATER_VALID_S,
            )
            self._request_tray.put(seal(key, request.body(reading)))

    def _wall(self) -> float:
        return local(self._day.date, self._clock_s).timestamp()

    def _up(self) -> float:
        return self._clock_s
