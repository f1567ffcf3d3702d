from __future__ import annotations

from datetime import UTC, datetime

from notify.infra.ids import new_id
from notify.webhooks.payloads import returned_letter

SENT = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


def test_a_letter_of_a_spreadsheet() -> None:
    id_, template_id = new_id(), new_id()
    payload = returned_letter(
        notification_id=id_,
        reference=None,
        created_at=SENT,
        sender_email="ada@example.com",
        template_name="Reminder",
        template_id=template_id,
        template_version=3,
        spreadsheet_file_name="people.csv",
        job_row_number=0,
        uploaded_file_name=None,
    )
    assert payload == {
        "notification_id": id_,
        "reference": None,
        "date_sent": "2026-01-02T03:04:05.000006Z",
        "sent_by": "ada@example.com",
        "template_name": "Reminder",
        "template_id": str(template_id),
        "template_version": 3,
        "spreadsheet_file_name": "people.csv",
        "spreadsheet_row_number": 2,
        "upload_letter_file_name": None,
    }


def test_a_precompiled_letter_sent_by_api() -> None:
    payload = returned_letter(
        notification_id=new_id(),
        reference="mine",
        created_at=SENT,
        sender_email=None,
        template_name=None,
        template_id=None,
        template_version=None,
        spreadsheet_file_name=None,
        job_row_number=None,
        uploaded_file_name=None,
    )
    assert (payload["sent_by"], payload["template_id"], payload["template_version"]) == ("API", "None", None)
    assert payload["spreadsheet_row_number"] is None
