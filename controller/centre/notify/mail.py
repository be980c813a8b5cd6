"""E-mail by SMTP."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from denxanh.controller.centre.notify import wording
from denxanh.controller.centre.notify.letter import Letter
from denxanh.controller.centre.notify.tables import MailChannel, Severity
from denxanh.controller.localtime import local
from denxanh.errors import FeedError, RefusedError
from denxanh.plc.security.secrets import read_line

_PERMANENT = range(500, 600)
"""RFC 5321, 4.2.1: the command will not be taken however often it is given."""
_OF_THE_SERVER = (smtplib.SMTPAuthenticationError, smtplib.SMTPHeloError, smtplib.SMTPNotSupportedError)
"""Not about the message, whatever the number says: a password can be mended."""


class Mail:
    """A mail server. Its password is read at each message, so that it can be changed.

    Args:
        channel: of the city's file.
        folder: where relative paths in it start.
    """

    def __init__(self, channel: MailChannel, folder: Path) -> None:
        self._channel = channel
        self._password = None if channel.password_file is None else folder / channel.password_file
        self._ca = None if channel.ca_file is None else folder / channel.ca_file

    def send(self, letter: Letter) -> None:
        """Deliver to all recipients. One that the server refuses does not keep it from the others."""
        where = f"{self._channel.host}:{self._channel.port}"
        try:
            with self._session() as session:
                session.send_message(self._message(letter), self._channel.sender, list(self._channel.to))
        except _OF_THE_SERVER as error:
            raise FeedError(_said(error), where=where) from error
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            kind = RefusedError if all(code in _PERMANENT for code in codes) else FeedError
            raise kind("the server takes none of the recipients", where=where) from error
        except smtplib.SMTPResponseException as error:
            kind = RefusedError if error.smtp_code in _PERMANENT else FeedError
            raise kind(_said(error), where=where) from error
        except (OSError, smtplib.SMTPException) as error:
            raise FeedError(f"cannot be reached: {error}", where=where) from error

    @contextlib.contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        one = self._channel
        tls = ssl.create_default_context(cafile=self._ca)
        if one.security == "tls":
            session: smtplib.SMTP = smtplib.SMTP_SSL(one.host, one.port, timeout=one.timeout_s, context=tls)
        else:
            session = smtplib.SMTP(one.host, one.port, timeout=one.timeout_s)
        with session:
            if one.security == "starttls":
                session.starttls(context=tls)
            if one.user is not None and self._password is not None:
                session.login(one.user, read_line(self._password))
            yield session

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        # Raw: where it folds a long Vietnamese subject itself, EmailMessage of Python 3.11 loses spaces.
        subject = Header(wording.subject(letter), "utf-8", header_name="Subject")
        message.set_raw("Subject", subject.encode(linesep="\r\n"))
        message["From"] = self._channel.sender
        message["To"] = ", ".join(self._channel.to)
        message["Date"] = format_datetime(local(letter.items[0].at_ms))
        # The same for the same letter: a mail that comes twice is known as one.
        message["Message-ID"] = f"<{letter.id}@{self._channel.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        if letter.severity is Severity.CRITICAL:
            message["Importance"] = "high"
        message.set_content(wording.mail(letter))
        return message


def _said(error: smtplib.SMTPException) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error
        text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
        return f"the server answers {error.smtp_code} {text}"
    return f"the server refuses: {error}"
