"""The console over HTTP: its pages and their JSON. Only one request changes anything: resending a callback. The page
sends messages through the public API.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar
from uuid import UUID

from flask import Blueprint, Response, render_template, request
from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field, ValidationError
from werkzeug.wrappers import Response as AnyResponse

from notify.console import guard
from notify.console.alerts import list_alerts
from notify.console.frame import framed
from notify.console.jobs import list_jobs
from notify.console.letter_pages import LetterPages
from notify.console.message_view import MessageView
from notify.console.queries import Cursor, Filter, MessageList
from notify.console.rates import Rates
from notify.console.timeline import state_of
from notify.infra.container import Container
from notify.infra.errors import NotFoundProblemError, ProblemError
from notify.infra.http import json_answer
from notify.infra.times import format_datetime, utc_now
from notify.jobs.statistics import JobStatistics
from notify.messages.compose import Composer
from notify.messages.queries import StoredMessage
from notify.messages.serialise import Serialiser
from notify.providers.registry import configured
from notify.services.cache import ServiceCache
from notify.templates.cache import TemplateCache
from notify.vocabulary import STATUSES
from notify.webhooks.again import send_again

LARGEST_PAGE: Final = 200
STATES: Final = ("waiting", "done", "failed")

M = TypeVar("M", bound=BaseModel)


def _parts(value: object) -> object:
    return tuple(value.split(",")) if isinstance(value, str) else value


class _ListQuery(BaseModel):
    """The query of the list. `status` is a status, or one of the groups of statuses in `STATES`; `older_than` is `next`
    of the page before.
    """

    q: Annotated[str, Field(max_length=500)] = ""
    type: Literal["sms", "email", "letter"] | None = None
    status: str | None = None
    older_than: Annotated[tuple[AwareDatetime, UUID], BeforeValidator(_parts)] | None = None
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = 50

    def filter(self) -> Filter:
        """The filter it describes. Raises `ProblemError`."""
        statuses = [one for one in STATUSES if self.status in (one, state_of(one))]
        if self.status and not statuses:
            raise ProblemError(f"status: must be one of {', '.join((*STATES, *STATUSES))}")
        return Filter(self.q, self.type, statuses)


class _ServiceQuery(BaseModel):
    """The query of the lists of alerts and jobs: the service to show."""

    service: UUID | None = None


class _FrameQuery(BaseModel):
    """The query of an email's document: its colour theme."""

    theme: Literal["auto", "light", "dark"] = "auto"


def _query(model: type[M]) -> M:
    """The query of the request. Raises `ProblemError`."""
    try:
        return model.model_validate({name: value for name, value in request.args.items() if value})
    except ValidationError as error:
        raise ProblemError([f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors()]) from None


def _answer(value: Any) -> AnyResponse:
    """JSON with an ETag; 304 for a client that already has it."""
    answer = json_answer(value)
    answer.add_etag()
    return answer.make_conditional(request)


def _file(content: bytes | None, content_type: str) -> AnyResponse:
    """A file. Raises `NotFoundProblemError` where there is none."""
    if content is None:
        raise NotFoundProblemError
    answer = Response(content, content_type=content_type)
    answer.add_etag()
    return answer.make_conditional(request)


class _Views:
    """The views."""

    def __init__(self, container: Container) -> None:
        self._container = container
        parts = container.parts
        self._database = parts.database
        self._settings = parts.settings
        self._messages = MessageList(parts.database, parts.encryptor)
        self._view = MessageView(
            self._settings,
            self._messages,
            container.get(ServiceCache),
            container.get(TemplateCache),
            container.get(Serialiser),
            container.get(Composer),
            container.get(LetterPages),
        )
        self._job_statistics = container.get(JobStatistics)
        self._pages = container.get(LetterPages)
        self._rates = Rates(parts.database, parts.queue, configured(self._settings), utc_now)

    def page(self, notification_id: UUID | None = None) -> str:
        """The page; its script shows what the URL names."""
        api_url = self._settings.api_host_name.rstrip("/")
        return render_template("console.html", statuses=STATUSES, api_url=api_url)

    def list_messages(self) -> AnyResponse:
        """A page of messages, newest first."""
        query = _query(_ListQuery)
        older_than = Cursor(*query.older_than) if query.older_than else None
        found, summaries = self._messages.page(query.filter(), older_than, query.limit)
        is_full = len(found) == query.limit
        return _answer(
            {
                "messages": [self._view.row(message, summaries.get(message.id)) for message in found],
                "next": f"{format_datetime(found[-1].created_at)},{found[-1].id}" if is_full else None,
            }
        )

    def _find(self, notification_id: UUID) -> StoredMessage:
        message = self._messages.find(notification_id)
        if message is None:
            raise NotFoundProblemError
        return message

    def show_message(self, notification_id: UUID) -> AnyResponse:
        """A message with its timeline."""
        return _answer(self._view.message(self._find(notification_id)))

    def send_callback_again(self, notification_id: UUID) -> AnyResponse:
        """Send the callback about a message again."""
        self._find(notification_id)
        if not send_again(self._container, notification_id):
            raise ProblemError("There is nothing to send again: the message has no final status, or no callback.")
        return json_answer({"sent_again": True}, 202)

    def show_email(self, notification_id: UUID) -> Response:
        """The HTML of an email, for a frame."""
        theme = _query(_FrameQuery).theme
        email = self._view.email(self._find(notification_id))
        if email is None:
            raise NotFoundProblemError
        answer = Response(framed(email.html, theme), content_type="text/html; charset=utf-8")
        answer.headers["Content-Security-Policy"] = guard.EMAIL_POLICY
        return answer

    def show_source(self, notification_id: UUID) -> Response:
        """An email as it is sent, as text or as a file."""
        source = self._view.source(self._find(notification_id))
        if source is None:
            raise NotFoundProblemError
        if "download" not in request.args:
            return Response(source, content_type="text/plain; charset=utf-8")
        headers = {"Content-Disposition": f'attachment; filename="{notification_id}.eml"'}
        return Response(source, headers=headers, content_type="message/rfc822")

    def show_page(self, notification_id: UUID, number: int) -> AnyResponse:
        """A page of a letter, as a picture."""
        picture = self._pages.picture(self._find(notification_id), number)
        return _file(picture, "image/png")

    def show_pdf(self, notification_id: UUID) -> AnyResponse:
        """The PDF of a letter, as a file."""
        answer = _file(self._pages.pdf(self._find(notification_id)), "application/pdf")
        answer.headers["Content-Disposition"] = f'attachment; filename="{notification_id}.pdf"'
        return answer

    def show_now(self) -> AnyResponse:
        """Queues, providers and rates."""
        return _answer(self._rates.now())

    def list_alerts(self) -> AnyResponse:
        """The newest emergency alerts."""
        query = _query(_ServiceQuery)
        with self._database.reading() as session:
            return _answer({"alerts": list_alerts(session, query.service)})

    def list_jobs(self) -> AnyResponse:
        """The newest jobs."""
        query = _query(_ServiceQuery)
        with self._database.reading() as session:
            return _answer({"jobs": list_jobs(session, self._job_statistics, query.service)})

    def show_demo(self) -> AnyResponse:
        """What the page needs to send a message as the demo service."""
        return _answer(_demo(self._settings.notify_data_dir / "dev.json"))


def blueprint(container: Container) -> Blueprint:
    """The routes below `/console`. Register it in development and test only."""
    views = _Views(container)
    hosts = guard.known_hosts(container.parts.settings)
    pages = Blueprint(
        "console",
        __name__,
        url_prefix=guard.PREFIX,
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )

    @pages.before_request
    def check() -> Response | None:
        reason = guard.refusal(request, hosts)
        return None if reason is None else Response(reason, 403, content_type="text/plain; charset=utf-8")

    pages.after_request(guard.protect)
    pages.get("", strict_slashes=False)(views.page)
    for address in ("/messages/<uuid:notification_id>", "/now", "/send", "/alerts", "/jobs"):
        pages.get(address)(views.page)
    pages.get("/data/messages")(views.list_messages)
    pages.get("/data/messages/<uuid:notification_id>")(views.show_message)
    pages.get("/data/messages/<uuid:notification_id>/email")(views.show_email)
    pages.get("/data/messages/<uuid:notification_id>/source")(views.show_source)
    pages.get("/data/messages/<uuid:notification_id>/pages/<int:number>.png")(views.show_page)
    pages.get("/data/messages/<uuid:notification_id>/pdf")(views.show_pdf)
    pages.post("/data/messages/<uuid:notification_id>/callback")(views.send_callback_again)
    pages.get("/data/now")(views.show_now)
    pages.get("/data/alerts")(views.list_alerts)
    pages.get("/data/jobs")(views.list_jobs)
    pages.get("/data/demo")(views.show_demo)
    return pages


def _demo(path: Path) -> dict[str, Any] | None:
    """What the page needs to send as the demo service, from the file of `notify up`. None if there is no file."""
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        return {name: written[name] for name in ("api_url", "service_id", "api_keys", "templates")}
    except (OSError, ValueError, KeyError, TypeError):
        return None
