"""The schema: what a sample may say, and that nothing else gets through, not even into an error."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.vds.arrival import Reason
from denxanh.controller.vds.message import (
    MAX_BYTES,
    MAX_ZONES,
    Sample,
    ZoneSample,
    arrival,
    body,
    parse,
    schema,
    schema_text,
)
from denxanh.errors import SampleError

ROOT = Path(__file__).parents[3]
PLATE = "65A-123.45"
ZONE = {"id": "z1", "vehicles": 7, "queued": 5, "occupancy": 0.42, "speed_kmh": 3.1}
GOOD = {"v": 1, "source": "cam-1", "seq": 1, "time_s": 1_764_130_000.4, "zones": [ZONE]}


def _reason(value: object) -> Reason:
    with pytest.raises(SampleError) as caught:
        parse(value if isinstance(value, bytes) else json.dumps(value).encode())
    assert PLATE not in str(caught.value)
    return Reason(caught.value.reason)


def test_the_page_shows_a_sample_that_is_taken_and_the_schema_that_is_checked() -> None:
    page = (ROOT / "docs" / "vds.md").read_text(encoding="utf-8")
    example = page.split("```json\n", 1)[1].split("```", 1)[0]
    assert arrival(parse(example.encode())).zones
    committed = ROOT / "docs" / "vds-sample-v1.schema.json"
    assert committed.read_text(encoding="utf-8") == schema_text()  # denxanh vds schema > that file


def test_the_schema_allows_no_field_but_its_own() -> None:
    objects = [schema(), *schema()["$defs"].values()]
    assert all(one["additionalProperties"] is False for one in objects)
    names = {name for one in objects for name in one["properties"]}
    assert names == {
        *("v", "source", "seq", "time_s", "zones", "id", "vehicles", "queued", "occupancy", "speed_kmh"),
        *("fault", "classes", "bicycle", "motorbike", "car", "bus", "truck"),
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {**GOOD, "plate": PLATE},
        {**GOOD, PLATE: True},
        {"plate": PLATE},
        {**GOOD, "zones": [{**ZONE, "image": "iVBORw0KGgo="}]},
        {**GOOD, "zones": [{**ZONE, "classes": {"motorbike": 1, "face": 1}}]},
        {**GOOD, "zones": [{**ZONE, "classes": {PLATE: 1}}]},
    ],
)
def test_more_than_counts_is_refused_and_never_repeated(wrong: object) -> None:
    assert _reason(wrong) is Reason.UNKNOWN_FIELD


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"v": NaN}',
        b"[" * 5000,
        {**GOOD, "v": 2},
        {**GOOD, "v": True},
        {**GOOD, "source": PLATE + " of a man"},
        {**GOOD, "seq": 1.5},
        {**GOOD, "seq": True},
        {**GOOD, "seq": 2**53},
        {**GOOD, "time_s": "now"},
        {**GOOD, "zones": []},
        {**GOOD, "zones": [ZONE, ZONE]},
        {**GOOD, "zones": [{**ZONE, "id": f"z{n}"} for n in range(MAX_ZONES + 1)]},
        {**GOOD, "zones": [{**ZONE, "queued": 8}]},
        {**GOOD, "zones": [{**ZONE, "occupancy": 1.01}]},
        {**GOOD, "zones": [{**ZONE, "speed_kmh": -1}]},
        {**GOOD, "zones": [{**ZONE, "vehicles": "7"}]},
        {**GOOD, "zones": [{**ZONE, "classes": {"car": 8}}]},
    ],
)
def test_wrong_form_is_refused(wrong: object) -> None:
    assert _reason(wrong) is Reason.MALFORMED


def test_a_long_body_is_refused_unread_and_a_full_one_fits() -> None:
    assert _reason(b" " * (MAX_BYTES + 1)) is Reason.TOO_LONG
    classes = dict.fromkeys(("bicycle", "motorbike", "car", "bus", "truck"), 111)
    zone = {**ZONE, "vehicles": 999, "classes": classes, "fault": False}
    zones = [{**zone, "id": f"NVL_304_ne_{n:04}.zone.downstream"} for n in range(MAX_ZONES)]
    assert len(body(parse(json.dumps({**GOOD, "zones": zones}).encode()))) < MAX_BYTES


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_a_sample_or_our_error(data: bytes) -> None:
    try:
        parse(data)
    except SampleError as error:
        Reason(error.reason)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([*GOOD, "extra"]), values)
def test_any_value_in_any_field_is_a_sample_or_our_error(field: str, value: object) -> None:
    try:
        parse(json.dumps({**GOOD, field: value}).encode())
    except SampleError as error:
        Reason(error.reason)


zone_samples = st.builds(
    lambda zone, vehicles, share, occupancy, speed, fault: ZoneSample(
        id=zone,
        vehicles=vehicles,
        queued=int(vehicles * share),
        occupancy=occupancy,
        speed_kmh=speed,
        fault=fault,
    ),
    st.from_regex(r"[^\x00-\x20]{1,96}", fullmatch=True),
    st.integers(0, 1000),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, 300),
    st.booleans(),
)


@given(
    st.lists(zone_samples, min_size=1, max_size=5, unique_by=lambda one: one.id), st.integers(0, 2**53 - 1)
)
def test_a_sample_survives_the_wire(zones: list[ZoneSample], seq: int) -> None:
    sample = Sample(v=1, source="cam-1", seq=seq, time_s=1.25, zones=tuple(zones))
    assert parse(body(sample)) == sample
