"""Alembic's folder: `env.py` is its entry, `versions` holds one step per version of the schema."""
