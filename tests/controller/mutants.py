# ruff: noqa: E501
"""Does the guard's test suite notice when the guard is wrong? Not part of the suite: run it by hand.

    python tests/controller/mutants.py [--hand] [--jobs N] [--sample N] [--json FILE]

Each mutant is one small change to the source of the guard, in a copy of the package. A mutant is killed if the
guard's tests fail on it. There are mutants by hand (faults that a person could make) and by rule (every comparison,
sum, constant, `and`, `or`, `not`, `min`, `max` of the guard). Exit status 1 if fewer than 95 % are killed.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GOAL = 0.95
TESTS = ("test_guard_rules.py", "test_guard_resync.py", "test_verify_explore.py", "test_guard_random.py")
BY_RULE = tuple(
    f"controller/{name}.py" for name in ("guard", "guardtypes", "guardsecond", "guardresync", "urgency")
)


@dataclass(frozen=True)
class Mutant:
    name: str
    file: str
    source: str


HAND = (
    ("G1: no foe is looked at", "controller/guardsecond.py", "        for foe, conflict, gap_s in self.config.foes[group]:", "        for foe, conflict, gap_s in ():"),
    ("G1: a yielder may face G", "controller/guardsecond.py", "elif conflict is not Conflict.YIELDS or want is not Aspect.YIELDING:", "elif conflict is not Conflict.YIELDS:"),
    ("G2: intergreen one second short", "controller/guardsecond.py", "if self.since_end[foe] < gap_s:", "if self.since_end[foe] + 1 < gap_s:"),
    ("G2: end of a protected green forgotten", "controller/guardsecond.py", "if self.since_protected[foe] < gap_s:", "if False:"),
    ("G2: yellow one second short", "controller/guardsecond.py", " since_end[group] >= config.yellow_s[group]:", " since_end[group] + 1 >= config.yellow_s[group]:"),
    ("G2: green straight to red", "controller/guardsecond.py", "                self.aspects[group] = Aspect.YELLOW\n", "                self.aspects[group] = Aspect.RED\n"),
    ("G2: memory capped too low", "controller/guardtypes.py", "memory_s=tuple(max(1, groups[i].yellow_s, *gaps[i]) for i in every)", "memory_s=tuple(max(1, groups[i].yellow_s) for i in every)"),
    ("G3: min green ignored", "controller/guardsecond.py", "                return GuardRefusal.MIN_GREEN", "                continue"),
    ("G3: walk may be cut", "controller/guardsecond.py", "                return GuardRefusal.PEDESTRIAN", "                continue"),
    ("G3: downgrade needs no min green", "controller/guardsecond.py", "            if ends or downgraded:", "            if ends:"),
    ("G3: clearance one second short", "controller/guardsecond.py", "over = green_for[group] >= config.need_s[group]", "over = green_for[group] + 1 >= config.need_s[group]"),
    ("G3: late walk without enough time", "controller/guardsecond.py", "return need_s <= self.commitment.end_in_s", "return True"),
    ("G3: walk straight after clearance", "controller/guardsecond.py", "return self.aspects[group] is Aspect.RED and self.since_end[group] > 0", "return self.aspects[group] is Aspect.RED"),
    ("G3: green clock keeps running from g to G", "controller/guardsecond.py", "        self.aspects[group] = aspect\n        self.green_for[group] = 0\n", "        self.aspects[group] = aspect\n"),
    ("G4: one second late", "controller/guardsecond.py", "if self.conflict_for + commitment_s >= self.config.max_green_s[self.stage]:", "if self.conflict_for + commitment_s > self.config.max_green_s[self.stage]:"),
    ("G4: never", "controller/guardsecond.py", "            return GuardRefusal.MAX_GREEN\n        return None\n\n    def _pending", "            return None\n        return None\n\n    def _pending"),
    ("G4: late walk beyond max green", "controller/guardsecond.py", "if self.conflict_for + need_s > self.config.max_green_s[self.stage]:", "if False:"),
    ("G5: one second late", "controller/guardsecond.py", "later_s = max(self._earliest_end_s(), commitment_s + 1)", "later_s = max(self._earliest_end_s(), commitment_s)"),
    ("G5: never forced", "controller/guardsecond.py", "            return GuardRefusal.STARVATION\n        if self.conflict_for", "            return None\n        if self.conflict_for"),
    ("G5: any wish is followed", "controller/guardsecond.py", "            return GuardRefusal.STARVATION\n        return None\n\n    def _due", "            return None\n        return None\n\n    def _due"),
    ("G5: latest deadline first", "controller/urgency.py", "return self.hop[stage][pending[0].home]", "return self.hop[stage][pending[-1].home]"),
    ("G5: straight home without a way", "controller/urgency.py", "return self.hop[stage][pending[0].home]", "return pending[0].home"),
    ("G5: those before are not counted", "controller/urgency.py", "self.bounds.worst_s(stage, seen, entry.home)", "self.bounds.worst_s(stage, 0, entry.home)"),
    ("G5: permissive green is service", "controller/urgency.py", "        return shown is not self.best[group]\n", "        return not shown.is_green\n"),
    ("G5: starved groups keep their whole wait", "controller/guardsecond.py", "wait_s = self.config.urgency.starved_wait_s[group] if starved else 0", "wait_s = wait_s if starved else 0"),
    ("G5: starved groups get no priority", "controller/guardsecond.py", "wait_s = self.config.urgency.starved_wait_s[group] if starved else 0", "wait_s = 0"),
    ("G6: the graph is not looked at", "controller/guardsecond.py", "if not self.config.graph[self.stage][wish]:", "if False:"),
    ("G6: requests during the interstage count", "controller/guardsecond.py", "            return GuardRefusal.INTERSTAGE if late else refusal\n", "            if late:\n                self.stage = request\n            return refusal\n"),
    ("G7: a commitment may be changed", "controller/guardsecond.py", "            return GuardRefusal.COMMITTED if late else refusal\n", "            if late and request != self.stage:\n                self._commit(request)\n            return refusal\n"),
    ("G7: one second short", "controller/guardsecond.py", "return max(self.config.commitment_s, 1 - self.elapsed_s)", "return max(self.config.commitment_s - 1, 1 - self.elapsed_s)"),
    ("forcing in every mode", "controller/guard.py", "adaptive=given.mode is Mode.ADAPTIVE", "adaptive=True"),
    ("requests are obeyed in flash", "controller/guard.py", "    if given.mode is Mode.FLASH:", "    if False:"),
    ("all-red left out at start-up", "controller/guardsecond.py", "self.elapsed_s >= intersection.startup_all_red_s:", "True:"),
    ("resync believes old reds", "controller/guardresync.py", "since_end = state.since_end[group] if before in (Aspect.RED, Aspect.YELLOW) else 0", "since_end = config.memory_s[group]"),
    ("resync believes young greens", "controller/guardresync.py", "fresh_s = min(stage_green_s, config.need_s[group])", "fresh_s = config.need_s[group]"),
    ("resync keeps the guard's own stage", "controller/guardresync.py", "        stage=back.stage,\n", "        stage=state.stage,\n"),
    ("resync keeps the guard's own promise", "controller/guardresync.py", "commitment=_promise(config, back.stage, back.commitment) if phase is Phase.GREEN else None,", "commitment=state.commitment,"),
)  # fmt: skip


def by_hand() -> Iterator[Mutant]:
    for name, file, old, new in HAND:
        source = (ROOT / file).read_text(encoding="utf-8")
        if source.count(old) != 1:
            raise SystemExit(f"{name}: its text stands {source.count(old)} times in {file}, not once")
        yield Mutant(name, file, source.replace(old, new))


_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn,
}  # fmt: skip


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Every way to spoil one node (as what, and the node in its place)."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARE:
        other = _COMPARE[type(node.ops[0])]
        yield other.__name__, ast.Compare(node.left, [other(), *node.ops[1:]], node.comparators)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        swapped = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield type(swapped).__name__, ast.BinOp(node.left, swapped, node.right)
    elif isinstance(node, ast.BoolOp):
        swapped_bool = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield type(swapped_bool).__name__, ast.BoolOp(swapped_bool, node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "without not", node.operand
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield f"{node.value + 1}", ast.Constant(node.value + 1)
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield f"{not node.value}", ast.Constant(not node.value)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("min", "max"):
        other_name = {"min": "max", "max": "min"}[node.func.id]
        yield other_name, ast.Call(ast.Name(other_name, ast.Load()), node.args, node.keywords)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("all", "any"):
        other_name = {"all": "any", "any": "all"}[node.func.id]
        yield other_name, ast.Call(ast.Name(other_name, ast.Load()), node.args, node.keywords)


def by_rule() -> Iterator[Mutant]:
    for file in BY_RULE:
        source = (ROOT / file).read_text(encoding="utf-8")
        lines = source.splitlines(keepends=True)
        for node in ast.walk(ast.parse(source)):
            for what, changed in _changes(node):
                first, last = node.lineno - 1, node.end_lineno - 1
                if "slots=True" in lines[first]:
                    continue
                head = lines[first].encode()[: node.col_offset].decode()
                tail = lines[last].encode()[node.end_col_offset :].decode()
                text = f"({ast.unparse(ast.fix_missing_locations(changed))})"
                spoilt = "".join([*lines[:first], head + text + tail, *lines[last + 1 :]])
                name = f"{file}:{node.lineno}: {ast.unparse(node)[:60]} -> {what}"
                yield Mutant(name, file, spoilt)


def killed(mutant: Mutant) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__", "catalogue"))
        shutil.copytree(
            ROOT / "tests/controller", copy / "tests", ignore=shutil.ignore_patterns("__pycache__")
        )
        (copy / "src/denxanh" / mutant.file).write_text(mutant.source, encoding="utf-8")
        settings = [
            "-c",
            "/dev/null",
            "--rootdir",
            folder,
            "-p",
            "no:cacheprovider",
            "--import-mode=importlib",
        ]
        command = [sys.executable, "-m", "pytest", "-x", "-q", *settings, *(f"tests/{t}" for t in TESTS)]
        place = {**os.environ, "PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(command, cwd=copy, env=place, capture_output=True, timeout=600, check=False)
        except subprocess.TimeoutExpired:
            return True
        if done.returncode not in (0, 1, 2):
            raise SystemExit(f"{mutant.name}: pytest ended with {done.returncode}\n{done.stdout.decode()}")
        print("killed  " if done.returncode else "SURVIVED", mutant.name, file=sys.stderr, flush=True)
        return done.returncode != 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--hand", action="store_true", help="only the mutants by hand")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--sample", type=int, help="only so many of the mutants by rule (always the same ones)"
    )
    parser.add_argument("--json", type=Path, help="write the result here")
    args = parser.parse_args()
    chosen = list(by_hand())
    if not args.hand:
        ruled = list(by_rule())
        chosen += random.Random(0).sample(ruled, min(args.sample or len(ruled), len(ruled)))
    if killed(
        Mutant("the guard as it is", "controller/guard.py", (ROOT / "controller/guard.py").read_text())
    ):
        raise SystemExit("the tests fail on the guard as it is")
    with ThreadPoolExecutor(args.jobs) as pool:
        dead = list(pool.map(killed, chosen))
    alive = [mutant.name for mutant, gone in zip(chosen, dead, strict=True) if not gone]
    result = {"mutants": len(chosen), "killed": sum(dead), "survivors": alive}
    if args.json:
        args.json.write_text(json.dumps(result, indent=2, ensure_ascii=False), encoding="utf-8")
    print(json.dumps(result, indent=2, ensure_ascii=False))
    return 0 if sum(dead) >= GOAL * len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
