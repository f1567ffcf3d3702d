"""Refuses unsafe settings, so that a forgotten variable stops a process instead of exposing it.

In development and test everything is public: secrets, console, sandbox. So a process there must not be reachable from
outside, nor reach real people. Everywhere else secrets must be strong, and connections to other machines encrypted.
(docs/running.md, docs/decisions/0017-keys-of-data-at-rest.md)
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from notify.setting_types import Connection, SettingsPart

if TYPE_CHECKING:
    from notify.settings import Settings

T = TypeVar("T")

DEVELOPMENT_SECRET: Final = "dev-notify-secret-key"
DEVELOPMENT_SALT: Final = "dev-notify-salt"
DEVELOPMENT_TOKEN_KEY: Final = "5YNWU0e_pN5ZyaSZvBd5uZb_sZlrVDFeOjiea6dq4zQ="
DEVELOPMENT_CLIENTS: Final = {
    "notify-admin": [DEVELOPMENT_SECRET],
    "notify-functional-tests": ["functional-tests-secret-key"],
    "govuk-alerts": ["govuk-alerts-secret-key"],
}
DEVELOPMENT_TEMPLATE_PREVIEW_SECRET: Final = "my-secret-key"
DEVELOPMENT_ANTIVIRUS_SECRET: Final = "test-key"
DEVELOPMENT_DOCUMENT_DOWNLOAD_SECRET: Final = "auth-token"
"""Published values, those of the admin app's development configuration (contract: admin-app, public-api 1.6)."""
PUBLISHED: Final = frozenset(
    {
        DEVELOPMENT_SECRET,
        DEVELOPMENT_SALT,
        DEVELOPMENT_TOKEN_KEY,
        DEVELOPMENT_TEMPLATE_PREVIEW_SECRET,
        DEVELOPMENT_ANTIVIRUS_SECRET,
        DEVELOPMENT_DOCUMENT_DOWNLOAD_SECRET,
        *(secret for secrets in DEVELOPMENT_CLIENTS.values() for secret in secrets),
    }
)
SHORTEST_SECRET: Final = 32
SHORTEST_SALT: Final = 16
SHORTEST_KEY: Final = 16
"""Keys that another service issues, and passwords that we were given."""
FEWEST_CHARACTERS: Final = 8
"""A secret with fewer different characters is not random."""

PRIVATE_NAMES: Final = (".localhost", ".local", ".internal", ".test", ".lan", ".home.arpa")
ENCRYPTED_SSLMODES: Final = ("require", "verify-ca", "verify-full")
STORES_WITH_BUCKETS: Final = ("s3:", "gs:", "az:")
PLAINTEXT_BROKERS: Final = ("redis", "amqp", "pyamqp", "http", "sqs+http")


class SettingsError(Exception):
    """A setting is missing, malformed or unsafe. The message is one line that names the environment variable."""


def is_loopback(host: str) -> bool:
    """Whether a host name or IP address is this machine's own."""
    host = host.strip("[]").rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def is_private(host: str) -> bool:
    """Whether a host is this machine, or one that the public cannot reach by this name or address."""
    host = host.strip("[]").rstrip(".").lower()
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(PRIVATE_NAMES)


def is_unspecified(host: str) -> bool:
    """Whether an IP address stands for every address of a machine: one can listen on it, and nobody can call it."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False


def host_of(address: str) -> str:
    """The host of a web address."""
    return urlsplit(address).hostname or ""


# -- development and test


def refuse_exposure(settings: Settings, parts: Sequence[type[SettingsPart]]) -> None:
    """Raise `SettingsError` if a process in development or test could be reached from outside, or could reach real
    people.
    """
    where = f"in environment {settings.notify_environment!r}"
    other = "set NOTIFY_ENVIRONMENT to a name of your own such as production"
    for variable, host in _of_each(parts, lambda part: part.listeners(settings)):
        if not is_loopback(host):
            raise SettingsError(
                f"{variable}: {host} is reached from other machines, which is refused {where}; "
                f"set 127.0.0.1, or {other}"
            )
    if not is_private(host_of(settings.api_host_name)):
        raise SettingsError(
            f"API_HOST_NAME: a public address is refused {where}; set http://localhost:{settings.port}, or {other}"
        )
    for variable, address in _of_each(parts, lambda part: part.providers(settings)):
        if not address or not is_private(host_of(address)):
            raise SettingsError(
                f"{variable}: a real provider is refused {where}; {other}, or the address of a stand-in on this machine"
            )


def _of_each(parts: Iterable[type[SettingsPart]], ask: Callable[[type[SettingsPart]], Iterable[T]]) -> Iterator[T]:
    # ask each class in turn: `Settings` inherits from all of them, so its own method is only one of theirs
    for part in parts:
        yield from ask(part)


# -- everywhere else


def refuse_weakness(settings: Settings, parts: Sequence[type[SettingsPart]]) -> None:
    """Raise `SettingsError` for weak or published secrets, open endpoints, stand-ins and unencrypted connections."""
    where = f"in environment {settings.notify_environment!r}"
    _refuse_weak_secrets(settings, parts, where)
    if not settings.effective_metrics_token:
        raise SettingsError(f"METRICS_TOKEN: must be set {where}: without it anybody can read the metrics")
    for variable, what in _of_each(parts, lambda part: part.stand_ins(settings)):
        raise SettingsError(f"{variable}: {what} is refused {where}")
    _refuse_dead_ends(settings, parts, where)
    if settings.allow_plaintext_internal:
        return
    for connection in _of_each(parts, lambda part: part.connections(settings)):
        if not connection.is_encrypted and not all(map(is_loopback, connection.hosts)):
            raise SettingsError(
                f"{connection.variable}: an unencrypted connection to another machine is refused {where}; "
                f"{connection.advice}, or ALLOW_PLAINTEXT_INTERNAL=1 in a private network"
            )


def _refuse_dead_ends(settings: Settings, parts: Sequence[type[SettingsPart]], where: str) -> None:
    """What works in development and leads nowhere, or to somebody else, for other people."""
    for variable, address in _of_each(parts, lambda part: part.links(settings)):
        host = host_of(address)
        if is_loopback(host) or is_unspecified(host):
            raise SettingsError(
                f"{variable}: must be set {where}, to an address that others reach: {host} is their own machine"
            )
    for variable, what in _of_each(parts, lambda part: part.unset(settings)):
        raise SettingsError(f"{variable}: must be set {where}: {what}")
    if settings.object_store_url.startswith(STORES_WITH_BUCKETS):
        for name in _default_buckets(parts):
            if name not in settings.model_fields_set:
                raise SettingsError(f"{name.upper()}: must be set {where}: the default's may be somebody else's")


def _default_buckets(parts: Iterable[type[SettingsPart]]) -> Iterator[str]:
    """The fields with names of buckets that have a default."""
    for part in parts:
        for name, field in part.model_fields.items():
            if "bucket" in name and field.default:
                yield name


def refuse_missing_servers(settings: Settings) -> None:
    """Raise `SettingsError` if the address of the database or the cache is missing."""
    where = f"in environment {settings.notify_environment!r}"
    if not settings.sqlalchemy_database_uri:
        raise SettingsError(f"SQLALCHEMY_DATABASE_URI: must be set {where}")
    if settings.redis_enabled and not settings.redis_url:
        raise SettingsError(f"REDIS_URL: must be set {where} (or REDIS_ENABLED=0)")


def _refuse_weak_secrets(settings: Settings, parts: Sequence[type[SettingsPart]], where: str) -> None:
    for variable, secret, shortest in _of_each(parts, lambda part: part.secrets(settings)):
        if secret in PUBLISHED:
            raise SettingsError(f"{variable}: the development default is refused {where}; set a secret of your own")
        if len(secret) < shortest:
            raise SettingsError(f"{variable}: must have at least {shortest} characters {where}")
        if len(set(secret)) < FEWEST_CHARACTERS:
            raise SettingsError(f"{variable}: must be random {where}, such as the output of `openssl rand -hex 32`")
    if not settings.token_secret_key:
        raise SettingsError(
            f"TOKEN_SECRET_KEY: must be set {where} (`openssl rand -base64 32 | tr '+/' '-_'` makes one): "
            "without it links show email addresses"
        )
    if not settings.data_encryption_keys:
        raise SettingsError(
            f"DATA_ENCRYPTION_KEYS: must be set {where} (`openssl rand -hex 32` makes one): it encrypts personal data"
        )
    if set(settings.data_encryption_keys) & set(settings.secret_key):
        raise SettingsError("DATA_ENCRYPTION_KEYS: must be another secret than SECRET_KEY, which the admin app has too")


def to_server(variable: str, address: str, plaintext: tuple[str, ...], advice: str) -> Connection:
    """The connection to a server at this address; `plaintext` lists the schemes without encryption."""
    parts = urlsplit(address)
    return Connection(variable, (parts.hostname or "localhost",), parts.scheme not in plaintext, advice)


def to_database(variable: str, address: str) -> Connection:
    """The connection to PostgreSQL at this address."""
    parts = urlsplit(address)
    query = parse_qs(parts.query)
    named = unquote(parts.netloc.rpartition("@")[2]) or query.get("host", [""])[-1]
    hosts = (_without_port(host) for host in named.split(","))
    remote = tuple(host for host in hosts if host and not host.startswith(("/", "@")))  # others are Unix sockets
    is_encrypted = query.get("sslmode", [""])[-1] in ENCRYPTED_SSLMODES
    return Connection(variable, remote, is_encrypted, "add sslmode=verify-full to it")


def _without_port(host: str) -> str:
    """A host of a PostgreSQL address without its port: `db:5432`, `[::1]:5432`."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.rpartition(":")[0] if host.count(":") == 1 else host
