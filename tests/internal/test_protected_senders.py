from __future__ import annotations

import pytest

from notify.services.models import ProtectedSender
from tests.internal.admin import AdminClient, Factory


def test_protected_senders_are_known_in_whatever_form(admin: AdminClient, factory: Factory) -> None:
    factory.row(ProtectedSender(sender_id="oakbank"))
    path = "/protected-sender-id/check"
    for sender in ("oakbank", "OAK Bank", " oak bank "):
        assert admin.get(path, {"sender_id": sender}) is True
    for sender in ("oak", "oakbank1", " "):
        assert admin.get(path, {"sender_id": sender}) is False


@pytest.mark.parametrize("query", [{}, {"sender_id": ""}, {"sender": "oakbank"}])
def test_no_sender(admin: AdminClient, query: dict[str, str]) -> None:
    answer = admin.get("/protected-sender-id/check", query, status=400)
    assert answer == {"result": "error", "message": "sender_id must be passed in"}
