"""The address that a client used for this API: the start of absolute links in answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, Final, Self

from werkzeug.sansio.utils import get_host

from notify.infra.container import Container
from notify.settings import Settings

Network = IPv4Network | IPv6Network

_HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_SCHEMES: Final = ("http", "https")


class PublicAddress:
    """Finds the address of requests.

    Outside development it is always `API_HOST_NAME`. In development it is the request's own, or that in the
    `X-Forwarded-Proto` and `X-Forwarded-Host` of a trusted proxy.
    """

    def __init__(self, fixed: str | None, trusted_proxies: Sequence[Network]) -> None:
        self._fixed = None if fixed is None else fixed.rstrip("/") + "/"
        self._trusted = tuple(trusted_proxies)
        self._is_trusted = lru_cache(maxsize=256)(self._look_up)

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls.from_settings(container.parts.settings)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """As the settings say."""
        fixed = None if settings.is_safe_environment else settings.api_host_name
        return cls(fixed, settings.trusted_proxies)

    def of(self, environ: Mapping[str, Any]) -> str:
        """The address that this WSGI request was made to, with a slash at its end."""
        if self._fixed is not None:
            return self._fixed
        scheme, host = environ["wsgi.url_scheme"], environ.get("HTTP_HOST")
        proto, forwarded_host = environ.get("HTTP_X_FORWARDED_PROTO"), environ.get("HTTP_X_FORWARDED_HOST")
        if (proto or forwarded_host) and self._is_trusted(environ.get("REMOTE_ADDR", "")):
            # of several values, our own proxy added the last
            proto = (proto or "").rpartition(",")[2].strip().lower()
            forwarded_host = (forwarded_host or "").rpartition(",")[2].strip()
            scheme = proto if proto in _SCHEMES else scheme
            host = forwarded_host if _HOST.fullmatch(forwarded_host) else host
        return _address(scheme, host or None, environ["SERVER_NAME"], environ["SERVER_PORT"])

    def _look_up(self, peer: str) -> bool:
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self._trusted)


@lru_cache(maxsize=256)
def _address(scheme: str, host: str | None, server_name: str, server_port: str) -> str:
    # not through Werkzeug, whose thorough check of the host would be half of the cost of reading a message
    port = int(server_port) if server_port.isdigit() else None
    return f"{scheme}://{get_host(scheme, host, (server_name, port))}/"
