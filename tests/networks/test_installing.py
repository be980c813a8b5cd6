"""Installing plans: what is refused, what stands in the folder afterwards, and that nothing is lost."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.errors import CorridorError
from denxanh.networks import catalogue, compiled, corridor_files, installing, plan_versions
from denxanh.networks.model import Corridor, Plan, Split
from denxanh.networks.plan_digest import CALENDAR, digests, plan_digest
from denxanh.networks.plan_files import Change, base_note, read_changes, with_plans
from denxanh.networks.plan_text import plan_block

NAME = "nguyen-van-cu"
HERE = "THN_NVC"
AT = "2026-11-26T22:00:00+07:00"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A corridor's own folder."""
    return Path(shutil.copytree(catalogue.path(NAME), tmp_path / NAME))


def corridor(folder: Path) -> Corridor:
    return compiled.load(folder / "compiled.json")


def moved(folder: Path, number: int = 1, seconds: int = 2, place: str = HERE) -> str:
    """The text of a plan in which `seconds` go from the first stage to the second."""
    one = corridor(folder).intersection(place)
    plan = next(plan for plan in one.plans if plan.number == number)
    lengths = [split.split_s for split in plan.splits]
    lengths[0] -= seconds
    lengths[1] += seconds
    splits = [(one.stages[s.stage].id, n) for s, n in zip(plan.splits, lengths, strict=True)]
    note = base_note(f"{place}/{number}", plan_digest(one, plan))
    block = plan_block(place, number, plan.name, plan.offset_s, splits, plan.name_en)
    return "\n".join([f"# {note}", *block]) + "\n"


def install(folder: Path, text: str, **options: bool) -> plan_versions.Written:
    prepared = installing.prepare(folder, read_changes(text, "draft"), {}, **options)
    return installing.write(prepared, by="unix:lan", at=AT)


def untidied(patched: pytest.MonkeyPatch) -> None:
    """After SIGKILL nothing is tidied up."""
    patched.setattr(plan_versions, "_forgotten_if_nothing_came_of_it", lambda *_: contextlib.nullcontext())


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in plan_versions.FILES}


def test_a_plan_comes_into_the_folder_and_back_out_of_it(folder: Path) -> None:
    before, old = contents(folder), corridor(folder)
    done = install(folder, moved(folder))
    assert (done.number, done.by, list(done.changed)) == (1, "unix:lan", [f"{HERE}/1"])
    after = corridor(folder)
    lengths = [split.split_s for split in after.intersection(HERE).plans[0].splits]
    was = [split.split_s for split in old.intersection(HERE).plans[0].splits]
    assert lengths == [was[0] - 2, was[1] + 2, was[2]]
    assert replace(after, intersections=old.intersections) == old
    assert after.intersections[1:] == old.intersections[1:]
    assert [*plan_versions.earlier(folder)] == [old]
    undone = installing.write(installing.prepare_undo(folder, {}), by="unix:hoa", at=AT)
    assert (undone.number, undone.undoes) == (2, 1)
    assert contents(folder) == before
    assert [*plan_versions.earlier(folder)] == [after, old]
    assert [one.undoes for one in plan_versions.history(folder)] == [None, 1]
    with pytest.raises(CorridorError, match="nothing was installed"):
        installing.prepare_undo(folder, {})


def test_the_text_of_everything_else_stays_as_it_was_written(folder: Path) -> None:
    path = folder / "plans.toml"
    path.write_text(path.read_text().replace("[[plan]]", "# ghi chú của kỹ sư\n[[plan]]", 3))
    before = path.read_text().splitlines()
    install(folder, moved(folder))
    after = path.read_text().splitlines()
    differing = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert [a.split(" = ")[0] for a, _ in differing] == ["splits"]


def test_the_installed_folder_is_what_the_build_would_make(folder: Path) -> None:
    install(folder, moved(folder))
    pytest.importorskip("sumolib")
    from denxanh.networks.check import check

    assert check(folder) == ()


def test_nobodys_work_is_lost(folder: Path) -> None:
    mine, theirs = moved(folder, seconds=2), moved(folder, seconds=3)
    install(folder, mine)
    before = contents(folder)
    with pytest.raises(CorridorError) as refused:
        installing.prepare(folder, read_changes(theirs, "draft"), {})
    assert "made from version" in str(refused.value.defects[0])
    with pytest.raises(CorridorError, match="nothing would change"):
        installing.prepare(folder, read_changes(moved(folder, seconds=0), "draft"), {})
    assert contents(folder) == before


def test_what_does_not_say_its_base_needs_a_word(folder: Path) -> None:
    text = "\n".join(moved(folder).splitlines()[1:])
    with pytest.raises(CorridorError, match="not known what they replace"):
        installing.prepare(folder, read_changes(text, "file"), {})
    assert install(folder, text, unbased=True).number == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("number = 1", "number = 9").replace("/1 ", "/9 "), "made from another"),
        (lambda text: text.replace(HERE, "NOWHERE"), "made from another"),
        (lambda text: "\n".join(text.replace(HERE, "NOWHERE").splitlines()[1:]), "do not exist"),
        (lambda text: text.replace('"A"', '"Z"'), "no stage 'Z'"),
        (lambda text: text.replace('["A", 48]', '["A", 9]'), "must not run"),
    ],
)
def test_what_must_not_run_is_refused_and_changes_nothing(folder: Path, change: object, said: str) -> None:
    before = contents(folder)
    text = change(moved(folder))  # type: ignore[operator]
    with pytest.raises(CorridorError, match=said):
        installing.prepare(folder, read_changes(text, "draft"), {}, unbased=True)
    assert contents(folder) == before
    assert not (folder / plan_versions.VERSIONS).exists()


def test_a_longer_promise_of_the_site_counts(folder: Path) -> None:
    text = moved(folder)
    installing.prepare(folder, read_changes(text, "draft"), {HERE: 8})
    with pytest.raises(CorridorError, match="must not run"):
        installing.prepare(folder, read_changes(text, "draft"), {HERE: 40})


def test_a_new_cycle_needs_every_intersection_at_once(folder: Path) -> None:
    blocks = []
    for one in corridor(folder).intersections:
        plan = one.plans[0]
        splits = [(one.stages[s.stage].id, s.split_s + (n == 0)) for n, s in enumerate(plan.splits)]
        note = f"# {base_note(f'{one.id}/1', plan_digest(one, plan))}"
        block = plan_block(one.id, 1, plan.name, plan.offset_s, splits, plan.name_en)
        blocks.append("\n".join([note, *block]))
    with pytest.raises(CorridorError) as refused:
        installing.prepare(folder, read_changes(blocks[0], "draft"), {})
    assert any("the cycle is" in str(one) for one in refused.value.defects)
    done = install(folder, "\n".join(blocks))
    assert len(done.changed) == len(blocks)


def test_a_calendar_is_installed_whole(folder: Path) -> None:
    path = folder / "schedule.toml"
    base = digests(corridor(folder))[CALENDAR]
    text = f"# {base_note(CALENDAR, base)}\n" + path.read_text().replace('start = "05:00"', 'start = "04:30"')
    done = install(folder, text)
    assert list(done.changed) == [CALENDAR]
    assert path.read_text() == text
    assert digests(corridor(folder))[CALENDAR] != base
    gone = text.replace("plan = 1", "plan = 7").replace(base, digests(corridor(folder))[CALENDAR])
    with pytest.raises(CorridorError, match="must not run"):
        installing.prepare(folder, read_changes(gone, "draft"), {})


def test_an_undo_takes_back_nothing_but_its_installation(folder: Path) -> None:
    install(folder, moved(folder, number=1))
    install(folder, moved(folder, number=2))
    first = installing.prepare_undo(folder, {})
    assert list(first.changed) == [f"{HERE}/2"]
    # Somebody writes into the folder by hand: an undo would throw that away.
    by_hand = corridor_files.read(folder).plans.plan[0]
    longer = by_hand.model_copy(update={"name": "bằng tay"})
    path = folder / "plans.toml"
    path.write_text(with_plans(path.read_text(), [longer]))
    with pytest.raises(CorridorError, match=r"compiled\.json is not what"):
        installing.prepare_undo(folder, {})
    now = corridor(folder)
    sites = [
        replace(one, plans=tuple(replace(p, name="bằng tay") if p.number == 1 else p for p in one.plans))
        if one.id == by_hand.intersection
        else one
        for one in now.intersections
    ]
    compiled.dump(replace(now, intersections=tuple(sites)), folder / "compiled.json")
    with pytest.raises(CorridorError, match="no longer be taken back"):
        installing.prepare_undo(folder, {})


def test_a_file_that_changes_between_the_check_and_the_writing_stops_it(folder: Path) -> None:
    prepared = installing.prepare(folder, read_changes(moved(folder), "draft"), {})
    install(folder, moved(folder, seconds=1))
    with pytest.raises(CorridorError, match="changed meanwhile"):
        installing.write(prepared, by="x", at=AT)
    assert len(plan_versions.history(folder)) == 1


def test_only_one_installs_at_a_time(folder: Path) -> None:
    prepared = installing.prepare(folder, read_changes(moved(folder), "draft"), {})
    with plan_versions.locked(folder), pytest.raises(CorridorError, match="somebody else"):
        installing.write(prepared, by="x", at=AT)
    assert installing.write(prepared, by="x", at=AT).number == 1


@pytest.mark.parametrize("after", [0, 3, 4, 5])
def test_a_kill_in_between_leaves_whole_files(
    folder: Path, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(folder)
    prepared = installing.prepare(folder, read_changes(moved(folder), "draft"), {})
    real, count = plan_versions.put, iter(range(100))

    def dying(path: Path, content: bytes) -> None:
        if next(count) == after:
            path.with_name(f".{path.name}.new").write_bytes(content[:7])
            raise KeyboardInterrupt
        real(path, content)

    monkeypatch.setattr(plan_versions, "put", dying)
    with pytest.raises(KeyboardInterrupt):
        installing.write(prepared, by="x", at=AT)
    monkeypatch.setattr(plan_versions, "put", real)
    now = contents(folder)
    for name, content in now.items():
        assert content in (before[name], prepared.texts[name].encode())
    if now == before:  # nothing has begun: the same can be tried again
        install(folder, moved(folder))
    else:
        assert {name: (folder / "versions/0001" / name).read_bytes() for name in now} == before
        with pytest.raises(CorridorError, match=r"compiled\.json is not what"):
            installing.prepare(folder, read_changes(moved(folder), "draft"), {})


@pytest.mark.parametrize(
    "text", ["", "x = 1", "\0", "[[plan]]\n", "[[plan]]\nnumber = 1e400\n", "week = 1\n", "[" * 100_000]
)
def test_text_that_is_neither_plan_nor_calendar(text: str) -> None:
    with pytest.raises(CorridorError):
        read_changes(text, "draft")


def test_a_plan_is_named_once() -> None:
    block = "\n".join(plan_block("X", 1, "a", 0, [("A", 30)]))
    with pytest.raises(CorridorError, match="twice: X/1"):
        read_changes(f"{block}\n{block}", "draft")
    form = read_changes(block, "draft")
    with pytest.raises(CorridorError, match="two versions"):
        installing.prepare(catalogue.path(NAME), [*form, *form], {})


def test_blocks_are_found_however_they_are_written() -> None:
    (change,) = read_changes("\n".join(plan_block("X", 1, "mới", 3, [("A", 30)], "new")), "draft")
    assert change.plan is not None
    text = (
        'source = "[[plan]]"\n'
        '[[ plan ]]   # the first\nnumber = 2\nintersection = "X"\nname = "b"\noffset_s = 0\nsplits = [\n'
        '  ["A", 30],\n  ["B", 30],\n]\n\n# of the next\n'
        '[[plan]]\nnumber = 1\nintersection = "X"\nname = "a"\noffset_s = 0\nsplits = [["A", 60]]\n'
    )
    made = with_plans(text, [change.plan])
    assert made.startswith(text[: text.index("# of the next") + len("# of the next\n")])
    assert made.endswith('name = "mới"\nname_en = "new"\noffset_s = 3\nsplits = [["A", 30]]\n')


def test_a_broken_record_is_said_and_not_passed_over(folder: Path) -> None:
    install(folder, moved(folder))
    (folder / "versions/0001/change.json").write_text(json.dumps({"number": 1}))
    with pytest.raises(CorridorError, match="not the record of a change"):
        plan_versions.history(folder)
    with pytest.raises(CorridorError, match="not the record of a change"):
        install(folder, moved(folder))


def test_versions_tell_contents_apart_and_nothing_else() -> None:
    one = catalogue.corridor(NAME).intersections[0]
    plan = one.plans[0]
    assert plan_digest(one, plan) == plan_digest(replace(one, commitment_s=3), plan)
    others = [
        replace(plan, name_en="x"),
        replace(plan, offset_s=plan.offset_s + 1),
        replace(plan, splits=tuple(reversed(plan.splits))),
        replace(plan, splits=(Split(0, 1), *plan.splits[1:])),
    ]
    assert len({plan_digest(one, other) for other in [plan, *others]}) == len(others) + 1
    assert plan_digest(one, Plan(99, plan.name, plan.offset_s, plan.splits, plan.name_en)) == plan_digest(
        one, plan
    )


def test_a_change_without_a_folder_of_texts(tmp_path: Path) -> None:
    with pytest.raises(CorridorError):
        installing.prepare(tmp_path, [Change("X/1", None)], {})


def test_an_installation_that_failed_before_anything_changed_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(folder)
    install(folder, moved(folder))
    real = plan_versions.put

    def full(path: Path, content: bytes) -> None:
        if path.parent == folder:
            raise OSError(28, "No space left on device")
        real(path, content)

    monkeypatch.setattr(plan_versions, "put", full)
    with pytest.raises(CorridorError, match="No space left"):
        install(folder, moved(folder, number=2))
    monkeypatch.setattr(plan_versions, "put", real)
    assert [one.number for one in plan_versions.history(folder)] == [1]
    installing.write(installing.prepare_undo(folder, {}), by="unix:hoa", at=AT)
    assert contents(folder) == before


@pytest.mark.parametrize("copied_back", [False, True])
@pytest.mark.parametrize("undoing", [False, True])
def test_what_was_killed_blocks_no_undo(
    folder: Path, copied_back: bool, undoing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(folder)
    install(folder, moved(folder))
    real = plan_versions.put

    def dying(path: Path, content: bytes) -> None:
        if path.parent == folder and (not copied_back or path.name == "compiled.json"):
            raise KeyboardInterrupt
        real(path, content)

    next_one = (
        installing.prepare_undo(folder, {})
        if undoing
        else installing.prepare(folder, read_changes(moved(folder, number=2), "draft"), {})
    )
    with monkeypatch.context() as killed:
        killed.setattr(plan_versions, "put", dying)
        untidied(killed)
        with pytest.raises(KeyboardInterrupt):
            installing.write(next_one, by="unix:lan", at=AT)
    assert [one.number for one in plan_versions.history(folder)] == [1, 2]
    if copied_back:
        for name in plan_versions.FILES:
            shutil.copy(plan_versions.version(folder, 2) / name, folder / name)
    undone = installing.write(installing.prepare_undo(folder, {}), by="unix:hoa", at=AT)
    assert (undone.number, undone.undoes) == (3, 1)
    assert contents(folder) == before
    with pytest.raises(CorridorError, match="nothing was installed"):
        installing.prepare_undo(folder, {})


@settings(max_examples=6, deadline=None)
@given(steps=st.lists(st.sampled_from(["install", "fail", "kill", "undo"]), max_size=7))
def test_undos_lead_back_through_all_that_was_installed(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    folder = Path(shutil.copytree(catalogue.path(NAME), tmp_path_factory.mktemp("any") / NAME))
    stood = [contents(folder)]
    real = plan_versions.put
    for step in steps:
        if step == "undo":
            if len(stood) > 1:
                installing.write(installing.prepare_undo(folder, {}), by="unix:hoa", at=AT)
                stood.pop()
            else:
                with pytest.raises(CorridorError, match="nothing was installed"):
                    installing.prepare_undo(folder, {})
        elif step == "install":
            install(folder, moved(folder, seconds=1))
            stood.append(contents(folder))
        else:

            def broken(path: Path, content: bytes) -> None:
                if path.parent.name == NAME:
                    raise OSError(28, "No space left on device")
                real(path, content)

            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(plan_versions, "put", broken)
                if step == "kill":
                    untidied(patched)
                with pytest.raises(CorridorError, match="No space"):
                    install(folder, moved(folder, seconds=1))
        assert contents(folder) == stood[-1]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_installs_stays_its_owners(folder: Path) -> None:
    for path in (folder, *folder.iterdir()):
        os.chown(path, 1234, 2345)
    (folder / "plans.toml").chmod(0o640)
    install(folder, moved(folder))
    found = [folder / "versions", *folder.rglob("*")]
    assert len(found) > 10
    assert {(path.stat().st_uid, path.stat().st_gid) for path in found} == {(1234, 2345)}
    assert (folder / "plans.toml").stat().st_mode & 0o777 == 0o640


def test_files_that_cannot_be_left_to_their_owner_are_not_exchanged(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(folder, moved(folder))
    before, real = contents(folder), Path.stat

    def foreign(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        found = real(path, follow_symlinks=follow_symlinks)
        if path != folder / "plans.toml":
            return found
        return os.stat_result((*found[:4], found.st_uid + 1, *found[5:]))

    def not_root(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    text = moved(folder)
    with monkeypatch.context() as here:
        here.setattr(Path, "stat", foreign)
        here.setattr(os, "chown", not_root)
        with pytest.raises(CorridorError, match="belongs to user"):
            install(folder, text)
    assert contents(folder) == before
    assert len(plan_versions.history(folder)) == 1
