"""The demo service of `notify up`, to send messages before anything is set up."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

import notify.models  # noqa: F401 - makes the metadata complete
from notify.accounts.actions import create_user, set_password
from notify.accounts.models import User
from notify.infra.parts import Parts
from notify.infra.times import utc_now
from notify.objects_api.access import address_of, credentials_of
from notify.providers.settings import TextProviderSettings
from notify.services.api_keys import ensure_api_key
from notify.services.guest_list import set_guest_list
from notify.services.limits import LIVE_LIMITS
from notify.services.models import EmailReplyTo, InboundNumber, Service, SmsSender
from notify.services.senders import add_reply_to, add_sms_sender
from notify.services.service import create_service
from notify.settings import Settings
from notify.templates.actions import create_template
from notify.templates.models import Template
from notify.vocabulary import KEY_TYPES, SERVICE_PERMISSIONS, TEMPLATE_TYPES

NOTIFY_SERVICE: Final = UUID("d6aa2c68-a2d9-4437-ab19-3ae8eb202553")

# Fixed ids, to find the demo again and to name it in documentation. Version 4, as clients expect.
DEMO_USER: Final = UUID("d0e30000-0000-4000-8000-00000000d001")
DEMO_SERVICE: Final = UUID("d0e30000-0000-4000-8000-00000000d002")
DEMO_TEMPLATES: Final = {
    "sms": UUID("d0e30000-0000-4000-8000-00000000d010"),
    "email": UUID("d0e30000-0000-4000-8000-00000000d011"),
    "letter": UUID("d0e30000-0000-4000-8000-00000000d012"),
}

USER_NAME: Final = "Demo User"
USER_ADDRESS: Final = "demo@example.com"
USER_NUMBER: Final = "07700900123"
SERVICE_NAME: Final = "Demo service"
SENDER: Final = "NotifyDemo"
REPLY_TO: Final = "replies@example.com"
GUEST_NUMBERS: Final = ("07700900456",)
GUEST_ADDRESSES: Final = ("guest@example.com",)
INBOUND_NUMBER: Final = "07700900789"

_CONTENT: Final[Mapping[str, Mapping[str, str]]] = {
    "sms": {
        "name": "Appointment (text message)",
        "content": "Hello ((name)), see you on ((date)). To change your appointment please call 01234 567890.",
    },
    "email": {
        "name": "Appointment (email)",
        "subject": "Your appointment on ((date))",
        "content": (
            "Hello ((name)),\n\n# Your appointment\n\nWe look forward to seeing you on ((date)). Please bring:\n\n"
            "* this email\n* something to read\n\n((parking??You can park behind the building.))"
        ),
    },
    "letter": {
        "name": "Appointment (letter)",
        "subject": "Your appointment on ((date))",
        "content": (
            "Dear ((name)),\n\nWe look forward to seeing you on ((date)).\n\nTo change your appointment please call "
            "01234 567890."
        ),
    },
}


def ensure_demo(parts: Parts, path: Path) -> dict[str, Any]:
    """Make sure that an unused database has the demo service, and that `path` (dev.json) describes how to use it;
    returns the content of that file.

    The file holds `api_url`, `admin_client` (`id`, `secret`), `user` (`id`, `email_address`, `password`,
    `mobile_number`), `service_id`, `api_keys` (`normal`, `team`, `test`), `templates` (`sms`, `email`, `letter`),
    `sms_sender_id` and `email_reply_to_id`, and `objects` (`endpoint`, `key`, `secret`, and buckets), all of them text.
    Only its owner can read it. A lost file is written again: with the same keys, but a new password, since only its
    hash is stored. Does nothing, and returns an empty object, where there are other services and no demo, and outside
    development and test.
    """
    if not parts.settings.is_safe_environment:
        return {}
    kept = _read(path)
    with parts.database.transaction() as session:
        password = _kept_password(kept)
        if session.get(Service, DEMO_SERVICE) is None:
            if session.scalar(select(Service.id).where(Service.id != NOTIFY_SERVICE).limit(1)) is not None:
                return {}
            password = secrets.token_urlsafe(12)
            _create(session, parts.settings.part(TextProviderSettings).from_number, password)
        elif password is None:
            password = _new_password(session)
        content = _describe(session, parts, password)
    if content != kept:
        _write(path, content)
    return content


def _create(session: Session, from_number: str, password: str) -> None:
    create_user(
        session,
        user_id=DEMO_USER,
        name=USER_NAME,
        email_address=USER_ADDRESS,
        mobile_number=USER_NUMBER,
        password=password,
        state="active",
        platform_admin=True,
    )
    service = create_service(
        session,
        service_id=DEMO_SERVICE,
        name=SERVICE_NAME,
        user_id=DEMO_USER,
        from_number=from_number,
        restricted=False,
        go_live_at=utc_now(),
        limits=LIVE_LIMITS,
        # invitations to a service of emergency alerts have their own template (contract: broadcasts 1)
        permissions=[permission for permission in SERVICE_PERMISSIONS if permission != "broadcast"],
        contact_link="https://www.example.com/contact",
    )
    for template_type, template in _CONTENT.items():
        create_template(
            session,
            template_id=DEMO_TEMPLATES[template_type],
            service_id=service.id,
            template_type=template_type,
            name=template["name"],
            subject=template.get("subject"),
            content=template["content"],
            created_by_id=DEMO_USER,
        )
    add_sms_sender(session, service.id, SENDER, is_default=False)
    add_reply_to(session, service.id, REPLY_TO, is_default=True)
    set_guest_list(session, service.id, phone_numbers=GUEST_NUMBERS, email_addresses=GUEST_ADDRESSES)
    session.add(InboundNumber(number=INBOUND_NUMBER, provider="sandbox", service_id=service.id))
    session.flush()


def _new_password(session: Session) -> str:
    password = secrets.token_urlsafe(12)
    set_password(session.get_one(User, DEMO_USER), password)
    session.flush()
    return password


def _describe(session: Session, parts: Parts, password: str) -> dict[str, Any]:
    settings = parts.settings
    user = session.get_one(User, DEMO_USER)
    client_id = settings.admin_client_id
    senders = select(SmsSender.id).where(SmsSender.service_id == DEMO_SERVICE, SmsSender.archived.is_(False))
    reply_tos = select(EmailReplyTo.id).where(EmailReplyTo.service_id == DEMO_SERVICE, EmailReplyTo.archived.is_(False))
    return {
        "api_url": settings.api_host_name,
        "admin_client": {
            "id": client_id,
            "secret": next(iter(settings.internal_client_api_keys.get(client_id, [])), ""),
        },
        "user": {
            "id": str(user.id),
            "email_address": user.email_address,
            "password": password,
            "mobile_number": user.mobile_number,
        },
        "service_id": str(DEMO_SERVICE),
        "api_keys": {
            key_type: ensure_api_key(
                session,
                parts.encryptor,
                service_id=DEMO_SERVICE,
                name=f"demo {key_type}",
                key_type=key_type,
                created_by_id=DEMO_USER,
            )
            for key_type in KEY_TYPES
        },
        "templates": {
            template_type: str(session.get_one(Template, DEMO_TEMPLATES[template_type]).id)
            for template_type in TEMPLATE_TYPES
        },
        # one that is not the default, so that using it shows
        "sms_sender_id": str(session.scalar(senders.order_by(SmsSender.is_default, SmsSender.created_at).limit(1))),
        "email_reply_to_id": str(
            session.scalar(reply_tos.order_by(EmailReplyTo.is_default.desc(), EmailReplyTo.created_at).limit(1))
        ),
        "objects": _describe_objects(settings),
    }


def _describe_objects(settings: Settings) -> dict[str, str]:
    """The object store for files that the admin app would upload."""
    key, secret = credentials_of(settings)
    return {
        "endpoint": address_of(settings),
        "key": key,
        "secret": secret,
        "csv_upload": settings.s3_bucket_csv_upload,
        "contact_list": settings.s3_bucket_contact_list,
        "transient_letters": settings.s3_bucket_transient_uploaded_letters,
        "report_requests": settings.s3_bucket_report_requests_download,
    }


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _kept_password(kept: Any) -> str | None:
    """The password in the file, if the file is about this demo. The user may have changed it since."""
    user = kept.get("user") if isinstance(kept, dict) else None
    if not isinstance(user, dict) or user.get("id") != str(DEMO_USER):
        return None
    password = user.get("password")
    return password if isinstance(password, str) else None


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Write the file atomically; only its owner can ever read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(json.dumps(content, indent=2) + "\n")
    Path(temporary).replace(path)
