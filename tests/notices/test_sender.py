"""Messages that Notify itself sends."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from notify.content.phone_numbers import InvalidPhoneNumber
from notify.infra.container import Container
from notify.infra.parts import Parts
from notify.messages.errors import MissingPersonalisationError
from notify.messages.queries import MessageReader
from notify.notices.catalogue import RESET_PASSWORD, SMS_CODE
from notify.notices.sender import Notices, NoticeTemplateMissingError
from notify.services.models import NOTIFY_SERVICE_ID
from tests.api import queued

LINK = "https://admin.example/new-password/token"


@pytest.fixture
def container(parts: Parts) -> Iterator[Container]:
    container = Container(parts)
    yield container
    container.close()


def test_a_message_is_stored_and_published_with_the_transaction_that_it_belongs_to(container: Container) -> None:
    with container.parts.database.transaction() as session:
        id_ = container.get(Notices).send(
            session, RESET_PASSWORD, "Ann@Example.gov.uk", {"user_name": "Ann", "url": LINK}
        )
    stored = container.get(MessageReader).get(NOTIFY_SERVICE_ID, id_)
    assert stored is not None
    assert (stored.to, stored.status, stored.personalisation["url"]) == (
        "Ann@Example.gov.uk",
        "created",
        LINK,
    )
    container.close()
    assert queued(container.parts) == [("deliver_email", [[str(id_)]])]


def test_what_is_rolled_back_sends_nothing(container: Container) -> None:
    ids: list[UUID] = []

    def fail() -> None:
        with container.parts.database.transaction() as session:
            ids.append(container.get(Notices).send(session, SMS_CODE, "07700900123", {"verify_code": "12345"}))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert container.get(MessageReader).get(NOTIFY_SERVICE_ID, ids[0]) is None
    container.close()
    assert queued(container.parts) == []


def test_a_text_has_its_own_sender_where_one_is_given(container: Container) -> None:
    with container.parts.database.transaction() as session:
        notices = container.get(Notices)
        usual = notices.send(session, SMS_CODE, "07700900123", {"verify_code": "1"})
        other = notices.send(session, SMS_CODE, "+1 202 555 0104", {"verify_code": "1"}, sender="07984404008")
    with container.parts.database.transaction() as session:
        rows = session.connection().exec_driver_sql("SELECT id, reply_to_text, international FROM notifications").all()
    assert {row[0]: tuple(row[1:]) for row in rows} == {usual: ("GOVUK", False), other: ("07984404008", True)}


def test_what_cannot_be_sent_is_refused(container: Container) -> None:
    notices = container.get(Notices)
    with container.parts.database.transaction() as session:
        with pytest.raises(NoticeTemplateMissingError):
            notices.send(session, NOTIFY_SERVICE_ID, "a@example.gov.uk", {})
        with pytest.raises(MissingPersonalisationError):
            notices.send(session, SMS_CODE, "07700900123", {})
        with pytest.raises(InvalidPhoneNumber):
            notices.send(session, SMS_CODE, "0770", {"verify_code": "1"})
