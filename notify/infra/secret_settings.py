"""Settings of secrets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from notify.safety import DEVELOPMENT_CLIENTS, DEVELOPMENT_SALT, DEVELOPMENT_SECRET, SHORTEST_SALT, SHORTEST_SECRET
from notify.setting_types import FernetKey, SettingsPart, one_or_many


class SecretSettings(SettingsPart):
    """Keys of links, tokens and stored data, and the admin app's secrets."""

    # -- secrets
    secret_key: Annotated[list[str], NoDecode] = Field(
        default=[DEVELOPMENT_SECRET],
        description="Signs links and tokens; the admin app has the same. One value, or a JSON list for rotation: the last one signs, all are accepted. Outside development at least 32 characters, as is each secret below.",
    )
    dangerous_salt: str = Field(DEVELOPMENT_SALT, description="Salt of signatures.")
    token_secret_key: FernetKey = Field(
        "",
        description="Fernet key of tokens in links (unsubscribe); the admin app has the same. Must be set outside development and test. Empty: signed tokens of the older form are made instead.",
    )
    data_encryption_keys: Annotated[list[str], NoDecode] = Field(
        default=[],
        description="Keys of personal data at rest, which nobody else has. One value, or a JSON list for rotation: the last one encrypts, all of them decrypt (docs/running.md). Must be set outside development and test. Empty: `notify up` has a random one in its data folder; else `SECRET_KEY` is used.",
    )
    read_data_under_secret_key: bool = Field(
        True,
        description="Data that was encrypted under `SECRET_KEY`, as older versions did, is still read. Set `0` when `notify rotate-secrets` has rewritten it: such data is refused then.",
    )
    internal_client_api_keys: dict[str, list[str]] = Field(
        default=DEVELOPMENT_CLIENTS,
        description="JSON object: id of an internal client (such as the admin app) to the list of its secrets.",
    )
    admin_client_id: str = Field("notify-admin", description="Internal client id of the admin web app.")
    template_preview_internal_secrets: list[str] = Field(
        default=[],
        description="JSON list of secrets of template preview (`TEMPLATE_PREVIEW_API_KEY` of the admin app is one of them). Empty: the admin app's own in development and test, elsewhere nobody can call it.",
    )

    @field_validator("secret_key", "data_encryption_keys", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return one_or_many(value)

    @field_validator("secret_key")
    @classmethod
    def _not_empty(cls, value: list[str]) -> list[str]:
        if not value:
            raise ValueError("must not be empty")
        return value

    @property
    def encryption_keys(self) -> list[str]:
        """Keys of data at rest: `DATA_ENCRYPTION_KEYS`, else (in development and test) `SECRET_KEY`."""
        return self.data_encryption_keys or self.secret_key

    @property
    def older_encryption_keys(self) -> list[str]:
        """Secrets that data at rest may still be encrypted with, besides `encryption_keys`."""
        return self.secret_key if self.read_data_under_secret_key else []

    def secrets(self) -> Iterator[tuple[str, str, int]]:
        """Secrets of signatures, of the internal API's clients, and of data at rest."""
        for secret in self.secret_key:
            yield "SECRET_KEY", secret, SHORTEST_SECRET
        yield "DANGEROUS_SALT", self.dangerous_salt, SHORTEST_SALT
        for secrets in self.internal_client_api_keys.values():
            for secret in secrets:
                yield "INTERNAL_CLIENT_API_KEYS", secret, SHORTEST_SECRET
        for secret in self.data_encryption_keys:
            yield "DATA_ENCRYPTION_KEYS", secret, SHORTEST_SECRET
        for secret in self.template_preview_internal_secrets:
            yield "TEMPLATE_PREVIEW_INTERNAL_SECRETS", secret, SHORTEST_SECRET
        if self.token_secret_key:
            yield "TOKEN_SECRET_KEY", self.token_secret_key, SHORTEST_SECRET
