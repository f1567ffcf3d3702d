"""Text message senders, reply-to addresses and contact blocks of letters."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.infra.errors import NotFoundProblemError
from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.services import queries
from notify.services.errors import (
    DefaultNeededError,
    DefaultSenderError,
    DuplicateReplyToError,
    InboundNumberSenderError,
    InvalidReplyToError,
    InvalidSmsSenderError,
    SenderIsInboundNumberError,
)
from notify.services.inbound_numbers import assign_inbound_number, insert_inbound_numbers
from notify.services.models import SmsSender
from notify.services.senders import (
    add_letter_contact,
    add_reply_to,
    add_sms_sender,
    archive_reply_to,
    archive_sms_sender,
    check_sms_sender,
    get_letter_contact,
    get_reply_to,
    get_sms_sender,
    list_letter_contacts,
    list_reply_tos,
    list_sms_senders,
    update_letter_contact,
    update_reply_to,
    update_sms_sender,
)
from tests.services.factory import a_service


class TestSmsSenders:
    @pytest.mark.parametrize("text", ["abc", "Elevenchars", "A & B.-_", "07123456789", "0-0"])
    def test_shown_as_it_is(self, text: str) -> None:
        check_sms_sender(text)

    @pytest.mark.parametrize("text", ["", "ab", "Twelve chars", "Ünïcode", "a/b/c", "0044123", "abc\n"])
    def test_not_shown_as_it_is(self, text: str) -> None:
        with pytest.raises(InvalidSmsSenderError):
            check_sms_sender(text)

    def test_new_default_takes_the_place_of_the_old(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            service, other = a_service(session), a_service(session)
            add_sms_sender(session, service.id, "Newer", is_default=True)
            assert queries.default_sms_sender(session, service.id) == "Newer"
            assert queries.default_sms_sender(session, other.id) == "testing"
            rows = session.scalars(select(SmsSender).where(SmsSender.service_id == service.id)).all()
            assert {(row.sms_sender, row.is_default) for row in rows} == {("testing", False), ("Newer", True)}

    def test_unknown_service(self, parts: Parts) -> None:
        with parts.database.session() as session, pytest.raises(NotFoundProblemError):
            add_sms_sender(session, new_id(), "Sender", is_default=True)

    def test_two_defaults_at_the_same_time_leave_one(self, own_parts: Parts) -> None:
        with own_parts.database.transaction() as session:
            service = a_service(session)

        def add(number: int) -> None:
            with own_parts.database.transaction() as session:
                add_sms_sender(session, service.id, f"Sender {number}", is_default=True)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(add, range(4)))
        with own_parts.database.session() as session:
            rows = session.scalars(select(SmsSender).where(SmsSender.service_id == service.id)).all()
        assert sorted(row.is_default for row in rows) == [False, False, False, False, True]


class TestReplyTos:
    def test_first_must_be_the_default(self, parts: Parts) -> None:
        with parts.database.session() as session:
            service = a_service(session)
            with pytest.raises(DefaultNeededError) as caught:
                add_reply_to(session, service.id, "a@example.com", is_default=False)
        assert caught.value.messages == ["You must have at least one reply to email address as the default."]

    def test_new_default_takes_the_place_of_the_old(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            service = a_service(session)
            add_reply_to(session, service.id, "a@example.com", is_default=True)
            add_reply_to(session, service.id, "b@example.com", is_default=True)
            assert queries.default_reply_to(session, service.id) == "b@example.com"

    def test_duplicate(self, parts: Parts) -> None:
        with parts.database.session() as session:
            service = a_service(session)
            add_reply_to(session, service.id, "a@example.com", is_default=True)
            with pytest.raises(DuplicateReplyToError) as caught:
                add_reply_to(session, service.id, "a@example.com", is_default=False)
        assert caught.value.status == 409
        assert caught.value.messages == ["‘a@example.com’ is already a reply-to email address for this service."]

    @pytest.mark.parametrize("address", ["", "nobody", "a@b", "a b@example.com", "a@example..com"])
    def test_not_an_address(self, parts: Parts, address: str) -> None:
        with parts.database.session() as session:
            service = a_service(session)
            with pytest.raises(InvalidReplyToError):
                add_reply_to(session, service.id, address, is_default=True)


class TestChangingSmsSenders:
    def test_the_default_comes_first_and_then_the_newest(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            service = a_service(session)
            for text in ("First", "Second"):
                add_sms_sender(session, service.id, text, is_default=False)
        with parts.database.session() as session:
            assert [row.sms_sender for row in list_sms_senders(session, service.id)] == ["testing", "Second", "First"]

    def test_a_changed_sender_may_become_the_default(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            service = a_service(session)
            sender = add_sms_sender(session, service.id, "Trees", is_default=False)
            assert sender.updated_at is None
        with parts.database.transaction() as session:
            changed = update_sms_sender(session, service.id, sender.id, "Shrubs", is_default=True)
            assert (changed.sms_sender, changed.is_default) == ("Shrubs", True)
            assert changed.updated_at is not None
        with parts.database.session() as session:
            rows = list_sms_senders(session, service.id)
        assert [(row.sms_sender, row.is_default) for row in rows] == [("Shrubs", True), ("testing", False)]

    def test_the_default_stays_until_another_takes_its_place(self, parts: Parts) -> None:
        with parts.database.session() as session:
            service = a_service(session)
            (default,) = list_sms_senders(session, service.id)
            with pytest.raises(DefaultNeededError, match="at least one sms sender as the default"):
                update_sms_sender(session, service.id, default.id, "Trees", is_default=False)
            with pytest.raises(DefaultSenderError, match="You cannot delete a default sms sender"):
                archive_sms_sender(session, service.id, default.id)

    def test_an_archived_sender_is_not_found_and_may_be_archived_again(self, parts: Parts) -> None:
        with parts.database.session() as session:
            service = a_service(session)
            sender = add_sms_sender(session, service.id, "Trees", is_default=False)
            for _ in range(2):
                assert archive_sms_sender(session, service.id, sender.id).archived
            assert [row.sms_sender for row in list_sms_senders(session, service.id)] == ["testing"]
            with pytest.raises(NotFoundProblemError):
                get_sms_sender(session, service.id, sender.id)
            with pytest.raises(NotFoundProblemError):
                update_sms_sender(session, service.id, sender.id, "Shrubs", is_default=True)

    def test_an_inbound_number_keeps_its_text(self, parts: Parts) -> None:
        with parts.database.session() as session:
            service = a_service(session)
            insert_inbound_numbers(session, ["07900900001"])
            number = assign_inbound_number(session, service.id)
            with pytest.raises(InboundNumberSenderError) as caught:
                update_sms_sender(session, service.id, number.id, "Trees", is_default=True)
            assert caught.value.messages == [f"You can not change the inbound number for service {service.id}"]
            with pytest.raises(SenderIsInboundNumberError, match="You cannot delete an inbound number"):
                archive_sms_sender(session, service.id, number.id)
            add_sms_sender(session, service.id, "Trees", is_default=True)
            assert update_sms_sender(session, service.id, number.id, "07900900001", is_default=True).is_default

    def test_too_long_is_not_found_and_so_is_a_sender_of_another_service(self, parts: Parts) -> None:
        with parts.database.session() as session:
            service, other = a_service(session), a_service(session)
            (theirs,) = list_sms_senders(session, other.id)
            with pytest.raises(NotFoundProblemError):
                add_sms_sender(session, service.id, "TWELVESIGNS1", is_default=False)
            with pytest.raises(NotFoundProblemError):
                update_sms_sender(session, service.id, theirs.id, "Trees", is_default=True)
            with pytest.raises(NotFoundProblemError):
                archive_sms_sender(session, service.id, theirs.id)


class TestChangingReplyTos:
    def test_change_and_order(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            service = a_service(session)
            add_reply_to(session, service.id, "a@example.com", is_default=True)
            second = add_reply_to(session, service.id, "b@example.com", is_default=False)
        with parts.database.transaction() as session:
            update_reply_to(session, service.id, second.id, "bb@example.com", is_default=True)
        with parts.database.session() as session:
            rows = list_reply_tos(session, service.id)
            assert get_reply_to(session, service.id, second.id).email_address == "bb@example.com"
        assert [(row.email_address, row.is_default) for row in rows] == [
            ("bb@example.com", True),
            ("a@example.com", False),
        ]

    def test_the_default_stays(self, parts: Parts) -> None:
        with parts.database.session() as session:
            service = a_service(session)
            default = add_reply_to(session, service.id, "a@example.com", is_default=True)
            with pytest.raises(DefaultNeededError, match="at least one reply to email address as the default"):
                update_reply_to(session, service.id, default.id, "a@example.com", is_default=False)
            with pytest.raises(DefaultSenderError, match="You cannot delete a default email reply to address"):
                archive_reply_to(session, service.id, default.id)
            with pytest.raises(InvalidReplyToError):
                update_reply_to(session, service.id, default.id, "nowhere", is_default=True)

    def test_an_archived_address_is_free_again(self, parts: Parts) -> None:
        with parts.database.session() as session:
            service = a_service(session)
            add_reply_to(session, service.id, "a@example.com", is_default=True)
            other = add_reply_to(session, service.id, "b@example.com", is_default=False)
            archive_reply_to(session, service.id, other.id)
            assert archive_reply_to(session, service.id, other.id).archived
            with pytest.raises(NotFoundProblemError):
                get_reply_to(session, service.id, other.id)
            assert add_reply_to(session, service.id, "b@example.com", is_default=False).id != other.id


class TestLetterContacts:
    def test_no_default_is_needed(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            service = a_service(session)
            first = add_letter_contact(session, service.id, "1 High Street", is_default=False)
            second = add_letter_contact(session, service.id, "2 High Street", is_default=True)
            add_letter_contact(session, service.id, "3 High Street", is_default=True)
            update_letter_contact(session, service.id, first.id, "1a High Street", is_default=True)
            update_letter_contact(session, service.id, first.id, "1b High Street", is_default=False)
            rows = list_letter_contacts(session, service.id)
            assert [(row.contact_block, row.is_default) for row in rows] == [
                ("3 High Street", False),
                ("2 High Street", False),
                ("1b High Street", False),
            ]
            assert get_letter_contact(session, service.id, second.id).contact_block == "2 High Street"


@pytest.mark.parametrize(
    "change",
    [
        lambda session, service_id: add_sms_sender(session, service_id, "Trees", is_default=True),
        lambda session, service_id: add_reply_to(session, service_id, "a@example.com", is_default=True),
        lambda session, service_id: add_letter_contact(session, service_id, "", is_default=True),
        lambda session, service_id: archive_reply_to(session, service_id, new_id()),
    ],
)
def test_unknown_service(parts: Parts, change: Callable[[Session, UUID], object]) -> None:
    with parts.database.session() as session, pytest.raises(NotFoundProblemError):
        change(session, new_id())
