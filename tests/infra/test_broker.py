from __future__ import annotations

import pytest

from notify.infra.broker import BrokerSettings, broker_settings


def described(url: str, account_id: str = "") -> BrokerSettings:
    return broker_settings(url, ["p-a", "p-b"], visibility_seconds=600, region="eu-west-1", account_id=account_id)


@pytest.mark.parametrize(
    ("url", "kombu_url", "region", "is_secure", "queue_url"),
    [
        ("sqs://", "sqs://", "eu-west-1", True, "https://sqs.eu-west-1.amazonaws.com/12/p-a"),
        ("sqs://key:secret@", "sqs://key:secret@", "eu-west-1", True, "https://sqs.eu-west-1.amazonaws.com/12/p-a"),
        (
            "https://sqs.eu-west-2.amazonaws.com",
            "sqs://sqs.eu-west-2.amazonaws.com",
            "eu-west-2",
            True,
            "https://sqs.eu-west-2.amazonaws.com/12/p-a",
        ),
        ("http://127.0.0.1:4566", "sqs://127.0.0.1:4566", "eu-west-1", False, "http://127.0.0.1:4566/12/p-a"),
        ("sqs://k:s@127.0.0.1:4566", "sqs://k:s@127.0.0.1:4566", "eu-west-1", False, "http://127.0.0.1:4566/12/p-a"),
    ],
)
def test_addresses_of_sqs(url: str, kombu_url: str, region: str, is_secure: bool, queue_url: str) -> None:
    broker = described(url, account_id="12")
    options = broker.transport_options
    assert (broker.url, broker.is_sqs) == (kombu_url, True)
    assert (options["region"], options["is_secure"], options["visibility_timeout"]) == (region, is_secure, 600)
    assert options["predefined_queues"].keys() == {"p-a", "p-b"}
    assert options["predefined_queues"]["p-a"]["url"] == queue_url


def test_without_an_account_queues_are_made() -> None:
    assert "predefined_queues" not in described("sqs://").transport_options


@pytest.mark.parametrize(
    ("url", "visibility"),
    [("redis://h/1", 600), ("rediss://h/1", 600), ("amqp://u:p@h//", None), ("amqps://h//", None)],
)
def test_other_brokers(url: str, visibility: int | None) -> None:
    broker = described(url, account_id="12")
    assert (broker.url, broker.is_sqs) == (url, False)
    assert broker.transport_options.get("visibility_timeout") == visibility
