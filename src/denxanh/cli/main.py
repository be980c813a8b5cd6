"""`denxanh`: one thin command tree over the rooms.

Every command imports its rooms when it runs, so that `--help` and completion stay quick.
"""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer

from denxanh.cli import (
    cabinet,
    check,
    console,
    demo,
    evaluate,
    exercise,
    export,
    feeds,
    flood,
    forecast,
    gate,
    keys,
    measures,
    network,
    notify,
    order,
    people,
    plan,
    priority,
    replay,
    report,
    run,
    simulate_month,
    store,
    train,
    vds,
    verify,
)
from denxanh.errors import DenXanhError

app = typer.Typer(
    name="denxanh",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Đèn Xanh: adaptive traffic signals for Cần Thơ, behind a guard that no policy can pass.",
    epilog="Start here: denxanh demo",
)
app.command("demo", epilog="Example: denxanh demo --speed 5 --policy max-pressure")(demo.demo)
app.command("exercise", epilog="Example: denxanh exercise --corridor nguyen-van-cu --speed 2")(
    exercise.exercise
)
app.command("simulate-month", epilog="Example: denxanh simulate-month month --days 2 --hours 7-8 --jobs 2")(
    simulate_month.simulate_month
)
app.command("run", epilog="Example: denxanh run site.toml")(run.run)
app.command("console", epilog="Example: denxanh console site.toml")(console.console)
app.command("cabinet", epilog="Example: denxanh cabinet site.toml")(cabinet.cabinet)
app.command("check", epilog="Example: denxanh check site.toml --cabinet THN_304")(check.check)
app.add_typer(keys.app, name="keys")
app.add_typer(network.app, name="network")
app.add_typer(people.app, name="people")
app.add_typer(plan.app, name="plan")
plan.app.command(
    "activate",
    epilog='Example: denxanh plan activate site.toml THN_304 3 --minutes 30 --reason "sự kiện"',
)(order.activate)
app.command(
    "hold", epilog='Example: denxanh hold site.toml THN_304 A --minutes 5 --reason "tai nạn trên đường"'
)(order.hold)
app.command("release", epilog='Example: denxanh release site.toml THN_304 --reason "đã thông đường"')(
    order.release
)
app.add_typer(priority.app, name="priority")
app.add_typer(flood.app, name="flood")
app.add_typer(vds.app, name="vds")
app.add_typer(store.app, name="store")
app.add_typer(notify.app, name="notify")
app.add_typer(export.app, name="export")
app.add_typer(feeds.app, name="feeds")
app.command(
    "measures", epilog="Example: denxanh measures site.toml MT_NVC --since 2026-10-01T07:00 --out pictures"
)(measures.measures)
app.add_typer(report.app, name="report")
app.add_typer(forecast.app, name="forecast")
app.command(
    "evaluate",
    epilog="Example: denxanh evaluate --corridor truc-30-4-hoa-binh --policies fixed,max-pressure --seeds 10",
)(evaluate.evaluate)
app.command("gate", epilog="Example: denxanh gate runs/train/universal.onnx --plans runs/plans")(gate.gate)
app.command("train", epilog="Example: denxanh train universal --out runs/mine")(train.train)
app.command("verify", epilog="Example: denxanh verify --catalogue --json")(verify.verify)
app.command("replay", epilog="Example: denxanh replay state/journal.jsonl")(replay.replay)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version as installed

        typer.echo(installed("denxanh"))
        raise typer.Exit


@app.callback()
def options(
    verbose: Annotated[
        int,
        typer.Option(
            "--verbose",
            "-v",
            count=True,
            help="Say more on standard error; twice: everything. Before the command: denxanh -v run …",
        ),
    ] = 0,
    _: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version and end.")
    ] = False,
) -> None:
    """Set up logging for every command."""
    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    logging.basicConfig(
        level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )


def main() -> None:
    """Entry point: an error of ours is one clear message and status 1; only a bug shows a traceback."""
    try:
        app(prog_name="denxanh")
    except DenXanhError as error:
        typer.echo(f"denxanh: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        # What the file system says of a path that the user gave: unwritable, full, a folder.
        place = f"{error.filename}: " if error.filename else ""
        typer.echo(f"denxanh: {place}{error.strerror or error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
