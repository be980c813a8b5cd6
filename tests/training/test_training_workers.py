"""The vectorised environment: what a lost worker costs. Nothing simulates here (test_training_local.py)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from denxanh.errors import TrainingError
from denxanh.training import workers
from denxanh.training.config import Config
from denxanh.training.workers import EPISODES_PER_RESTART, MAX_RESTARTS, IntersectionVecEnv


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "MAX_PAUSE_S", 0.0)


def stepped(env: IntersectionVecEnv, action: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, Any]:
    env.step_async(np.full(env.num_envs, action))
    return env.step_wait()  # type: ignore[return-value]


def test_slots_keep_their_place(config: Config, firm: Any) -> None:
    env = IntersectionVecEnv(config, firm, first=70)
    assert firm.hired == [], "workers start when they are needed"
    first = env.reset()
    assert first.shape == (4, config.padding.size)
    assert [(one.worker, one.first) for one in firm.hired] == [(0, 70), (1, 70)]
    np.testing.assert_array_equal(env.reset(), first, "a second reset starts nothing anew")
    env.progress = 0.25
    env.step_async(np.array([1, 2, 3, 0]))
    seen, rewards, dones, infos = env.step_wait()
    assert [one.asked for one in firm.hired] == [[((1, 2), 0.25)], [((3, 0), 0.25)]]
    assert seen.shape == first.shape
    assert (rewards < 0).all()
    assert not dones.any()
    assert infos == [{"TimeLimit.truncated": False}] * 4
    for _ in range(9):
        seen, _, dones, infos = stepped(env)
    assert dones.all()
    assert all(info["TimeLimit.truncated"] for info in infos), "an end by the clock is not a terminal state"
    assert {"terminal_observation", "TimeLimit.truncated"} <= infos[0].keys()
    assert len(env.episodes) == 2
    env.close()
    assert [one.ended for one in firm.hired] == [1, 1]


def test_learning_goes_on_while_the_workers_simulate(config: Config, firm: Any) -> None:
    env = IntersectionVecEnv(config, firm)
    env.reset()
    asked = []
    env.meanwhile = lambda: asked.append([len(one.asked) for one in firm.hired])
    stepped(env)
    assert asked == [[1, 1]], "after the workers were asked, before they are heard"


@pytest.mark.parametrize(
    ("where", "problem"),
    [
        ("receive", EOFError("ended with signal 9")),
        ("receive", TimeoutError("no answer for 60 s")),
        ("send", BrokenPipeError("gone")),
    ],
    ids=["dead", "hung", "dead before"],
)
def test_a_lost_worker_is_replaced(
    config: Config, firm: Any, caplog: pytest.LogCaptureFixture, problem: Exception, where: str
) -> None:
    env = IntersectionVecEnv(config, firm)
    env.reset()
    before = stepped(env)[0]
    lost = firm.hired[1]

    def fail(*_: Any) -> None:
        raise problem

    setattr(lost, where, fail)
    with caplog.at_level(logging.WARNING, "denxanh.training"):
        seen, rewards, dones, infos = stepped(env)
    assert dones.tolist() == [False, False, True, True]
    assert rewards[2:].tolist() == [0.0, 0.0]
    np.testing.assert_array_equal(infos[2]["terminal_observation"], before[2])
    assert (lost.ended, env.restarts) == (1, 1)
    fresh = firm.hired[2]
    assert (fresh.worker, fresh.first) == (1, EPISODES_PER_RESTART), "not the episode that may have killed it"
    assert not np.array_equal(seen[2:], before[2:])
    assert "worker 1 is replaced" in caplog.text
    *_, dones, _ = stepped(env)
    assert not dones.any()
    assert len(fresh.asked) == 1


def test_a_worker_that_dies_while_it_starts_is_replaced(config: Config, pretended_worker: Any) -> None:
    born: list[int] = []

    class Weak(pretended_worker):
        def receive(self, patience_s: float) -> Any:
            born.append(self.first)
            if len(born) < 4:
                raise EOFError("stillborn")
            return super().receive(patience_s)

    env = IntersectionVecEnv(config, Weak)
    env.reset()
    assert env.restarts == 3
    assert born[:4] == [0, EPISODES_PER_RESTART, 2 * EPISODES_PER_RESTART, 3 * EPISODES_PER_RESTART]


def test_a_machine_that_can_start_no_process_now_is_waited_for(config: Config, firm: Any) -> None:
    refusals = iter([OSError(12, "Cannot allocate memory")] * 3)

    def hire(given: Config, worker: int, first: int) -> Any:
        for refusal in refusals:
            raise refusal
        return firm(given, worker, first)

    env = IntersectionVecEnv(config, hire)
    assert env.reset().shape[0] == 4
    assert env.restarts == 3


def _forever(env: IntersectionVecEnv) -> None:
    for _ in range(10 * MAX_RESTARTS):
        stepped(env)


def test_a_broken_machine_ends_the_run_with_the_reason(config: Config, pretended_worker: Any) -> None:
    class Doomed(pretended_worker):
        def receive(self, patience_s: float) -> Any:
            if self.worker == 1 and self.asked:
                raise EOFError("no space left on device")
            return super().receive(patience_s)

    env = IntersectionVecEnv(config, Doomed)
    env.reset()
    with pytest.raises(TrainingError, match=r"worker 1: .* no space left on device") as caught:
        _forever(env)
    assert f"{MAX_RESTARTS} times in a row" in str(caught.value), "although worker 0 does well"
    env.close()


def test_what_a_worker_gives_up_for_is_said(config: Config, pretended_worker: Any) -> None:
    class Lost(pretended_worker):
        def receive(self, patience_s: float) -> Any:
            raise TrainingError("10 scenarios in a row could not be run; the last: netconvert is missing")

    with pytest.raises(TrainingError, match="netconvert is missing"):
        IntersectionVecEnv(config, Lost).reset()


def test_problems_that_a_worker_solved_are_logged(
    config: Config, pretended_worker: Any, caplog: pytest.LogCaptureFixture
) -> None:
    from dataclasses import replace

    class Frank(pretended_worker):
        def receive(self, patience_s: float) -> Any:
            turn = super().receive(patience_s)
            return replace(turn, problems=(f"worker {self.worker}, episode 3 broke off: SUMO stopped",))

    env = IntersectionVecEnv(config, Frank)
    with caplog.at_level(logging.WARNING, "denxanh.training"):
        env.reset()
    assert caplog.text.count("episode 3 broke off: SUMO stopped") == 2


def test_all_workers_are_dismissed_before_the_first_is_waited_for(
    make_config: Callable[..., Config], pretended_worker: Any
) -> None:
    events: list[str] = []

    class Slow(pretended_worker):
        def dismiss(self) -> None:
            events.append("dismiss")

        def end(self) -> None:
            events.append("end")

    env = IntersectionVecEnv(make_config(workers={"count": 3}), Slow)
    env.reset()
    env.close()
    env.close()
    assert events == ["dismiss"] * 3 + ["end"] * 3
