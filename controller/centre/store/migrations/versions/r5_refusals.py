"""Of a delivery the refusals are counted, not the tries: a receiver that was away has refused nothing.

Revision: 5
"""

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"


def upgrade() -> None:
    """Count anew: which of the tries were refused, nobody noted."""
    op.alter_column("deliveries", "tries", new_column_name="refusals")
    op.execute(sa.text("UPDATE deliveries SET refusals = 0"))


def downgrade() -> None:
    """Call it tries again."""
    op.alter_column("deliveries", "refusals", new_column_name="tries")
