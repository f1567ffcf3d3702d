"""Long lists of users (contract: internal-users 1.2, 1.7)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from flask import Response
from pydantic import MISSING

from notify.infra.container import Container
from notify.internal.fields import IsoDate
from notify.internal.routes import Routes
from notify.internal.schemas import Body
from notify.services.users_list import UserFilter, stream_filtered_users, stream_users

routes = Routes("users_list")
legacy_routes = Routes("legacy_users_list", legacy=True)


class UsersQuestion(Body, extra="forbid"):
    """The users to list: first and last days (UTC) of sign-in and of registration; None is no limit."""

    min_properties = 1

    logged_in_start: IsoDate | MISSING | None = MISSING
    logged_in_end: IsoDate | MISSING | None = MISSING
    created_start: IsoDate | MISSING | None = MISSING
    created_end: IsoDate | MISSING | None = MISSING
    take_part_in_research: bool | MISSING | None = MISSING


@legacy_routes.get("/user")
def list_users(container: Container) -> Response:
    """List every user."""
    return _streamed(stream_users(container.parts.database))


@routes.post("/platform-admin/users-list", writes=False)
def list_filtered_users(container: Container, body: UsersQuestion) -> Response:
    """List active users by the days of sign-in and registration, and by preferences."""
    return _streamed(stream_filtered_users(container.parts.database, UserFilter(**body.given())))


def _streamed(texts: Iterator[str]) -> Response:
    """A streamed answer. Reads the first row at once, so that an error before it is still answered as an error."""
    first = next(texts)
    return Response(chain([first], texts), content_type="application/json")
