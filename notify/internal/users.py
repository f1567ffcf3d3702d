"""Users (contract: internal-users 1.1, 1.2)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from flask import Response
from pydantic import MISSING, AfterValidator, Field, model_validator
from sqlalchemy.orm import Session

from notify.accounts import actions, queries
from notify.accounts.actions import check_email_address, check_mobile_number
from notify.accounts.errors import InvalidUserError
from notify.accounts.models import User
from notify.infra.container import Container
from notify.infra.errors import FieldProblemError, NotFoundProblemError, ProblemError
from notify.infra.times import utc_now
from notify.infra.validation import complain, parse_uuid
from notify.internal.fields import EmailAddress, IsoDateTime, Moment, SpacedMoment, Uuid
from notify.internal.reading import Unread
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Data, Fields, FieldsQuery, data_response
from notify.services import user_details as details
from notify.services.members import archive_user as archive
from notify.sign_in.messages import AccountMessages

routes = Routes("users", "/user")
legacy_routes = Routes("legacy_users", "/user", legacy=True)


def _name(value: str) -> str:
    if not value:
        raise complain("Invalid name")
    return value


def _user_address(value: str) -> str:
    try:
        return check_email_address(value)
    except InvalidUserError as error:
        raise complain(error.messages[0]) from None


def _mobile_number(value: str) -> str:
    try:
        return check_mobile_number(value)
    except InvalidUserError as error:
        raise complain(error.messages[0]) from None


Name = Annotated[str, AfterValidator(_name), Field(examples=["Amala Okafor"])]
UserAddress = Annotated[str, AfterValidator(_user_address), Field(examples=["amala@example.gov.uk"])]
MobileNumber = Annotated[str, AfterValidator(_mobile_number), Field(examples=["07700900123"])]
Count = Annotated[int, Field(ge=0)]


class KnownFields(Fields, extra="allow"):
    """A JSON body that refuses unknown fields, if all others are valid. The error names the first one."""

    @model_validator(mode="after")
    def _refuse_unknown(self) -> KnownFields:
        for name in self.model_extra or ():
            raise complain(f"Unknown field name {name}")
        return self


class NewUser(Fields):
    """A user to register."""

    name: Name
    email_address: UserAddress
    password: str
    mobile_number: MobileNumber | None = None
    auth_type: str | MISSING = MISSING
    state: str | MISSING = MISSING
    failed_login_count: Count | MISSING = MISSING
    platform_admin: bool | MISSING = MISSING
    logged_in_at: IsoDateTime | None = None
    id: Uuid | MISSING = MISSING
    take_part_in_research: bool | MISSING = MISSING
    receives_new_features_email: bool | MISSING = MISSING


def _only_false(value: bool) -> bool:
    if value:
        raise complain("Cannot set platform_admin to True")
    return value


class ChangedUser(KnownFields):
    """The fields of a user to change. `updated_by` is another user who makes the change."""

    name: Name | MISSING = MISSING
    email_address: UserAddress | MISSING = MISSING
    mobile_number: MobileNumber | MISSING | None = MISSING
    auth_type: str | MISSING = MISSING
    current_session_id: Uuid | MISSING | None = MISSING
    email_access_validated_at: IsoDateTime | MISSING = MISSING
    take_part_in_research: bool | MISSING = MISSING
    receives_new_features_email: bool | MISSING = MISSING
    platform_admin: Annotated[bool, AfterValidator(_only_false)] | MISSING = MISSING
    updated_by: str | MISSING | None = MISSING


class EmailQuestion(Fields):
    """A whole address."""

    email: EmailAddress


class EmailPart(Fields):
    """A part of an address."""

    email: str


class EmailQuery(FieldsQuery):
    """A whole address, in a query."""

    email: str = ""


class NewPassword(KnownFields):
    """A password to set."""

    password: str | MISSING = Field(MISSING, alias="_password")


class UserAnswer(Answer):
    """A user. It has no password and no code."""

    id: UUID
    name: str
    email_address: str
    created_at: Moment
    auth_type: str
    current_session_id: UUID | None
    failed_login_count: int
    email_access_validated_at: Moment
    logged_in_at: Moment | None
    mobile_number: str | None
    organisations: list[UUID]
    password_changed_at: SpacedMoment
    permissions: dict[UUID, list[str]]
    organisation_permissions: dict[UUID, list[str]]
    platform_admin: bool
    services: list[UUID]
    can_use_webauthn: bool
    state: str
    take_part_in_research: bool
    receives_new_features_email: bool


class FoundUserAnswer(Answer):
    """A user in search results."""

    id: UUID
    name: str
    email_address: str
    mobile_number: str | None


class OwnOrganisationAnswer(Answer):
    """An organisation of a user."""

    id: UUID
    name: str
    count_of_live_services: int


class OwnServiceAnswer(Answer):
    """A service of a user."""

    id: UUID
    name: str
    restricted: bool
    organisation: UUID | None


class AccountsAnswer(Answer):
    """The active organisations and services of a user."""

    organisations: list[OwnOrganisationAnswer]
    services: list[OwnServiceAnswer]


def answer_user(session: Session, user_id: UUID) -> Data[UserAnswer]:
    """The answer for a user. Raises `NotFoundProblemError`."""
    return Data(data=UserAnswer.of(details.user_details(session, user_id)))


@routes.post("", status=201)
def create_user(session: Session, body: NewUser) -> Data[UserAnswer]:
    """Register a user."""
    given: dict[str, Any] = body.given()
    if "id" in given:
        given["user_id"] = given.pop("id")
    return answer_user(session, actions.create_user(session, **given).id)


@routes.get("/<uuid:user_id>")
def get_user(session: Session, user_id: UUID) -> Data[UserAnswer]:
    """Get a user."""
    return answer_user(session, user_id)


@routes.post("/<uuid:user_id>")
def change_user(session: Session, container: Container, user_id: UUID, unread: Unread[ChangedUser]) -> Data[UserAnswer]:
    """Change a user. Notifies the user if another person changes the email address or the number."""
    user = queries.lock_user(session, user_id)
    body = unread.read()
    changes: Any = body.given()
    changed_by = _other_user(session, changes.pop("updated_by")) if "updated_by" in changes else None
    actions.update_user(session, user, **changes)
    if changed_by is not None:
        messages = container.get(AccountMessages)
        if "email_address" in changes:
            messages.send_address_changed(session, user, changed_by)
        elif "mobile_number" in changes:
            messages.send_number_changed(session, user, changed_by)
    return answer_user(session, user_id)


def _other_user(session: Session, user_id: str | None) -> User:
    try:
        return queries.get_user(session, parse_uuid(user_id))
    except ValueError:
        raise NotFoundProblemError from None


@routes.post("/<uuid:user_id>/archive")
def archive_user(session: Session, container: Container, user_id: UUID) -> None:
    """Archive a user."""
    domain = container.parts.settings.notify_email_domain
    archive(session, user_id, email_domain=domain, now=utc_now())


@routes.post("/<uuid:user_id>/reset-failed-login-count")
def reset_failures(session: Session, user_id: UUID) -> Data[UserAnswer]:
    """Reset a user's count of failed sign-ins."""
    queries.lock_user(session, user_id).failed_login_count = 0
    session.flush()
    return answer_user(session, user_id)


@routes.post("/<uuid:user_id>/activate")
def activate_user(session: Session, user_id: UUID) -> Data[UserAnswer]:
    """Activate a new user."""
    actions.activate_user(session, queries.lock_user(session, user_id))
    return answer_user(session, user_id)


@routes.post("/<uuid:user_id>/update-password")
def change_password(session: Session, user_id: UUID, body: NewPassword) -> Data[UserAnswer]:
    """Change a user's password."""
    if body.password is MISSING:
        raise FieldProblemError("_password", "Missing data for required field.")
    actions.set_password(queries.get_user(session, user_id), body.password)
    session.flush()
    return answer_user(session, user_id)


@routes.post("/email", writes=False)
def get_user_by_email(session: Session, body: EmailQuestion) -> Data[UserAnswer]:
    """Get the user of an email address."""
    return _user_of_address(session, body.email)


@legacy_routes.get("/email")
def get_user_by_email_in_query(session: Session, query: EmailQuery) -> Data[UserAnswer]:
    """Get the user of an email address in the query."""
    if not query.email:
        raise ProblemError("Invalid request. Email query string param required")
    return _user_of_address(session, query.email)


def _user_of_address(session: Session, email_address: str) -> Data[UserAnswer]:
    user = queries.user_by_email(session, email_address)
    if user is None:
        raise NotFoundProblemError
    return answer_user(session, user.id)


@routes.post("/find-users-by-email", writes=False)
def find_users_by_email(session: Session, body: EmailPart) -> Data[list[FoundUserAnswer]] | Response:
    """Find users by a part of their email address."""
    return data_response(queries.find_users(session, body.email))


@routes.get("/<uuid:user_id>/organisations-and-services")
def get_accounts(session: Session, user_id: UUID) -> AccountsAnswer:
    """Get a user's organisations and services."""
    queries.get_user(session, user_id)
    return AccountsAnswer(
        organisations=OwnOrganisationAnswer.of_each(details.own_organisations(session, user_id)),
        services=OwnServiceAnswer.of_each(details.own_services(session, user_id)),
    )
