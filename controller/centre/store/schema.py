"""The tables of the centre's store, the same in SQLite and PostgreSQL; migrations bring a database here.

Times are milliseconds since 1970, UTC (`_ms`); those of what happened on the street are the site's own
clock, which in a simulation is the simulated one. JSON is text in a canonical form.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)
AUDIT_REFUSAL = "the audit log is append-only"
"""What the database answers to a change of the audit log."""
_KEY = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up by itself in INTEGER keys only."""

bookmarks = Table(
    "bookmarks",
    metadata,
    Column("reader", String(64), primary_key=True),
    Column("part", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("mark", String(16), nullable=False),
    Column("head", String(16), nullable=False),
    Column("state", Text, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
)
"""How far each reader has read the journal; moves in the transaction that stores what was read.

`part` is the journal's part, `mark` a hash of what stands before the offset, by which its file is known under
any name, `head` one of its first record. `state`: what the reader has begun and not finished, as JSON.
"""

runs = Table(
    "runs",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("opened_ms", BigInteger, nullable=False),
    Column("began_ms", BigInteger),
    Column("closed_ms", BigInteger),
    Column("site", Text, nullable=False),
    Column("corridor", String(128), nullable=False),
    Column("policy", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("ended", Text),
)
"""`opened_ms` is the computer's clock, the other two the site's: its first second and the end of its last."""

events = Table(
    "events",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("run", BigInteger),
    Column("tick", BigInteger),
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("intersection", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("cause", Text, nullable=False),
    Column("text_vi", Text, nullable=False),
    Column("text_en", Text, nullable=False),
    Column("mode_from", String(16)),
    Column("mode_to", String(16)),
    Index(None, "intersection", "at_ms"),
)

spans = Table(
    "spans",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("run", BigInteger),
    Column("intersection", String(64), nullable=False),
    Column("began_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Column("aspects", String(128), nullable=False),
    Column("stage", Integer, nullable=False),
    Column("in_interstage", Boolean, nullable=False),
    Column("mode", String(16), nullable=False),
    Column("plan", Integer),
    Index(None, "intersection", "began_ms"),
)
"""Times during which the lamps, the stage, the mode and the plan of an intersection stayed the same.

`ended_ms` is empty for the one that lasts.
"""

minutes = Table(
    "minutes",
    metadata,
    Column("intersection", String(64), primary_key=True),
    Column("minute_ms", BigInteger, primary_key=True),
    Column("lane", Integer, primary_key=True),
    Column("seconds", Integer, nullable=False),
    Column("queued_mean", Float, nullable=False),
    Column("queued_max", Float, nullable=False),
    Column("moving_mean", Float, nullable=False),
    Column("confidence_min", Float, nullable=False),
)
"""What the estimate believed of each lane, by minute (pcu; confidence in [0, 1])."""

alarms = Table(
    "alarms",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("run", BigInteger),
    Column("intersection", String(64), nullable=False),
    Column("cause", Text, nullable=False),
    Column("text_vi", Text, nullable=False),
    Column("text_en", Text, nullable=False),
    Column("raised_ms", BigInteger, nullable=False, index=True),
    Column("cleared_ms", BigInteger),
    Column("acknowledged_ms", BigInteger),
    Column("acknowledged_by", String(64)),
    Column("note", Text),
    Index(None, "intersection", "cleared_ms"),
)
"""`cleared_ms` is empty while the alarm stands, `acknowledged_ms` until a person has taken note of it."""

commands = Table(
    "commands",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("actor", String(64), nullable=False),
    Column("role", String(32), nullable=False),
    Column("intersection", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("until_ms", BigInteger),
    Column("state", String(16), nullable=False),
    Column("outcome", Text),
)
"""Orders by idempotency key, and what came of each."""

audit = Table(
    "audit",
    metadata,
    Column("seq", _KEY, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("actor", String(64), nullable=False),
    Column("role", String(32), nullable=False),
    Column("action", String(48), nullable=False),
    Column("target", String(128), nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index(None, "actor", "at_ms"),
    Index(None, "target", "at_ms"),
)
"""Who did what: append-only; each row's hash covers the row and the hash of the one before."""

signal_events = Table(
    "signal_events",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("intersection", String(64), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("code", SmallInteger, nullable=False),
    Column("parameter", Integer, nullable=False),
    Index(None, "intersection", "at_ms"),
)
"""High-resolution events (`controller.highres`); `at_ms` is a whole tenth of a second."""

quarter_hours = Table(
    "quarter_hours",
    metadata,
    Column("intersection", String(64), primary_key=True),
    Column("begin_ms", BigInteger, primary_key=True),
    Column("phase", Integer, primary_key=True),
    Column("known_s", Float, nullable=False),
    Column("cycles", Integer, nullable=False),
    Column("green_s", Float, nullable=False),
    Column("yellow_s", Float, nullable=False),
    Column("gap_outs", Integer, nullable=False),
    Column("max_outs", Integer, nullable=False),
    Column("force_offs", Integer, nullable=False),
    Column("volume", Integer),
    Column("arrivals", Integer),
    Column("arrivals_on_green", Integer),
    Column("split_failures", Integer),
    Column("yellow_entries", Integer),
    Column("red_entries", Integer),
    Column("pedestrian_calls", Integer),
    Column("pedestrian_delay_s", Float),
    Column("wait_max_s", Float),
)
"""Measures of each phase by quarter of an hour; empty where the street has no detector that could tell.

`known_s`: seconds of the 900 that events cover. `pedestrian_delay_s` is a sum, `wait_max_s` the longest time
from a call to its green.
"""

feed_positions = Table(
    "feed_positions",
    metadata,
    Column("feed", String(64), primary_key=True),
    Column("position", Text, nullable=False),
    Column("sent", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Column("trouble", Text),
    Column("trouble_ms", BigInteger),
)
"""How far each feed's receiver has acknowledged; `trouble`: why it does not go on, and since when."""

notices = Table(
    "notices",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("rule", String(64), nullable=False),
    Column("place", String(64), nullable=False),
    Column("fault", String(200), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("text_vi", Text, nullable=False),
    Column("text_en", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("raised_ms", BigInteger, nullable=False, index=True),
    Column("gone_ms", BigInteger),
    Column("times", Integer, nullable=False),
    Column("level", Integer, nullable=False),
    Column("acknowledged_ms", BigInteger),
    Column("acknowledged_by", String(64)),
    Column("cleared_ms", BigInteger, index=True),
    Column("note", Text),
)
"""What threshold rules have found. At most one is open per rule, place and fault (`cleared_ms` is empty).

`since_ms`, `gone_ms`: the site's clock for what is of the street; all others the computer's. `gone_ms`:
since when the fault is away, while it is not certain that it stays away; `times`: how often it was there;
`level`: how far it was escalated.
"""

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("channel", String(64), nullable=False),
    Column("recipient", String(64), nullable=False),
    Column("key", String(200), nullable=False, unique=True),
    Column("notice", BigInteger, index=True),
    Column("kind", String(16), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("batch", BigInteger),
    Column("refusals", Integer, nullable=False),
    Column("trouble", Text),
    Column("sent_ms", BigInteger),
    Column("aside_ms", BigInteger),
    Index(None, "channel", "recipient", "sent_ms"),
)
"""What is to be told to whom, in order of `id`; computer's clock.

`batch`: the first `id` of those that go as one message, fixed before it is sent for the first time.
`refusals`: how often the receiver has said that it will not take it.
`aside_ms`: when it was given up, because the receiver refuses it or it is too old.
"""

remarks = Table(
    "remarks",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("author", String(64), nullable=False),
    Column("indicator", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("first_day", String(10), nullable=False),
    Column("last_day", String(10), nullable=False),
    Column("text_vi", Text, nullable=False),
    Column("text_en", Text, nullable=False),
    Column("value", Float),
    Index(None, "indicator", "first_day"),
)
"""What people say about an indicator (empty: the whole report) and a period: causes, remedies, progress.

`at_ms` is the computer's clock; the days are local dates, both inside. `value`: of a progress alone.
"""

hours = Table(
    "hours",
    metadata,
    Column("intersection", String(64), primary_key=True),
    Column("hour_ms", BigInteger, primary_key=True),
    Column("lanes", Integer, nullable=False),
    Column("lane_s", Integer, nullable=False),
    Column("trusted_s", Integer, nullable=False),
    Column("congested_s", Integer, nullable=False),
    Column("queued_pcu_s", Float, nullable=False),
    Column("adaptive_s", Float, nullable=False),
    Column("plan_s", Float, nullable=False),
    Column("local_s", Float, nullable=False),
    Column("other_s", Float, nullable=False),
    Column("volume", Integer),
    Column("stops", Integer),
    Column("faults", Integer, nullable=False),
    Column("fault_s", Float, nullable=False),
    Column("congested_share", Float, nullable=False),
    Index(None, "hour_ms"),
)
"""Sums of an intersection's hour, from which indicators are computed; they outlive the rows they come from.

`lanes`: how many the intersection has. Lane-seconds: `lane_s` of which the estimate said anything,
`trusted_s` with enough confidence, `congested_s` and pcu-seconds `queued_pcu_s` within those. Seconds in each
mode. `volume` and `stops` are empty where nothing counts vehicles. `faults` were cleared in this hour and had
lasted `fault_s` together.
"""

users = Table(
    "users",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("display", String(128), nullable=False),
    Column("role", String(32), nullable=False),
    Column("password_hash", Text),
    Column("subject", String(255), unique=True),
    Column("disabled", Boolean, nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)
"""`subject`: who the person is to the OIDC provider."""

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("user", String(64), nullable=False, index=True),
    Column("csrf", String(64), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("label", String(128), nullable=False),
    Column("owner", String(64), nullable=False, index=True),
    Column("role", String(32), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
    Column("used_ms", BigInteger),
)

drafts = Table(
    "drafts",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("target", String(128), nullable=False),
    Column("body", Text, nullable=False),
    Column("author", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Index(None, "kind", "target"),
)
"""Versions of plans (`target`: intersection/number) and of the calendar that people have written."""
