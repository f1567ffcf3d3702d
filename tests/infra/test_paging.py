from __future__ import annotations

import pytest
from sqlalchemy import select

from notify.events.models import Event
from notify.infra.errors import PageNotFoundError
from notify.infra.paging import Page, links, older_than, page_of
from notify.infra.parts import Parts

NAMED = select(Event.event_type, Event.id).order_by(Event.event_type)


@pytest.fixture
def five(parts: Parts) -> Parts:
    with parts.database.transaction() as session:
        session.add_all(Event(event_type=f"e{number}", data={}) for number in range(5))
    return parts


@pytest.mark.parametrize(
    ("number", "rows", "total"),
    [(1, ["e0", "e1"], 5), (2, ["e2", "e3"], 5), (3, ["e4"], 5)],
)
def test_pages_by_number(five: Parts, number: int, rows: list[str], total: int) -> None:
    with five.database.session() as session:
        page = page_of(session, NAMED, number, 2)
    assert [row.event_type for row in page.rows] == rows
    assert (page.total, page.last, page.has_next) == (total, 3, number < 3)
    assert list(page.of(lambda row: row.event_type).rows) == rows


@pytest.mark.parametrize("number", [0, -1, 4, 10**18, 2**63])
def test_pages_that_are_none(five: Parts, number: int) -> None:
    with five.database.session() as session, pytest.raises(PageNotFoundError) as caught:
        page_of(session, NAMED, number, 2)
    assert caught.value.message().startswith("The requested URL was not found")


def test_an_empty_list_has_a_first_page(parts: Parts) -> None:
    with parts.database.session() as session:
        page = page_of(session, select(Event).order_by(Event.id), 1)
    assert (page.rows, page.total, page.has_next) == ([], 0, False)


def test_a_page_of_objects(five: Parts) -> None:
    with five.database.session() as session:
        page = page_of(session, select(Event).order_by(Event.event_type), 1, 3)
    assert [event.event_type for event in page.rows] == ["e0", "e1", "e2"]


def test_links_keep_the_rest_of_the_query() -> None:
    query = [("page_size", "2"), ("page", "2"), ("status", "a b"), ("status", "c")]
    rest = "page_size=2&status=a+b&status=c"
    assert links(Page([1, 2], 2, 2, 7), "/x", query) == {
        "prev": f"/x?page=1&{rest}",
        "next": f"/x?page=3&{rest}",
        "last": f"/x?page=4&{rest}",
    }
    assert links(Page([1], 2, 2, 3), "/x") == {"prev": "/x?page=1"}
    assert links(Page([1], 1, 2, 1), "/x") == {}


def test_older_than_a_row(five: Parts) -> None:
    with five.database.session() as session:
        rows = session.scalars(select(Event).order_by(Event.created_at.desc(), Event.id.desc())).all()
        condition = older_than((Event.created_at, Event.id), (rows[1].created_at, rows[1].id))
        found = session.scalars(select(Event).where(condition).order_by(Event.created_at.desc(), Event.id.desc())).all()
    assert found == rows[2:]
