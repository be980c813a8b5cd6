"""Requests on the wire: parsers that stand anything, seals, keys, order and age."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.priority.gatekeeper import ANONYMOUS, Memory, Refused, judge
from denxanh.controller.priority.message import MAX_BYTES, Closure, Emergency, body, parse
from denxanh.controller.priority.seal import make_key, read_key, seal, split
from denxanh.controller.priority.settings import Settings
from denxanh.errors import RequestError, SecretError

KEY, OTHER = b"k" * 32, b"o" * 32
SITE = Settings(emergency=True, sources=(("115", ("emergency",)), ("frmis", ("flood",))))
KEYS = {"115": KEY, "frmis": OTHER}
NOW = 1_800_000_000.0


def emergency(seq: int = 1, issued_s: float = NOW, **more: object) -> Emergency:
    fields = {"source": "115", "id": "xe-7", "route": "bv", "eta_s": 40, "valid_s": 120, **more}
    return Emergency(seq=seq, issued_s=issued_s, **fields)


def heard(datagram: bytes, memory: Memory | None = None, now_s: float = NOW, up_s: float = 1000.0):
    return judge(SITE, KEYS, memory or Memory(), datagram, now_s, up_s)


def test_a_sealed_request_is_taken_once() -> None:
    datagram = seal(KEY, body(emergency()))
    memory, verdict = heard(datagram)
    assert verdict.refused is None
    assert verdict.message == emergency()
    again, verdict = heard(datagram, memory)
    assert verdict.refused is Refused.REPLAYED
    assert again == memory


@pytest.mark.parametrize(
    ("datagram", "refused", "source"),
    [
        (seal(OTHER, body(emergency())), Refused.UNKNOWN_SOURCE, ANONYMOUS),
        (seal(KEY, body(emergency(source="116"))), Refused.UNKNOWN_SOURCE, ANONYMOUS),
        (seal(KEY, body(emergency())) + b" ", Refused.UNKNOWN_SOURCE, ANONYMOUS),
        (seal(KEY, body(emergency(issued_s=NOW - 31))), Refused.TOO_OLD, "115"),
        (seal(KEY, body(emergency(issued_s=NOW + 6))), Refused.FROM_THE_FUTURE, "115"),
        (seal(OTHER, body(emergency(source="frmis"))), Refused.NOT_ALLOWED, "frmis"),
        (b"", Refused.MALFORMED, ANONYMOUS),
        (b"denxanh1 " + b"0" * 64 + b"\n{}", Refused.MALFORMED, ANONYMOUS),
        (seal(KEY, b"[" * 1500), Refused.MALFORMED, ANONYMOUS),
        (seal(KEY, body(emergency()).replace(b'"v":1', b'"v":true')), Refused.MALFORMED, ANONYMOUS),
    ],
)
def test_refusals(datagram: bytes, refused: Refused, source: str) -> None:
    memory, verdict = heard(datagram)
    assert (verdict.refused, verdict.source) == (refused, source)
    assert memory == Memory()


def test_what_was_recorded_before_a_restart_is_refused_after_it() -> None:
    """The number is forgotten, but the message is older than the run."""
    _, verdict = heard(seal(KEY, body(emergency(issued_s=NOW - 8))), up_s=5.0)
    assert verdict.refused is Refused.REPLAYED
    _, verdict = heard(seal(KEY, body(emergency(issued_s=NOW - 3))), up_s=5.0)
    assert verdict.refused is None


def test_a_switched_off_kind_is_refused() -> None:
    closure = Closure(source="frmis", seq=1, issued_s=NOW, link="x", state="closed", valid_s=60)
    _, verdict = heard(seal(OTHER, body(closure)))
    assert verdict.refused is Refused.NOT_ALLOWED


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=200).map(lambda text: seal(KEY, text))))
def test_any_bytes_get_a_verdict(datagram: bytes) -> None:
    _, verdict = heard(datagram)
    assert verdict.refused is Refused.MALFORMED


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(field=st.sampled_from([*Emergency.model_fields, "plate", "image"]), value=_JSON)
def test_one_odd_field_is_refused_or_read_as_it_is(field: str, value: object) -> None:
    document = {**json.loads(body(emergency())), field: value}
    try:
        message = parse(json.dumps(document).encode())
    except RequestError:
        return
    assert json.loads(body(message)).get(field) == value


@pytest.mark.parametrize("extra", ["plate", "biển_số", "image", "driver", "phone"])
def test_there_is_no_field_for_plates_and_people(extra: str) -> None:
    document = {**json.loads(body(emergency())), extra: "65A-12345"}
    with pytest.raises(RequestError, match=r"[Ee]xtra"):
        parse(json.dumps(document).encode())


def test_a_long_message_is_refused() -> None:
    with pytest.raises(RequestError, match="longer"):
        parse(b" " * (MAX_BYTES + 1))


def test_split_gives_back_what_seal_put_together() -> None:
    claimed, text = split(seal(KEY, b"a\nb"))
    assert (len(claimed), text) == (64, b"a\nb")


def test_a_key_is_made_and_read(tmp_path: Path) -> None:
    path = tmp_path / "115.key"
    make_key(path)
    assert len(read_key(path)) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(SecretError, match="exists"):
        make_key(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "115.key"
    make_key(path)
    path.chmod(mode)
    with pytest.raises(SecretError, match="others can read"):
        read_key(path)


@pytest.mark.parametrize("text", ["", "zz" * 32, "ab" * 31, "é" * 40])
def test_what_is_no_key_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "115.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(SecretError):
        read_key(path)


def test_a_pipe_or_a_folder_is_no_key(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    for path in (pipe, tmp_path, tmp_path / "nothing"):
        with pytest.raises(SecretError):
            read_key(path)
