"""Shared by commands: the parts of the environment, look-ups by name or id, options, output."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import UUID

import click
import structlog
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

import notify.models  # noqa: F401 - makes the metadata complete
from notify import settings as configuration
from notify.accounts import queries as accounts
from notify.accounts.models import User
from notify.infra.errors import ProblemError
from notify.infra.parts import Parts, build_parts
from notify.services.models import Service

_F = TypeVar("_F", bound=Callable[..., Any])


def json_option(function: _F) -> _F:
    """The option `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")(function)


def service_option(function: _F) -> _F:
    """The option `--service`."""
    return click.option("--service", "which", required=True, help="Name or id of the service.")(function)


def user_option(function: _F) -> _F:
    """The option `--user`: who is recorded as the author of a change."""
    return click.option(
        "--user", "who", help="Email address or id of the author. [default: who changed the service last]"
    )(function)


@contextmanager
def open_parts() -> Iterator[Parts]:
    """The parts that the environment names. A user's mistake, or an unreachable server, is reported in one line."""
    if not structlog.is_configured():
        # standard output is for the result, which programs read
        structlog.configure(logger_factory=lambda *_names: structlog.PrintLogger(sys.stderr))
    try:
        parts = build_parts(configuration.load())
    except configuration.SettingsError as error:
        raise click.ClickException(str(error)) from None
    try:
        yield parts
    except ProblemError as error:
        raise click.ClickException("; ".join(error.messages)) from None
    except DBAPIError as error:
        reason = str(error.orig).strip().partition("\n")[0]
        raise click.ClickException(f"the database refused: {reason}") from None
    finally:
        parts.close()


@contextmanager
def open_session() -> Iterator[Session]:
    """A transaction on the database that the environment names; errors as in `open_parts`."""
    with open_parts() as parts, parts.database.transaction() as session:
        yield session


def show(values: Mapping[str, Any], as_json: bool) -> None:
    """Print values: as one JSON object, or a line each."""
    if as_json:
        click.echo(json.dumps(values, default=str))
        return
    width = max(len(name) for name in values)
    for name, value in values.items():
        click.echo(f"{name.replace('_', ' '):<{width}}  {value}")


def show_table(rows: Iterable[Mapping[str, Any]], as_json: bool) -> None:
    """Print rows that have the same keys: as one JSON list, or a line each, in columns."""
    rows = list(rows)
    if as_json:
        click.echo(json.dumps(rows, default=str))
        return
    cells = [[_cell(value) for value in row.values()] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    for line in cells:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).replace("\n", " / ")


def as_uuid(text: str) -> UUID | None:
    """The text as a UUID; None if it is not one."""
    try:
        return UUID(text)
    except ValueError:
        return None


def need_uuid(text: str, what: str) -> UUID:
    """The text as a UUID. Raises `click.ClickException`."""
    found = as_uuid(text)
    if found is None:
        raise click.ClickException(f"{text} is not the id of a {what}")
    return found


def find_user(session: Session, who: str) -> User:
    """The user with an email address or an id. Raises `click.ClickException`."""
    user_id = as_uuid(who)
    user = session.get(User, user_id) if user_id else accounts.user_by_email(session, who)
    if user is None:
        raise click.ClickException(f"there is no user {who}")
    return user


def find_service(session: Session, which: str) -> Service:
    """The service with a name or an id. Raises `click.ClickException`."""
    service_id = as_uuid(which)
    wanted = select(Service).where(Service.id == service_id if service_id else Service.name == which)
    service = session.scalar(wanted)
    if service is None:
        raise click.ClickException(f"there is no service {which}")
    return service


def author_id(session: Session, who: str | None, service: Service) -> UUID:
    """The id of the user given by `--user`, else of who changed the service last."""
    return find_user(session, who).id if who else service.created_by_id


def pick(what: str, wanted: str, rows: Sequence[tuple[UUID, str]]) -> UUID:
    """The id of the one row with this id or text, among (id, text) pairs. Raises `click.ClickException`."""
    wanted_id = as_uuid(wanted)
    found = [id_ for id_, text in rows if (id_ == wanted_id if wanted_id else text == wanted)]
    if not found:
        raise click.ClickException(f"there is no {what} {wanted}")
    if len(found) > 1:
        raise click.ClickException(f"there are {len(found)} of {what} {wanted}: give the id")
    return found[0]
