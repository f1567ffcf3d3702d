"""The contract's worked examples of bills and statistics (examples-statistics.md, 1, 3, 4, 10), question by question."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import delete

from notify.app import EXTENSION, create_app
from notify.billing.models import AnnualBilling, LetterDespatchFact
from notify.infra.ids import new_public_id
from notify.infra.times import local_date, utc_now
from notify.jobs.models import Job
from notify.reporting.models import ProcessingTimeFact
from notify.services.organisations import link_service
from tests.conftest import fresh_parts
from tests.internal.admin import AdminClient, Factory
from tests.reporting.worked import add_billing_facts, add_status_facts

EXAMPLES = (Path(__file__).parent / "examples-statistics.md").read_text()
SECTIONS = {int(part.split(".")[0]): part for part in re.split(r"^## (?=\d)", EXAMPLES, flags=re.MULTILINE)[1:]}
_ASKED = re.compile(r"^`GET (\S+)` → 200([^\n]*)\n```json\n(.*?)^```", re.MULTILINE | re.DOTALL)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LIVE = ("Alder", "Birch", "Dogwood", "Maple", "Oak")
TRIAL = ("Cedar", "Nutmeg")
TODAY = local_date(utc_now())
DAYS = {f"day -{number}": TODAY - timedelta(days=number) for number in range(1, 10)}


class Question(NamedTuple):
    """What is asked, what of the answer is compared, and what it is."""

    path: str
    note: str
    expected: Any


def questions(section: int) -> list[Question]:
    return [Question(path, note, json.loads(text)) for path, note, text in _ASKED.findall(SECTIONS[section])]


def table(section: int, title: str) -> str:
    """The rows of a table, without the lines of its head."""
    found = re.search(rf"^{title}:\n\n((?:\|.*\n)+)", SECTIONS[section], re.MULTILINE)
    assert found
    return "\n".join(line.strip("| ") for line in found[1].splitlines()[2:])


@pytest.fixture(scope="module")
def admin(postgres_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdminClient]:
    """An instance with nothing but the examples."""
    with fresh_parts(postgres_url, valkey_url, tmp_path_factory.mktemp("worked"), notify_log_level="WARNING") as parts:
        app = create_app(parts.settings)
        yield AdminClient(app, parts)
        app.extensions[EXTENSION].close()


@pytest.fixture(scope="module")
def ids(admin: AdminClient) -> Mapping[str, UUID]:
    """The ids of what the examples name."""
    factory = Factory(admin.parts)
    services = {
        name: factory.service(name=name, restricted=name in TRIAL, organisation_type="local")
        for name in (*LIVE, *TRIAL)
    }
    found = {name: service.id for name, service in services.items()}
    found["Groves-org"] = factory.organisation(name="Groves").id
    for name in ("Alder", "Birch", "Cedar", "Dogwood", "Maple", "Nutmeg", "Oak"):
        for kind in ("sms", "email", "letter"):
            template = f"{kind}-{name[0]}"
            found[template] = factory.template(services[name], kind, name=template).id
    with admin.parts.database.transaction() as session:
        for name in ("Alder", "Birch", "Cedar"):
            link_service(session, found["Groves-org"], found[name])
        session.execute(delete(AnnualBilling))
        for name, free in (("Alder", 100), ("Birch", 0), ("Cedar", 50)):
            session.add(AnnualBilling(service_id=found[name], financial_year_start=2024, free_sms_fragment_limit=free))
        add_billing_facts(session, table(1, "ft_billing"), found)
        for section in (3, 4):
            add_status_facts(session, table(section, "ft_notification_status"), found, DAYS)
        for day, total, quick in _cells(table(3, "ft_processing_time")):
            session.add(
                ProcessingTimeFact(
                    bst_date=date.fromisoformat(day), messages_total=int(total), messages_within_10_secs=int(quick)
                )
            )
        for day, postage, threshold, rate, sheets, sent in _cells(table(10, "ft_billing_letter_despatch")):
            session.add(
                LetterDespatchFact(
                    bst_date=date.fromisoformat(day),
                    postage=postage,
                    cost_threshold=threshold,
                    rate=Decimal(rate),
                    billable_units=int(sheets),
                    notifications_sent=int(sent),
                )
            )
    return found


def _cells(rows: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in rows.splitlines()]


def ask(admin: AdminClient, ids: Mapping[str, UUID], question: Question) -> Any:
    """The answer, with names in place of ids and days."""
    path = question.path
    for name in sorted(ids, key=len, reverse=True):
        path = re.sub(rf"/{name}(?=[/?]|$)", f"/{ids[name]}", path)
    names = {str(id_): name for name, id_ in ids.items()}
    text = json.dumps(admin.get(path))
    text = _UUID.sub(lambda found: names.get(found[0], found[0]), text)
    for name, day in DAYS.items():
        text = text.replace(f'"{day}T', f'"{name}T')
    return json.loads(text)


@pytest.mark.parametrize("question", questions(1) + questions(10), ids=lambda question: question.path)
def test_a_bill(admin: AdminClient, ids: Mapping[str, UUID], question: Question) -> None:
    """In the order of the document: a question near the end makes a row that changes a later answer."""
    answer = ask(admin, ids, question)
    if "volumes-by-service" in question.path:  # the others belong to other examples
        answer = [row for row in answer if row["service_name"] in ("Alder", "Birch", "Cedar")]
    assert answer == question.expected


@pytest.mark.parametrize(
    "question", [question for number in (3, 4) for question in questions(number)], ids=lambda question: question.path
)
def test_statistics(admin: AdminClient, ids: Mapping[str, UUID], question: Question) -> None:
    answer = ask(admin, ids, question)
    if "performance-dashboard" in question.path:
        answer = {name: answer[name] for name in question.expected}
    if "its `data`" in question.note or "detailed" in question.path:
        answer = answer["data"]
    if "detailed" in question.path:
        answer = [row for row in answer if row.pop("created_at") and row["name"] in ("Maple", "Nutmeg")]
        assert all(row["notification_type"] in ("email", "sms", "letter") for row in answer)
        for row in answer + question.expected:
            row.pop("notification_type")  # an arbitrary one of its types
    if "sorted" in question.note:
        answer.sort(key=lambda row: (row["template_type"], row["status"]))
        question.expected.sort(key=lambda row: (row["template_type"], row["status"]))
    if "monthly-data-by-service" in question.path:
        assert [row[0] for row in answer] == sorted(row[0] for row in answer)
    assert answer == question.expected


def test_the_document_has_these_questions() -> None:
    assert [len(questions(number)) for number in (1, 3, 4, 10)] == [20, 9, 11, 1]


def test_totals_of_all_time(admin: AdminClient, ids: Mapping[str, UUID]) -> None:
    assert ids
    for _ in range(2):  # the second time, the sum of what is long past is known
        found = admin.get("/performance-dashboard", {"start_date": "2001-01-01", "end_date": "2001-01-01"})
        totals = {name: found[f"{name}_notifications"] for name in ("total", "sms", "email", "letter")}
        assert totals == {"total": 4491, "sms": 4406, "email": 61, "letter": 24}
        assert found["live_service_count"] == len(found["services_using_notify"]) == len(LIVE) + 1  # and Notify itself


def test_jobs_of_some_days_ago(admin: AdminClient, ids: Mapping[str, UUID]) -> None:
    """Section 5. The days of jobs without facts are those after the retention."""
    factory = Factory(admin.parts)
    pine = factory.service(name="Pine")
    known = dict(ids) | {"Pine": pine.id, "sms-P": factory.template(pine, "sms", name="sms-P").id}
    for number in (2, 3, 4, 6, 7, 8):
        moment = utc_now() - timedelta(days=number)
        job = factory.row(
            Job(
                id=new_public_id(),
                original_file_name=f"job-{number}-days.csv",
                service_id=pine.id,
                template_id=known["sms-P"],
                template_version=1,
                notification_count=10,
                created_by_id=pine.created_by_id,
                created_at=moment,
                processing_started=moment,
                processing_finished=moment,
                job_status="finished",
            )
        )
        known[f"job-{number}-days"] = job.id
    with admin.parts.database.transaction() as session:
        add_status_facts(session, table(5, "ft_notification_status"), known, DAYS)
    asked = {(question.path, question.note): question.expected for question in questions(5)}
    for (path, note), expected in asked.items():
        if "/upload" in path:  # of the room of jobs
            continue
        answer = ask(admin, known, Question(path, note, expected))["data"]
        if "(its statistics" in note:
            answer = answer["statistics"]
        elif "(names)" in note:
            answer = [job["original_file_name"] for job in answer]
        else:
            answer = [
                {
                    "original_file_name": job["original_file_name"],
                    "statistics": sorted(job["statistics"], key=lambda count: count["status"]),
                }
                for job in answer
            ]
        assert answer == expected, path
