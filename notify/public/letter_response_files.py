"""Notifications of SNS about response files of the printer that takes zip files (contract: public-api 15.3, 2020)."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import structlog
from flask import Blueprint, Response, request
from pydantic import BaseModel, BeforeValidator, ConfigDict
from werkzeug.exceptions import NotFound

from notify import queues
from notify.infra.container import Container
from notify.infra.errors import BusyError, ProblemError
from notify.infra.http import json_answer
from notify.infra.json_values import InvalidJSONError, parse_json
from notify.infra.sns import LARGEST_BYTES, SNSError, SNSMessage, SNSVerifier
from notify.infra.validation import complain, shown, validate
from notify.letters.printing.responses import RECORD_SORTED_COUNTS, UPDATE_STATUSES, is_response_file
from notify.letters.settings import PrinterSettings
from notify.public.v2 import errors

logger = structlog.get_logger(__name__)

SUCCEEDED: Final = {"result": "success", "message": "DVLA callback succeeded"}


def _content(value: object) -> object:
    if not isinstance(value, str | dict):
        raise complain(f"{shown(value)} is not of type string, object")
    return value


class _Notice(BaseModel):
    """The fields of every message of SNS."""

    model_config = ConfigDict(strict=True, extra="ignore")

    Type: Literal["Notification", "SubscriptionConfirmation"]
    MessageId: str
    Message: Annotated[str | dict[str, Any], BeforeValidator(_content)]


def blueprint(container: Container) -> Blueprint:
    """`POST /notifications/letter/dvla`. With `DVLA_TOPIC_ARNS`, only accepts genuine messages of these topics; without
    it (in development and test), any.
    """
    settings = container.parts.settings
    printer = settings.part(PrinterSettings)
    verifier = SNSVerifier(lambda: _outbound(container), printer.dvla_topic_arns, settings.sns_url)
    is_open = verifier.expects_messages or settings.is_safe_environment
    routes = Blueprint("letter_response_files", __name__)
    errors.handle(routes)

    @routes.post("/notifications/letter/dvla")
    def letter_response_file() -> Response:
        if not is_open:
            raise NotFound
        request.max_content_length = LARGEST_BYTES
        body = request.get_data(cache=False, parse_form_data=False)
        notice = validate(_Notice, _parse(body))
        if verifier.expects_messages:
            _check(verifier, body)
        if notice.Type == "Notification" and is_response_file(name := _file_name(notice.Message)):
            logger.info("response file of the printer", file=name)
            for task in (UPDATE_STATUSES, RECORD_SORTED_COUNTS):
                if not container.parts.queue.publish(task, [name], queue=queues.INTERNAL):
                    raise BusyError
        return json_answer(SUCCEEDED)

    return routes


def _outbound(container: Container) -> Any:
    from notify.infra.outbound import Outbound

    return container.get(Outbound)


def _parse(body: str | bytes) -> Any:
    try:
        return parse_json(body)
    except InvalidJSONError:
        raise ProblemError("Invalid JSON supplied in POST data") from None


def _check(verifier: SNSVerifier, body: bytes) -> None:
    """Raise `ProblemError` unless SNS sent this from one of our topics; confirm a subscription if it asks for that."""
    try:
        message = SNSMessage.read(body)
        verifier.verify(message)
        if message.Type == "SubscriptionConfirmation":
            verifier.confirm(message)
    except SNSError as error:
        logger.warning("message of SNS refused", reason=str(error))
        raise ProblemError(f"DVLA callback failed: {error}", status=error.status) from None


def _file_name(message: str | dict[str, Any]) -> str:
    """The key of the object that a message is about. Raises `ProblemError`."""
    found = _parse(message) if isinstance(message, str) else message
    try:
        return str(found["Records"][0]["s3"]["object"]["key"])
    except (KeyError, IndexError, TypeError):
        raise ProblemError("Message names no file") from None
