"""Reports of many messages are streamed."""

from __future__ import annotations

import tracemalloc
from uuid import UUID

from notify.infra.ids import new_id
from notify.jobs.models import ReportRequest
from notify.jobs.reports import ReportWriter
from notify.messages.models import TO
from tests.jobs.conftest import Office

ROWS = 20_000
MOST_BYTES = 8 * 1024 * 1024
"""2,500 rows at a time take 4 MB, all 20,000 took 26 MB."""
_FILL = """
INSERT INTO notifications (id, "to", service_id, template_id, template_version, key_type, notification_type, created_at,
                           notification_status, client_reference)
SELECT r.id, r."to", %s, %s, 1, 'normal', 'sms', now() - n * interval '1 ms', 'delivered', 'reference ' || n
FROM unnest(%s::uuid[], %s::bytea[]) WITH ORDINALITY r(id, "to", n)
"""


def test_a_report_is_not_in_memory_as_a_whole(office: Office) -> None:
    parts, template = office.parts, office.factory.template(office.service())
    ids = [new_id() for _ in range(ROWS)]
    recipients = [parts.encryptor.encrypt("07900900123", TO, id_) for id_ in ids]
    with parts.database.connection() as connection:
        connection.execute(_FILL, (template.service_id, template.id, ids, recipients))
    writer = office.container.get(ReportWriter)
    writer.process(template.service_id, _request(office, template.service_id, template.created_by_id, "failed"))
    request_id = _request(office, template.service_id, template.created_by_id, "all")
    tracemalloc.start()
    try:
        writer.process(template.service_id, request_id)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST_BYTES
    bucket = parts.objects.bucket(parts.settings.s3_bucket_report_requests_download)
    lines = bucket.get(f"notifications_report/{request_id}.csv").decode().splitlines()
    assert len(lines) == 1 + ROWS
    assert (lines[1].split(",")[1], lines[-1].split(",")[1]) == ("reference 1", f"reference {ROWS}")


def _request(office: Office, service_id: UUID, user_id: UUID, status: str) -> UUID:
    with office.parts.database.transaction() as session:
        request = ReportRequest(
            service_id=service_id,
            user_id=user_id,
            report_type="notifications",
            parameter={"notification_type": "sms", "notification_status": status},
        )
        session.add(request)
        session.flush()
        return request.id
