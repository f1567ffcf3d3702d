"""The address of the object store, and its credentials."""

from __future__ import annotations

from typing import Final, NamedTuple

from notify.settings import Settings

PREFIX: Final = "/objects"


class Credentials(NamedTuple):
    """The credentials of a client's signatures."""

    key: str
    secret: str


def credentials_of(settings: Settings) -> Credentials:
    """The credentials of the admin app: its id as a client of the API, and its secret there; empty if it has none."""
    client = settings.admin_client_id
    return Credentials(client, next(iter(settings.internal_client_api_keys.get(client, [])), ""))


def address_of(settings: Settings) -> str:
    """The endpoint for S3 clients."""
    return settings.api_host_name.rstrip("/") + PREFIX
