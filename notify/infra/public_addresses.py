"""Distinguishes IP addresses of the public internet from those of private networks."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

_NAT64: Final = IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
"""The only part of IPv6 that is assigned to the public (RFC 4291, IANA)."""

_NOT_PUBLIC: Final = (
    IPv4Network("168.63.129.16/32"),  # Azure's metadata, with secrets of the machine that asks
    IPv4Network("192.0.0.0/24"),  # IETF protocols, including Oracle's metadata
    IPv4Network("192.88.99.0/24"),  # 6to4 relays, long deprecated
)
"""Addresses that are not public, although the standard library counts some of them as public."""


def is_address(text: str) -> bool:
    """Whether this is an IP address, and not a name."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_public(address: str) -> bool:
    """Whether an IP address belongs to a host on the public internet: not private, loopback, link-local (where clouds
    have their metadata), shared (CGNAT), multicast, reserved or unspecified. An IPv6 address that embeds an IPv4 one
    (mapped, NAT64, 6to4) is judged by it. False for a text that is not an address.
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
    """The IPv4 address embedded in an IPv6 one."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour
