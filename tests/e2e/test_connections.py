"""Clients that keep their connections open, as load balancers do."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from tests.e2e.conftest import Product


def test_idle_connections_do_not_delay_others(product: Product) -> None:
    address = urlsplit(product.demo["api_url"])
    assert address.hostname
    idle = []
    for _ in range(150):
        connection = http.client.HTTPConnection(address.hostname, address.port or 80, timeout=15)
        connection.request("GET", "/_status?simple=1")
        assert connection.getresponse().read() == b'{"status":"ok"}'
        idle.append(connection)
    for connection in idle:
        connection.close()
