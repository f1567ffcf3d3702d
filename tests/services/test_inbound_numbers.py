"""A service's number for receiving texts (internal-services 7.1)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.services.errors import (
    HasInboundNumberError,
    InvalidInboundNumberError,
    NoFreeNumberError,
    NoInboundNumberError,
)
from notify.services.inbound_numbers import (
    assign_inbound_number,
    insert_inbound_numbers,
    list_free_numbers,
    list_inbound_numbers,
    number_of_service,
    remove_inbound_number,
    switch_off_inbound_number,
)
from notify.services.models import InboundNumber, SmsSender
from notify.services.permissions import add_permission
from notify.services.queries import default_sms_sender, inbound_number, permissions
from notify.services.senders import add_sms_sender
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


def test_the_list_names_services_and_free_numbers(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session, name="Trees")
        insert_inbound_numbers(session, ["07900900001", "07900900002"])
        assign_inbound_number(session, service.id)
    with parts.database.session() as session:
        listed = {row.number.number: row.service_name for row in list_inbound_numbers(session)}
        assert [number.number for number in list_free_numbers(session)] == ["07900900002"]
    assert (listed["07900900001"], listed["07900900002"]) == ("Trees", None)


def test_a_number_that_is_switched_off_stays_with_its_service(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        with pytest.raises(NoInboundNumberError):
            switch_off_inbound_number(session, service.id)
        insert_inbound_numbers(session, ["07900900001"])
        assign_inbound_number(session, service.id)
        switch_off_inbound_number(session, service.id)
        assert inbound_number(session, service.id) is None
        kept = number_of_service(session, service.id)
    assert kept is not None
    assert (kept.number, kept.active) == ("07900900001", False)


@pytest.mark.parametrize(("archive", "free"), [(False, ["07900900001"]), (True, [])])
def test_taking_a_number_away_leaves_a_default_sender(parts: Parts, archive: bool, free: list[str]) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        add_permission(session, service.id, "inbound_sms")
        insert_inbound_numbers(session, ["07900900001"])
        assign_inbound_number(session, service.id)
    for _ in range(2):
        with parts.database.transaction() as session:
            remove_inbound_number(session, service.id, archive=archive, from_number="GOVUK")
    with parts.database.session() as session:
        assert number_of_service(session, service.id) is None
        assert [number.number for number in list_free_numbers(session)] == free
        assert default_sms_sender(session, service.id) == "GOVUK"
        assert "inbound_sms" not in permissions(session, service.id)


def test_taking_the_default_number_away_makes_another_sender_the_default(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        add_sms_sender(session, service.id, "Trees", is_default=False)
        insert_inbound_numbers(session, ["07900900001"])
        assign_inbound_number(session, service.id)
        remove_inbound_number(session, service.id, archive=False, from_number="GOVUK")
        assert default_sms_sender(session, service.id) == "Trees"
