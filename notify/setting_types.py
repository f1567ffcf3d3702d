"""Types of settings: how values are cleaned and checked.

A `ValueError` becomes the one line at start that names the variable. Never quote the value: it may be a secret.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic_settings import EnvSettingsSource

OBJECT_STORES: Final = ("file", "s3", "gs", "az", "memory")
POSTGRES_SCHEMES: Final = ("postgresql", "postgres", "postgresql+psycopg")

_QUOTES: Final = "\"'"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_HOST: Final = re.compile(r"[\w](?:[\w.-]*[\w])?\.?")
_FERNET_BYTES: Final = 32


class Connection(NamedTuple):
    """The hosts that a setting connects to, and whether that is encrypted. `advice` says how to encrypt it."""

    variable: str
    hosts: tuple[str, ...]
    is_encrypted: bool
    advice: str


class SettingsPart(BaseModel):
    """Base class of the parts of `Settings`. A part overrides these methods to name what `notify.safety` must check."""

    model_config = ConfigDict(frozen=True)

    def listeners(self) -> Iterator[tuple[str, str]]:
        """Variable and host of each address that processes listen on."""
        yield from ()

    def providers(self) -> Iterator[tuple[str, str]]:
        """Services in use that reach people: the variable that enables each, and the address we call it at."""
        yield from ()

    def stand_ins(self) -> Iterator[tuple[str, str]]:
        """Variables that must only be set in development, each with a description of its value."""
        yield from ()

    def links(self) -> Iterator[tuple[str, str]]:
        """Variable and address of what other people and systems are sent to."""
        yield from ()

    def unset(self) -> Iterator[tuple[str, str]]:
        """Variables whose default is for development only and that are not set, each with what the default would do."""
        yield from ()

    def secrets(self) -> Iterator[tuple[str, str, int]]:
        """Variable, value and minimum length of each of our secrets."""
        yield from ()

    def connections(self) -> Iterator[Connection]:
        """The connections to other machines."""
        yield from ()


def clean(value: str) -> str:
    """`value` without blanks at its ends and one pair of quotes around it. `echo key | base64` leaves a newline in a
    Kubernetes secret, and files for `docker --env-file` keep quotes.
    """
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in _QUOTES:
        value = value[1:-1].strip()
    return value


class CleanEnvironment(EnvSettingsSource):
    """The environment's variables, each cleaned. One that is empty then counts as one that is not set."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        cleaned = {name: clean(value) for name, value in super()._load_env_vars().items() if value is not None}
        return {name: value for name, value in cleaned.items() if value}


def one_or_many(value: Any) -> Any:
    """A list from one value or from a JSON list of values. Raises `ValueError`."""
    if not isinstance(value, str):
        return value
    if not value.lstrip().startswith("["):
        return [value]
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        raise ValueError("must be one value or a JSON list") from None


def words(value: Any) -> Any:
    """A list from words separated by commas."""
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


def without_control_characters(value: Any) -> Any:
    """`value`, unless one of its texts is empty or has control characters (such as a newline). Raises `ValueError`."""
    texts = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else ()
    for text in texts:
        if isinstance(text, str) and _CONTROL.search(text):
            raise ValueError("must not contain line breaks or other control characters")
        if text == "" and isinstance(value, list):
            raise ValueError("must not hold empty values")
    return value


def split_address(value: str, *, needs_host: bool = False) -> SplitResult | None:
    """The parts of an address; None if it is not one. PostgreSQL's may name several hosts, each with a port."""
    try:
        parts = urlsplit(value)
        usable = not needs_host or (bool(parts.hostname) and parts.port != 0)
    except ValueError:  # the port is not a number; it may be a piece of a password
        return None
    return parts if usable and not any(character.isspace() for character in value) else None


def _address(schemes: tuple[str, ...], *, needs_host: bool, wanted: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value:
            parts = split_address(value, needs_host=needs_host)
            if parts is None or parts.scheme not in schemes:
                raise ValueError(f"must be {wanted}")
        return value

    return check


def _any_address(value: str) -> str:
    if value and (":" not in value or any(character.isspace() for character in value)):
        raise ValueError("must be an address with its scheme, such as redis://host:6379/0")
    return value


def _host_name(value: str) -> str:
    if not value or _HOST.fullmatch(value):
        return value
    try:
        ipaddress.ip_address(value)
    except ValueError:
        raise ValueError("must be a host name or an IP address, without scheme and port") from None
    return value


def _header_text(value: str) -> str:
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise ValueError("must be ASCII characters without blanks")
    return value


def _fernet_key(value: str) -> str:
    if value:
        try:
            size = len(base64.urlsafe_b64decode(value.encode()))
        except (binascii.Error, ValueError):
            size = 0
        if size != _FERNET_BYTES:
            raise ValueError("must be a Fernet key: 32 bytes in URL-safe base64")
    return value


def _url_path(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError("must start with /")
    return value


WebAddress = Annotated[
    str, AfterValidator(_address(("http", "https"), needs_host=True, wanted="an http:// or https:// address"))
]
PostgresAddress = Annotated[
    str, AfterValidator(_address(POSTGRES_SCHEMES, needs_host=False, wanted="a postgresql:// address"))
]
RedisAddress = Annotated[
    str, AfterValidator(_address(("redis", "rediss", "unix"), needs_host=False, wanted="a redis:// address"))
]
SmtpAddress = Annotated[
    str, AfterValidator(_address(("smtp", "smtps"), needs_host=True, wanted="an smtp:// or smtps:// address"))
]
ObjectStoreAddress = Annotated[
    str,
    AfterValidator(
        _address(
            OBJECT_STORES,
            needs_host=False,
            wanted="an address that starts with " + ", ".join(f"{name}://" for name in OBJECT_STORES),
        )
    ),
]
Address = Annotated[str, AfterValidator(_any_address)]
HostName = Annotated[str, AfterValidator(_host_name)]
HeaderText = Annotated[str, AfterValidator(_header_text)]
"""A value that is sent in an HTTP header, such as a provider's key."""
FernetKey = Annotated[str, AfterValidator(_fernet_key)]
UrlPath = Annotated[str, AfterValidator(_url_path)]
