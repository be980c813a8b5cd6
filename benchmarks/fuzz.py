"""Fuzzing of every parser with atheris (coverage-guided): runs, executions, edges, and what was found.

    python benchmarks/fuzz.py                               # a minute each, the table on standard output
    python benchmarks/fuzz.py --seconds 120 --write         # into docs/fuzzing.md
    python benchmarks/fuzz.py --targets snmp-message,order

Needs the extra `fuzz`. Inputs that crashed are kept in the folder --keep, their tracebacks go to standard
error, and the status is 1.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "fuzzing.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
MAX_LENGTH = 4096


@dataclass(frozen=True, slots=True)
class Result:
    """What one target came to. Edges are those of our own code that the inputs reached."""

    name: str
    what: str
    executions: int
    edges: int
    edges_of_seeds: int
    corpus: int
    seconds: float
    crashed: bool


def fuzz(name: str, corpus: Path, seconds: int) -> None:
    """One target, in this process; libFuzzer ends it."""
    import atheris

    with atheris.instrument_imports(include=["denxanh", "tomllib"]):
        from fuzz_targets import targets

        import denxanh.controller.site
        import denxanh.plc.cabinet.snmp_server  # noqa: F401

    from denxanh.errors import DenXanhError

    target = targets()[name]
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)

    def one(data: bytes) -> None:
        try:
            target.run(data)
        except DenXanhError:
            return

    words = [
        f"-max_total_time={seconds}",
        f"-max_len={MAX_LENGTH}",
        "-print_final_stats=1",
        "-rss_limit_mb=1500",
    ]
    atheris.Setup([sys.argv[0], *words, f"-artifact_prefix={corpus.parent}/", str(corpus)], one)
    atheris.Fuzz()


def measure(name: str, what: str, options: argparse.Namespace) -> Result:
    """One target in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="denxanh-fuzz-") as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        began = time.monotonic()
        command = [sys.executable, __file__, "--one", name, "--corpus", str(corpus)]
        done = subprocess.run(
            [*command, "--seconds", str(options.seconds)], stderr=subprocess.PIPE, text=True, errors="replace"
        )
        took = time.monotonic() - began
        covered = [int(one) for one in re.findall(r"cov: (\d+)", done.stderr)]
        executed = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stderr)
        crashes = [one for one in Path(folder).iterdir() if one.is_file()]
        if done.returncode or crashes or executed is None:
            sys.stderr.write(done.stderr)
            for one in crashes:
                options.keep.mkdir(parents=True, exist_ok=True)
                (options.keep / f"{name}-{one.name}").write_bytes(one.read_bytes())
        return Result(
            name=name,
            what=what,
            executions=0 if executed is None else int(executed[1]),
            edges=max(covered, default=0),
            edges_of_seeds=covered[0] if covered else 0,
            corpus=len(list(corpus.iterdir())),
            seconds=took,
            crashed=bool(done.returncode or crashes),
        )


def table(results: list[Result], options: argparse.Namespace) -> str:
    """The figures as Markdown."""
    lines = [
        f"`python benchmarks/fuzz.py --seconds {options.seconds}`, {time.strftime('%d %B %Y')}; atheris "
        f"{version('atheris')}, Python {platform.python_version()}, {os.cpu_count()} shared cores, load "
        f"{os.getloadavg()[0]:.1f}. One process per parser, inputs of {MAX_LENGTH} octets at most.",
        "",
        "| parser | what | executions | edges (by the examples alone) | inputs kept | seconds | crashes |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{one.name}` | {one.what} | {one.executions:,} | {one.edges} ({one.edges_of_seeds}) | "
        f"{one.corpus} | {one.seconds:.0f} | {'yes' if one.crashed else 'none'} |"
        for one in results
    ]
    total = sum(one.executions for one in results)
    lines.append(f"| all | | {total:,} | | | {sum(one.seconds for one in results):.0f} | |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Fuzz, print, and write where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--targets", default="", help="by name, with commas; all by default")
    parser.add_argument(
        "--keep", type=Path, default=Path("fuzz-crashes"), help="folder for inputs that crashed"
    )
    parser.add_argument("--write", action="store_true", help="into docs/fuzzing.md")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--corpus", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        fuzz(options.one, options.corpus, options.seconds)
        return
    from fuzz_targets import targets

    known = {name: one.what for name, one in targets().items()}
    names = [one for one in options.targets.split(",") if one] or list(known)
    results = [measure(name, known[name], options) for name in names]
    text = table(results, options)
    sys.stdout.write(text)
    if options.write:
        page = PAGE.read_text(encoding="utf-8")
        head, rest = page.split(BEGIN)
        PAGE.write_text(f"{head}{BEGIN}\n\n{text}\n{END}{rest.split(END)[1]}", encoding="utf-8")
    if any(one.crashed for one in results):
        sys.exit(1)


if __name__ == "__main__":
    main()
