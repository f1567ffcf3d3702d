"""Alembic migrations. They are part of the package so that an installed copy can find them."""
