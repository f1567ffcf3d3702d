"""A service's number for receiving texts (internal-services 7.1)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.services.actions import add_sms_sender, assign_inbound_number, insert_inbound_numbers
from notify.services.errors import HasInboundNumberError, InvalidInboundNumberError, NoFreeNumberError
from notify.services.models import InboundNumber, SmsSender
from notify.services.queries import default_sms_sender, inbound_number
from tests.services.factory import a_service


def test_the_only_sender_becomes_the_number(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        insert_inbound_numbers(session, ["07900900001"])
        sender = assign_inbound_number(session, service.id)
        senders = session.scalars(select(SmsSender).where(SmsSender.service_id == service.id)).all()
        assert senders == [sender]
        assert (sender.sms_sender, sender.is_default) == ("07900900001", True)
        assert inbound_number(session, service.id) == "07900900001"
        with pytest.raises(HasInboundNumberError):
            assign_inbound_number(session, service.id)


def test_beside_other_senders_the_number_is_the_new_default(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        add_sms_sender(session, service.id, "Another", is_default=False)
        insert_inbound_numbers(session, ["07900900001", "07900900002"])
        wanted = session.scalars(select(InboundNumber).where(InboundNumber.number == "07900900002")).one()
        assign_inbound_number(session, service.id, inbound_number_id=wanted.id)
        session.flush()
        assert default_sms_sender(session, service.id) == "07900900002"
        senders = session.scalars(select(SmsSender.sms_sender).where(SmsSender.service_id == service.id)).all()
        assert sorted(senders) == ["07900900002", "Another", "testing"]


def test_numbers_that_are_not_free(parts: Parts) -> None:
    with parts.database.transaction() as session:
        first, second = a_service(session), a_service(session)
        with pytest.raises(NoFreeNumberError):
            assign_inbound_number(session, first.id)
        insert_inbound_numbers(session, ["07900900001"])
        sender = assign_inbound_number(session, first.id)
        for wanted in (sender.inbound_number_id, new_id(), None):
            with pytest.raises(NoFreeNumberError):
                assign_inbound_number(session, second.id, inbound_number_id=wanted)


def test_all_numbers_or_none(parts: Parts) -> None:
    with parts.database.transaction() as session:
        with pytest.raises(InvalidInboundNumberError):
            insert_inbound_numbers(session, ["07900900001", "+447900900002"])
        assert "07900900001" not in session.scalars(select(InboundNumber.number)).all()
        assert insert_inbound_numbers(session, ["07900900001", "07900900001"]) == 1
