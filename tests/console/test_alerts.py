"""Emergency alerts in the console."""

from __future__ import annotations

import re
from uuid import UUID

from notify.console.alerts import SIZE, draw, list_alerts
from notify.services.permissions import add_permission
from tests.api import Api
from tests.broadcasts.cap_files import area, cap
from tests.broadcasts.conftest import Alerts, sandbox_alerts
from tests.console.test_api import ask, get

__all__ = ["sandbox_alerts"]

SQUARE = [[51.0, 0.0], [52.0, 0.0], [52.0, 1.0], [51.0, 1.0], [51.0, 0.0]]


def test_areas_are_drawn_with_north_at_the_top_and_true_proportions() -> None:
    drawing = draw([SQUARE])
    assert drawing is not None
    points = [tuple(map(float, pair.split(","))) for pair in re.findall(r"[\d.]+,[\d.]+", drawing.path)]
    assert points[0][1] > points[1][1]  # 51 degrees north is below 52
    assert drawing.height >= SIZE
    assert 0.6 < drawing.width / drawing.height < 0.7  # a degree of longitude is shorter there


def test_there_is_nothing_to_draw_where_there_is_no_polygon() -> None:
    assert draw([]) is None
    assert draw([[[95.0, 0.0], [1.0, 1.0], [2.0, 2.0]]]) is None


def test_what_networks_took_is_shown_with_its_xml(sandbox_alerts: Alerts) -> None:
    message = sandbox_alerts.approved()
    sandbox_alerts.work()
    with sandbox_alerts.parts.database.session() as session:
        (shown,) = list_alerts(session, sandbox_alerts.service_id)
        assert list_alerts(session, sandbox_alerts.author_id) == []
    assert (shown["id"], shown["status"], shown["areas"]) == (message.id, "broadcasting", ["Ash"])
    assert [(one["network"], one["status"]) for one in shown["networks"]] == [
        (network, "returned-ack") for network in ("ee", "o2", "three", "vodafone")
    ]
    assert all("Water is rising" in one["document"] for one in shown["networks"])


def test_the_page_lists_alerts_of_a_service(api: Api) -> None:
    assert get(api, "alerts") == {"alerts": []}
    with api.parts.database.transaction() as session:
        add_permission(session, UUID(api.service_id), "broadcast")
    headers = {"Authorization": f"Bearer {api.token()}", "Content-Type": "application/cap+xml"}
    raw = cap(area("Ash Weir"), identifier="shown")
    assert api.app.test_client().post("/v2/broadcast", data=raw, headers=headers).status_code == 201
    (shown,) = get(api, f"alerts?service={api.service_id}")["alerts"]
    assert (shown["reference"], shown["areas"], shown["networks"]) == ("shown", ["Ash Weir"], [])
    assert shown["drawing"]["path"].startswith("M")
    assert get(api, "alerts?service=d6aa2c68-a2d9-4437-ab19-3ae8eb202553") == {"alerts": []}
    assert ask(api, "/data/alerts?service=nobody").status_code == 400
    assert ask(api, "/alerts").status_code == 200
