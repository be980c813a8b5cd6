"""What threshold rules have raised, and whom it was told.

Revision: 3
"""

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Remove them."""
