from __future__ import annotations

from tests.internal.admin import AdminClient


def test_the_rate_of_text_messages_is_a_number(admin: AdminClient) -> None:
    rate = admin.get("/sms-rate/")
    assert set(rate) == {"rate", "valid_from"}
    assert isinstance(rate["rate"], float)
    assert len(rate["valid_from"]) == len("2026-03-31T23:00:00")


def test_the_rates_of_letters_are_texts_in_order(admin: AdminClient) -> None:
    rates = admin.get("/letter-rates/")
    assert len(rates) == 25
    assert all(isinstance(row["rate"], str) for row in rates)
    assert rates == sorted(rates, key=lambda row: (row["sheet_count"], float(row["rate"]), row["post_class"]))


def test_the_address_without_its_slash_leads_there_without_a_token(admin: AdminClient) -> None:
    answer = admin.call("GET", "/sms-rate", headers={})
    assert answer.status_code == 308
    assert answer.headers["Location"].endswith("/sms-rate/")


def test_every_error_has_the_envelope_of_version_2(admin: AdminClient) -> None:
    answer = admin.call("GET", "/sms-rate/", headers={})
    assert answer.status_code == 401
    assert answer.get_json()["errors"] == [
        {"error": "AuthError", "message": "Unauthorized: authentication token must be provided"}
    ]
