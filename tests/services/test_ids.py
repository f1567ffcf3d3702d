"""The versions of ids: official clients refuse a service id that is not of version 4."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from notify.branding.email_branding import create_email_branding
from notify.branding.letter_branding import create_letter_branding
from notify.cli.demo import ensure_demo
from notify.infra.parts import Parts
from notify.organisations.actions import create_organisation
from notify.services.inbound_numbers import list_inbound_numbers
from notify.services.models import ApiKey
from notify.services.senders import add_letter_contact, list_letter_contacts, list_reply_tos, list_sms_senders
from notify.templates.queries import list_templates


def test_what_clients_name_has_random_ids(parts: Parts, tmp_path: Path) -> None:
    service_id = UUID(ensure_demo(parts, tmp_path / "dev.json")["service_id"])
    with parts.database.transaction() as session:
        add_letter_contact(session, service_id, "1 High Street", is_default=True)
        ids = [
            service_id,
            *(row.id for row in list_templates(session, service_id)),
            *session.scalars(select(ApiKey.id).where(ApiKey.service_id == service_id)),
            *session.scalars(select(ApiKey.created_by_id).where(ApiKey.service_id == service_id)),
            *(row.id for row in list_sms_senders(session, service_id)),
            *(row.id for row in list_reply_tos(session, service_id)),
            *(row.id for row in list_letter_contacts(session, service_id)),
            *(row.number.id for row in list_inbound_numbers(session)),
            create_email_branding(session, name="Oak", text="Oak").id,
            create_letter_branding(session, name="Oak", filename="oak").id,
            create_organisation(session, name="Parks", organisation_type="local", crown=False).id,
        ]
    assert {id_.version for id_ in ids} == {4}
    assert {id_.variant for id_ in ids} == {"specified in RFC 4122"}
