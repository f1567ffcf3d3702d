"""Every setting of the product: typed, documented, read from the environment.

The environment variable of a field is its name in upper case. Each room declares its own in `notify/<room>/settings.py`
(`notify/infra/settings.py`: those of all processes); a class takes the part it needs. `docs/configuration.md` is
generated from them (`notify settings --markdown`), so a field's description is what an operator reads.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as SettingsSourceError

from notify import safety
from notify.documents.settings import DocumentSettings
from notify.infra.settings import (
    DatabaseSettings,
    EnvironmentSettings,
    FileSettings,
    QueueSettings,
    SecretSettings,
    TelemetrySettings,
    WorkerSettings,
)
from notify.messages.settings import DeliverySettings
from notify.providers.settings import EmailProviderSettings, TextProviderSettings
from notify.public.settings import WebSettings
from notify.safety import SettingsError
from notify.setting_types import CleanEnvironment, SettingsPart, without_control_characters
from notify.sign_in.settings import AccountSettings
from notify.webhooks.settings import CallbackSettings

__all__ = ["PARTS", "Settings", "SettingsError", "load", "read"]

PARTS: Final[tuple[type[SettingsPart], ...]] = (
    EnvironmentSettings,
    SecretSettings,
    DatabaseSettings,
    QueueSettings,
    FileSettings,
    WebSettings,
    WorkerSettings,
    DeliverySettings,
    CallbackSettings,
    TextProviderSettings,
    EmailProviderSettings,
    DocumentSettings,
    AccountSettings,
    TelemetrySettings,
)
"""The parts of `Settings`, in the order in which an operator reads of them."""


class Settings(
    AccountSettings,
    CallbackSettings,
    DocumentSettings,
    EnvironmentSettings,
    SecretSettings,
    DatabaseSettings,
    QueueSettings,
    FileSettings,
    WebSettings,
    WorkerSettings,
    DeliverySettings,
    TextProviderSettings,
    EmailProviderSettings,
    TelemetrySettings,
    BaseSettings,
):
    """The settings of one process. Build it with `load()`, which turns every fault into one `SettingsError` line."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    @field_validator("*")
    @classmethod
    def _clean(cls, value: Any) -> Any:
        return without_control_characters(value)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Keyword arguments, then the environment without blanks and quotes around its values."""
        return init_settings, CleanEnvironment(settings_cls)


def read(**overrides: Any) -> Settings:
    """Read the environment into `Settings`, without the checks of `load`. Keyword arguments (field names) win over it.

    Raises `SettingsError` with one line that names the first malformed variable.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(f"{str(first['loc'][0]).upper()}: {first['msg']}") from None
    except SettingsSourceError as error:
        raise SettingsError(_malformed(error)) from None


def load(*, starts_servers: bool = False, **overrides: Any) -> Settings:
    """As `read`, with settings that are safe to run with. `starts_servers`: the addresses of database and cache come
    later, from servers that `notify up` starts.

    Raises `SettingsError` with one line that names the first malformed, missing or unsafe variable.
    """
    settings = read(**overrides)
    if not settings.notify_environment:
        raise SettingsError(
            "NOTIFY_ENVIRONMENT: must be set: development on your own machine, elsewhere a name of your own such as "
            "production"
        )
    if settings.is_safe_environment:
        safety.refuse_exposure(settings)
    else:
        safety.refuse_weakness(settings)
        if not starts_servers:
            safety.refuse_missing_servers(settings)
    return settings


def _malformed(error: SettingsSourceError) -> str:
    # the library's text is: error parsing value for field "<name>" from source "<class>"
    parts = str(error).split('"')
    return f"{parts[1].upper()}: must be valid JSON" if len(parts) > 1 else str(error)
