"""SMS by a gateway's HTTP interface. Each gateway has its own body; the city's file says how it looks."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from denxanh.controller.centre.notify import wording
from denxanh.controller.centre.notify.http import post
from denxanh.controller.centre.notify.letter import Letter
from denxanh.controller.centre.notify.tables import SmsChannel
from denxanh.errors import FeedError
from denxanh.plc.security.secrets import read_line


class Sms:
    """An SMS gateway. Its key is read at each message, so that it can be changed.

    Args:
        channel: of the city's file.
        folder: where relative paths in it start.
    """

    def __init__(self, channel: SmsChannel, folder: Path) -> None:
        self._channel = channel
        self._folder = folder
        self._key = None if channel.key_file is None else folder / channel.key_file

    def send(self, letter: Letter) -> None:
        """Deliver to the letter's number."""
        one = self._channel
        values = {
            "to": letter.recipient,
            "text": wording.sms(letter, diacritics=one.diacritics, segments=one.segments),
            "id": letter.id,
            "key": "" if self._key is None else read_line(self._key),
        }
        fields = filled(one.fields, values)
        if one.format == "form":
            body, kind = urlencode(fields).encode(), "application/x-www-form-urlencoded"
        else:
            body, kind = json.dumps(fields, ensure_ascii=False).encode(), "application/json"
        headers = {"Content-Type": kind, **filled(one.headers, values)}
        self._accepted(post(one, self._folder, body, headers))

    def _accepted(self, answer: bytes) -> None:
        """Hold the answer against what an accepted message is answered."""
        if not self._channel.accepted:
            return
        said = members(answer)
        for name, wanted in self._channel.accepted.items():
            if str(said.get(name)) != wanted:
                words = answer[:200].decode("utf-8", "replace")
                raise FeedError(
                    f"the gateway did not accept it ({name} is not {wanted}): {words}",
                    where=self._channel.url.partition("?")[0],
                )


def members(answer: bytes) -> dict[str, Any]:
    """A JSON object's members as far as they came whole: who says too much has still said them."""
    text, place, found = answer.decode("utf-8", "replace"), 0, dict[str, Any]()
    decoder = json.JSONDecoder()
    with contextlib.suppress(ValueError, RecursionError, IndexError):
        for separator in itertools.chain("{", itertools.repeat(",")):
            name, place = decoder.raw_decode(text, _after(text, place, separator))
            value, place = decoder.raw_decode(text, _after(text, place, ":"))
            if place == len(text):
                break  # a number that ends here may go on
            found[str(name)] = value
    return found


def _after(text: str, place: int, separator: str) -> int:
    """Where the next word begins, behind this separator.

    Raises:
        ValueError: something else comes.
    """
    rest = text[place:].lstrip()
    if not rest.startswith(separator):
        raise ValueError(f"no {separator}")
    return len(text) - len(rest[1:].lstrip())


def filled(template: Any, values: Mapping[str, str]) -> Any:
    """A template with `{name}` replaced in its texts, in one pass: what is put in is not looked at again."""
    match template:
        case str():
            return _filled(template, values)
        case Mapping():
            return {str(key): filled(value, values) for key, value in template.items()}
        case list() | tuple():
            return [filled(value, values) for value in template]
    return template


def _filled(text: str, values: Mapping[str, str]) -> str:
    parts = []
    while text:
        head, brace, rest = text.partition("{")
        parts.append(head)
        name, end, after = rest.partition("}")
        if brace and end and name in values:
            parts.append(values[name])
            text = after
        else:
            parts.append(brace)
            text = rest
    return "".join(parts)
