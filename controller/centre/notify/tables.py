"""`[notify]` of city.toml: rules, channels and digests, as they stand in the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import time
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from denxanh.controller.console_site import LOOPBACK

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,47}$")]
"""Of a rule or a channel: lower case, digits, hyphens."""
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=1000)]
"""One line of text."""
Address = Annotated[str, StringConstraints(pattern=r"^[^\s@<>,;:\x00-\x1f]+@[A-Za-z0-9.-]+$", max_length=254)]
PhoneNumber = Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{3,15}$")]
"""ITU-T E.164: at most 15 digits."""
Minutes = Annotated[float, Field(ge=0, le=10_080, allow_inf_nan=False)]
"""At most a week."""

LevelMinutes = Annotated[float, Field(ge=1, le=240, allow_inf_nan=False)]
"""Of levels, which are stored by the minute."""


class Severity(StrEnum):
    """How urgent it is; `critical` passes quiet hours and limits."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Escalation(_Table):
    """Who is told, too, when nobody has taken note."""

    after_min: Annotated[float, Field(gt=0, le=1440, allow_inf_nan=False)]
    """Minutes since the notice was raised."""
    channels: Annotated[tuple[Name, ...], Field(min_length=1)]


class Rule(_Table):
    """What all rules have."""

    name: Name
    severity: Severity = Severity.WARNING
    for_min: Minutes = 0.0
    """So long it must last before anybody is told."""
    clear_after_min: Minutes = 5.0
    """So long it must be away before it counts as over: what flaps is one notice (assumed)."""
    intersections: tuple[Line, ...] = ()
    """Only these; none named: all."""
    wards: tuple[Line, ...] = ()
    """Only intersections in these wards (names of the junction register); none named: all."""
    channels: tuple[Name, ...] = ()
    """Who is told; none: it stands in digests only."""
    escalate: tuple[Escalation, ...] = ()
    """In rising order of `after_min`."""

    @model_validator(mode="after")
    def _rising(self) -> Self:
        waits = [step.after_min for step in self.escalate]
        if any(later <= earlier for earlier, later in pairwise(waits)):
            raise ValueError("escalate: after_min must rise from step to step")
        return self


class AlarmRule(Rule):
    """An alarm of the controller stands (`cause` of the alarms page)."""

    what: Literal["alarm"]
    causes: Annotated[tuple[Line, ...], Field(min_length=1)]
    """Shell patterns: `link-lost`, `detector-*`."""


class ModeRule(Rule):
    """An intersection is in one of these modes."""

    what: Literal["mode"]
    modes: Annotated[
        tuple[Literal["FLASH", "MANUAL", "PREEMPT", "PLAN", "LOCAL"], ...], Field(min_length=1)
    ] = (
        "FLASH",
        "PLAN",
        "LOCAL",
    )


class QueueRule(Rule):
    """The queue of an approach is long: from `over_pcu` on, until it is below `under_pcu`."""

    what: Literal["queue"]
    for_min: LevelMinutes = 5.0
    over_pcu: Annotated[float, Field(gt=0, le=10_000)]
    under_pcu: Annotated[float, Field(ge=0, le=10_000)]

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.under_pcu > self.over_pcu:
            raise ValueError("under_pcu must not be above over_pcu")
        return self


class ConfidenceRule(Rule):
    """An intersection's detectors are not believed: mean of its lanes' lowest confidence in the minute."""

    what: Literal["confidence"]
    for_min: LevelMinutes = 5.0
    under: Annotated[float, Field(gt=0, le=1)]
    over: Annotated[float, Field(gt=0, le=1)]
    """From here on it is good again."""

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.over < self.under:
            raise ValueError("over must not be below under")
        return self


class SilenceRule(Rule):
    """Nothing arrives: of the whole site (the recorder stands still), or of an intersection."""

    what: Literal["silence"]
    for_min: Minutes = 2.0


class FeedRule(Rule):
    """A receiver of a feed does not take what it is sent."""

    what: Literal["feed"]
    feeds: tuple[Line, ...] = ()


class IndicatorRule(Rule):
    """An indicator is at risk of missing its target, or has missed it."""

    what: Literal["indicator"]
    statuses: Annotated[tuple[Literal["at-risk", "not-met"], ...], Field(min_length=1)] = ("at-risk",)
    clear_after_min: Minutes = 1440.0


AnyRule = Annotated[
    AlarmRule | ModeRule | QueueRule | ConfidenceRule | SilenceRule | FeedRule | IndicatorRule,
    Field(discriminator="what"),
]


class Channel(_Table):
    """What all channels have."""

    name: Name
    quiet: tuple[time, time] | None = None
    """From, to (local time): only critical notices pass, the others wait for the end."""
    most_per_hour: Annotated[int, Field(ge=1, le=3600)] = 30
    """Messages per recipient; what is more waits and comes together in one."""
    timeout_s: Annotated[float, Field(ge=1, le=60)] = 15.0
    give_up_h: Annotated[float, Field(gt=0, le=720)] = 72.0
    """Older messages are put aside unsent."""
    ca_file: Line | None = None
    """Who signs the receiver's certificate; by default the machine's own list."""


class MailChannel(Channel):
    """E-mail by SMTP."""

    kind: Literal["mail"]
    host: Line
    port: Annotated[int, Field(ge=1, le=65_535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    """`none` only to this machine."""
    user: Line | None = None
    password_file: Line | None = None
    sender: Address
    to: Annotated[tuple[Address, ...], Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if (self.user is None) is not (self.password_file is None):
            raise ValueError("user and password_file belong together")
        if self.security == "none" and self.host not in LOOPBACK:
            raise ValueError('security = "none" only to this machine: others could read it on the way')
        return self


class HttpChannel(Channel):
    """What both HTTP channels have."""

    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s#]+$", max_length=1000)]

    @model_validator(mode="after")
    def _https(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise ValueError("url must be https, except to this machine")
        return self


class SmsChannel(HttpChannel):
    """An SMS gateway: one POST per number."""

    kind: Literal["sms"]
    most_per_hour: Annotated[int, Field(ge=1, le=3600)] = 10
    to: Annotated[tuple[PhoneNumber, ...], Field(min_length=1, max_length=50)]
    format: Literal["json", "form"] = "json"
    fields: Mapping[str, Any]
    """The body; in texts `{to}`, `{text}`, `{id}` and `{key}` are replaced, nothing else is worked out."""
    headers: Mapping[Line, Line] = {}
    key_file: Line | None = None
    """What `{key}` stands for."""
    accepted: Mapping[str, str] = {}
    """Fields of the gateway's JSON answer and their values: many answer 200 to what they refuse."""
    diacritics: bool = False
    """Vietnamese as it is written (70 characters a segment) or without marks (160)."""
    segments: Annotated[int, Field(ge=1, le=6)] = 1


class WebhookChannel(HttpChannel):
    """JSON (notice-v1.schema.json), signed."""

    kind: Literal["webhook"]
    most_per_hour: Annotated[int, Field(ge=1, le=3600)] = 3600
    key_file: Line


AnyChannel = Annotated[MailChannel | SmsChannel | WebhookChannel, Field(discriminator="kind")]


class Digest(_Table):
    """What happened, once a day or a week."""

    channel: Name
    every: Literal["day", "week"] = "day"
    at: time = time(7, 0)
    weekday: Annotated[int, Field(ge=1, le=7)] = 1
    """1: Monday; of weekly ones."""


class NotifyTable(_Table):
    """`[notify]`."""

    rule: tuple[AnyRule, ...] = ()
    channel: tuple[AnyChannel, ...] = ()
    digest: tuple[Digest, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        defects = list(self._defects())
        if defects:
            raise ValueError("; ".join(defects))
        return self

    def _defects(self) -> Iterator[str]:
        channels = Counter(one.name for one in self.channel)
        rules = Counter(one.name for one in self.rule)
        for kind, names in (("rule", rules), ("channel", channels)):
            yield from (f"two {kind}s are named {name}" for name, count in names.items() if count > 1)
        for rule in self.rule:
            told = {*rule.channels, *(name for step in rule.escalate for name in step.channels)}
            yield from (f"rule {rule.name}: no channel {name}" for name in sorted(told - channels.keys()))
        for name in sorted({one.channel for one in self.digest} - channels.keys()):
            yield f"digest: no channel {name}"
        if len({(one.channel, one.every) for one in self.digest}) < len(self.digest):
            yield "two digests of the same kind go to one channel"
