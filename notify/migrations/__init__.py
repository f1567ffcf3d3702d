"""Alembic migrations. They live inside the package so that an installed copy finds them without knowing where it is."""
