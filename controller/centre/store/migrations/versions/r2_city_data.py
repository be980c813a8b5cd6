"""High-resolution events, measures by quarter of an hour, and how far feeds have come.

Revision: 2
"""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "signal_events",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("intersection", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.SmallInteger(), nullable=False),
        sa.Column("parameter", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_signal_events"),
    )
    op.create_index("ix_signal_events_intersection_at_ms", "signal_events", ["intersection", "at_ms"])
    op.create_table(
        "quarter_hours",
        sa.Column("intersection", sa.String(length=64), nullable=False),
        sa.Column("begin_ms", sa.BigInteger(), nullable=False),
        sa.Column("phase", sa.Integer(), nullable=False),
        sa.Column("known_s", sa.Float(), nullable=False),
        sa.Column("cycles", sa.Integer(), nullable=False),
        sa.Column("green_s", sa.Float(), nullable=False),
        sa.Column("yellow_s", sa.Float(), nullable=False),
        sa.Column("gap_outs", sa.Integer(), nullable=False),
        sa.Column("max_outs", sa.Integer(), nullable=False),
        sa.Column("force_offs", sa.Integer(), nullable=False),
        sa.Column("volume", sa.Integer()),
        sa.Column("arrivals", sa.Integer()),
        sa.Column("arrivals_on_green", sa.Integer()),
        sa.Column("split_failures", sa.Integer()),
        sa.Column("yellow_entries", sa.Integer()),
        sa.Column("red_entries", sa.Integer()),
        sa.Column("pedestrian_calls", sa.Integer()),
        sa.Column("pedestrian_delay_s", sa.Float()),
        sa.Column("wait_max_s", sa.Float()),
        sa.PrimaryKeyConstraint("intersection", "begin_ms", "phase", name="pk_quarter_hours"),
    )
    op.create_table(
        "feed_positions",
        sa.Column("feed", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.Column("trouble", sa.Text()),
        sa.Column("trouble_ms", sa.BigInteger()),
        sa.PrimaryKeyConstraint("feed", name="pk_feed_positions"),
    )


def downgrade() -> None:
    """Remove them."""
    for table in ("feed_positions", "quarter_hours", "signal_events"):
        op.drop_table(table)
