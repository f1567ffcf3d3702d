"""How endpoints are declared and served, with endpoints of these tests."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest
from flask import Flask, Response
from pydantic import MISSING, field_validator
from sqlalchemy import text
from sqlalchemy.orm import Session

from notify.events.events import record_event
from notify.infra.container import Container
from notify.infra.database import after_commit
from notify.infra.errors import FieldProblemError, FieldsProblemError, NotFoundProblemError, ProblemError
from notify.infra.parts import Parts
from notify.infra.replica import BulkSession, Replica
from notify.infra.validation import complain
from notify.internal import fields
from notify.internal.auth import Client
from notify.internal.errors import Envelope
from notify.internal.reading import Unread
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body, Fields, FieldsQuery, Query
from tests.internal.admin import AdminClient, schema_faults

MALFORMED = "The browser (or proxy) sent a request that this server could not understand."

things = Routes("test_things", "/test")
strict = Routes("test_strict", "/test-v2", envelope=Envelope.V2)
theirs = Routes("test_theirs", "/test-functional", client=Client.FUNCTIONAL_TESTS)


class Inner(Body):
    day: fields.IsoDate
    name: str | MISSING = MISSING


class Thing(Body, extra="forbid"):
    owner: fields.Uuid
    name: fields.NonEmpty
    kind: Literal["round", "square"] | MISSING = MISSING
    note: str | MISSING | None = MISSING
    size: int | MISSING = MISSING
    inner: Inner | MISSING = MISSING
    ids: list[fields.Uuid] | MISSING = MISSING
    active: bool | MISSING | None = MISSING
    email: fields.EmailAddress | MISSING = MISSING


class Form(Fields):
    name: str
    count: int | MISSING = MISSING
    active: bool | MISSING = MISSING
    owner: fields.Uuid | MISSING = MISSING
    kinds: list[Literal["sms", "email"]] | MISSING = MISSING
    values: dict[str, Any] | MISSING = MISSING

    @field_validator("name")
    @classmethod
    def _name(cls, name: str) -> str:
        if name == "no":
            raise complain("Invalid name")
        if name == "never":
            raise ValueError("Never a name")
        return name


class StrictForm(Fields, extra="forbid"):
    name: str | MISSING = MISSING


class Changes(Body, extra="forbid"):
    min_properties = 1
    start: fields.IsoDate | MISSING | None = MISSING


class Search(Query, extra="forbid"):
    start_date: fields.IsoDate | MISSING = MISSING
    kinds: list[Literal["sms", "email"]] | MISSING = MISSING


class Filter(FieldsQuery):
    page: fields.IntText = 1
    active: bool | MISSING = MISSING


class Forms(Answer):
    d1: fields.Moment
    d2: fields.SpacedMoment
    d3: fields.HttpDate
    d3_of_a_day: fields.HttpDate
    d4: fields.NaiveMoment
    d4_with_a_zone: fields.ZonedMoment
    d5: fields.Day
    money: fields.Money
    price: float
    none: fields.TextOfNone
    id: UUID


@things.post("/thing")
def make_thing(body: Thing) -> dict[str, Any]:
    """Make a thing."""
    return body.given()


@things.post("/form")
def fill_form(body: Form) -> dict[str, Any]:
    """Fill in a form."""
    return body.given()


@things.post("/strict-form")
def fill_strict_form(body: StrictForm) -> dict[str, Any]:
    """Fill in a form without more fields."""
    return body.given()


@things.post("/changes")
def change(body: Changes) -> dict[str, Any]:
    """Change something."""
    return body.given()


@things.get("/search")
def search(query: Search) -> dict[str, Any]:
    """Search things."""
    return query.given()


@things.get("/filter")
def filter_things(query: Filter) -> dict[str, Any]:
    """Filter things."""
    return {"page": query.page, **query.given()}


@things.get("/forms")
def show_forms() -> Forms:
    """Show the forms of dates and money."""
    moment = datetime(2026, 7, 2, 10, 0, 0, tzinfo=UTC)
    return Forms(
        d1=moment,
        d2=moment,
        d3=moment,
        d3_of_a_day=date(2026, 7, 2),
        d4=moment,
        d4_with_a_zone=moment,
        d5=date(2026, 7, 2),
        money=Decimal("0.660"),
        price=0.5,
        none=None,
        id=UUID(int=7),
    )


@things.get("/untyped/<thing_id>")
def untyped(thing_id: UUID) -> str:
    """Get a thing by what need not be an id."""
    return str(thing_id)


@things.get("/version/<int:number>")
def version(number: int) -> int:
    """Get a version."""
    return number


@things.post("/later/<word>")
def later(word: str, body: Unread[Thing]) -> dict[str, Any]:
    """Look at the path before the body."""
    if word == "nobody":
        raise NotFoundProblemError
    return body.read().given()


@things.get("/writing")
def write_while_reading(session: Session) -> None:
    """Try to write."""
    record_event(session, "written while reading", {})


@things.get("/bulk")
def read_in_bulk(session: BulkSession) -> str:
    """Say which connection reads."""
    return str(session.scalar(text("SELECT current_setting('application_name') || ' ' || count(*) FROM services")))


@things.post("/record/<word>")
def record(session: Session, container: Container, word: str) -> str:
    """Record an event, and fail if asked to."""
    after_commit(session, lambda: container.parts.cache.set(f"recorded-{word}", "1", seconds=60))
    event = record_event(session, word, {})
    if word.startswith("fail"):
        raise ProblemError("refused after writing")
    return str(event.id)


@things.post("/sql/<word>")
def run_sql(session: Session, word: str) -> None:
    """Break a rule of the database."""
    statements = {
        "foreign": "INSERT INTO user_to_service (user_id, service_id) VALUES (gen_random_uuid(), gen_random_uuid())",
        "unique": "INSERT INTO domain SELECT 'a.b', id FROM organisation UNION ALL SELECT 'a.b', id FROM organisation",
        "data": "SELECT 'x'::uuid",
        "unknown": "SELECT * FROM no_such_table",
    }
    session.execute(text(statements[word]))


@things.post("/problem/<word>")
def have_a_problem(word: str) -> None:
    """Be refused."""
    raise {
        "plain": ProblemError("no"),
        "several": ProblemError(["a", "b"], status=410),
        "field": FieldProblemError("name", "Duplicate"),
        "fields": FieldsProblemError({"name": ["a"], "kinds": {"0": ["b"]}}),
    }[word]


@things.get("/plain")
def plain() -> Response:
    """Answer something else than JSON."""
    return Response("a,b\r\n", content_type="text/csv")


@strict.post("/thing")
def make_strict_thing(body: Thing) -> None:
    """Make a thing for which every error has the v2 envelope."""
    raise FieldProblemError("name", "Duplicate")


@theirs.get("")
def theirs_only() -> str:
    """Be asked by the functional tests."""
    return "ok"


@pytest.fixture(scope="module")
def ours(internal_parts: Parts) -> AdminClient:
    """An application that serves the endpoints above."""
    app = Flask("test")
    for routes in (things, strict, theirs):
        app.register_blueprint(routes.blueprint(Container(internal_parts)))
    return AdminClient(app, internal_parts)


OWNER = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
GOOD = {"owner": OWNER, "name": "x"}


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, ["owner is a required property", "name is a required property"]),
        (None, ["None is not of type object"]),
        ([], ["[] is not of type object"]),
        ("x", ["x is not of type object"]),
        ({**GOOD, "name": ""}, ["name  should be non-empty"]),
        ({**GOOD, "name": None}, ["name None is not of type string"]),
        ({**GOOD, "owner": 5}, ["owner is not a valid UUID"]),
        ({**GOOD, "owner": f" {OWNER}"}, ["owner is not a valid UUID"]),
        ({**GOOD, "kind": "flat"}, ["kind flat is not one of [round, square]"]),
        ({**GOOD, "kind": 7}, ["kind 7 is not one of [round, square]"]),
        ({**GOOD, "note": ["it's"]}, ['note ["its"] is not of type string, null']),
        ({**GOOD, "active": "yes"}, ["active yes is not of type boolean, null"]),
        ({**GOOD, "size": 3.5}, ["size 3.5 is not of type integer"]),
        ({**GOOD, "inner": {}}, ["inner day is a required property"]),
        ({**GOOD, "inner": 5}, ["inner 5 is not of type object"]),
        ({**GOOD, "inner": {"day": "2026-02-30"}}, ["inner day is out of range for month"]),
        ({**GOOD, "ids": ["green", OWNER]}, ["ids is not a valid UUID"]),
        ({**GOOD, "ids": None}, ["ids None is not of type array"]),
        ({**GOOD, "email": "nobody"}, ["email Not a valid email address"]),
        ({**GOOD, "more": 1}, ["Additional properties are not allowed (more was unexpected)"]),
        ({**GOOD, "z": 1, "a": 1}, ["Additional properties are not allowed (a, z were unexpected)"]),
        (
            {"more": 1, "kind": "flat", "name": 5},
            [
                "name 5 is not of type string",
                "kind flat is not one of [round, square]",
                "owner is a required property",
                "Additional properties are not allowed (more was unexpected)",
            ],
        ),
    ],
)
def test_schema_words(ours: AdminClient, body: Any, faults: list[str]) -> None:
    answer = ours.call("POST", "/test/thing", raw=json.dumps(body))
    assert schema_faults(answer.get_json()) == faults


def test_what_is_given_is_what_was_sent(ours: AdminClient) -> None:
    assert ours.post("/test/thing", {**GOOD, "note": None}) == {**GOOD, "note": None}
    assert ours.post("/test/thing", {**GOOD, "owner": f"{{{OWNER.upper()}}}"}) == GOOD


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"name": ["Missing data for required field."]}),
        ([], {"_schema": ["Invalid input type."]}),
        ({"name": None}, {"name": ["Field may not be null."]}),
        ({"name": 5, "count": "x"}, {"name": ["Not a valid string."], "count": ["Not a valid integer."]}),
        ({"name": "a", "active": "perhaps"}, {"active": ["Not a valid boolean."]}),
        ({"name": "a", "owner": "me"}, {"owner": ["Not a valid UUID."]}),
        ({"name": "a", "owner": None}, {"owner": ["Field may not be null."]}),
        ({"name": "a", "values": "x"}, {"values": ["Not a valid mapping type."]}),
        ({"name": "a", "kinds": "x"}, {"kinds": ["Not a valid list."]}),
        ({"name": "a", "kinds": ["sms", "fax"]}, {"kinds": {"1": ["Must be one of: sms, email."]}}),
        ({"name": "no"}, {"name": ["Invalid name"]}),
        ({"name": "never"}, {"name": ["Never a name"]}),
    ],
)
def test_field_words(ours: AdminClient, body: Any, fields: dict[str, Any]) -> None:
    assert ours.post("/test/form", body, status=400) == {"result": "error", "message": fields}


def test_field_words_for_unknown_fields(ours: AdminClient) -> None:
    refused = ours.post("/test/strict-form", {"shoe_size": 9}, status=400)
    assert refused["message"] == {"_schema": ["Unknown field name shoe_size"]}
    assert ours.post("/test/form", {"name": "a", "shoe_size": 9, "count": "5"}) == {"name": "a", "count": 5}


def test_an_empty_object_where_something_must_be_given(ours: AdminClient) -> None:
    assert schema_faults(ours.post("/test/changes", {}, status=400)) == ["{} should be non-empty"]
    assert ours.post("/test/changes", {"start": None}) == {"start": None}


@pytest.mark.parametrize("raw", ["", "name=x", "{", '{"size": NaN}', b"\xff"])
def test_a_body_that_is_no_json(ours: AdminClient, raw: str | bytes) -> None:
    answer = ours.call("POST", "/test/form", raw=raw)
    assert (answer.status_code, answer.get_json()) == (400, {"result": "error", "message": MALFORMED})


def test_queries(ours: AdminClient) -> None:
    assert ours.get("/test/search", {"kinds": ["sms", "email"]}) == {"kinds": ["sms", "email"]}
    refused = ours.get("/test/search", {"start_date": "soon", "page": "1"}, status=400)
    assert schema_faults(refused) == [
        "start_date soon is not a date",
        "Additional properties are not allowed (page was unexpected)",
    ]
    assert schema_faults(ours.get("/test/search", {"start_date": ""}, status=400)) == ["start_date  is not a date"]
    assert ours.get("/test/filter") == {"page": 1}
    assert ours.get("/test/filter", {"page": ["2", "x"], "active": "true"}) == {"page": 2, "active": True}
    refused = ours.get("/test/filter", {"page": "two", "active": "perhaps"}, status=400)
    assert refused["message"] == {"page": ["Not a valid integer."], "active": ["Not a valid boolean."]}


def test_forms_of_dates_and_money(ours: AdminClient) -> None:
    assert ours.get("/test/forms") == {
        "d1": "2026-07-02T10:00:00.000000Z",
        "d2": "2026-07-02 10:00:00.000000",
        "d3": "Thu, 02 Jul 2026 10:00:00 GMT",
        "d3_of_a_day": "Thu, 02 Jul 2026 00:00:00 GMT",
        "d4": "2026-07-02T10:00:00",
        "d4_with_a_zone": "2026-07-02T10:00:00+00:00",
        "d5": "2026-07-02",
        "money": "0.66",
        "price": 0.5,
        "none": "None",
        "id": "00000000-0000-0000-0000-000000000007",
    }
    assert ours.call("GET", "/test/forms").text.startswith('{"d1":')


def test_parts_of_the_path(ours: AdminClient) -> None:
    assert ours.get(f"/test/untyped/{OWNER}") == OWNER
    assert ours.get("/test/untyped/me", status=404)["message"] == "No result found"
    assert ours.get("/test/version/3") == 3
    assert ours.call("GET", "/test/version/x").status_code == 404


def test_a_view_may_look_before_it_reads(ours: AdminClient) -> None:
    assert ours.post("/test/later/nobody", {}, status=404)["message"] == "No result found"
    assert len(schema_faults(ours.post("/test/later/me", {}, status=400))) == 2


def test_get_cannot_write(ours: AdminClient) -> None:
    assert ours.get("/test/writing", status=500)["message"] == "Internal server error"
    assert _recorded(ours, "written while reading") == 0
    assert ours.post("/test/record/after-a-reader", status=200)


def test_a_transaction_is_committed_before_the_answer_or_not_at_all(ours: AdminClient) -> None:
    word, failing = f"good-{uuid4()}", f"fail-{uuid4()}"
    ours.post(f"/test/record/{word}")
    assert _recorded(ours, word) == 1
    assert ours.post(f"/test/record/{failing}", status=400)["message"] == "refused after writing"
    assert _recorded(ours, failing) == 0
    assert ours.parts.cache.get(f"recorded-{word}") is not None
    assert ours.parts.cache.get(f"recorded-{failing}") is None


def test_big_reads_go_to_the_replica(ours: AdminClient, internal_parts: Parts) -> None:
    assert ours.get("/test/bulk").startswith("notify-api ")
    settings = internal_parts.settings.model_copy(
        update={"sqlalchemy_database_uri_bulk": internal_parts.settings.sqlalchemy_database_uri}
    )
    container = Container(replace(internal_parts, settings=settings))
    app = Flask("bulk")
    app.register_blueprint(things.blueprint(container))
    assert AdminClient(app, internal_parts).get("/test/bulk").startswith("notify-api-bulk ")
    container.get(Replica).close()


def _recorded(client: AdminClient, word: str) -> int:
    with client.parts.database.connection() as connection:
        row = connection.execute("SELECT count(*) FROM events WHERE event_type = %s", [word]).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize(
    ("word", "status", "message"),
    [
        ("plain", 400, "no"),
        ("several", 410, ["a", "b"]),
        ("field", 400, {"name": ["Duplicate"]}),
        ("fields", 400, {"name": ["a"], "kinds": {"0": ["b"]}}),
    ],
)
def test_problems(ours: AdminClient, word: str, status: int, message: Any) -> None:
    assert ours.post(f"/test/problem/{word}", status=status) == {"result": "error", "message": message}


@pytest.mark.parametrize(
    ("word", "status", "message"),
    [
        ("foreign", 404, "No result found"),
        ("data", 404, "No result found"),
        ("unknown", 500, "Internal server error"),
    ],
)
def test_faults_of_the_database(ours: AdminClient, word: str, status: int, message: str) -> None:
    assert ours.post(f"/test/sql/{word}", status=status) == {"result": "error", "message": message}


def test_a_value_that_is_taken_is_a_conflict(ours: AdminClient) -> None:
    with ours.parts.database.connection() as connection:
        connection.execute("INSERT INTO organisation (id, name, created_at) VALUES (gen_random_uuid(), 'T', now())")
    assert ours.post("/test/sql/unique", status=409)["result"] == "error"


def test_other_content(ours: AdminClient) -> None:
    answer = ours.call("GET", "/test/plain")
    assert (answer.text, answer.content_type) == ("a,b\r\n", "text/csv")


def test_routes_with_the_envelope_of_version_2(ours: AdminClient) -> None:
    unauthenticated = ours.call("POST", "/test-v2/thing", headers={}).get_json()
    assert unauthenticated["errors"][0]["error"] == "AuthError"
    assert ours.post("/test-v2/thing", GOOD, status=400) == {
        "status_code": 400,
        "errors": [{"error": "BadRequestError", "message": "Duplicate"}],
    }
    assert len(schema_faults(ours.post("/test-v2/thing", {}, status=400))) == 2


def test_each_client_has_its_routes(ours: AdminClient) -> None:
    tests = AdminClient(ours.app, ours.parts, Client.FUNCTIONAL_TESTS)
    assert tests.get("/test-functional") == "ok"
    assert tests.get("/test/forms", status=401)["message"] == {
        "token": ["Unauthorized: not allowed to perform this action"]
    }
    assert ours.get("/test-functional", status=401)


def test_declarations_that_make_no_sense() -> None:
    routes = Routes("test_wrong", "/x/<uuid:thing_id>")

    class Plain(Body):
        owners: list[UUID] | MISSING = MISSING

    def no_path(session: Session) -> None:
        """Forget the part of the path."""

    def no_docstring(thing_id: UUID) -> None: ...

    def plain_uuid(thing_id: UUID, body: Plain) -> None:
        """Read a plain UUID."""

    plain_uuid.__annotations__ = {"thing_id": UUID, "body": Plain, "return": None}
    for view, text_ in ((no_path, "path"), (no_docstring, "docstring"), (plain_uuid, "Uuid")):
        with pytest.raises(TypeError, match=text_):
            routes.get("")(view)


def test_the_connection_of_a_reader_can_write_again(internal_parts: Parts) -> None:
    with internal_parts.database.reading() as session, pytest.raises(Exception, match="read-only"):
        session.execute(text("CREATE TABLE x ()"))
    with internal_parts.database.transaction() as session:
        assert session.scalar(text("SHOW transaction_read_only")) == "off"
