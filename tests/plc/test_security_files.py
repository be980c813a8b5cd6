"""Secrets, authority and certificates on disk."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from denxanh.errors import SecretError
from denxanh.plc.security.authority import Authority
from denxanh.plc.security.certificates import ending, identity, read_certificate
from denxanh.plc.security.links import client_context, server_context
from denxanh.plc.security.secrets import MAX_SECRET_BYTES, read_line, read_secret


@pytest.fixture(name="authority")
def _authority(tmp_path: Path) -> Authority:
    made = Authority(tmp_path / "keys")
    made.create()
    return made


def secret(path: Path, content: bytes = b"s3cret\n", mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_a_secret_is_read(tmp_path):
    assert read_secret(secret(tmp_path / "a")) == b"s3cret\n"
    assert read_line(secret(tmp_path / "b")) == "s3cret"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o604, 0o601])
def test_open_to_others_is_refused_with_the_remedy(tmp_path, mode):
    path = secret(tmp_path / "a", mode=mode)
    with pytest.raises(SecretError, match=f"mode {mode:04o}.*chmod 600"):
        read_secret(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_of_another_user_is_refused(tmp_path):
    path = secret(tmp_path / "a")
    os.chown(path, 12345, 12345)
    with pytest.raises(SecretError, match="belongs to user 12345"):
        read_secret(path)


def test_what_is_no_secret_file(tmp_path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path, words in (
        (tmp_path, "not a plain file|cannot be read"),
        (tmp_path / "nothing", "cannot be read"),
        (tmp_path / "pipe", "not a plain file"),
        (secret(tmp_path / "long", b"x" * (MAX_SECRET_BYTES + 1)), "longer"),
    ):
        with pytest.raises(SecretError, match=words):
            read_secret(path)


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines\n", b"\xff\n", b"a\x00b"])
def test_a_token_is_one_printable_line(tmp_path, content):
    with pytest.raises(SecretError):
        read_line(secret(tmp_path / "a", content))


def test_keys_belong_to_their_owner_alone_and_say_who_they_are(authority):
    authority.cabinet("THN_304")
    authority.client("centre", "controller")
    for name in ("ca", "THN_304", "centre"):
        assert stat.S_IMODE((authority.folder / f"{name}.key").stat().st_mode) == 0o600
    keys = authority.keys("centre")
    assert read_certificate(keys.certificate).names == ("centre",)
    import ssl

    der = ssl.PEM_cert_to_DER_cert(keys.certificate.read_text())
    assert identity(der).role == "controller"
    assert identity(der, "1.2.3").role is None
    client_context(keys)
    server_context(authority.keys("THN_304"))


def test_the_authority_stays_once_it_is_there(authority):
    before = authority.certificate.read_bytes()
    authority.create()
    assert authority.certificate.read_bytes() == before
    (authority.folder / "ca.key").unlink()
    with pytest.raises(SecretError, match="both or not at all"):
        authority.create()


@pytest.mark.parametrize("name", ["", "ca", "../x", "a/b", "x" * 64, "ô", "a b"])
def test_names_that_cannot_be(authority, name):
    with pytest.raises(SecretError, match="cannot be a certificate's name"):
        authority.cabinet(name)


def test_what_ends_soon(authority):
    authority.cabinet("late", days=200)
    authority.cabinet("soon", days=10)
    authority.cabinet("over", days=-1)
    paths = [authority.folder / f"{name}.crt" for name in ("late", "soon", "over")]
    assert [path.stem for path, _ in ending(paths)] == ["over", "soon"]
    then = datetime.now(UTC) + timedelta(days=190)
    assert [path.stem for path, _ in ending(paths, then)] == ["over", "soon", "late"]


def test_files_that_are_no_keys(authority, tmp_path):
    authority.cabinet("one")
    authority.cabinet("other")
    good = authority.keys("one")
    from dataclasses import replace

    rubbish = tmp_path / "rubbish"
    rubbish.write_text("not a certificate")
    for bad in (
        replace(good, ca=rubbish),
        replace(good, crl=rubbish),
        replace(good, certificate=rubbish),
        replace(good, certificate=authority.folder / "other.crt"),
        replace(good, ca=tmp_path / "nothing"),
    ):
        with pytest.raises(SecretError):
            client_context(bad)
    good.key.chmod(0o644)
    with pytest.raises(SecretError, match="chmod 600"):
        client_context(good)
