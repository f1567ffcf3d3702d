"""Where the object store is, and what clients sign with."""

from __future__ import annotations

from typing import Final, NamedTuple

from notify.settings import Settings

PREFIX: Final = "/objects"


class Credentials(NamedTuple):
    """What a client signs with."""

    key: str
    secret: str


def credentials_of(settings: Settings) -> Credentials:
    """What the admin app signs with: its id as a client of the API, and its secret there; empty where it has none."""
    client = settings.admin_client_id
    return Credentials(client, next(iter(settings.internal_client_api_keys.get(client, [])), ""))


def address_of(settings: Settings) -> str:
    """The address that clients of S3 take."""
    return settings.api_host_name.rstrip("/") + PREFIX
