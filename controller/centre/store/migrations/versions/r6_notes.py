"""With a notice stands what the person who took note of it said; deliveries are found by their notice.

Revision: 6
"""

import sqlalchemy as sa
from alembic import op

revision = "6"
down_revision = "5"


def upgrade() -> None:
    """Add both."""
    op.add_column("notices", sa.Column("note", sa.Text()))
    op.create_index("ix_deliveries_notice", "deliveries", ["notice"])


def downgrade() -> None:
    """Remove them."""
    op.drop_index("ix_deliveries_notice", "deliveries")
    op.drop_column("notices", "note")
