"""The suite's fixtures made through the rooms instead of the API, so that an area can be worked on while the endpoints
that make users, services and templates are missing or broken (`--direct`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from notify import settings
from notify.accounts.actions import create_user
from notify.infra.parts import Parts, build_parts
from notify.organisations.actions import create_organisation
from notify.services.api_keys import create_api_key
from notify.services.limits import MessageLimits
from notify.services.senders import add_sms_sender
from notify.services.service import create_service, update_service
from notify.templates.actions import create_template

Values = dict[str, Any]

LIVE: Final = {"email_message_limit": 250_000, "sms_message_limit": 250_000, "letter_message_limit": 20_000}
_SMS: Final = {"name": "Reminder", "content": "Dear ((name)), see you on ((day))."}
_EMAIL: Final = {
    "name": "Welcome",
    "subject": "Hello ((name))",
    "content": "# Welcome\n\n* one\n* two\n\nhttps://www.example.gov.uk/((reference))",
}
_LETTER: Final = {
    "name": "Notice",
    "subject": "Your ((thing))",
    "content": "Dear ((name)), it is ready.",
    "postage": "second",
}
_TRIAL_LETTER: Final = {"name": "Notice", "subject": "Your thing", "content": "It is ready.", "postage": "second"}


class DirectFixtures:
    """Makes fixtures in the database of the product that runs on a data folder."""

    def __init__(self, folder: Path) -> None:
        environment = json.loads((folder / "run" / "environment.json").read_text())
        names = ("sqlalchemy_database_uri", "redis_url")
        self._parts: Parts = build_parts(settings.load(**{name: environment[name.upper()] for name in names}))
        self._makers: dict[str, Callable[[Session, Values], Values]] = {
            "user": self._user,
            "organisation": self._organisation,
            "service": lambda session, values: self._service(session, values, "Trees"),
            "service_2020": lambda session, values: self._service(session, values, "Ponds"),
            "live_service": lambda session, values: self._live(session, values, **LIVE),
            "live_service_2020": self._live,
            "templates": lambda session, values: self._templates(session, values, _EMAIL, _LETTER),
            "text_templates_2020": lambda session, values: self._templates(session, values, _EMAIL, None),
            "api_key": self._api_key,
            "trial_keys": self._trial_keys,
            "keys_2020": self._three_keys,
        }

    def can_make(self, name: str) -> bool:
        """Whether this fixture is made here; others consist of requests only."""
        return name in self._makers

    def make(self, name: str, values: Values) -> Values:
        """Make a fixture from the values that are known so far; the values that it saves."""
        with self._parts.database.transaction() as session:
            return {key: str(value) for key, value in self._makers[name](session, values).items()}

    def close(self) -> None:
        """Give the connections back."""
        self._parts.close()

    def _user(self, session: Session, values: Values) -> Values:
        user = create_user(
            session,
            name=f"Robin {values['unique']}",
            email_address=f"robin-{values['unique']}@example.gov.uk",
            password=f"correct horse {values['unique']}",
            mobile_number=f"0770{values['unique_digits']}1",
            state="active",
        )
        return {"user_id": user.id}

    def _organisation(self, session: Session, values: Values) -> Values:
        organisation = create_organisation(
            session, name=f"Parks {values['unique']}", crown=False, organisation_type="local"
        )
        return {"organisation_id": organisation.id}

    def _service(self, session: Session, values: Values, name: str) -> Values:
        service = create_service(
            session,
            name=f"{name} {values['unique']}",
            user_id=UUID(values["user_id"]),
            from_number="development",
            limits=MessageLimits(),
            organisation_type="local",
        )
        return {"service_id": service.id}

    def _live(self, session: Session, values: Values, **limits: int) -> Values:
        changes: Any = {"restricted": False, **limits}
        update_service(session, UUID(values["service_id"]), changed_by_id=UUID(values["user_id"]), **changes)
        return {}

    def _templates(
        self, session: Session, values: Values, email: dict[str, str], letter: dict[str, str] | None
    ) -> Values:
        wanted = {"sms": _SMS, "email": email, "letter": letter}
        saved = {}
        for template_type, fields in wanted.items():
            if fields is not None:
                options: Any = fields
                template = create_template(
                    session,
                    service_id=UUID(values["service_id"]),
                    template_type=template_type,
                    created_by_id=UUID(values["user_id"]),
                    **options,
                )
                saved[f"{template_type}_template_id"] = template.id
        return saved

    def _key(self, session: Session, values: Values, name: str, key_type: str) -> str:
        made = create_api_key(
            session,
            self._parts.encryptor,
            service_id=UUID(values["service_id"]),
            name=f"{name} {values['unique']}",
            key_type=key_type,
            created_by_id=UUID(values["user_id"]),
        )
        return made.full[-36:]

    def _api_key(self, session: Session, values: Values) -> Values:
        secret = self._key(session, values, "key", "normal")
        return {"api_key_secret": secret, "api_key": f"k-{values['service_id']}-{secret}"}

    def _three_keys(self, session: Session, values: Values) -> Values:
        secrets = {kind: self._key(session, values, kind, kind) for kind in ("normal", "team", "test")}
        saved = {f"{kind}_secret": secret for kind, secret in secrets.items()}
        return saved | {f"{kind}_key": f"k-{values['service_id']}-{secret}" for kind, secret in secrets.items()}

    def _trial_keys(self, session: Session, values: Values) -> Values:
        templates = self._templates(session, values, {**_EMAIL, "content": "Come in"}, _TRIAL_LETTER)
        sender = add_sms_sender(session, UUID(values["service_id"]), "TREES", is_default=True)
        return {**templates, **self._three_keys(session, values), "sms_sender_id": sender.id}
