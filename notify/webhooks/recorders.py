"""Registry of recorders: functions that record a callback again, provided by the rooms that own the subjects."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final
from uuid import UUID

from notify.infra.container import Container
from notify.vocabulary import CallbackType

Recorder = Callable[[Container, UUID], Collection[UUID]]
"""Records the callback of one subject again, from the database; returns the services whose tasks to publish."""

recorders: Final[dict[CallbackType, Recorder]] = {}


def records_again(callback_type: CallbackType) -> Callable[[Recorder], Recorder]:
    """Register the decorated function as the `Recorder` of a type of callback."""

    def declare(recorder: Recorder) -> Recorder:
        recorders[callback_type] = recorder
        return recorder

    return declare
