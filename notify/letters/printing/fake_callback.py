"""Fake callbacks in place of the printer's: for letters of test keys, and for the sandbox printer (contract: letters
8.1, 10.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

from notify.infra.container import Container
from notify.infra.ids import new_id
from notify.infra.json_values import dump_json
from notify.infra.outbound import Outbound, OutboundError
from notify.infra.times import utc_now
from notify.letters.printing.callback_tokens import CallbackTokens

TIMEOUT_SECONDS: Final = 30.0

_PRODUCTS: Final[Mapping[str, tuple[str, str]]] = {
    "first": ("1ST", "UNCODED"),
    "second": ("2ND", "MM"),
    "economy": ("2ND", "UNSORTEDE"),
    "europe": ("INTERNATIONAL", "INT EU"),
}
_ELSEWHERE: Final = ("INTERNATIONAL", "INT ROW")


class CallbackFailedError(Exception):
    """Our own API did not accept the callback."""


def despatched(notification_id: UUID, sheets: int, postage: str, now: datetime) -> dict[str, Any]:
    """The printer's callback about a posted letter."""
    postage_class, product = _PRODUCTS.get(postage, _ELSEWHERE)
    moment = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    properties = {
        "totalSheets": str(sheets),
        "postageClass": postage_class,
        "mailingProduct": product,
        "productionRunDate": f"{now:%Y-%m-%d %H:%M:%S.000000}",
    }
    return {
        "id": str(new_id()),
        "source": "dvla:resource:osl:print:print-hub-fulfilment:5.18.0",
        "specVersion": "1",
        "type": "uk.gov.dvla.osl.osldatadictionaryschemas.print.messages.v2.PrintJobStatus",
        "time": moment,
        "dataContentType": "application/json",
        "dataSchema": "https://osl-data-dictionary-schemas.engineering.dvla.gov.uk/print/messages/v2/print-job-status.json",
        "data": {
            "despatchProperties": [{"key": key, "value": value} for key, value in properties.items()],
            "jobId": str(notification_id),
            "jobType": "NOTIFY",
            "jobStatus": "DESPATCHED",
            "templateReference": "NOTIFY",
            "transitionDate": moment,
        },
        "metadata": {
            "handler": {"urn": "dvla:resource:osl:print:print-hub-fulfilment:5.18.0"},
            "origin": {"urn": "dvla:resource:osg:dev:printhub:1.0.1"},
            "correlationId": str(new_id()),
        },
    }


class FakeCallbacks:
    """Posts callbacks to our own API, as the printer would."""

    def __init__(self, outbound: Outbound, tokens: CallbackTokens, api_url: str) -> None:
        self._outbound = outbound
        self._tokens = tokens
        self._url = api_url.rstrip("/") + "/notifications/letter/status"

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        address = container.parts.settings.api_host_name_internal
        return cls(container.get(Outbound), container.get(CallbackTokens), address)

    def send(self, notification_id: UUID, sheets: int, postage: str) -> None:
        """Report that a letter was posted. Raises `CallbackFailedError`."""
        body = despatched(notification_id, sheets, postage, utc_now())
        call = self._outbound.request(
            "POST",
            f"{self._url}?token={self._tokens.make(notification_id)}",
            data=dump_json(body),
            headers={"Content-Type": "application/json"},
            timeout=TIMEOUT_SECONDS,
        )
        try:
            answer = self._outbound.run(call).result(2 * TIMEOUT_SECONDS)
        except (OutboundError, TimeoutError) as error:
            raise CallbackFailedError(type(error).__name__) from None
        if not 200 <= answer.status < 300:
            raise CallbackFailedError(f"http_{answer.status}")
