from __future__ import annotations

from typing import Any

import pytest

from tests.internal.admin import AdminClient


@pytest.mark.parametrize("data", [{"user_id": "1", "nested": {"a": [None]}}, [1, "a", None], "text", 0, False, 2**70])
def test_an_event_is_recorded_with_any_data(admin: AdminClient, data: Any) -> None:
    made = admin.post("/events", {"event_type": "sucessful_login", "data": data}, status=201)["data"]
    assert made["data"] == data
    assert set(made) == {"id", "event_type", "created_at", "data"}


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, {"event_type": ["Missing data for required field."], "data": ["Missing data for required field."]}),
        (
            {"event_type": None, "data": None},
            {"event_type": ["Field may not be null."], "data": ["Field may not be null."]},
        ),
        ({"event_type": 5, "data": {}}, {"event_type": ["Not a valid string."]}),
        ([], {"_schema": ["Invalid input type."]}),
    ],
)
def test_wrong_events(admin: AdminClient, body: Any, faults: dict[str, Any]) -> None:
    assert admin.post("/events", body, status=400) == {"result": "error", "message": faults}


def test_a_type_too_long_for_the_column_is_not_found(admin: AdminClient) -> None:
    assert admin.post("/events", {"event_type": "a" * 256, "data": {}}, status=404)["message"] == "No result found"
