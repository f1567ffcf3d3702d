"""Guest lists."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from notify.infra.errors import NotFoundProblemError
from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.services import queries
from notify.services.errors import (
    InvalidGuestListError,
)
from notify.services.guest_list import get_guest_list, set_guest_list
from notify.services.models import Service
from tests.services.factory import a_service


class TestGuestList:
    def guests(self, session: Session, service: Service) -> list[str]:
        team = queries.allowed_recipients(session, a_service(session, user_id=service.created_by_id).id)
        return sorted(set(queries.allowed_recipients(session, service.id)) - set(team))

    def test_replaces_and_keeps_as_typed(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            service = a_service(session)
            set_guest_list(session, service.id, phone_numbers=["07700900222"], email_addresses=["a@example.com"])
            set_guest_list(
                session,
                service.id,
                phone_numbers=["+1 (202) 555-0104", "07700 900333"],
                email_addresses=["B@Example.com"],
            )
            assert self.guests(session, service) == ["+1 (202) 555-0104", "07700 900333", "B@Example.com"]
            assert get_guest_list(session, service.id) == (["B@Example.com"], ["+1 (202) 555-0104", "07700 900333"])
            set_guest_list(session, service.id, phone_numbers=[], email_addresses=[])
            assert self.guests(session, service) == []

    @pytest.mark.parametrize(
        ("phones", "addresses", "named"),
        [
            (["07700900222", "020 7946 0100"], [], "020 7946 0100"),
            (["a@example.com"], [], "a@example.com"),
            ([], ["a@example.com", "07700900222"], "07700900222"),
            (["1"], ["x"], "1"),
            ([""], [], ""),
        ],
    )
    def test_refused_and_the_old_list_stays(
        self, parts: Parts, phones: list[str], addresses: list[str], named: str
    ) -> None:
        with parts.database.transaction() as session:
            service = a_service(session)
            set_guest_list(session, service.id, phone_numbers=[], email_addresses=["old@example.com"])
            with pytest.raises(InvalidGuestListError) as caught:
                set_guest_list(session, service.id, phone_numbers=phones, email_addresses=addresses)
            assert caught.value.messages == [
                f'Invalid guest list: "{named}" is not a valid email address or phone number'
            ]
            assert self.guests(session, service) == ["old@example.com"]


def test_unknown_service(parts: Parts) -> None:
    with parts.database.session() as session:
        with pytest.raises(NotFoundProblemError):
            set_guest_list(session, new_id(), phone_numbers=[], email_addresses=[])
        with pytest.raises(NotFoundProblemError):
            get_guest_list(session, new_id())
