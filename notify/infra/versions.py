"""Versioned tables: a base row, and in a second table a full copy of it for every version (contract: data-model 4)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from sqlalchemy import inspect
from sqlalchemy.orm import Mapped, Session, mapped_column

from notify.infra.times import utc_now


class Versioned:
    """Mixin of a table whose rows have versions. `__history__` is the class of the table of copies, which has the same
    columns and the primary key (id, version).
    """

    __history__: ClassVar[type]

    created_at: Mapped[datetime]
    updated_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(sort_order=1, default=1, server_default="1")


def save_version(session: Session, row: Versioned, *, now: datetime | None = None) -> None:
    """Write `row` as its next version, with a full copy in the history table.

    A new row becomes version 1, created `now`; any other becomes version + 1, updated `now`, even if nothing else
    changed. Load a row to change with `with_for_update=True`, so that two changes at the same time become two versions.
    Flushes; the caller's transaction commits.
    """
    moment = now or utc_now()
    if inspect(row).transient or inspect(row).pending:
        row.version = 1
        row.created_at = moment
    else:
        row.version += 1
        row.updated_at = moment
    session.add(row)
    session.flush()
    names = [attribute.key for attribute in inspect(row).mapper.column_attrs]
    session.add(row.__history__(**{name: getattr(row, name) for name in names}))
    session.flush()
