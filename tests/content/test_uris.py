import pytest

from notify.content.uris import is_uri


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com",
        "https://user:p%20w@example.com:8080/a//b;c?x=y/?#f/?",
        "https://example.com:/",
        "https://[::1]:8443/x",
        "https://[1:2:3:4:5:6:1.2.3.4]/",
        "https://[v1.a:b]/",
        "https:///no/host",
        "https:a/b",
        "https:",
    ],
)
def test_addresses_as_the_standard_has_them(text: str) -> None:
    assert is_uri(text, "https:")


@pytest.mark.parametrize(
    "text",
    [
        "http://example.com",
        "HTTPS://example.com",
        "https://exämple.com",
        "https://example.com/a b",
        "https://example.com/a[b]",
        "https://example.com/%zz",
        "https://example.com/{x}",
        "https://example.com\n",
        "https://a@b@c/",
        "https://a:b:c/",
        "https://[1:2]/",
        "https://[fe80::1%25eth0]/",
        "https://[::ffff:1.2.3.400]/",
        "https://example.com/#a#b",
        "",
    ],
)
def test_what_is_no_address_or_has_another_scheme(text: str) -> None:
    assert not is_uri(text, "https")


def test_a_long_address_is_read_in_linear_time() -> None:
    assert not is_uri("https://" + "a:" * 50_000 + "/" * 50_000 + "%a" * 50_000, "https")
