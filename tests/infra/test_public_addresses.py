from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.infra.public_addresses import is_address, is_public

PRIVATE = [
    "0.0.0.0",  # noqa: S104
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.8.8.8",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.0.9",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
]


@pytest.mark.parametrize("address", PRIVATE)
@pytest.mark.parametrize("form", ["{0}", "::ffff:{0}", "64:ff9b::{0}"])
def test_addresses_of_somebodys_own_network(address: str, form: str) -> None:
    assert not is_public(form.format(address))


@pytest.mark.parametrize(
    "address",
    [
        "::",
        "::1",
        "::127.0.0.1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "100::1",
        "2001:db8::1",
        "2001::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "64:ff9b:1::7f00:1",
        "localhost",
        "",
        "1.2.3",
        "0x7f000001",
    ],
)
def test_other_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "51.132.1.1", "172.32.0.1", "100.128.0.1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2a00:1450::200e"],
)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_alike_in_every_form(address: IPv4Address) -> None:
    plain = is_public(str(address))
    number = int(address)
    assert is_public(f"::ffff:{address}") == plain
    assert is_public(str(IPv6Address((0x64FF9B << 96) | number))) == plain
    assert is_public(str(IPv6Address((0x2002 << 112) | (number << 80)))) == plain


@given(st.ip_addresses())
def test_what_is_public_is_global(address: IPv4Address | IPv6Address) -> None:
    assert is_address(str(address))
    if is_public(str(address)) and isinstance(address, IPv4Address):
        assert address.is_global
