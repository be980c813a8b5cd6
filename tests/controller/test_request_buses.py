"""Help for buses: bounded per cycle, and never where somebody is close to the longest red."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from denxanh.agents.observation import Commitment, TrafficState
from denxanh.controller.priority.bushelp import EARLY_AFTER_S, EARLY_ETA_S, Help, Helped, ask
from denxanh.controller.priority.settings import Limits
from denxanh.controller.priority.wishes import BusWish
from denxanh.networks.example import crossroads

SITE = crossroads()
LIMITS = Limits()
MAIN, TURN, SIDE = 0, 1, 2


def traffic(stage=MAIN, elapsed_s=20.0, called=(False,) * 6, wait_s=(0.0,) * 6, **more) -> TrafficState:
    state = TrafficState(SITE, 0.0, stage, elapsed_s, False, None, (), called, wait_s, (), (), 1, 1.0)
    return replace(state, **more)


def bus(stage=MAIN, eta_s=5, name="b1") -> BusWish:
    return BusWish(stage, "bus", name, eta_s)


def test_extension_and_early_green() -> None:
    assert ask(Helped(), bus(), traffic(), TURN, 0, LIMITS)[1:] == (MAIN, Help.EXTENSION)
    assert ask(Helped(), bus(SIDE), traffic(TURN), TURN, 0, LIMITS)[1:] == (SIDE, Help.EARLY_GREEN)
    # by way of the stage that the graph asks for
    assert ask(Helped(), bus(MAIN), traffic(TURN), TURN, 0, LIMITS)[1:] == (SIDE, Help.EARLY_GREEN)


def test_what_gets_no_help() -> None:
    nothing = (TURN, None)
    assert ask(Helped(), None, traffic(), TURN, 0, LIMITS)[1:] == nothing
    assert ask(Helped(), bus(eta_s=LIMITS.bus_extension_s + 1), traffic(), TURN, 0, LIMITS)[1:] == nothing
    promised = traffic(commitment=Commitment(5, TURN))
    assert ask(Helped(), bus(), promised, TURN, 0, LIMITS)[1:] == nothing
    assert ask(Helped(), bus(), traffic(in_interstage=True), TURN, 0, LIMITS)[1:] == nothing
    far, young = bus(SIDE, eta_s=EARLY_ETA_S + 1), traffic(TURN, elapsed_s=EARLY_AFTER_S - 1.0)
    assert ask(Helped(), far, traffic(TURN), TURN, 0, LIMITS)[1:] == nothing
    assert ask(Helped(), bus(SIDE), young, TURN, 0, LIMITS)[1:] == nothing


def test_nobody_who_is_nearly_due_waits_for_a_bus() -> None:
    side = next(g for g, group in enumerate(SITE.groups) if group.id == "side")
    called = tuple(g == side for g in range(6))
    for spare_s, helped in ((LIMITS.bus_margin_s, True), (LIMITS.bus_margin_s - 1, False)):
        waits = tuple(float(SITE.groups[side].max_red_s - spare_s) if g == side else 0.0 for g in range(6))
        _, asked, help_ = ask(Helped(), bus(), traffic(called=called, wait_s=waits), TURN, 0, LIMITS)
        assert (asked == MAIN, help_ is not None) == (helped, helped)


_SECOND = st.tuples(
    st.sampled_from(["b1", "b2", "b3"]), st.sampled_from([MAIN, TURN, SIDE]), st.integers(0, 40),
    st.sampled_from([MAIN, TURN, SIDE]), st.sampled_from([MAIN, TURN, SIDE]), st.integers(1, 30),
)  # fmt: skip


@given(st.lists(_SECOND, max_size=30))
def test_in_any_cycle_one_bus_and_a_bounded_extension(parts) -> None:
    memory, tick, helps = Helped(), 0, []
    for name, wanted, eta_s, running, asked, seconds in parts:
        for n in range(seconds):
            wish = bus(wanted, max(0, eta_s - n), name)
            memory, out, help_ = ask(memory, wish, traffic(running), asked, tick, LIMITS)
            assert help_ is not None or out == asked
            if help_ is not None:
                helps.append((tick, name, help_))
            tick += 1
    cycles: list[list[tuple[int, str, Help]]] = []
    for one in helps:
        if not cycles or one[0] - cycles[-1][0][0] >= LIMITS.bus_every_s:
            cycles.append([])
        cycles[-1].append(one)
    for cycle in cycles:
        assert len({name for _, name, _ in cycle}) == 1
        assert sum(help_ is Help.EXTENSION for _, _, help_ in cycle) <= LIMITS.bus_extension_s
