"""Requests to join a service (contract: internal-services 5.1). Every function and method flushes; the caller's
transaction commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Self
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from notify.accounts.actions import add_to_service
from notify.accounts.models import ServiceUser, User
from notify.accounts.queries import get_user, lock_user, permissions_in_service
from notify.infra.container import Container
from notify.infra.errors import NotFoundProblemError
from notify.notices import catalogue
from notify.notices.sender import Notices
from notify.services.members import is_member
from notify.services.models import Service
from notify.services.service import lock_service
from notify.teams.errors import InServiceAlreadyError, NobodyToAskError
from notify.teams.models import JoinRequest, JoinRequestContact
from notify.teams.quoting import quoted
from notify.templates.folder_members import add_folders_of_member


class Named(NamedTuple):
    """The id and name of a user."""

    id: UUID
    name: str


class Requester(NamedTuple):
    """The user who asks, and the services that they belong to."""

    id: UUID
    name: str
    email_address: str
    belongs_to_service: list[UUID]


class JoinRequestDetails(NamedTuple):
    """A request with the users involved."""

    id: UUID
    service_id: UUID
    created_at: datetime
    status: str
    status_changed_at: datetime | None
    status_changed_by: Named | None
    reason: str | None
    contacted_service_users: list[UUID]
    requester: Requester


class Approval(NamedTuple):
    """What a user may do once the request is approved. `auth_type` None: unchanged."""

    permissions: Sequence[str]
    folder_permissions: Sequence[str]
    auth_type: str | None


class JoinRequests:
    """Creates and answers requests, and sends their emails, in one transaction."""

    def __init__(self, notices: Notices, admin_url: str) -> None:
        self._notices = notices
        self._admin_url = admin_url.rstrip("/")

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.get(Notices), container.parts.settings.admin_base_url)

    def ask(
        self,
        session: Session,
        service_id: UUID,
        *,
        requester_id: UUID,
        contacted_user_ids: Sequence[UUID],
        reason: str,
        admin_url: str,
    ) -> JoinRequest:
        """Ask members of a service to let a user join it; the user gets a receipt. `admin_url` is the address of the
        admin app in the links.

        Raises `NotFoundProblemError` (no such service or user), `InServiceAlreadyError`, `NobodyToAskError`.
        """
        requester = get_user(session, requester_id)
        contacts = [get_user(session, user_id) for user_id in dict.fromkeys(contacted_user_ids)]
        service = lock_service(session, service_id)
        if is_member(session, service_id, requester_id):
            raise InServiceAlreadyError
        members = [user for user in contacts if is_member(session, service_id, user.id)]
        if not members:
            raise NobodyToAskError
        request = JoinRequest(requester_id=requester_id, service_id=service_id, reason=reason)
        session.add(request)
        session.flush()
        session.add_all(JoinRequestContact(service_join_request_id=request.id, user_id=user.id) for user in contacts)
        session.flush()
        page = f"{admin_url.rstrip('/')}/services/{service_id}"
        for member in members:
            self._send_request(session, request, service, requester, member, page)
        self._send_receipt(session, service, requester, contacts, page)
        return request

    def answer(
        self,
        session: Session,
        service_id: UUID,
        request_id: UUID,
        *,
        status: str,
        changed_by_id: UUID,
        reason: str | None,
        approval: Approval,
        now: datetime,
    ) -> None:
        """Approve, reject or cancel a request; `reason` None: unchanged. If it is approved, the user becomes a member
        and gets an email, and the user's other pending requests for the service are cancelled.

        Raises `NotFoundProblemError` (no such request or user).
        """
        service = lock_service(session, service_id)
        request = _get(session, service_id, request_id)
        changed_by = get_user(session, changed_by_id)
        request.status = status
        request.status_changed_by_id = changed_by.id
        request.status_changed_at = now
        if reason is not None:
            request.reason = reason
        session.flush()
        if status == "approved":
            requester = lock_user(session, request.requester_id)
            _admit(session, service, requester, approval)
            _cancel_others(session, request, now)
            self._send_approval(session, service, requester, changed_by)

    def _send_request(
        self, session: Session, request: JoinRequest, service: Service, requester: User, member: User, page: str
    ) -> None:
        values = {
            "approver_name": member.name,
            "requester_name": requester.name,
            "requester_email_address": requester.email_address,
            "service_name": service.name,
            "reason_given": "yes" if request.reason else "no",
            "reason": quoted(request.reason or ""),
            "url": f"{page}/join-request/{request.id}/approve",
        }
        self._notices.send(
            session, catalogue.REQUEST_TO_JOIN, member.email_address, values, sender=requester.email_address
        )

    def _send_receipt(
        self, session: Session, service: Service, requester: User, contacts: Sequence[User], page: str
    ) -> None:
        values = {
            "requester_name": requester.name,
            "service_name": service.name,
            "service_admin_names": [f"{user.name} – {user.email_address}" for user in contacts],
            "url_ask_to_join_page": f"{page}/join/ask",
        }
        self._notices.send(session, catalogue.REQUEST_TO_JOIN_RECEIPT, requester.email_address, values)

    def _send_approval(self, session: Session, service: Service, requester: User, approver: User) -> None:
        values = {
            "requester_name": requester.name,
            "approver_name": approver.name,
            "service_name": service.name,
            "dashboard_url": f"{self._admin_url}/services/{service.id}",
        }
        self._notices.send(session, catalogue.JOIN_REQUEST_APPROVED, requester.email_address, values)


def join_request_details(session: Session, service_id: UUID, request_id: UUID) -> JoinRequestDetails:
    """A request. Raises `NotFoundProblemError`."""
    request = _get(session, service_id, request_id)
    requester = get_user(session, request.requester_id)
    changed_by = session.get(User, request.status_changed_by_id) if request.status_changed_by_id else None
    contacts = select(JoinRequestContact.user_id).where(JoinRequestContact.service_join_request_id == request.id)
    services = (
        select(ServiceUser.service_id)
        .join(Service, Service.id == ServiceUser.service_id)
        .where(ServiceUser.user_id == requester.id)
        .order_by(Service.name)
    )
    return JoinRequestDetails(
        id=request.id,
        service_id=request.service_id,
        created_at=request.created_at,
        status=request.status,
        status_changed_at=request.status_changed_at,
        status_changed_by=Named(changed_by.id, changed_by.name) if changed_by else None,
        reason=request.reason,
        contacted_service_users=list(session.scalars(contacts.order_by(JoinRequestContact.user_id))),
        requester=Requester(requester.id, requester.name, requester.email_address, list(session.scalars(services))),
    )


def _get(session: Session, service_id: UUID, request_id: UUID) -> JoinRequest:
    request = session.get(JoinRequest, request_id)
    if request is None or request.service_id != service_id:
        raise NotFoundProblemError
    return request


def _admit(session: Session, service: Service, requester: User, approval: Approval) -> None:
    """Make the requester a member. An existing member keeps their permissions."""
    kept = permissions_in_service(session, requester.id, service.id)
    add_to_service(session, requester.id, service.id, {*kept, *approval.permissions})
    add_folders_of_member(session, service.id, requester.id, approval.folder_permissions)
    needs_number = approval.auth_type == "sms_auth" and requester.mobile_number is None
    if approval.auth_type is not None and not needs_number:
        requester.auth_type = approval.auth_type
        session.flush()


def _cancel_others(session: Session, request: JoinRequest, now: datetime) -> None:
    session.execute(
        update(JoinRequest)
        .where(
            JoinRequest.requester_id == request.requester_id,
            JoinRequest.service_id == request.service_id,
            JoinRequest.status == "pending",
            JoinRequest.id != request.id,
        )
        .values(status="cancelled", status_changed_at=now, status_changed_by_id=request.status_changed_by_id)
    )
