"""Processes of their own: results, errors, deaths, time limits. A task is a Python expression."""

from __future__ import annotations

import time

from denxanh.eval.optimise_processes import Failure, run_each

DIES = "__import__('os').kill(__import__('os').getpid(), 9)"
HANGS = "__import__('time').sleep(600)"


def test_each_task_ends_by_itself() -> None:
    found = dict(run_each(eval, ["2 + 2", "1 / 0", DIES, "print('said in passing')", "6 * 6"], jobs=3))
    assert found[0] == 4
    assert found[3] is None
    assert found[4] == 36
    failures = {place: made.what for place, made in found.items() if isinstance(made, Failure)}
    assert set(failures) == {1, 2}
    assert "ZeroDivisionError" in failures[1]
    assert "signal 9" in failures[2]


def test_what_takes_for_ever_is_given_up() -> None:
    ((place, made),) = run_each(eval, [HANGS], jobs=1, limit_s=0.5)
    assert place == 0
    assert isinstance(made, Failure)
    assert "too long" in made.what


def test_closing_ends_what_still_runs() -> None:
    running = run_each(eval, ["2", HANGS], jobs=2)
    assert next(running) == (0, 2)
    begun = time.monotonic()
    running.close()  # type: ignore[attr-defined]
    assert time.monotonic() - begun < 60
