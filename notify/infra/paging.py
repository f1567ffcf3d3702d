"""Pages of lists: by number for the internal API, by the last row seen for big tables.

Every list states its order, which ends with the id if it can tie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, func, select, tuple_
from sqlalchemy.orm import Session

from notify.infra.errors import PageNotFoundError

T = TypeVar("T")
S = TypeVar("S")

PAGE_SIZE: Final = 50
"""Default number of rows on a page (contract: internal-jobs 0.2)."""
_HIGHEST_ROW: Final = 2**62


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list. `number` counts from 1; `total` is how many rows the whole list has."""

    rows: Sequence[T]
    number: int
    size: int
    total: int

    @property
    def last(self) -> int:
        """The number of the last page."""
        return max(-(-self.total // self.size), 1)

    @property
    def has_next(self) -> bool:
        """Whether a page follows."""
        return self.number < self.last

    def of(self, make: Callable[[T], S]) -> Page[S]:
        """The same page with each row converted by `make`."""
        return Page([make(row) for row in self.rows], self.number, self.size, self.total)


def page_of(session: Session, query: Select[*tuple[Any, ...]], number: int, size: int = PAGE_SIZE) -> Page[Any]:
    """A page of a query that states its order: objects if it selects one thing, named rows if several.

    Rows are only counted if more follow the page. Raises `PageNotFoundError` for a page before the first, and for an
    empty one after it.
    """
    if number < 1 or size < 1 or number * size > _HIGHEST_ROW:
        raise PageNotFoundError
    before = (number - 1) * size
    found = session.execute(query.limit(size + 1).offset(before))
    rows: Sequence[Any] = found.scalars().all() if len(query.column_descriptions) == 1 else found.all()
    if not rows and number > 1:
        raise PageNotFoundError
    total = before + len(rows)
    if len(rows) > size:
        total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or total
    return Page(rows[:size], number, size, total)


def links(page: Page[Any], path: str, query: Iterable[tuple[str, str]] = ()) -> dict[str, str]:
    """`prev`, `next` and `last` of a page as relative URLs; `next` and `last` only if a page follows.

    `query` holds the other parameters of the request, which the links keep, in its order, after `page`.
    """
    kept = [(name, value) for name, value in query if name != "page"]

    def address(number: int) -> str:
        return f"{path}?{urlencode([('page', str(number)), *kept])}"

    found = {}
    if page.number > 1:
        found["prev"] = address(page.number - 1)
    if page.has_next:
        found["next"] = address(page.number + 1)
        found["last"] = address(page.last)
    return found


def older_than(columns: Sequence[SQLColumnExpression[Any]], values: Sequence[Any]) -> ColumnElement[bool]:
    """The condition for the page after a row, in a list ordered newest first by these columns (the id last):
    `query.where(older_than((N.created_at, N.id), (row.created_at, row.id)))`. It uses the index of the columns.
    """
    return tuple_(*columns) < tuple_(*values)
