"""Identifiers."""

from datetime import datetime
from uuid import UUID, uuid4

import uuid_utils.compat


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562), for messages and other big tables: sorted by creation time, so that indexes stay compact."""
    return uuid_utils.compat.uuid7()


def new_public_id() -> UUID:
    """A random UUID (version 4), for objects that clients name in requests: services, templates, API keys, users,
    organisations, senders, brandings, inbound numbers. The official PHP client refuses other versions.
    """
    return uuid4()


def first_id(moment: datetime) -> UUID:
    """The smallest UUIDv7 of a moment (to the millisecond): all made before it are smaller."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62)
