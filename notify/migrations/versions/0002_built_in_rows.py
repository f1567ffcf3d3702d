"""Built-in rows: Notify's own user, service and templates, providers, prices, NHS branding (contract: data-model 6).

Revision 0002, after 0001. The data is in the JSON files of `built_in/`.
"""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op
from argon2 import PasswordHasher

from notify.infra.ids import new_id, new_public_id
from notify.infra.times import LONDON

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_FOLDER = Path(__file__).parent.parent / "built_in"

# The downgrade empties these tables in this order. They contain other rows only if the platform has been used; then
# the foreign keys of those rows make the downgrade fail.
_TABLES = (
    "default_annual_allowance",
    "letter_rates",
    "rates",
    "provider_details_history",
    "provider_details",
    "organisation",
    "letter_branding",
    "email_branding",
    "template_redacted",
    "templates_history",
    "templates",
    "annual_billing",
    "inbound_numbers",
    "service_email_reply_to",
    "service_sms_senders",
    "service_permissions",
    "user_to_service",
    "services_history",
    "services",
    "users",
)


def _read(name: str) -> Any:
    return json.loads((_FOLDER / name).read_text(encoding="utf-8"))


def _insert(table: str, *rows: dict[str, Any]) -> None:
    """Insert rows into a table as it is in the database at this revision."""
    bind = op.get_bind()
    bind.execute(sa.Table(table, sa.MetaData(), autoload_with=bind, resolve_fks=False).insert(), list(rows))


def _insert_versioned(table: str, history: str, *rows: dict[str, Any]) -> None:
    _insert(table, *rows)
    _insert(history, *rows)


def upgrade() -> None:
    """Forward."""
    now = datetime.now(UTC)
    platform = _read("platform.json")
    notify = _read("notify_service.json")
    _people(notify, now)
    _service(notify, now)
    _templates(notify, now)
    _brandings(platform, now)
    _providers(platform)
    _prices(_read("prices.json"))


def downgrade() -> None:
    """Back."""
    for table in _TABLES:
        op.execute(sa.delete(sa.table(table)))


def _people(notify: dict[str, Any], now: datetime) -> None:
    _insert(
        "users",
        {
            **notify["user"],
            # a password that nobody knows: nobody can sign in as this user
            "_password": PasswordHasher().hash(secrets.token_urlsafe(32)),
            "state": "active",
            "auth_type": "sms_auth",
            "created_at": now,
            "password_changed_at": now,
            "email_access_validated_at": now,
        },
    )


def _service(notify: dict[str, Any], now: datetime) -> None:
    service_id = notify["service"]["id"]
    owned = {"service_id": service_id, "created_at": now}
    _insert_versioned(
        "services",
        "services_history",
        {**notify["service"], "created_by_id": notify["user"]["id"], "created_at": now, "version": 1},
    )
    _insert("user_to_service", {"user_id": notify["user"]["id"], "service_id": service_id})
    _insert("service_permissions", *({**owned, "permission": permission} for permission in notify["permissions"]))
    _insert("service_sms_senders", *({**owned, "id": new_public_id(), **sender} for sender in notify["sms_senders"]))
    _insert("service_email_reply_to", {**owned, "id": new_public_id(), **notify["email_reply_to"]})
    _insert("inbound_numbers", {"id": new_public_id(), "created_at": now, **notify["inbound_number"]})
    today = now.astimezone(LONDON).date()
    _insert(
        "annual_billing",
        {
            **owned,
            "id": new_id(),
            "financial_year_start": today.year if today.month >= 4 else today.year - 1,
            "free_sms_fragment_limit": notify["free_sms_fragment_limit"],
        },
    )


def _templates(notify: dict[str, Any], now: datetime) -> None:
    templates = _read("templates.json")
    _insert_versioned(
        "templates",
        "templates_history",
        *(
            {
                **template,
                "content": "\n".join(template["content"]),
                "service_id": notify["service"]["id"],
                "created_by_id": notify["user"]["id"],
                "created_at": now,
                "version": 1,
            }
            for template in templates
        ),
    )
    _insert(
        "template_redacted",
        *(
            {"template_id": template["id"], "updated_at": now, "updated_by_id": notify["user"]["id"]}
            for template in templates
        ),
    )


def _brandings(platform: dict[str, Any], now: datetime) -> None:
    for table in ("email_branding", "letter_branding", "organisation"):
        _insert(table, {**platform[table], "created_at": now})


def _providers(platform: dict[str, Any]) -> None:
    _insert_versioned(
        "provider_details",
        "provider_details_history",
        *({**provider, "id": new_id(), "active": True, "version": 1} for provider in platform["providers"]),
    )


def _prices(prices: dict[str, Any]) -> None:
    _insert("rates", *({**rate, "id": new_id(), "notification_type": "sms"} for rate in prices["sms"]))
    _insert("letter_rates", *_letter_rates(prices["letters"]))
    _insert(
        "default_annual_allowance",
        *(
            {
                "id": new_id(),
                "organisation_type": organisation_type,
                "valid_from_financial_year_start": int(year),
                "allowance": allowance,
                "notification_type": "sms",
            }
            for organisation_type, years in prices["free_sms_fragments"].items()
            for year, allowance in years.items()
        ),
    )


def _letter_rates(classes: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """One row per class, sheets, crown and start; each ends when the next one of its kind starts. A price without
    `crown` applies to crown and other services.
    """
    series: dict[tuple[str, int, bool], list[tuple[str, str]]] = defaultdict(list)
    for post_class, entries in classes.items():
        for entry in entries:
            for crown in (entry["crown"],) if "crown" in entry else (True, False):
                for sheets, rate in entry["prices"].items():
                    series[post_class, int(sheets), crown].append((entry["start"], rate))
    return [
        {
            "id": new_id(),
            "post_class": post_class,
            "sheet_count": sheets,
            "crown": crown,
            "rate": rate,
            "start_date": start,
            "end_date": end,
        }
        for (post_class, sheets, crown), steps in series.items()
        for (start, rate), end in zip(steps, [*(start for start, _ in steps[1:]), None], strict=True)
    ]
