"""`denxanh network`: the catalogue and its tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denxanh.cli.output import Json, count, document, say, table

app = typer.Typer(no_args_is_help=True, help="The street networks: catalogue, build, check, import.")


@app.callback()
def group() -> None:
    """The street networks: catalogue, build, check, import."""


@app.command("list", epilog="Example: denxanh network list")
def list_(json: Json = False) -> None:
    """List the catalogue's corridors."""
    from denxanh.networks import catalogue

    found = [catalogue.corridor(name) for name in catalogue.names()]
    if json:
        document(
            [
                {
                    "name": one.id,
                    "name_vi": one.name_vi,
                    "name_en": one.name_en,
                    "intersections": len(one.intersections),
                }
                for one in found
            ]
        )
        return
    rows: list[tuple[object, ...]] = [
        (one.id, len(one.intersections), one.name_vi, one.name_en) for one in found
    ]
    say(table(("corridor", "intersections", "tên", "name"), rows))


@app.command(epilog="Example: denxanh network copy truc-30-4-hoa-binh /etc/denxanh")
def copy(
    corridor: Annotated[str, typer.Argument(help="Catalogue corridor, or a folder with a corridor.toml.")],
    into: Annotated[Path, typer.Argument(help="Where its folder is made; must exist.")],
    json: Json = False,
) -> None:
    """Copy a corridor's folder, so that the city can change its plans; the copy keeps the name."""
    import shutil

    from denxanh.errors import CorridorError
    from denxanh.networks import catalogue, plan_versions

    source = catalogue.folder(corridor).resolve()
    target = into / source.name
    if target.exists():
        raise CorridorError("it is there already", where=str(target), fix="name another folder")
    if not into.is_dir():
        raise CorridorError("there is no such folder", where=str(into), fix="make it first")
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(plan_versions.VERSIONS, ".*"))
    compiled = target / "compiled.json"
    if json:
        document({"corridor": source.name, "folder": str(target), "compiled": str(compiled)})
        return
    say(f"{source.name}: copied to {target}")
    say(f'In SITE.toml: corridor = "{compiled.resolve()}"')


@app.command(epilog="Example: denxanh network show truc-30-4-hoa-binh")
def show(
    corridor: Annotated[
        str, typer.Argument(help="Catalogue corridor, a folder with a corridor.toml, or a compiled.json.")
    ],
    json: Json = False,
) -> None:
    """Show a corridor: intersections, stages, detectors, sources and what is assumed."""
    from denxanh.networks import catalogue

    found = catalogue.load(corridor)
    places = [
        {
            "id": one.id,
            "name_vi": one.name_vi,
            "name_en": one.name_en,
            "groups": len(one.groups),
            "stages": [stage.id for stage in one.stages],
            "lanes": len(one.lanes),
            "detectors": len(one.detectors),
            "plans": [plan.number for plan in one.plans],
            "commitment_s": one.commitment_s,
        }
        for one in found.intersections
    ]
    if json:
        document(
            {
                "name": found.id,
                "name_vi": found.name_vi,
                "name_en": found.name_en,
                "intersections": places,
                "sources": list(found.sources),
                "warnings": list(found.warnings),
            }
        )
        return
    say(f"{found.name_vi}\n{found.name_en}\n")
    rows: list[tuple[object, ...]] = [
        (
            one.id,
            one.name_vi,
            len(one.groups),
            len(one.stages),
            len(one.lanes),
            len(one.detectors),
            len(one.plans),
        )
        for one in found.intersections
    ]
    say(table(("id", "tên", "groups", "stages", "lanes", "detectors", "plans"), rows))
    for head, lines in (("Sources", found.sources), ("Warnings", found.warnings)):
        if lines:
            say(f"\n{head}")
            say("\n".join(f"- {line}" for line in lines))


@app.command(epilog="Example: denxanh network build truc-30-4-hoa-binh")
def build(
    corridor: Annotated[str, typer.Argument(help="Catalogue corridor, or a folder with a corridor.toml.")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Put net and compiled.json into this folder; default: compiled.json beside the sources."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Build a corridor's SUMO net from its text files and compile what the controller needs to know of it."""
    from denxanh.networks import build as builder
    from denxanh.networks import compiled

    if out is None:
        built = builder.build(corridor)
        target = builder.write_compiled(built)
    else:
        out.mkdir(parents=True, exist_ok=True)
        built = builder.build(corridor, out / f"{Path(corridor).resolve().name}.net.xml")
        target = out / "compiled.json"
        compiled.dump(built.corridor, target)
    warnings = [*built.warnings, *built.corridor.warnings]
    if json:
        document(
            {
                "corridor": built.corridor.id,
                "net": str(built.net),
                "compiled": str(target),
                "intersections": len(built.corridor.intersections),
                "warnings": warnings,
            }
        )
        return
    say(f"{built.corridor.id}: {count(len(built.corridor.intersections), 'intersection')}")
    say(f"net       {built.net}\ncompiled  {target}")
    for text in warnings:
        say(f"warning: {text}")


@app.command(
    "import-sumo", epilog="Example: denxanh network import-sumo cologne1.sumocfg --out cologne1.json"
)
def import_sumo(
    source: Annotated[Path, typer.Argument(help="A .sumocfg, .net.xml or .net.xml.gz that anyone made.")],
    out: Annotated[Path, typer.Option(help="Where the compiled corridor goes; name it .json.")],
    json: Json = False,
) -> None:
    """Derive groups, stages, conflicts, detection zones and plans from any SUMO net."""
    from denxanh.networks import compiled, foreign

    derived = (
        foreign.from_scenario(source).corridor if source.suffix == ".sumocfg" else foreign.from_net(source)
    )
    compiled.dump(derived, out)
    if json:
        document(
            {
                "corridor": derived.id,
                "compiled": str(out),
                "intersections": [one.id for one in derived.intersections],
                "warnings": list(derived.warnings),
            }
        )
        return
    say(f"{derived.id}: {count(len(derived.intersections), 'intersection')}, written to {out}")
    for text in derived.warnings:
        say(f"warning: {text}")


@app.command(epilog="Example: denxanh network check truc-30-4-hoa-binh")
def check(
    corridors: Annotated[
        list[str] | None,
        typer.Argument(
            help="Catalogue corridors or folders with a corridor.toml; default: the whole catalogue."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Find every inconsistency of a corridor's files.

    Every file against its form; once the forms are right, files against each other and against the built
    streets, timings against what the guard needs. Status 0 only without a defect.
    """
    from dataclasses import asdict

    from denxanh.networks import catalogue
    from denxanh.networks.check import check as examine

    found = {name: examine(name) for name in corridors or catalogue.names()}
    if json:
        document(
            [
                {"corridor": name, "defects": [asdict(defect) for defect in defects]}
                for name, defects in found.items()
            ]
        )
    else:
        for name, defects in found.items():
            say(f"{name}: " + (count(len(defects), "defect") if defects else "no defect"))
            for defect in defects:
                say(f"  {defect}")
            if any(defect.form for defect in defects):
                say("  Further checks (signals on the streets, timings) follow once these files are right.")
    if any(found.values()):
        raise typer.Exit(1)


@app.command(epilog="Example: denxanh network register mang-thi-diem-12 --json")
def register(
    corridors: Annotated[
        list[str] | None,
        typer.Argument(help="Catalogue corridors or folders with a corridor.toml; default: the catalogue."),
    ] = None,
    json: Json = False,
) -> None:
    """Show the register of junctions (sổ nút giao) and how many the ITS project counts.

    A junction that lies in several corridors counts once.
    """
    from denxanh.networks import catalogue
    from denxanh.networks import register as registers

    found: dict[str, registers.Junction] = {}
    for name in corridors or catalogue.names():
        folder = None if name.endswith(".json") else catalogue.folder(name)
        found |= registers.junctions(catalogue.load(name), folder)
    phases = registers.count_by_phase(found.values())
    installed = sum(bool(one.cabinet_type) for one in found.values())
    if json:
        document(
            {
                "junctions": [registers.as_json(one) for one in found.values()],
                "counts": {
                    "registered": len(found),
                    "cabinet_known": installed,
                    "by_its_phase": {str(phase or "unknown"): number for phase, number in phases.items()},
                },
            }
        )
        return
    rows: list[tuple[object, ...]] = [
        (
            one.id,
            one.name_vi,
            (one.ward or "–") + ("*" if "ward" in one.assumed else ""),
            one.former_province,
            f"{one.its_phase or '–'}" + ("*" if "its_phase" in one.assumed else ""),
            one.cabinet_type or "–",
            sum(one.detectors.values()),
            len(one.plans),
        )
        for one in found.values()
    ]
    head = ("nút giao", "tên", "phường, xã", "tỉnh cũ", "giai đoạn ITS", "tủ", "bộ dò", "chương trình")
    say(table(head, rows))
    say("\n* chờ thành phố xác nhận (assumed, the city has to confirm it)")
    by_phase = ", ".join(
        f"giai đoạn {phase}: {number}" if phase else f"chưa rõ giai đoạn: {number}"
        for phase, number in sorted(phases.items(), key=lambda item: item[0] or 99)
    )
    say(f"Nút giao áp dụng ITS: {len(found)} trong sổ ({by_phase}); đã biết loại tủ: {installed}")
