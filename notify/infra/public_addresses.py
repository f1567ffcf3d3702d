"""Which IP addresses belong to the public internet, and which to private networks."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

_NAT64: Final = IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
"""The only part of IPv6 that is assigned to the public (RFC 4291, IANA)."""

_NOT_PUBLIC: Final = (
    IPv4Network("168.63.129.16/32"),  # Azure answers there with secrets of the machine that asks
    IPv4Network("192.0.0.0/24"),  # IETF protocols; Oracle's metadata among them
    IPv4Network("192.88.99.0/24"),  # relays of 6to4, long withdrawn
)
"""Addresses that are not public, although the standard library says so of all or some of them."""


def is_address(text: str) -> bool:
    """Whether this is an IP address, and not a name."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_public(address: str) -> bool:
    """Whether an IP address is a host's on the public internet: not private, loopback, link-local (where clouds have
    their metadata), shared (CGNAT), multicast, reserved or unspecified. An IPv6 address that stands for an IPv4 one
    (mapped, NAT64, 6to4) is judged as that. A text that is no address is not public.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        inner = _inner(parsed)
        if inner is None:
            return parsed.is_global and not parsed.is_multicast and parsed in _GLOBAL_UNICAST
        parsed = inner
    return (
        parsed.is_global
        and not (parsed.is_multicast or parsed.is_reserved)
        and not any(parsed in network for network in _NOT_PUBLIC)
    )


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one leads to."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour
