"""Users and services for tests. They go through the real actions, except for the cost of hashing a password."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from notify.accounts.models import User
from notify.infra.ids import new_id
from notify.services.models import Service
from notify.services.service import create_service


def a_user(session: Session, **fields: Any) -> User:
    """An active user with a unique address."""
    values = {
        "name": "Ada",
        "email_address": f"{new_id()}@example.com",
        "mobile_number": "07700900100",
        "password": "not a hash: cannot sign in",
        "state": "active",
    }
    user = User(id=new_id(), **(values | fields))
    session.add(user)
    session.flush()
    return user


def a_service(session: Session, **options: Any) -> Service:
    """A service in trial mode with a unique name; its first member is a new user unless `user_id` is given."""
    values: dict[str, Any] = {"name": f"Service {new_id()}", "from_number": "testing"}
    if "user_id" not in options:
        values["user_id"] = a_user(session).id
    return create_service(session, **(values | options))
