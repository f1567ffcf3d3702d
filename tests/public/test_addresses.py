"""Absolute links in answers begin with the address that the client used, as far as that can be trusted."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from notify.app import create_app
from notify.public.addresses import PublicAddress
from tests.api import Api, with_settings

REDIRECTED = ("/v2//notifications", "/sms-rate")
"""Spelt otherwise than the routes are."""
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def environ(peer: str = "127.0.0.1", **headers: str) -> dict[str, str]:
    names = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    return {
        "wsgi.url_scheme": "http",
        "REMOTE_ADDR": peer,
        "SERVER_NAME": "internal",
        "SERVER_PORT": "6011",
        "HTTP_HOST": "api.example",
        **names,
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (environ(), "http://api.example/"),
        (environ(x_forwarded_proto="https"), "https://api.example/"),
        (environ("::1", x_forwarded_proto="HTTPS"), "https://api.example/"),
        (environ("203.0.113.5", x_forwarded_proto="https"), "http://api.example/"),
        (environ("", x_forwarded_proto="https"), "http://api.example/"),
        (environ(x_forwarded_proto="ftp"), "http://api.example/"),
        (environ(x_forwarded_proto="http, https"), "https://api.example/"),
        (environ(x_forwarded_proto="https", x_forwarded_host="public.example"), "https://public.example/"),
        (environ(x_forwarded_host="public.example:8443"), "http://public.example:8443/"),
        (environ(x_forwarded_host="[2001:db8::1]:8443"), "http://[2001:db8::1]:8443/"),
        (environ(x_forwarded_host="evil.example/path?"), "http://api.example/"),
        (environ("203.0.113.5", x_forwarded_host="evil.example"), "http://api.example/"),
        (environ(host=""), "http://internal:6011/"),
    ],
)
def test_proxies_that_are_trusted_say_what_was_asked_for(given: dict[str, str], expected: str) -> None:
    assert PublicAddress(None, LOOPBACK).of(given) == expected


def test_a_load_balancer_that_ends_tls_is_seen_in_every_link(api: Api) -> None:
    headers = {
        "Authorization": f"Bearer {api.token()}",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "notify.example",
    }
    id_ = api.sent(reference="linked")
    shown = api.call("GET", f"/v2/notifications/{id_}", headers=headers).get_json()
    assert shown["template"]["uri"] == f"https://notify.example/v2/template/{api.template('sms')}/version/1"
    links = api.call("GET", "/v2/notifications?reference=linked", headers=headers).get_json()["links"]
    assert links["next"] == f"https://notify.example/v2/notifications?reference=linked&older_than={id_}"
    received = api.call("GET", "/v2/received-text-messages", headers=headers).get_json()["links"]
    assert received["current"] == "https://notify.example/v2/received-text-messages"


def test_outside_development_links_begin_with_the_address_of_the_api_and_no_host_is_echoed(api: Api) -> None:
    parts = with_settings(api.parts, notify_environment="production", api_host_name="https://api.example.gov.uk")
    with_host = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
    address = PublicAddress.from_settings(parts.settings)
    assert address.of(environ(host="evil.example", x_forwarded_host="evil.example")) == "https://api.example.gov.uk/"
    app = create_app(parts.settings)
    answer = app.test_client().get("/v2/notifications", headers={"Authorization": f"Bearer {api.token()}", **with_host})
    assert answer.get_json()["links"]["current"] == "https://api.example.gov.uk/v2/notifications"
    assert "evil.example" not in answer.text
    for path in REDIRECTED:
        answer = app.test_client().get(path, headers=with_host)
        assert answer.status_code == 308
        assert "evil.example" not in answer.text + str(answer.headers)
    app.extensions["notify"].close()
    parts.close()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/sms-rate", "/sms-rate/"),
        ("/sms-rate?a=b%20c", "/sms-rate/?a=b%20c"),
        ("/v2//notifications?status=sent", "/v2/notifications?status=sent"),
        ("/d//evil.example/x", "/d/evil.example/x"),
        ("//evil.example//d/x/y", None),
    ],
)
def test_a_redirect_names_no_host(api: Api, path: str, expected: str | None) -> None:
    answer = api.call("GET", path, headers={"Host": "evil.example", "X-Forwarded-Proto": "https"})
    assert answer.headers.get("Location") == expected
