"""The users of functional tests (contract: internal-users 11, public-api 14.6). Only served if
`REGISTER_FUNCTIONAL_TESTING_BLUEPRINT` is set: the secret of functional tests allows creating any user except platform
admins.
"""

from __future__ import annotations

from typing import Any

from flask import Response
from pydantic import model_validator
from sqlalchemy.orm import Session

from notify.infra.validation import complain
from notify.internal.auth import Client
from notify.internal.fields import EmailAddress, Uuid
from notify.internal.routes import Routes
from notify.internal.schemas import Body
from notify.sign_in.settings import AccountSettings
from notify.teams.functional_users import FunctionalUser, set_user

routes = Routes(
    "functional_tests",
    "/__testing/functional",
    client=Client.FUNCTIONAL_TESTS,
    is_served=lambda settings: settings.part(AccountSettings).register_functional_testing_blueprint,
)


class TestUser(Body):
    """A user to create, or to overwrite by their email address."""

    name: str
    email_address: EmailAddress
    mobile_number: str | None
    auth_type: str
    password: str
    state: str
    permissions: list[str]
    service_id: Uuid
    organisation_id: Uuid | None = None


class TestUsers(Body):
    """Users: the body is an array."""

    users: list[TestUser]

    @model_validator(mode="before")
    @classmethod
    def _from_array(cls, data: Any) -> Any:
        if not isinstance(data, list):
            raise complain("body is not of type array")
        return {"users": data}


@routes.put("/users", status=201)
def set_test_users(session: Session, body: TestUsers) -> Response:
    """Create or overwrite the users of functional tests."""
    for user in body.users:
        set_user(session, FunctionalUser(**dict(user)))
    return Response("ok", 201, content_type="text/html; charset=utf-8")
