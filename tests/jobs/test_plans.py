"""Lists of jobs, uploads and contact lists use indexes: none scans a whole table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from notify.infra.errors import PageNotFoundError
from notify.infra.parts import Parts
from notify.infra.times import utc_now
from notify.jobs import maintenance, report_requests
from notify.jobs.contact_lists import get_contact_list, list_contact_lists
from notify.jobs.queries import count_scheduled, messages_of_job, page_of_jobs, page_of_messages
from notify.jobs.statistics import JobStatistics
from notify.jobs.uploads import page_of_letters, page_of_uploads
from tests.conftest import fresh_parts
from tests.internal.admin import Factory
from tests.jobs.conftest import Office
from tests.messages.test_plans import scans
from tests.services.factory import a_user

SERVICES, JOBS, LISTS, REPORTS, MESSAGES = 100, 20_000, 10_000, 10_000, 20_000
TABLES = ("jobs", "service_contact_list", "notifications", "report_requests")
SERVICE = UUID(int=0x5001)
JOB, LIST = UUID(int=0x6001), UUID(int=0x7001)
# services and what belongs to them, as copies of one that was made as usual
_FILL = (
    """INSERT INTO services SELECT (jsonb_populate_record(s, jsonb_build_object(
           'id', lpad(to_hex(x'5001'::int + 16 * n), 32, '0')::uuid, 'name', 'Copy ' || n, 'normalised_service_name', 'copy' || n,
           'email_sender_local_part', 'copy' || n))).*
       FROM services s, generate_series(0, %(services)s - 1) n WHERE s.id = %(from)s""",
    """INSERT INTO templates SELECT (jsonb_populate_record(t, jsonb_build_object(
           'id', s.id, 'service_id', s.id))).* FROM templates t, services s
       WHERE t.id = %(template)s AND s.name LIKE 'Copy %%'""",
    """INSERT INTO service_contact_list (id, original_file_name, row_count, template_type, service_id, created_at)
       SELECT lpad(to_hex(x'7001'::int + n), 32, '0')::uuid, 'list.csv', 9, 'sms',
              lpad(to_hex(x'5001'::int + 16 * (n %% %(services)s)), 32, '0')::uuid, now() - n * interval '1 minute'
       FROM generate_series(0, %(lists)s - 1) n""",
    """INSERT INTO jobs (id, original_file_name, service_id, template_id, template_version, notification_count, created_at,
                         processing_started, job_status, archived, contact_list_id)
       SELECT lpad(to_hex(x'6001'::int + n), 32, '0')::uuid, 'people.csv',
              lpad(to_hex(x'5001'::int + 16 * (n %% %(services)s)), 32, '0')::uuid,
              lpad(to_hex(x'5001'::int + 16 * (n %% %(services)s)), 32, '0')::uuid, 1, 9,
              now() - n * interval '1 minute', now() - n * interval '1 minute', 'finished all notifications created', true,
              CASE n %% 3 WHEN 0 THEN lpad(to_hex(x'7001'::int + n %% %(lists)s), 32, '0')::uuid END
       FROM generate_series(0, %(jobs)s - 1) n""",
    """INSERT INTO report_requests (id, user_id, service_id, report_type, status, created_at)
       SELECT gen_random_uuid(), %(user)s, lpad(to_hex(x'5001'::int + 16 * (n %% %(services)s)), 32, '0')::uuid,
              'notifications', 'deleted', now() - n * interval '1 minute' FROM generate_series(0, %(reports)s - 1) n""",
    """INSERT INTO notifications (id, "to", service_id, template_id, template_version, key_type, notification_type,
                                  created_at, notification_status, job_id, job_row_number)
       SELECT gen_random_uuid(), 'x', lpad(to_hex(x'5001'::int + 16 * (n %% %(services)s)), 32, '0')::uuid,
              lpad(to_hex(x'5001'::int + 16 * (n %% %(services)s)), 32, '0')::uuid, 1, 'normal', 'letter',
              now() - n * interval '1 minute', 'created',
              CASE WHEN n %% 2 = 0 THEN lpad(to_hex(x'6001'::int + n), 32, '0')::uuid END,
              CASE WHEN n %% 2 = 0 THEN 0 END
       FROM generate_series(0, %(messages)s - 1) n""",
)
LARGE_JOB = 4_000
_LARGE_JOB = """
INSERT INTO notifications (id, "to", service_id, template_id, template_version, key_type, notification_type, created_at,
                           notification_status, job_id, job_row_number)
SELECT gen_random_uuid(), 'x', %s, %s, 1, 'normal', 'sms', now(),
       CASE n %% 2 WHEN 0 THEN 'delivered' ELSE 'permanent-failure' END, %s, CASE WHEN %s THEN n END
FROM generate_series(0, %s - 1) n
"""


@pytest.fixture(scope="module")
def full(postgres_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """Parts whose database has many jobs. No test removes any."""
    with fresh_parts(postgres_url, valkey_url, tmp_path_factory.mktemp("full")) as parts:
        factory = Factory(parts)
        service = factory.service()
        values = {
            "from": service.id,
            "template": factory.template(service).id,
            "user": service.created_by_id,
            "services": SERVICES,
            "jobs": JOBS,
            "lists": LISTS,
            "reports": REPORTS,
            "messages": MESSAGES,
        }
        with parts.database.connection() as connection:
            for statement in _FILL:
                connection.execute(statement, values)
        with parts.database.autocommit() as connection:
            connection.execute("ANALYZE")
        yield parts


Read = Callable[[Session, Parts], object]


def jobs_page(number: int, **filters: object) -> Read:
    def read(session: Session, _parts: Parts) -> None:
        page = page_of_jobs(session, SERVICE, number=number, **filters)  # type: ignore[arg-type]
        JobStatistics(_parts.cache).of(session, [details.job for details in page.rows])

    return read


@pytest.mark.parametrize(
    "read",
    [
        jobs_page(1),
        jobs_page(3),
        jobs_page(1, since=utc_now() - timedelta(days=9), statuses=("finished all notifications created",)),
        jobs_page(1, contact_list_id=LIST),
        lambda session, _parts: count_scheduled(session, SERVICE),
        lambda session, parts: page_of_messages(
            session, parts.encryptor, SERVICE, UUID(int=0x6001), statuses=(), types=(), number=9, size=50
        ),
        lambda session, _parts: page_of_uploads(session, SERVICE, number=1, now=utc_now()),
        lambda session, _parts: page_of_uploads(session, SERVICE, number=2, now=utc_now(), since=utc_now()),
        lambda session, parts: page_of_letters(session, parts.encryptor, SERVICE, utc_now().date(), number=2),
        lambda session, _parts: list_contact_lists(session, SERVICE, utc_now()),
        lambda session, _parts: get_contact_list(session, SERVICE, LIST, utc_now()),
        lambda session, _parts: maintenance.find_stalled(session, utc_now(), timedelta(minutes=2)),
        lambda session, _parts: maintenance.find_unpublished(session, utc_now()),
        lambda session, _parts: maintenance.start_due(session, utc_now()),
        lambda session, _parts: maintenance.complete(session, utc_now()),
        lambda session, _parts: maintenance.find_incomplete(session, utc_now()),
        lambda session, _parts: report_requests.mark_deleted(session, utc_now()),
        lambda session, _parts: report_requests.request_report(
            session,
            SERVICE,
            user_id=a_user(session).id,
            notification_type="sms",
            notification_status="all",
            now=utc_now(),
        ),
    ],
)
def test_no_query_reads_a_whole_table(full: Parts, read: Read) -> None:
    before = {table: scans(full, table) for table in TABLES}
    with full.database.session() as session, suppress(PageNotFoundError):
        read(session, full)
        session.rollback()  # the plans count, and nothing is to change
    assert {table: scans(full, table) for table in TABLES} == before


@pytest.mark.parametrize("statuses", [(), ("delivered",), ("failed",)])
def test_the_messages_of_a_job_are_counted_by_an_index_alone(office: Office, statuses: tuple[str, ...]) -> None:
    template = office.factory.template(office.service())
    job_id = office.job(template, "phone number,name\n", rows=LARGE_JOB)
    with office.parts.database.connection() as connection:
        connection.execute(_LARGE_JOB, (template.service_id, template.id, job_id, True, LARGE_JOB))
        connection.execute(_LARGE_JOB, (template.service_id, template.id, None, False, 3 * LARGE_JOB))
    with office.parts.database.autocommit() as connection:
        connection.execute("VACUUM (ANALYZE) notifications")
    counted = select(func.count()).select_from(messages_of_job(job_id, statuses).subquery())
    with office.parts.database.session() as session:
        assert session.scalar(counted) == (LARGE_JOB if not statuses else LARGE_JOB // 2)
        sql = str(counted.compile(dialect=session.get_bind().dialect, compile_kwargs={"literal_binds": True}))
        plan = "\n".join(session.scalars(text("EXPLAIN " + sql)))
    assert "Index Only Scan" in plan, plan
    assert "service" not in plan
