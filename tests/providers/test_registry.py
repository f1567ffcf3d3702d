"""The register of providers, and the instances of a process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from notify.infra.outbound import Outbound
from notify.providers.registry import PROVIDERS, ProviderPool, UnknownProviderError, configured
from notify.settings import load
from tests.providers.sending import EMAIL, send
from tests.servers.smtp import SMTPServer


def test_each_is_registered_under_its_own_name() -> None:
    assert set(PROVIDERS) == {
        ("mmg", "sms"),
        ("firetext", "sms"),
        ("ses", "email"),
        ("smtp", "email"),
        ("sandbox", "sms"),
        ("sandbox", "email"),
    }
    for (identifier, notification_type), provider in PROVIDERS.items():
        assert (provider.identifier, provider.notification_type) == (identifier, notification_type)


def test_configured_follows_the_settings() -> None:
    assert configured(load()) == frozenset()
    assert configured(load(sandbox_url="http://127.0.0.1:1")) == {("sandbox", "sms"), ("sandbox", "email")}
    everything = load(
        mmg_api_key="a", firetext_api_key="b", smtp_url="smtp://localhost", sandbox_url="http://127.0.0.1:1"
    )
    assert configured(everything) == {("mmg", "sms"), ("firetext", "sms"), ("smtp", "email")}


def test_a_pool_builds_each_instance_once(outbound: Outbound) -> None:
    pool = ProviderPool(load(mmg_api_key="a"), outbound)
    with ThreadPoolExecutor(8) as threads:
        instances = list(threads.map(lambda _: pool.get("mmg", "sms"), range(50)))
    assert len(set(map(id, instances))) == 1
    assert pool.get("firetext", "sms") is not instances[0]


@pytest.mark.parametrize("key", [("mmg", "email"), ("nobody", "sms"), ("", "")])
def test_unknown(outbound: Outbound, key: tuple[str, str]) -> None:
    with pytest.raises(UnknownProviderError):
        ProviderPool(load(), outbound).get(*key)


def test_closing_a_pool_closes_connections(outbound: Outbound) -> None:
    with SMTPServer() as server:
        pool = ProviderPool(load(smtp_url=server.url()), outbound)
        send(pool.get("smtp", "email"), EMAIL)
        assert server.open_connections == 1
        pool.close()
        server.wait_until_empty()
