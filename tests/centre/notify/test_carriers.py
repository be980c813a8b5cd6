"""Mail to a real SMTP server, SMS and webhooks to real HTTP servers, and servers that refuse."""

from __future__ import annotations

import contextlib
import email
import email.policy
import json
import socket
import threading
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jsonschema
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.centre.notify import wording
from denxanh.controller.centre.notify.book import Kind
from denxanh.controller.centre.notify.gsm import segments
from denxanh.controller.centre.notify.letter import Item, Letter
from denxanh.controller.centre.notify.mail import Mail
from denxanh.controller.centre.notify.sms import Sms, filled, members
from denxanh.controller.centre.notify.tables import NotifyTable, Severity
from denxanh.controller.centre.notify.webhook import Webhook, signature
from denxanh.errors import FeedError, RefusedError, SecretError

AT = 1_764_100_000_000
RFC_5322_LINE = 78
"""Longest line of a header that is recommended, bytes."""
ITEM = Item(
    Kind.RAISED,
    Severity.CRITICAL,
    7,
    "link",
    "THN_304",
    ("Trần Văn Hoài – 30 Tháng 4", "Tran Van Hoai – 30 Thang 4"),
    ("mất kết nối với tủ", "the link to the cabinet is lost"),
    AT,
    AT,
)
LETTER = Letter("truc-ban-1-abc", "0912345678", (ITEM,))


class Mailbox:
    """What an SMTP server does with what it gets."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.data = "250 OK"
        self.refused: set[str] = set()

    async def handle_RCPT(  # noqa: N802
        self, _: Any, __: Any, envelope: Any, address: str, ___: Any
    ) -> str:
        if address in self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, _: Any, __: Any, envelope: Any
    ) -> str:
        if self.data.startswith("250"):
            self.got.append(
                (envelope, email.message_from_bytes(envelope.content, policy=email.policy.default))
            )
        return self.data


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()

    def authenticate(_: Any, __: Any, ___: Any, ____: Any, given: Any) -> AuthResult:
        return AuthResult(success=given.password == b"right-password")

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Controller(
        box, hostname="127.0.0.1", port=port, authenticator=authenticate, auth_require_tls=False
    )
    server.start()
    yield box, port
    server.stop()


def mail(port: int, folder: Path = Path(), **values: Any) -> Mail:
    row = {
        "name": "m",
        "kind": "mail",
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "denxanh@cantho.example",
        "to": ["a@cantho.example", "b@cantho.example"],
        "timeout_s": 2,
        **values,
    }
    return Mail(NotifyTable.model_validate({"channel": [row]}).channel[0], folder)  # type: ignore[arg-type]


def sms(url: str, folder: Path = Path(), **values: Any) -> Sms:
    row = {
        "name": "s",
        "kind": "sms",
        "url": url,
        "to": ["0912345678"],
        "fields": {"Phone": "{to}", "Content": "{text}", "Meta": {"RequestId": "{id}", "flags": [1, True]}},
        "timeout_s": 1,
        **values,
    }
    return Sms(NotifyTable.model_validate({"channel": [row]}).channel[0], folder)  # type: ignore[arg-type]


def test_a_mail_in_both_languages(mailbox: tuple[Mailbox, int]) -> None:
    box, port = mailbox
    mail(port).send(LETTER)
    mail(port).send(LETTER)
    envelope, message = box.got[0]
    assert envelope.rcpt_tos == ["a@cantho.example", "b@cantho.example"]
    assert "mất kết nối với tủ" in message["Subject"]
    text = message.get_content()
    assert text.index("mất kết nối với tủ") < text.index("the link to the cabinet is lost")
    assert message["Message-ID"] == box.got[1][1]["Message-ID"] == "<truc-ban-1-abc@cantho.example>"


def test_a_long_subject_arrives_as_it_was(mailbox: tuple[Mailbox, int]) -> None:
    box, port = mailbox
    words = ("mất kết nối với tủ: không trả lời, thử lại sau; đường truyền có thể bị đứt gần cầu", "")
    item = Item(
        Kind.ESCALATED, Severity.CRITICAL, 1, "r", "A", ("Mậu Thân – Võ Văn Kiệt", "A"), words, AT, AT, 65
    )
    letter = Letter("i", "", (item,))
    mail(port).send(letter)
    envelope, message = box.got[0]
    assert message["Subject"] == wording.subject(letter)
    assert message["Subject"].startswith(
        "KHẨN. Chưa ai xác nhận: Mậu Thân – Võ Văn Kiệt (A): mất kết nối với tủ: "
    )
    assert all(len(line) <= RFC_5322_LINE for line in envelope.content.split(b"\r\n\r\n")[0].split(b"\r\n"))


def test_nothing_of_a_text_becomes_a_header(mailbox: tuple[Mailbox, int]) -> None:
    box, port = mailbox
    words = ("x\r\nBcc: thief@evil.example\r\n\r\nHi", "y")
    item = Item(Kind.RAISED, Severity.INFO, 1, "r", "A", ("A", "A"), words, AT, AT)
    mail(port).send(Letter("i", "", (item,)))
    envelope, message = box.got[0]
    assert "thief@evil.example" not in envelope.rcpt_tos
    assert message["Bcc"] is None
    assert "thief@evil.example" in message["Subject"]


def test_a_password_from_a_file_that_only_we_can_read(mailbox: tuple[Mailbox, int], tmp_path: Path) -> None:
    box, port = mailbox
    secret = tmp_path / "mail.password"
    secret.touch(mode=0o600)
    secret.write_text("right-password\n")
    logged_in = mail(port, tmp_path, user="denxanh", password_file="mail.password")
    logged_in.send(LETTER)
    assert len(box.got) == 1
    secret.write_text("wrong-password\n")
    with pytest.raises(FeedError) as wrong:
        logged_in.send(LETTER)
    # A password can be mended: the message waits.
    assert not isinstance(wrong.value, RefusedError)
    secret.chmod(0o644)
    with pytest.raises(SecretError):
        logged_in.send(LETTER)


def test_what_a_mail_server_refuses(mailbox: tuple[Mailbox, int]) -> None:
    box, port = mailbox
    box.refused = {"a@cantho.example"}
    mail(port).send(LETTER)
    assert box.got[0][0].rcpt_tos == ["b@cantho.example"]
    box.refused |= {"b@cantho.example"}
    with pytest.raises(RefusedError):
        mail(port).send(LETTER)
    box.refused, box.data = set(), "451 try later"
    with pytest.raises(FeedError) as later:
        mail(port).send(LETTER)
    assert not isinstance(later.value, RefusedError)
    box.data = "554 spam"
    with pytest.raises(RefusedError, match="554 spam"):
        mail(port).send(LETTER)


def test_a_server_without_tls_gets_nothing(mailbox: tuple[Mailbox, int]) -> None:
    box, port = mailbox
    with pytest.raises(FeedError):
        mail(port, security="starttls").send(LETTER)
    assert box.got == []


def test_an_sms_as_the_gateway_wants_it(receiver: Any, tmp_path: Path, key_file: Path) -> None:
    del key_file
    sms(receiver.url, tmp_path, headers={"Authorization": "Bearer {key}"}, key_file="hook.key").send(LETTER)
    (headers, _), body = receiver.got[0], receiver.bodies()[0]
    assert headers["Authorization"] == "Bearer 0123456789abcdef0123456789abcdef"
    assert body["Phone"] == "0912345678"
    assert body["Meta"] == {"RequestId": "truc-ban-1-abc", "flags": [1, True]}
    assert body["Content"].startswith(
        "DEN XANH. KHAN. Tran Van Hoai - 30 Thang 4 (THN_304): mat ket noi voi tu"
    )
    assert segments(body["Content"]) == 1


def test_an_sms_as_a_form_with_its_marks(receiver: Any) -> None:
    sms(
        receiver.url, format="form", fields={"to": "{to}", "msg": "{text}"}, diacritics=True, segments=3
    ).send(LETTER)
    form = parse_qs(receiver.got[0][1].decode())
    assert "mất kết nối với tủ" in form["msg"][0]
    assert segments(form["msg"][0]) <= 3


def test_a_gateway_that_answers_200_to_what_it_refuses(receiver: Any) -> None:
    gateway = sms(receiver.url, accepted={"CodeResult": "100"})
    for answer in (b'{"CodeResult": "103"}', b"[]", b"<html>", b"[" * 60_000):
        receiver.answer = answer
        with pytest.raises(FeedError):
            gateway.send(LETTER)
    receiver.answer = b'{"CodeResult": 100}'
    gateway.send(LETTER)


def test_who_accepts_with_many_words_has_accepted(receiver: Any) -> None:
    receiver.answer = b"x" * 1_000_000
    sms(receiver.url).send(LETTER)
    assert len(receiver.got) == 1


def test_a_gateway_that_accepts_in_an_answer_too_long_to_read_is_not_sent_to_again(receiver: Any) -> None:
    gateway = sms(receiver.url, accepted={"CodeResult": "100"})
    long = json.dumps({"id": [1, {"CodeResult": "103"}], "CodeResult": 100, "more": "x" * 100_000})
    receiver.answer = long.encode()
    gateway.send(LETTER)
    receiver.answer = long.replace(": 100,", ": 103,").encode()
    with pytest.raises(FeedError):
        gateway.send(LETTER)


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.recursive(st.none() | st.integers() | st.text(max_size=5), st.lists, max_leaves=3),
        max_size=4,
    ),
    st.data(),
)
def test_of_an_answer_that_was_cut_the_whole_members_count(said: dict[str, Any], data: st.DataObject) -> None:
    whole = json.dumps(said, indent=data.draw(st.sampled_from([None, 2]))).encode()
    assert members(whole) == said
    cut = members(whole[: data.draw(st.integers(0, len(whole)))])
    assert all(said[name] == value for name, value in cut.items())


def test_a_header_of_the_channel_may_be_spelt_as_it_likes(receiver: Any) -> None:
    headers = {"host": "gw.example", "content-type": "text/plain", "CONTENT-LENGTH": "1"}
    sms(receiver.url, headers=headers).send(LETTER)
    (sent, _), body = receiver.got[0], receiver.bodies()[0]
    assert {name.lower(): value for name, value in sent.items()} == {
        "host": "gw.example",
        "content-type": "text/plain",
        "content-length": str(len(receiver.got[0][1])),
        "connection": "close",
    }
    assert body["Phone"] == "0912345678"


def test_a_template_is_filled_and_never_worked_out() -> None:
    values = {"text": "{key} {to}", "key": "secret", "to": "1"}
    assert filled({"a": "{text}"}, values) == {"a": "{key} {to}"}
    assert filled("{to.__class__} {0} {{to}} {", values) == "{to.__class__} {0} {1} {"


def test_a_webhook_is_signed_and_fits_its_schema(receiver: Any, tmp_path: Path, key_file: Path) -> None:
    row = {"name": "w", "kind": "webhook", "url": receiver.url, "key_file": key_file.name}
    hook = Webhook(NotifyTable.model_validate({"channel": [row]}).channel[0], tmp_path)  # type: ignore[arg-type]
    hook.send(LETTER)
    headers, body = receiver.got[0]
    stamp = headers["X-Denxanh-Timestamp"]
    assert headers["X-Denxanh-Signature"] == signature("0123456789abcdef0123456789abcdef", stamp, body)
    assert headers["Idempotency-Key"] == "truc-ban-1-abc"
    schema = json.loads(
        (files("denxanh.controller.centre") / "schemas/notice-v1.schema.json").read_text("utf-8")
    )
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    validator.validate(json.loads(body))
    digest = Item(
        Kind.DIGEST, Severity.INFO, None, "", "", ("S", "S"), ("a", "b"), AT, AT, detail=(("c", "d"),)
    )
    hook.send(Letter("d", "", (digest,)))
    validator.validate(receiver.bodies()[1])
    for change in ({"plate": "65A-12345"}, {"severity": "meh"}):
        wrong = json.loads(body)
        wrong["notices"][0].update(change)
        assert list(validator.iter_errors(wrong))


@pytest.mark.parametrize(
    ("status", "refused"), [(400, True), (422, True), (401, False), (429, False), (503, False), (302, False)]
)
def test_answers_that_are_none(receiver: Any, status: int, refused: bool) -> None:
    receiver.status = status
    with pytest.raises(FeedError) as error:
        sms(receiver.url).send(LETTER)
    assert isinstance(error.value, RefusedError) is refused


def test_nobody_there_and_one_who_says_nothing() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(FeedError, match="reached"):
            sms(url).send(LETTER)
        silent.listen()
        with pytest.raises(FeedError, match="does not answer in time"):
            sms(url).send(LETTER)


def test_who_drips_an_answer_holds_nobody_for_longer_than_the_channel_says() -> None:
    with socket.socket() as dripping:
        dripping.bind(("127.0.0.1", 0))
        dripping.listen()
        asked = threading.Event()

        def drip() -> None:
            connection, _ = dripping.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                while not asked.wait(0.05):
                    connection.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            started = time.monotonic()
            sms(f"http://127.0.0.1:{dripping.getsockname()[1]}/").send(LETTER)
            assert time.monotonic() - started < 5
        finally:
            asked.set()
            thread.join()
