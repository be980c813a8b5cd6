"""The corridor file: what is written is what is read, and nothing else gets through."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.errors import CorridorError
from denxanh.networks import compiled
from denxanh.networks.model import (
    Aspect,
    Conflict,
    Corridor,
    Detector,
    DetectorKind,
    GroupKind,
    Intersection,
    Lane,
    LaneGroup,
    MapLane,
    Plan,
    Schedule,
    ScheduleEntry,
    SignalGroup,
    Split,
    Stage,
    Turn,
    ZoneSegment,
)

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
text = st.text(st.characters(codec="utf-8"), max_size=8)
seconds = st.integers(0, 200)


@st.composite
def intersections(draw: st.DrawFn) -> Intersection:
    groups = draw(st.integers(1, 4))
    stages = draw(st.integers(1, 4))
    lanes = draw(st.integers(0, 3))
    group = st.integers(0, groups - 1)

    def square(side: int, cell: st.SearchStrategy) -> st.SearchStrategy:
        return st.tuples(*[st.tuples(*[cell] * side)] * side)

    kinds = st.sampled_from(DetectorKind)
    plan = st.builds(
        Plan,
        number=st.integers(1, 9),
        name=text,
        offset_s=st.just(0),
        splits=st.tuples(st.builds(Split, stage=st.integers(0, stages - 1), split_s=seconds)),
    )
    return Intersection(
        id=draw(text),
        number=draw(st.integers(1, 65535)),
        tls=draw(text),
        name_vi=draw(text),
        name_en=draw(text),
        position=draw(st.tuples(finite, finite)),
        groups=tuple(
            SignalGroup(draw(text), draw(st.sampled_from(GroupKind)), (index,), 5, draw(seconds), 120, 3)
            for index in range(groups)
        ),
        stages=tuple(
            Stage(draw(text), draw(st.tuples(*[st.sampled_from(Aspect)] * groups))) for _ in range(stages)
        ),
        conflicts=draw(square(groups, st.sampled_from(Conflict))),
        intergreens=draw(square(groups, seconds)),
        transitions=draw(square(stages, st.booleans())),
        lanes=tuple(
            Lane(
                draw(text),
                draw(text),
                draw(finite),
                (LaneGroup(draw(group), draw(finite), (Turn.LEFT,)),),
                (),
                1.0,
            )
            for _ in range(lanes)
        ),
        detectors=(
            Detector(draw(text), draw(kinds), -1, (draw(group),), (ZoneSegment("a", 0.0, draw(finite)),)),
        ),
        plans=tuple(draw(st.lists(plan, max_size=2))),
        link_count=groups,
        lonlat=draw(st.none() | st.tuples(finite, finite)),
    )


corridors = st.builds(
    Corridor,
    id=text,
    name_vi=text,
    name_en=text,
    intersections=st.lists(intersections(), max_size=3).map(tuple),
    schedule=st.builds(
        Schedule,
        week=st.tuples(*[text] * 7),
        holidays=st.lists(st.tuples(text, text), max_size=2).map(tuple),
        entries=st.lists(st.builds(ScheduleEntry, text, seconds, st.integers(1, 9)), max_size=2).map(tuple),
    ),
    pcu_per_vehicle=finite,
    lanes=st.lists(
        st.builds(
            MapLane, text, st.lists(st.tuples(finite, finite), max_size=3).map(tuple), finite, st.booleans()
        ),
        max_size=2,
    ).map(tuple),
    labels=st.lists(st.tuples(text, st.tuples(finite, finite)), max_size=2).map(tuple),
    sources=st.lists(text, max_size=2).map(tuple),
    warnings=st.lists(text, max_size=2).map(tuple),
    simulation_only=st.lists(text, max_size=2).map(tuple),
)


@given(corridors)
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_what_is_read(corridor: Corridor) -> None:
    document = compiled.dumps(corridor)
    assert compiled.loads(document) == corridor
    assert compiled.dumps(compiled.loads(document)) == document


@pytest.fixture
def corridor() -> Corridor:
    group = SignalGroup("A", GroupKind.VEHICLE, (0,), 5, 50, 120, 3)
    intersection = Intersection(
        "NVL_304", 1, "NVL_304", "Nguyễn Văn Linh – 30 Tháng 4", "Nguyen Van Linh", (1.0, 2.0), (group,),
        (Stage("1", (Aspect.PROTECTED,)),), ((Conflict.NONE,),), ((0,),), ((False,),), (), (),
        (Plan(1, "day", 0, (Split(0, 30),)),), 1,
    )  # fmt: skip
    day = "weekday"
    return Corridor(
        "c", "Trục", "Axis", (intersection,), Schedule((day,) * 7, (), (ScheduleEntry(day, 0, 1),)), 0.4
    )


def test_a_file_survives_the_disk_with_its_diacritics(corridor: Corridor, tmp_path: Path) -> None:
    path = tmp_path / "compiled.json"
    compiled.dump(corridor, path)
    assert compiled.load(path) == corridor
    assert "Nguyễn Văn Linh" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('"number": 1,\n   "tls"', '"number": "1",\n   "tls"', "intersections.0.number"),
        ('"link_count": 1', '"link_count": 0', "intersections.0.groups.0.links"),
        ('"startup_stage": 0', '"startup_stage": 3', "intersections.0.startup_stage"),
        ('"intergreens": [[0]]', '"intergreens": [[0, 1]]', "intersections.0.intergreens"),
        ('"aspects": ["G"]', '"aspects": ["G", "r"]', "intersections.0.stages.0.aspects"),
        ('"aspects": ["G"]', '"aspects": ["X"]', "intersections.0.stages.0.aspects"),
        ('"offset_s": 0', '"offset_s": 30', "intersections.0.plans.0.offset_s"),
        ('"stage": 0', '"stage": -1', "intersections.0.plans.0.splits"),
        ('"pcu_per_vehicle": 0.4', '"pcu_per_vehicle": NaN', "pcu_per_vehicle"),
        ('"pcu_per_vehicle": 0.4', '"pcu_per_vehicle": 0.4, "plates": []', "plates"),
    ],
)
def test_a_defect_is_named_with_file_and_field(
    corridor: Corridor, tmp_path: Path, old: str, new: str, field: str
) -> None:
    document = compiled.dumps(corridor)
    assert document.count(old) == 1
    path = tmp_path / "compiled.json"
    path.write_text(document.replace(old, new), encoding="utf-8")
    with pytest.raises(CorridorError) as caught:
        compiled.load(path)
    assert str(path) in str(caught.value)
    assert any(field in defect.where for defect in caught.value.defects)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b"null", b"[" * 5000, b"{}], [{}"])
def test_what_is_no_corridor_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "compiled.json"
    path.write_bytes(content)
    with pytest.raises(CorridorError, match=r"compiled\.json"):
        compiled.load(path)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda t: st.lists(t) | st.dictionaries(st.text(), t),
    )
)
@settings(max_examples=50, deadline=None)
def test_any_other_json_is_refused(tree: object) -> None:
    with pytest.raises(CorridorError):
        compiled.loads(json.dumps(tree))


def test_a_missing_file_says_how_to_make_it(tmp_path: Path, corridor: Corridor) -> None:
    with pytest.raises(CorridorError, match="denxanh network build"):
        compiled.load(tmp_path / "none.json")
    with pytest.raises(CorridorError, match="cannot write"):
        compiled.dump(replace(corridor, id="d"), tmp_path / "none" / "compiled.json")
