"""Recording a callback once more, for one subject: what the rooms that the subjects belong to provide."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final
from uuid import UUID

from notify.infra.container import Container
from notify.vocabulary import CallbackType

Recorder = Callable[[Container, UUID], Collection[UUID]]
"""Records the callback of one subject once more, from the database; returns the services to wake."""

recorders: Final[dict[CallbackType, Recorder]] = {}


def records_again(callback_type: CallbackType) -> Callable[[Recorder], Recorder]:
    """Decorate the `Recorder` of a type of callback, in the room that its subjects belong to."""

    def declare(recorder: Recorder) -> Recorder:
        recorders[callback_type] = recorder
        return recorder

    return declare
