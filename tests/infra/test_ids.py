from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from notify.infra.ids import first_id, new_id

moments = st.datetimes(datetime(2020, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


@given(moments, moments)
def test_ids_of_moments_are_in_the_order_of_the_moments(one: datetime, other: datetime) -> None:
    if one <= other - timedelta(milliseconds=1):
        assert first_id(one) < first_id(other)
    assert (first_id(one).version, first_id(one).variant) == (7, new_id().variant)


def test_an_id_made_now_is_between_those_of_before_and_after() -> None:
    before = datetime.now(UTC)
    made = new_id()
    after = datetime.now(UTC) + timedelta(milliseconds=1)
    assert first_id(before) <= made <= first_id(after)
