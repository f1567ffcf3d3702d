"""The contract's worked examples of lists of the last days (examples-statistics.md, 5, 6, 8)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from notify.infra.ids import new_id, new_public_id
from notify.infra.times import local_date, utc_now
from notify.jobs.models import Job
from notify.letters.models import ReturnedLetter
from notify.services.models import DataRetention
from notify.unsubscribes.models import UnsubscribeRequest, UnsubscribeRequestReport
from tests.internal.admin import AdminClient, Factory
from tests.internal.test_worked_examples import questions, table
from tests.reporting.worked import cells


def expected(section: int, path: str, note: str = "") -> Any:
    """The answer that the document gives to a question."""
    (found,) = [question for question in questions(section) if question.path == path and note in question.note]
    return found.expected


def test_uploads_reach_as_far_back_as_messages_are_kept(admin: AdminClient, factory: Factory) -> None:
    pine = factory.service()
    template = factory.template(pine)
    for number in (2, 3, 4, 6, 7, 8):
        moment = utc_now() - timedelta(days=number)
        factory.row(
            Job(
                id=new_public_id(),
                original_file_name=f"job-{number}-days.csv",
                service_id=pine.id,
                template_id=template.id,
                template_version=1,
                notification_count=10,
                created_by_id=pine.created_by_id,
                created_at=moment,
                processing_started=moment,
                processing_finished=moment,
                job_status="finished",
            )
        )

    def names() -> list[str]:
        return [upload["original_file_name"] for upload in admin.get(f"/service/{pine.id}/upload")["data"]]

    assert names() == expected(5, "/service/Pine/upload", "within the retention")
    factory.row(DataRetention(service_id=pine.id, notification_type="sms", days_of_retention=3))
    assert names() == expected(5, "/service/Pine/upload", "with a retention")


def test_reports_of_returned_letters(admin: AdminClient, factory: Factory) -> None:
    quince = factory.service()
    days = {f"day -{number}": f"{local_date(utc_now()) - timedelta(days=number)}" for number in range(1, 10)}

    def report(*names: str) -> None:
        for name in names:
            day = datetime.fromisoformat(days[name]).date()
            factory.row(ReturnedLetter(reported_at=day, service_id=quince.id, notification_id=new_id()))

    def dated(value: Any) -> Any:
        """An answer of the document, with days for their names."""
        if isinstance(value, list):
            return [dated(entry) for entry in value]
        if isinstance(value, dict):
            return {key: dated(entry) for key, entry in value.items()}
        for name, day in days.items():
            value = value.replace(name, day) if isinstance(value, str) else value
        return value

    path = f"/service/{quince.id}"
    statistics = [question.expected for question in questions(6) if question.path.endswith("statistics")]
    report("day -9", "day -8")
    assert admin.get(f"{path}/returned-letter-statistics") == dated(statistics[0])
    report("day -7", "day -3", "day -3")
    assert admin.get(f"{path}/returned-letter-statistics") == dated(statistics[1])
    assert admin.get(f"{path}/returned-letter-summary") == dated(expected(6, "/service/Quince/returned-letter-summary"))
    answer = admin.get(f"{path}/returned-letters", {"reported_at": days["day -3"]})
    assert answer == {"orphaned_count": 2, "returned_letters": []}


def test_reports_of_unsubscribe_requests(admin: AdminClient, factory: Factory) -> None:
    sorrel = factory.service()
    template = factory.template(sorrel, "email")
    reports = _reports(factory, sorrel.id)
    for _, _, _, version, address, created, *report in cells(table(8, "unsubscribe_request")):
        factory.row(
            UnsubscribeRequest(
                notification_id=new_id(),
                service_id=sorrel.id,
                template_id=template.id,
                template_version=int(version),
                email_address=address,
                created_at=_moment(created),
                unsubscribe_request_report_id=reports[report[0]] if report else None,
            )
        )
    names = {str(id_): name for name, id_ in reports.items()} | {str(sorrel.id): "Sorrel"}

    def named(row: dict[str, Any]) -> dict[str, Any]:
        return {key: names.get(value, value) if isinstance(value, str) else value for key, value in row.items()}

    path = f"/service/{sorrel.id}"
    summary = [named(row) for row in admin.get(f"{path}/unsubscribe-request-reports-summary")]
    assert summary == expected(8, "/service/Sorrel/unsubscribe-request-reports-summary")
    statistics = admin.get(f"{path}/unsubscribe-request-statistics")
    assert statistics == expected(8, "/service/Sorrel/unsubscribe-request-statistics")
    batch = named(admin.get(f"{path}/unsubscribe-request-report/{reports['report-1']}"))
    assert batch == expected(8, "/service/Sorrel/unsubscribe-request-report/report-1")


def _reports(factory: Factory, service_id: UUID) -> dict[str, UUID]:
    reports: dict[str, UUID] = {}
    for name, _, created, earliest, latest, processed, count in cells(table(8, "unsubscribe_request_report")):
        row = UnsubscribeRequestReport(
            service_id=service_id,
            created_at=_moment(created),
            earliest_timestamp=_moment(earliest),
            latest_timestamp=_moment(latest),
            processed_by_service_at=_moment(processed) if processed else None,
            count=int(count),
        )
        reports[name] = factory.row(row).id
    return reports


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")
