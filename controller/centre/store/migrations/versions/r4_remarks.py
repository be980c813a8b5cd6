"""What people say about indicators (causes, remedies, progress), and the hourly sums behind them.

Revision: 4
"""

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "remarks",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("indicator", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("first_day", sa.String(length=10), nullable=False),
        sa.Column("last_day", sa.String(length=10), nullable=False),
        sa.Column("text_vi", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.Column("value", sa.Float()),
        sa.PrimaryKeyConstraint("id", name="pk_remarks"),
    )
    op.create_index("ix_remarks_indicator_first_day", "remarks", ["indicator", "first_day"])
    op.create_table(
        "hours",
        sa.Column("intersection", sa.String(length=64), nullable=False),
        sa.Column("hour_ms", sa.BigInteger(), nullable=False),
        sa.Column("lanes", sa.Integer(), nullable=False),
        sa.Column("lane_s", sa.Integer(), nullable=False),
        sa.Column("trusted_s", sa.Integer(), nullable=False),
        sa.Column("congested_s", sa.Integer(), nullable=False),
        sa.Column("queued_pcu_s", sa.Float(), nullable=False),
        sa.Column("adaptive_s", sa.Float(), nullable=False),
        sa.Column("plan_s", sa.Float(), nullable=False),
        sa.Column("local_s", sa.Float(), nullable=False),
        sa.Column("other_s", sa.Float(), nullable=False),
        sa.Column("volume", sa.Integer()),
        sa.Column("stops", sa.Integer()),
        sa.Column("faults", sa.Integer(), nullable=False),
        sa.Column("fault_s", sa.Float(), nullable=False),
        sa.Column("congested_share", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("intersection", "hour_ms", name="pk_hours"),
    )
    op.create_index("ix_hours_hour_ms", "hours", ["hour_ms"])


def downgrade() -> None:
    """Remove them."""
    op.drop_table("hours")
    op.drop_table("remarks")
