"""Hooks: let higher rooms react, in the same transaction, when an object of a lower room changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy.orm import Session

from notify.rooms import load_all

T = TypeVar("T")

Subscriber = Callable[[Session, T, datetime], None]


class Hook(Generic[T]):
    """An event in the life of a `T`. Higher rooms subscribe to it in their `hooks.py`.

    Calling it runs the subscribers, in the order of the rooms, within the caller's transaction: an error of one of them
    undoes the whole change.
    """

    def __init__(self) -> None:
        self._subscribers: list[Subscriber[T]] = []

    def subscribe(self, function: Subscriber[T]) -> Subscriber[T]:
        """Decorate a function that is called with the session, the object and the time of the change."""
        self._subscribers.append(function)
        return function

    def __call__(self, session: Session, subject: T, now: datetime) -> None:
        """Run every room's subscribers."""
        load_all("hooks")
        for function in self._subscribers:
            function(session, subject, now)
