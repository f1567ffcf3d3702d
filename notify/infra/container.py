"""The container: one object of each class per process, built at first use."""

from __future__ import annotations

from contextlib import ExitStack
from threading import RLock
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

if TYPE_CHECKING:
    # a process that has no parts, such as the sandbox, loads none
    from notify.infra.parts import Parts


class Buildable(Protocol):
    """A class that can build its one object of a process."""

    @classmethod
    def build(cls, container: Container, /) -> Self:
        """The object, built from the container's parts and its other objects."""
        ...


B = TypeVar("B", bound=Buildable)


class Container:
    """Holds the working objects of a process.

    `get` may be called from any thread: each class is built once, under a lock (`functools.cached_property` has none
    since Python 3.12). Only `build` methods, views, tasks and commands call it; everything else is given what it needs.
    """

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._lock = RLock()
        self._objects: dict[type[Any], Any] = {}
        self._closing = ExitStack()

    def get(self, kind: type[B]) -> B:
        """The process's object of this class. One with a `close` method is closed with the container."""
        found: B | None = self._objects.get(kind)
        if found is not None:
            return found
        with self._lock:
            made: B | None = self._objects.get(kind)
            if made is None:
                made = kind.build(self)
                close = getattr(made, "close", None)
                if close is not None:
                    self._closing.callback(close)
                self._objects[kind] = made
            return made

    def close(self) -> None:
        """Close what was built, the newest first, then the parts. The container is not used afterwards."""
        with self._lock:
            self._objects.clear()
            try:
                self._closing.close()
            finally:
                self.parts.close()
