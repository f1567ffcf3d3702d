"""The proxy of an outgoing request: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` of the environment."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import NamedTuple
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

from yarl import URL


class Proxy(NamedTuple):
    """An HTTP proxy: its address without credentials, and the headers for it, which have them."""

    url: URL
    headers: Mapping[str, str]


class Proxies:
    """The proxies of this process's environment, read when this object is created.

    This machine is never called through a proxy. `NO_PROXY` has names (with those below them), addresses, networks
    such as `10.0.0.0/8`, or `*`.
    """

    def __init__(self) -> None:
        self._addresses: Mapping[str, str] = getproxies_environment()
        self._networks = [
            network
            for entry in self._addresses.get("no", "").split(",")
            if "/" in entry and (network := _network(entry)) is not None
        ]
        self._found: dict[tuple[str, str, int | None], Proxy | None] = {}

    def find(self, address: URL) -> Proxy | None:
        """The proxy for an address; None if it is called directly. Raises `ValueError` for a proxy whose address is not
        `http://` or `https://`.
        """
        if not self._addresses:
            return None
        key = (address.scheme, address.host or "", address.port)
        if key not in self._found:
            self._found[key] = self._choose(*key)
        return self._found[key]

    def _choose(self, scheme: str, host: str, port: int | None) -> Proxy | None:
        given = self._addresses.get(scheme) or self._addresses.get("all")
        if not given or _is_this_machine(host) or self._is_excepted(host, port):
            return None
        url = URL(given if "://" in given else f"http://{given}")
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError("not the address of an HTTP proxy")
        if not url.user:
            return Proxy(url, {})
        from aiohttp import encode_basic_auth

        return Proxy(url.with_user(None), {"Proxy-Authorization": encode_basic_auth(url.user, url.password or "")})

    def _is_excepted(self, host: str, port: int | None) -> bool:
        if proxy_bypass_environment(f"{host}:{port}", dict(self._addresses)):
            return True
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        name = host.lower().removesuffix(".")
        return name == "localhost" or name.endswith(".localhost")


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        return None
