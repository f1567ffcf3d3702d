"""The console's pages and data, asked as a browser asks."""

from __future__ import annotations

import email
import email.policy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from werkzeug.test import TestResponse

from notify import settings
from notify.app import create_app
from notify.cli.demo import ensure_demo
from notify.console.queries import Filter, page_query
from notify.console.timeline import state_of
from notify.infra.ids import new_id
from notify.infra.queue import TaskName
from notify.letters.files import LetterFiles, LetterRow, put
from notify.vocabulary import STATUSES
from notify.webhooks.actions import create_callback
from tests.api import Api
from tests.production import PRODUCTION

HTML = "<html><head></head><body><p>Hello</p><script>alert(1)</script></body></html>"


def ask(api: Api, path: str, **headers: str) -> TestResponse:
    return api.app.test_client().get(f"/console{path}", headers=headers)


def get(api: Api, path: str) -> Any:
    answer = ask(api, f"/data/{path}")
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def listed(api: Api, query: str = "") -> list[str]:
    return [message["id"] for message in get(api, f"messages?{query}")["messages"]]


def deliver(api: Api, id_: UUID, **values: Any) -> None:
    """As if the sandbox had been given the message, and had reported."""
    columns: dict[str, Any] = {
        "id": new_id(),
        "notification_id": id_,
        "channel": "sms",
        "recipient": "447900900123",
        "sender": "GOVUK",
        "body": "Hello",
        "outcome": "delivered",
        **values,
    }
    names, marks = ", ".join(columns), ", ".join(["%s"] * len(columns))
    query = "INSERT INTO sandbox_messages ({}, created_at, receipt_due_at, receipt_sent_at) VALUES ({}, now(), now(), now())"
    api.execute(query.format(names, marks), *columns.values())
    api.execute(
        "UPDATE notifications SET notification_status = 'delivered', sent_by = 'sandbox', sent_at = now(),"
        " updated_at = now() WHERE id = %s",
        id_,
    )


# -- who may see it


def test_there_is_none_in_production(api: Api, tmp_path: Path) -> None:
    production = settings.load(
        **PRODUCTION
        | {
            "sqlalchemy_database_uri": api.parts.settings.sqlalchemy_database_uri,
            "redis_url": api.parts.settings.redis_url,
            "notify_data_dir": tmp_path,
        }
    )
    app = create_app(production)
    try:
        assert "console" not in app.blueprints
        assert "console" in api.app.blueprints
        for rule in (rule for rule in api.app.url_map.iter_rules() if rule.rule.startswith("/console")):
            path = rule.rule.replace("<uuid:notification_id>", str(uuid4())).replace("<path:filename>", "app.js")
            assert app.test_client().get(path).status_code == 404, path
    finally:
        app.extensions["notify"].close()


@pytest.mark.parametrize("path", ["", "/now", "/static/app.js", "/data/messages", "/data/demo"])
def test_it_answers_to_names_of_this_machine_only(api: Api, path: str) -> None:
    for host in ("localhost", "localhost:6011", "127.0.0.1:6011", "[::1]:6011"):
        assert ask(api, path, Host=host).status_code == 200, host
    for host in ("evil.example", "localhost.evil.example", "evil.example:6011", "[::1", "127.0.0.1.nip.io"):
        refused = ask(api, path, Host=host)
        assert refused.status_code == 403, host
        assert "messages" not in refused.text


def test_it_answers_to_this_machine_only(api: Api) -> None:
    client = api.app.test_client()
    for peer, headers, status in (
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("::ffff:127.0.0.1", {}, 200),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 200),
        ("192.168.1.4", {}, 403),
        ("203.0.113.5", {"X-Forwarded-For": "127.0.0.1"}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.5, 127.0.0.1"}, 403),
        ("127.0.0.1", {"X-Real-IP": "203.0.113.5"}, 403),
    ):
        answer = client.get(
            "/console/data/demo", headers={"Host": "localhost", **headers}, environ_overrides={"REMOTE_ADDR": peer}
        )
        assert answer.status_code == status, (peer, headers)


def test_it_answers_to_the_name_of_the_api(api: Api) -> None:
    app = create_app(api.parts.settings.model_copy(update={"api_host_name": "https://notify.dev.example:8443"}))
    try:
        for host, status in (("notify.dev.example:8443", 200), ("other.dev.example:8443", 403)):
            assert app.test_client().get("/console", headers={"Host": host}).status_code == status
    finally:
        app.extensions["notify"].close()


def test_other_sites_cannot_use_it(api: Api) -> None:
    for site in ("cross-site", "same-site"):
        assert ask(api, "/data/messages", **{"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors"}).status_code == 403
        embedded = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
        assert ask(api, "", **embedded).status_code == 403
        link = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        assert ask(api, "", **link).status_code == 200
    assert ask(api, "/data/messages", **{"Sec-Fetch-Site": "same-origin"}).status_code == 200


@pytest.mark.parametrize("path", ["", "/static/app.js", "/data/messages", f"/data/messages/{UUID(int=7)}", "/nothing"])
def test_nothing_of_it_is_shared_across_origins(api: Api, path: str) -> None:
    answer = ask(api, path, Origin="https://evil.example")
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert api.call("GET", "/_status", headers={}).headers["Access-Control-Allow-Origin"] == "*"


def test_a_preflight_allows_nothing(api: Api) -> None:
    answer = api.app.test_client().options(
        "/console/data/messages", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    )
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


def test_pages_load_nothing_from_elsewhere(api: Api) -> None:
    page = ask(api, "")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http:" not in page.text.replace(api.parts.settings.api_host_name, "")
    assert "https:" not in page.text
    assert "<script>" not in page.text
    assert page.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    for name in (
        "app.js",
        "dom.js",
        "list.js",
        "message.js",
        "now.js",
        "send.js",
        "server.js",
        "unread.js",
        "again.js",
    ):
        script = ask(api, f"/static/{name}")
        assert "javascript" in script.headers["Content-Type"], name
        assert "innerHTML" not in script.text
    assert ask(api, "/static/console.css").mimetype == "text/css"


AGAIN = "/console/data/messages/<uuid:notification_id>/callback"


def test_one_request_of_it_has_an_effect(api: Api) -> None:
    rules = [rule for rule in api.app.url_map.iter_rules() if rule.rule.startswith("/console")]
    assert len(rules) > 8
    looking = {"GET", "HEAD", "OPTIONS"}
    assert [rule.rule for rule in rules if not (rule.methods or set()) <= looking] == [AGAIN]


@pytest.fixture
def called_back(api: Api) -> Iterator[None]:
    with api.parts.database.transaction() as session:
        create_callback(
            session,
            api.parts.encryptor,
            service_id=UUID(api.service_id),
            callback_type="delivery_status",
            url="http://127.0.0.1:9/",
            bearer_token="a token of some length",
            updated_by_id=UUID(api.demo["user"]["id"]),
            guarded=False,
        )
    yield
    api.execute("DELETE FROM service_callback_api")
    api.execute("DELETE FROM pending_callbacks")


@pytest.mark.usefixtures("called_back")
def test_a_callback_is_sent_again(api: Api) -> None:
    id_, open_ = api.sent(), api.sent()
    deliver(api, id_)
    assert [get(api, f"messages/{one}")["can_call_back_again"] for one in (id_, open_)] == [True, False]
    client = api.app.test_client()
    answer = client.post(f"/console/data/messages/{id_}/callback", headers={"X-Console": "1"})
    assert (answer.status_code, answer.get_json()) == (202, {"sent_again": True})
    assert api.execute("SELECT subject_id FROM pending_callbacks") == [(id_,)]
    refused = client.post(f"/console/data/messages/{open_}/callback", headers={"X-Console": "1"})
    assert refused.status_code == 400
    assert "no final status" in refused.get_json()["message"]
    unknown = client.post(f"/console/data/messages/{new_id()}/callback", headers={"X-Console": "1"})
    assert unknown.status_code == 404


def test_none_is_offered_where_there_is_no_callback(api: Api) -> None:
    id_ = api.sent()
    deliver(api, id_)
    assert get(api, f"messages/{id_}")["can_call_back_again"] is False


@pytest.mark.usefixtures("called_back")
@pytest.mark.parametrize(
    "headers",
    [
        {},  # what a form of another site can send, in a browser that does not say where from
        {"X-Console": "1", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
        {"X-Console": "1", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
        {"X-Console": "1", "Host": "evil.example"},
    ],
)
def test_no_other_site_can_have_one_sent_again(api: Api, headers: dict[str, str]) -> None:
    id_ = api.sent()
    deliver(api, id_)
    path = f"/console/data/messages/{id_}/callback"
    assert api.app.test_client().post(path, headers=headers).status_code == 403
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    preflight["Access-Control-Request-Headers"] = "x-console"
    allowed = api.app.test_client().options(path, headers=preflight).headers
    assert not [name for name, _ in allowed if name.startswith("Access-Control")]
    assert api.execute("SELECT 1 FROM pending_callbacks") == []


# -- the list


def test_messages_that_were_never_sent_are_listed_too(api: Api) -> None:
    text, mail, letter = api.sent("sms"), api.sent("email"), api.sent("letter")
    test = api.sent("sms", key="test")
    shown = {message["id"]: message for message in get(api, "messages")["messages"]}
    assert [*shown][:4] == [str(test), str(letter), str(mail), str(text)]
    assert shown[str(text)]["preview"].startswith("Hello Amala, see you on Monday.")
    assert shown[str(mail)]["subject"] == "Your appointment on Monday"
    assert "#" not in shown[str(mail)]["preview"]
    assert shown[str(letter)]["to"] == "A, B, SW1A 1AA"
    assert (shown[str(letter)]["status"], shown[str(letter)]["state"]) == ("accepted", "waiting")
    assert shown[str(test)]["key_type"] == "test"
    assert shown[str(text)]["copies"] == 0


def test_what_the_sandbox_has_is_what_is_shown(api: Api) -> None:
    id_ = api.sent("email")
    body = "Hello Amala,\n\n\nYour appointment\n" + "-" * 65 + "\n\nCome."
    deliver(api, id_, channel="email", subject="As it was sent", body=body, html=HTML)
    (shown,) = get(api, f"messages?q={id_}")["messages"]
    assert shown["subject"] == "As it was sent"
    assert shown["preview"] == "Hello Amala, Your appointment Come."
    assert (shown["status"], shown["state"], shown["copies"]) == ("delivered", "done", 1)


def test_pages_follow_each_other_without_gaps(api: Api) -> None:
    sent = [str(api.sent("sms")) for _ in range(7)][::-1]
    found: list[str] = []
    path = "limit=3"
    while len(found) < 7:
        page = get(api, f"messages?{path}")
        found += [message["id"] for message in page["messages"]]
        path = f"limit=3&older_than={page['next']}"
    assert found[:7] == sent
    everything = listed(api, "limit=200")
    assert len(everything) == len(set(everything))
    last = get(api, "messages?limit=200")
    assert last["next"] is None


def test_search_finds_by_recipient_reference_and_id(api: Api) -> None:
    mail = str(api.sent("email", email_address="Ümlaut.Bird@Example.com".replace("Ü", "u"), reference="case 77/A_%"))
    text = str(api.sent("sms", phone_number="07911 123 456"))
    letter = str(api.sent("letter", reference="brief"))
    for query, found in (
        ("umlaut.bird@example.com", mail),
        ("BIRD@EXAMPLE", mail),
        ("case 77/A", mail),
        ("CASE 77", mail),
        ("A_%25", mail),
        ("07911123456", text),
        ("07911 123", text),
        ("%2B447911123456", text),
        ("+44 7911 123456".replace("+", "%2B"), text),
        ("(07911) 123-456", text),
        (text, text),
        (text.upper(), text),
        (mail, mail),
        ("brief", letter),
    ):
        assert found in listed(api, f"q={query}"), query
    assert listed(api, f"q={mail}") == [mail]
    assert listed(api, "q=nobody@example.org") == []
    assert listed(api, "q=a_b") == []
    assert listed(api, "q=%00") == listed(api)
    assert text in listed(api, f"q={text[:8]}")
    ((reference,),) = api.execute("SELECT reference FROM notifications WHERE id = %s", letter)
    assert listed(api, f"q={reference}") == [letter]


def test_filters(api: Api) -> None:
    text, letter = api.sent("sms"), api.sent("letter")
    deliver(api, text)
    failed = api.sent("sms")
    api.execute("UPDATE notifications SET notification_status = 'permanent-failure' WHERE id = %s", failed)
    assert {message["type"] for message in get(api, "messages?type=letter")["messages"]} == {"letter"}
    for query, found, not_found in (
        ("status=delivered", text, failed),
        ("status=done", text, failed),
        ("status=failed", failed, text),
        ("status=permanent-failure", failed, text),
        ("status=waiting", letter, text),
        ("type=sms&status=failed", failed, text),
        ("q=07900900123&status=done", text, failed),
    ):
        ids = listed(api, f"{query}&limit=200")
        assert str(found) in ids, query
        assert str(not_found) not in ids, query


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "type=fax",
        "status=lost",
        "older_than=x",
        "older_than=2026-01-01,x",
        "q=" + "x" * 501,
    ],
)
def test_a_query_that_makes_no_sense_is_refused(api: Api, query: str) -> None:
    answer = ask(api, f"/data/messages?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in str(answer.get_json()["message"])


def test_a_page_that_has_not_changed_is_a_304(api: Api) -> None:
    id_ = api.sent("sms")
    first = ask(api, "/data/messages")
    again = ask(api, "/data/messages", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    deliver(api, id_)
    changed = ask(api, "/data/messages", **{"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert changed.get_json()["messages"][0]["status"] == "delivered"


def test_every_status_is_in_one_of_the_groups(api: Api) -> None:
    id_ = api.sent("sms")
    for status in STATUSES:
        api.execute("UPDATE notifications SET notification_status = %s WHERE id = %s", status, id_)
        assert str(id_) in listed(api, f"status={state_of(status)}&q={id_}")
        assert str(id_) in listed(api, f"status={status}&q={id_}")


def test_a_recipient_of_another_secret_hides_no_message(api: Api) -> None:
    id_ = api.sent("sms")
    api.execute("UPDATE notifications SET \"to\" = '\\x01020304050607', _personalisation = NULL WHERE id = %s", id_)
    (shown,) = get(api, f"messages?q={id_}")["messages"]
    assert shown["to"] == "(encrypted with another secret)"
    assert get(api, f"messages/{id_}")["to"] == "(encrypted with another secret)"


def plan(api: Api, wanted: Filter) -> str:
    query, values = page_query(wanted, None, 50)
    with api.parts.database.connection() as connection:
        return "\n".join(row[0] for row in connection.execute(f"EXPLAIN {query}".encode(), values))


def test_the_list_is_read_by_its_indexes(api: Api) -> None:
    api.sent("sms", reference="template of many")
    api.execute(
        "INSERT INTO notifications (id, service_id, template_id, template_version, key_type, notification_type,"
        ' created_at, "to", normalised_to, client_reference, notification_status)'
        " SELECT gen_random_uuid(), service_id, template_id, 1, key_type, 'sms', now() - n * interval '1 s', \"to\","
        " '4479' || lpad(n::text, 8, '0'), 'many-' || n, 'delivered'"
        " FROM (SELECT * FROM notifications ORDER BY created_at DESC LIMIT 1) m, generate_series(1, 20000) n"
    )
    api.execute("ANALYZE notifications")
    try:
        newest = plan(api, Filter())
        assert "ix_notifications_service_created_at" in newest
        assert "Seq Scan on notifications" not in newest
        found = plan(api, Filter("many-12345"))
        for name in ("normalised_to_trgm", "client_reference_trgm", "ix_notifications_reference"):
            assert name in found
        assert "Seq Scan on notifications" not in found
        assert "pk_notifications" in plan(api, Filter(str(uuid4())))
    finally:
        api.execute("DELETE FROM notifications WHERE client_reference LIKE 'many-%%'")


# -- one message


def test_an_email(api: Api) -> None:
    id_ = api.sent("email", one_click_unsubscribe_url="https://example.com/u", reference="ours")
    shown = get(api, f"messages/{id_}")
    content = shown["content"]
    assert content["was_sent"] is False
    assert content["from"] == "Demo service <demo.service@notify.tools>"
    assert content["reply_to"] == "replies@example.com"
    assert content["headers"]["List-Unsubscribe"] == "<https://example.com/u>"
    assert "We look forward to seeing you on Monday." in content["text"]
    assert shown["details"]["personalisation"] == {"name": "Amala", "date": "Monday", "parking": "no"}
    assert shown["details"]["key"] == "demo normal"
    assert shown["api"] == {**api.get(str(id_)), "template": shown["api"]["template"]} | {
        "one_click_unsubscribe_url": "https://example.com/u"
    }
    assert [step["title"] for step in shown["timeline"]] == ["Accepted", "Waits for a worker"]


def test_an_email_as_a_frame(api: Api) -> None:
    id_ = api.sent("email")
    deliver(api, id_, channel="email", subject="Subject", body="Hello", html=HTML)
    answer = ask(api, f"/data/messages/{id_}/email?theme=dark")
    assert answer.mimetype == "text/html"
    assert "<p>Hello</p>" in answer.text
    assert "color-scheme:dark" in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups")
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert ask(api, f"/data/messages/{id_}/email?theme=pink").status_code == 400


def test_the_source_of_an_email(api: Api) -> None:
    id_ = api.sent("email", one_click_unsubscribe_url="https://example.com/u")
    source = ask(api, f"/data/messages/{id_}/source")
    assert source.mimetype == "text/plain"
    parsed = email.message_from_bytes(source.data, policy=email.policy.default)
    assert parsed["Subject"] == "Your appointment on Monday"
    assert parsed["To"] == "amala@example.com"
    assert parsed["Reply-To"] == "replies@example.com"
    assert parsed["List-Unsubscribe"] == "<https://example.com/u>"
    assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]
    saved = ask(api, f"/data/messages/{id_}/source?download")
    assert saved.headers["Content-Disposition"] == f'attachment; filename="{id_}.eml"'


def test_the_source_is_what_the_sandbox_was_given(api: Api) -> None:
    id_ = api.sent("email")
    deliver(
        api,
        id_,
        channel="email",
        recipient="amala@example.com",
        sender='A <b> "c" <sender@example.com>',
        subject="As sent",
        body="Hello",
        html=HTML,
        headers=json.dumps({"X-One": "1"}),
    )
    parsed = email.message_from_bytes(ask(api, f"/data/messages/{id_}/source").data, policy=email.policy.default)
    assert parsed["From"].addresses[0].display_name == 'A <b> "c"'
    assert parsed["From"].addresses[0].addr_spec == "sender@example.com"
    assert (parsed["Subject"], parsed["X-One"]) == ("As sent", "1")


def test_a_text_message(api: Api) -> None:
    id_ = api.sent("sms", personalisation={"name": "ŵyn €5…", "date": "x" * 60})
    content = get(api, f"messages/{id_}")["content"]
    assert content["text"].startswith("Hello ŵyn €5..., see you on xxx")
    assert (content["is_unicode"], content["fragments"], content["capacity"]) == (True, 3, 67)
    kinds = {piece["text"]: piece["kind"] for piece in content["pieces"] if piece["kind"] != "plain"}
    assert kinds == {"ŵ": "unicode", "€": "extension", "...": "replaced"}
    # what was sent may differ from what would be sent now
    deliver(api, id_, body="Old name: Hello")
    content = get(api, f"messages/{id_}")["content"]
    assert (content["text"], content["fragments"], content["was_sent"]) == ("Old name: Hello", 1, True)
    assert content["from"] == "GOVUK"


def test_a_letter(api: Api) -> None:
    id_ = api.sent(
        "letter",
        personalisation={
            "name": "O'Brien & co",
            "date": "1 May",
            "address_line_1": "A",
            "address_line_2": "B",
            "postcode": "SW1A 1AA",
        },
    )
    shown = get(api, f"messages/{id_}")
    assert shown["content"]["address"] == ["A", "B", "SW1A 1AA"]
    assert shown["content"]["subject"] == "Your appointment on 1 May"
    assert shown["content"]["body"].startswith("Dear O'Brien & co,")
    assert shown["status"] == "accepted"
    assert shown["content"]["pages"] == 0
    assert ask(api, f"/data/messages/{id_}/pages/1.png").status_code == 404
    assert ask(api, f"/data/messages/{id_}/pdf").status_code == 404


def test_the_pages_of_a_letter(api: Api) -> None:
    id_ = api.sent("letter")
    ((reference, postage, created_at),) = api.execute(
        "SELECT reference, postage, created_at FROM notifications WHERE id = %s", id_
    )
    files = api.container.get(LetterFiles)
    place = files.place(LetterRow(reference, postage, created_at, "normal", "created"))
    pdf = two_pages()
    put(place.bucket, place.key, pdf)
    assert get(api, f"messages/{id_}")["content"]["pages"] == 2
    picture = ask(api, f"/data/messages/{id_}/pages/2.png")
    assert (picture.status_code, picture.content_type) == (200, "image/png")
    assert picture.data.startswith(b"\x89PNG")
    assert ask(api, f"/data/messages/{id_}/pages/3.png").status_code == 404
    assert ask(api, f"/data/messages/{id_}/pdf").data == pdf
    put(place.bucket, place.key, b"no PDF")
    assert ask(api, f"/data/messages/{id_}/pages/1.png").status_code == 404


def test_why_a_letter_failed_its_checks(api: Api) -> None:
    id_ = api.sent("letter")
    assert get(api, f"messages/{id_}")["content"]["failure"] is None
    api.execute("UPDATE notifications SET notification_status = 'validation-failed' WHERE id = %s", id_)
    unknown = {"title": "Validation failed.", "detail": ""}
    assert get(api, f"messages/{id_}")["content"]["failure"] == unknown
    ((reference, postage, created_at),) = api.execute(
        "SELECT reference, postage, created_at FROM notifications WHERE id = %s", id_
    )
    place = api.container.get(LetterFiles).place(
        LetterRow(reference, postage, created_at, "normal", "validation-failed")
    )
    put(place.bucket, place.key, b"no PDF", {"message": "letter-not-a4-portrait-oriented", "invalid_pages": "[2, 3]"})
    content = get(api, f"messages/{id_}")["content"]
    assert content["failure"] == {
        "title": "Your letter is not A4 portrait size.",
        "detail": "You need to change the size or orientation of pages 2 and 3.",
    }
    assert (content["pages"], content["has_pdf"]) == (0, True)
    put(place.bucket, place.key, b"no PDF", {"message": "letter-not-a4-portrait-oriented", "invalid_pages": "x"})
    assert get(api, f"messages/{id_}")["content"]["failure"]["title"] == "Your letter is not A4 portrait size."


def two_pages() -> bytes:
    """A PDF of two empty pages."""
    import io

    import pikepdf

    content = io.BytesIO()
    with pikepdf.new() as pdf:
        for _ in range(2):
            pdf.add_blank_page(page_size=(595, 842))
        pdf.save(content)
    return content.getvalue()


def test_what_the_recipient_did_is_in_the_timeline(api: Api) -> None:
    id_ = api.sent("email")
    deliver(api, id_, channel="email", subject="Subject", html=HTML)
    api.execute(
        "INSERT INTO unsubscribe_request (id, notification_id, service_id, template_id, template_version, email_address,"
        " created_at) SELECT gen_random_uuid(), id, service_id, template_id, template_version, 'x', now()"
        " FROM notifications WHERE id = %s",
        id_,
    )
    api.execute(
        "INSERT INTO complaints (id, notification_id, service_id, created_at)"
        " SELECT gen_random_uuid(), id, service_id, now() + interval '1 s' FROM notifications WHERE id = %s",
        id_,
    )
    titles = [step["title"] for step in get(api, f"messages/{id_}")["timeline"]]
    assert titles[-2:] == ["Unsubscribed", "Complaint"]


def test_what_is_not_there(api: Api) -> None:
    for path in ("", "/email", "/source"):
        assert ask(api, f"/data/messages/{uuid4()}{path}").status_code == 404
    text = api.sent("sms")
    for path in ("email", "source"):
        assert ask(api, f"/data/messages/{text}/{path}").status_code == 404
    assert ask(api, "/data/messages/x").status_code == 404
    assert ask(api, "/elsewhere").status_code == 404
    assert ask(api, "/").status_code == 200


# -- now, and the demo


def test_now_counts_and_shares(api: Api) -> None:
    id_ = api.sent("sms")
    deliver(api, id_)
    api.execute(
        "UPDATE notifications SET created_at = now() - interval '20 s', sent_at = now() - interval '18 s',"
        " updated_at = now() - interval '12 s' WHERE id = %s",
        id_,
    )
    api.container.parts.queue.publish(TaskName("nothing"), [], queue="retry-tasks")
    app = create_app(api.parts.settings)
    try:
        now = app.test_client().get("/console/data/now").get_json()
    finally:
        app.extensions["notify"].close()
    assert now["seconds"] == 5
    assert {event: len(numbers) for event, numbers in now["rates"].items()} == dict.fromkeys(
        ("accepted", "sent", "delivered", "failed"), 60
    )
    assert sum(now["rates"]["accepted"][-5:]) >= 1
    assert sum(now["rates"]["delivered"][-4:]) >= 1
    depths = {queue["name"]: queue["depth"] for queue in now["queues"]}
    assert depths["retry-tasks"] == 1
    assert depths["periodic-tasks"] == 0
    sandbox = next(one for one in now["providers"] if one["type"] == "sms")
    assert (sandbox["identifier"], sandbox["share"], sandbox["active"]) == ("sandbox", 1.0, True)
    assert sandbox["sent"] >= sandbox["delivered"] >= 1
    assert any(one["status"] == "created" for one in now["waiting"])


def test_the_demo(api: Api) -> None:
    assert get(api, "demo") is None
    path = api.parts.settings.notify_data_dir / "dev.json"
    ensure_demo(api.parts, path)
    written = json.loads(path.read_text())
    try:
        shown = get(api, "demo")
        assert shown["api_keys"] == written["api_keys"]
        assert set(shown) == {"api_url", "service_id", "api_keys", "templates"}
        path.write_text("[]")
        assert get(api, "demo") is None
    finally:
        path.unlink()
