"""A client of Zendesk's ticket API (contract: content 19, workers 16)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal
from urllib.parse import quote
from uuid import uuid4

import structlog

from notify.infra.json_values import InvalidJSONError, dump_json, parse_json
from notify.infra.outbound import Answer
from notify.infra.patient_calls import CallError, PatientCaller

logger = structlog.get_logger(__name__)

GROUP: Final = 360000036529
ORGANISATION: Final = 21891972
FORM: Final = 14226867890588
TAG: Final = "govuk_notify_support"
TASK_TYPE_FIELD: Final = 14229641690396
RESPONDER_FIELD: Final = 1900000744994

TicketKind = Literal["incident", "task", "question"]
TicketStatus = Literal["new", "open", "pending", "solved"]


class Zendesk:
    """Creates and updates tickets."""

    def __init__(self, caller: PatientCaller, *, url: str, account: str, key: str) -> None:
        self._caller = caller
        self._api = url.rstrip("/") + "/api/v2"
        self._authorization = "Basic " + b64encode(f"{account}/token:{key}".encode()).decode("ascii")

    def create(
        self,
        subject: str,
        message: str,
        *,
        kind: TicketKind,
        cc: Sequence[str] = (),
        task_type: str | None = None,
        is_technical: bool = True,
        is_html: bool = False,
    ) -> None:
        """Create a ticket. The addresses in `cc` get its text. Raises `CallError`; if Zendesk has suspended the
        requester, that is only logged.
        """
        fields: list[dict[str, Any]] = []
        if task_type is not None:
            fields.append({"id": TASK_TYPE_FIELD, "value": task_type})
        responder = "notify_ticket_type_technical" if is_technical else "notify_ticket_type_non_technical"
        fields.append({"id": RESPONDER_FIELD, "value": responder})
        ticket: dict[str, Any] = {
            "subject": subject,
            "comment": {"html_body" if is_html else "body": message, "public": bool(cc)},
            "group_id": GROUP,
            "organization_id": ORGANISATION,
            "ticket_form_id": FORM,
            "priority": "normal",
            "tags": [TAG],
            "type": kind,
            "custom_fields": fields,
        }
        if cc:
            ticket["email_ccs"] = [{"user_email": address, "action": "put"} for address in cc]
        # an idempotency key, so that a repeated call makes no second ticket
        headers = {"Idempotency-Key": str(uuid4())}
        answer = self._call("POST", "/tickets.json", dump_json({"ticket": ticket}), headers=headers)
        if answer.status == 422 and _is_suspended(answer):
            logger.warning("ticket not made: its requester is suspended", subject=subject)
        elif answer.status != 201:
            raise CallError(f"http_{answer.status}")

    def update(
        self,
        ticket_id: int,
        message: str,
        *,
        files: Mapping[str, bytes] | None = None,
        status: TicketStatus | None = None,
        due_at: datetime | None = None,
    ) -> None:
        """Add a comment that the requester sees, with files (content by name). `due_at` is aware, UTC. Raises
        `CallError`.
        """
        tokens = [self._upload(name, content) for name, content in (files or {}).items()]
        ticket: dict[str, Any] = {"comment": {"body": message, "public": True, "uploads": tokens}}
        if status is not None:
            ticket["status"] = status
        if due_at is not None:
            ticket["due_at"] = f"{due_at:%Y-%m-%dT%H:%M:%SZ}"
        answer = self._call("PUT", f"/tickets/{ticket_id}", dump_json({"ticket": ticket}))
        if answer.status != 200:
            raise CallError(f"http_{answer.status}")

    def _upload(self, name: str, content: bytes) -> str:
        path = f"/uploads.json?filename={quote(name, safe='')}"
        answer = self._call("POST", path, content, content_type="application/binary")
        if answer.status != 201:
            raise CallError(f"http_{answer.status}")
        try:
            return str(parse_json(answer.body)["upload"]["token"])
        except (InvalidJSONError, KeyError, TypeError):
            raise CallError("invalid_answer") from None

    def _call(
        self,
        method: str,
        path: str,
        data: bytes,
        *,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        sent = {"Authorization": self._authorization, "Content-Type": content_type, **(headers or {})}
        return self._caller.call(method, self._api + path, data=data, headers=sent)


def _is_suspended(answer: Answer) -> bool:
    try:
        details = parse_json(answer.body)["details"]["requester"]
    except (InvalidJSONError, KeyError, TypeError):
        return False
    return "suspended" in str(details).lower()
