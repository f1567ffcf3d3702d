"""Every setting of the product: typed, documented, read from the environment.

The environment variable of a field is its name in upper case. Each room declares its own in `notify/<room>/settings.py`
(`notify/infra/settings.py`: those of all processes); a class takes the part it needs. `docs/configuration.md` is
generated from them (`notify settings --markdown`), so a field's description is what an operator reads.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any, TypeVar

from pydantic import ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as SettingsSourceError

from notify import safety
from notify.infra.secret_settings import SecretSettings
from notify.infra.settings import (
    AmazonSettings,
    DatabaseSettings,
    EnvironmentSettings,
    FileSettings,
    QueueSettings,
    TelemetrySettings,
    WebSettings,
    WorkerSettings,
)
from notify.infra.ticket_settings import TicketSettings
from notify.rooms import load as load_rooms
from notify.safety import SettingsError
from notify.setting_types import CleanEnvironment, SettingsPart, without_control_characters

__all__ = ["Settings", "SettingsError", "load", "parts", "read"]

P = TypeVar("P", bound=SettingsPart)


class Settings(
    EnvironmentSettings,
    SecretSettings,
    DatabaseSettings,
    QueueSettings,
    FileSettings,
    WebSettings,
    WorkerSettings,
    AmazonSettings,
    TelemetrySettings,
    TicketSettings,
    BaseSettings,
):
    """The settings of one process: these, and those of every room, typed, through `part(...)`.

    Build it with `load()`, which reports every error as one `SettingsError` line.
    """

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    @field_validator("*")
    @classmethod
    def _clean(cls, value: Any) -> Any:
        return without_control_characters(value)

    def part(self, kind: type[P]) -> P:
        """The settings of a room: a class of its `settings.py`."""
        if not isinstance(self, kind):
            raise TypeError(f"{kind.__name__} is in no `settings.py` of a room")
        return self

    def changed(self, **changes: Any) -> Settings:
        """A copy of these settings with some changed. Nothing is read from the environment."""
        return type(self)(**{**self.model_dump(), **changes})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Keyword arguments, then the environment with its values stripped of surrounding blanks and quotes."""
        return init_settings, CleanEnvironment(settings_cls)


def parts() -> list[type[SettingsPart]]:
    """The parts of the settings: those of every process, then each room's."""
    common = [base for base in Settings.__bases__ if issubclass(base, SettingsPart)]
    return common + [part for module in load_rooms("settings") for part in _declared(module)]


def _declared(module: ModuleType) -> list[type[SettingsPart]]:
    values = [value for value in vars(module).values() if isinstance(value, type)]
    return [value for value in values if issubclass(value, SettingsPart) and value.__module__ == module.__name__]


@cache
def _whole() -> type[Settings]:
    """`Settings` with the fields of every room."""
    rooms = [part for part in parts() if not issubclass(Settings, part)]
    return type("Settings", (*rooms, Settings), {"__doc__": Settings.__doc__, "__module__": __name__})


def read(**overrides: Any) -> Settings:
    """Read the environment into `Settings`, without the checks of `load`. Keyword arguments (field names) win over it.

    Raises `SettingsError` with one line that names the first malformed variable.
    """
    try:
        return _whole()(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(f"{str(first['loc'][0]).upper()}: {first['msg']}") from None
    except SettingsSourceError as error:
        raise SettingsError(_malformed(error)) from None


def load(*, starts_servers: bool = False, **overrides: Any) -> Settings:
    """As `read`, but also check that the settings are safe to run with. `starts_servers`: the addresses of database and
    cache may be missing, because `notify up` starts these servers later.

    Raises `SettingsError` with one line that names the first malformed, missing or unsafe variable.
    """
    settings = read(**overrides)
    if not settings.notify_environment:
        raise SettingsError(
            "NOTIFY_ENVIRONMENT: must be set: development on your own machine, elsewhere a name of your own such as "
            "production"
        )
    if settings.is_safe_environment:
        safety.refuse_exposure(settings, parts())
    else:
        safety.refuse_weakness(settings, parts())
        if not starts_servers:
            safety.refuse_missing_servers(settings)
    return settings


def _malformed(error: SettingsSourceError) -> str:
    # the library's text is: error parsing value for field "<name>" from source "<class>"
    parts = str(error).split('"')
    return f"{parts[1].upper()}: must be valid JSON" if len(parts) > 1 else str(error)
