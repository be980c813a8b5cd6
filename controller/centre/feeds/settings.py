"""`[[feed]]` of the city's file: what goes to whom, and how."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

DEFAULT_PREFIX = "cantho/its/v1"
"""Of MQTT topics."""
MAX_BATCH = 1000
"""Most messages that are read and sent at once: what a feed holds in memory."""

_Text = Annotated[str, Field(min_length=1, max_length=255)]
_Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.:_-]+$", max_length=255)]
_Port = Annotated[int, Field(ge=1, le=65_535)]
_Names = Annotated[tuple[_Text, ...], Field(strict=False)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Tls(_Table):
    """How a receiver proves itself, and how we do; paths start at the city file's folder."""

    ca_file: _Text | None = None
    """Authorities that its certificate may come from; by default those of this computer."""
    cert_file: _Text | None = None
    key_file: _Text | None = None
    """Both together: our own certificate."""


class ToMqtt(Tls):
    """A broker; topics are PREFIX/INTERSECTION/KIND."""

    kind: Literal["mqtt"]
    host: _Host
    port: _Port = 8883
    tls: bool = True
    prefix: Annotated[
        str, StringConstraints(pattern=r"^[^+#\x00/$][^+#\x00/]*(/[^+#\x00/]+)*$", max_length=128)
    ] = DEFAULT_PREFIX
    username: _Text | None = None
    password_file: _Text | None = None


class ToHttp(Tls):
    """A server that takes JSON by POST and answers 2xx once it has it."""

    kind: Literal["http"]
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+(/[^\s#]*)?$", max_length=1000)]
    shape: Literal["envelope", "bodies"] = "envelope"
    """`bodies`: a plain JSON array of the bodies, for receivers of a standard format."""
    content_type: Annotated[str, StringConstraints(pattern=r"^[!-~]+(; ?[!-~]+)*$", max_length=100)] = (
        "application/json"
    )
    token_file: _Text | None = None
    """Sent as `Authorization: Bearer`."""
    hmac_file: _Text | None = None
    """Key of the signature in `X-Signature`."""


class ToSyslog(Tls):
    """A collector of RFC 5424 messages over TCP with octet counting."""

    kind: Literal["syslog"]
    host: _Host
    port: _Port = 6514
    tls: bool = True
    facility: Annotated[int, Field(ge=0, le=23)] = 13
    """RFC 5424, table 1; 13: log audit."""


class ToFolder(_Table):
    """A folder from which the receiver takes files away."""

    kind: Literal["folder"]
    path: _Text
    single: bool = False
    """One JSON file per message; by default one file of JSON lines per batch."""
    max_files: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """As long as so many wait there, no more are written."""


To = Annotated[ToMqtt | ToHttp | ToSyslog | ToFolder, Field(discriminator="kind")]


class FeedTable(_Table):
    """One `[[feed]]`."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,47}$")]
    source: _Text
    begins: Annotated[Literal["now", "beginning"], Field(alias="from")] = "now"
    """Where a feed that has never run starts."""
    intersections: _Names = ()
    wards: _Names = ()
    former_provinces: _Names = ()
    """Only messages of these intersections; none of the three: everything, with what is of the whole site."""
    batch: Annotated[int, Field(ge=1, le=MAX_BATCH)] = 100
    refused: Literal["stop", "aside"] = "stop"
    """What to do with a message that the receiver will never take."""
    to: To
