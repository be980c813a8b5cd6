"""What people say about indicators: causes, remedies, progress.

Revision: 4
"""

revision = "4"
down_revision = "3"


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Remove them."""
