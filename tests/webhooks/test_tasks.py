"""The tasks that send callbacks, in the forms in which they may be on a queue."""

from __future__ import annotations

import pytest
import structlog

from notify.infra.ids import new_id
from notify.webhooks.tasks import send_complaint, send_delivery_status, send_inbound_sms, send_returned_letter
from tests.servers.receiver import Receiver
from tests.webhooks.conftest import Callbacks


def test_a_task_that_names_the_service(callbacks: Callbacks, receiver: Receiver) -> None:
    service = callbacks.service(receiver.url, "complaint")
    (id_,) = callbacks.record(service, callback_type="complaint")
    for _ in range(2):
        send_complaint(callbacks.container, None, str(service))
        callbacks.wait_until_done()
    assert [call.body["id"] for call in receiver.calls] == [str(id_)]


@pytest.mark.parametrize("task", [send_complaint, send_returned_letter])
@pytest.mark.parametrize("arguments", [("eyJhIjoxfQ.c2lnbmVk",), (), (None, "no id"), ({"a": 1},), (str(new_id()),)])
def test_signed_data_alone_names_no_service_and_is_dropped(
    callbacks: Callbacks, task: object, arguments: tuple[object, ...]
) -> None:
    with structlog.testing.capture_logs() as logs:
        task(callbacks.container, *arguments)  # type: ignore[operator]
    assert [entry["log_level"] for entry in logs] == ["error"]
    assert "eyJ" not in str(logs)


def test_the_form_with_a_subject_and_signed_data(callbacks: Callbacks) -> None:
    for task in (send_delivery_status, send_inbound_sms):
        task(callbacks.container, str(new_id()), "eyJhIjoxfQ.c2lnbmVk", receipt_iso_timestamp="2026-11-27T00:00:00")
    assert callbacks.pending() == []
