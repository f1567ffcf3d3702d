"""`POST /v2/broadcast`: alerts from services' systems."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from werkzeug.test import TestResponse

from notify.broadcasts.messages import Broadcasts
from notify.infra.container import Container
from notify.public.idempotency import REPLAYED
from notify.services.cache import ServiceCache
from notify.services.members import add_member
from notify.services.permissions import add_permission, remove_permission
from tests.api import Api
from tests.broadcasts.cap_files import POLYGON, area, cap
from tests.services.factory import a_user

CAP = "application/cap+xml"
Post = Callable[..., TestResponse]


@pytest.fixture(autouse=True)
def allowed(api: Api) -> None:
    """The service may send alerts."""
    with api.parts.database.transaction() as session:
        add_permission(session, UUID(api.service_id), "broadcast")
    api.container.get(ServiceCache).forget(UUID(api.service_id))


@pytest.fixture
def post(api: Api) -> Post:
    def call(
        raw: bytes,
        *,
        content_type: str | None = CAP,
        key: str = "normal",
        token: bool = True,
        repeat: str | None = None,
    ) -> TestResponse:
        headers = {"Authorization": f"Bearer {api.token(key)}"} if token else {}
        if repeat is not None:
            headers["Idempotency-Key"] = repeat
        if content_type is not None:
            headers["Content-Type"] = content_type
        return api.app.test_client().post("/v2/broadcast", data=raw, headers=headers)

    return call


def _error(answer: TestResponse, status: int) -> tuple[str, str]:
    assert answer.status_code == status, answer.text
    body: Any = answer.get_json()
    assert body["status_code"] == status
    (entry,) = body["errors"]
    return entry["error"], entry["message"]


def test_an_alert_waits_for_approval(api: Api, post: Post) -> None:
    answer = post(cap(area("Ash Weir"), area("Elm Bridge"), description="“Go” up\r\nnow", identifier="one"))
    assert answer.status_code == 201, answer.text
    message: Any = answer.get_json()
    assert message.pop("id")
    assert message.pop("created_at").endswith("Z")
    square = [[51.5, -0.1], [51.6, -0.1], [51.6, 0.0], [51.5, -0.1]]
    assert message == {
        "service_id": api.service_id,
        "template_id": None,
        "template_version": None,
        "template_name": None,
        "personalisation": None,
        "content": '"Go" up\nnow',
        "reference": "one",
        "cap_event": "053/055 Issue Severe Flood Warning EA",
        "areas": {"names": ["Ash Weir", "Elm Bridge"], "simple_polygons": [square, square]},
        "status": "pending-approval",
        "starts_at": None,
        "finishes_at": None,
        "approved_at": None,
        "cancelled_at": None,
        "updated_at": None,
        "created_by_id": None,
        "approved_by_id": None,
        "cancelled_by_id": None,
    }


def test_who_may_and_what_is_taken(api: Api, post: Post) -> None:
    assert post(cap(), token=False).status_code == 401
    for content_type in ("application/json", "application/cap+xml; charset=utf-8", "text/xml"):
        assert _error(post(cap(), content_type=content_type), 415) == (
            "BadRequestError",
            f"Content type {content_type} not supported",
        )
    assert _error(post(b"<oh no"), 400) == ("BadRequestError", "Request data is not valid CAP XML")
    assert post(cap() + b" " * 1024 * 1024).status_code == 413
    service_id = UUID(api.service_id)
    with api.parts.database.transaction() as session:
        remove_permission(session, service_id, "broadcast")
    api.container.get(ServiceCache).forget(service_id)
    refused = _error(post(b"<oh no", content_type="x/y"), 400)
    with api.parts.database.transaction() as session:
        add_permission(session, service_id, "broadcast")
    api.container.get(ServiceCache).forget(service_id)
    assert refused == ("BadRequestError", "Service is not allowed to send broadcast messages")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (cap(kind="Update"), "msgType Update is not one of [Alert, Cancel]"),
        (cap(area(" ")), r"areas   does not match ([a-zA-Z1-9]+ )*[a-zA-Z1-9]+"),
        (cap(area("Ash", "1,2 3,4 1,2")), "areas [[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]] is too short"),
        (cap(area("Ash", "1,2,3 3,4 4,5 1,2")), "areas [1.0, 2.0, 3.0] is too long"),
        (cap(area("Ash", "1,x 3,4 4,5 1,2")), "areas x is not of type number"),
        (cap(area("Ash", "nan,1 3,4 4,5 1,2")), "areas nan is not between -90 and 90"),
        (cap(area("Ash", "1,181 3,4 4,5 1,2")), "areas 181.0 is not between -180 and 180"),
        (cap().replace(f"<polygon>{POLYGON}</polygon>".encode(), b""), "areas [] should be non-empty"),
        (cap().replace(area().encode(), b""), "areas [] should be non-empty"),
        (cap(identifier="x" * 256), f"reference {'x' * 256} is too long"),
        (cap(description="a" * 1396), "description must be 1,395 characters or fewer"),
        (
            cap(description="ŵ" * 616),
            "description must be 615 characters or fewer (because it could not be GSM7 encoded)",
        ),
    ],
)
def test_what_is_wrong_is_said(post: Post, raw: bytes, message: str) -> None:
    assert _error(post(raw), 400) == ("ValidationError", message)


def test_a_message_without_info_lacks_what_is_in_it(post: Post) -> None:
    whole = cap()
    answer = post(whole[: whole.index(b"<info>")] + b"</alert>")
    assert answer.status_code == 400
    body: Any = answer.get_json()
    texts = [entry["message"] for entry in body["errors"]]
    assert texts[1:] == ["content None is not of type string", "areas [] should be non-empty"]
    assert texts[0].startswith("category None is not one of [Geo, ")


def test_large_areas_are_simplified(post: Post) -> None:
    many = " ".join(f"51.{index:04d},0.{index % 7}" for index in range(400))
    areas = [area(f"Area {index}", many + " 51.0000,0.0") for index in range(1, 15)]
    message: Any = post(cap(*areas, identifier="large")).get_json()
    polygons = message["areas"]["simple_polygons"]
    assert len(polygons) <= 12
    assert sum(map(len, polygons)) <= 250
    assert len(message["areas"]["names"]) == 14


def _approve(container: Container, service_id: UUID, message_id: str) -> None:
    with container.parts.database.transaction() as session:
        user = a_user(session)
        add_member(session, service_id, user.id, [])
        container.get(Broadcasts).set_status(session, service_id, UUID(message_id), "broadcasting", user.id)


def test_an_alert_is_taken_back_by_its_reference(api: Api, post: Post) -> None:
    references = "www.example.gov.uk,waiting,2020-02-16T23:01:13-00:00"
    post(cap(identifier="waiting"))
    rejected: Any = post(cap(kind="Cancel", references=references)).get_json()
    assert (rejected["status"], rejected["reference"]) == ("rejected", "waiting")
    again = post(cap(kind="Cancel", references=references))
    assert _error(again, 404) == ("NoResultFound", "No result found")
    live: Any = post(cap(identifier="live")).get_json()
    _approve(api.container, UUID(api.service_id), live["id"])
    key = f"service-{api.service_id}-broadcast-message-{live['id']}"
    api.parts.cache.set(key, "{}", seconds=60)
    cancelled: Any = post(cap(kind="Cancel", references="a,live,b")).get_json()
    assert (cancelled["status"], cancelled["cancelled_by_id"]) == ("cancelled", None)
    assert cancelled["cancelled_at"] is not None
    assert api.parts.cache.get(key) is None


def test_a_cancellation_must_be_clear(post: Post) -> None:
    assert _error(post(cap(kind="Cancel")), 400) == ("BadRequestError", "Missing <references>")
    assert _error(post(cap(kind="Cancel", references="")), 404) == ("NoResultFound", "No result found")
    assert _error(post(cap(kind="Cancel", references="a,nothing,b")), 404)[0] == "NoResultFound"
    for _ in range(2):
        post(cap(identifier="twice"))
    assert _error(post(cap(kind="Cancel", references="a,twice,b")), 400) == (
        "BadRequestError",
        "Multiple alerts found - unclear which one to cancel",
    )


def test_a_request_with_an_idempotency_key_is_safe_to_repeat(api: Api, post: Post) -> None:
    key, number = str(uuid4()), "SELECT count(*) FROM broadcast_message"
    before = api.execute(number)[0][0]
    first, again = (post(cap(identifier="safe"), repeat=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.data == again.data
    assert [REPLAYED in answer.headers for answer in (first, again)] == [False, True]
    assert api.execute(number)[0][0] == before + 1
    assert _error(post(cap(identifier="another"), repeat=key), 409)[0] == "IdempotencyKeyReusedError"
    assert _error(post(cap(), repeat=""), 400)[0] == "ValidationError"
    # an alert is taken back once, and the same answer is given to who asks again
    end = cap(kind="Cancel", identifier="end", references="safe")
    key = str(uuid4())
    assert _error(post(b"<oh no", repeat=key), 400)[0] == "BadRequestError"  # which keeps nothing
    first, again = (post(end, repeat=key) for _ in range(2))
    assert first.get_json().get("status") == "rejected", first.text
    assert first.data == again.data
    assert post(end).status_code == 404
