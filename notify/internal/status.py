"""Public figures of the platform as a whole (contract: internal-jobs-billing-platform 17)."""

from __future__ import annotations

from notify.infra.container import Container
from notify.internal.routes import Routes
from notify.internal.schemas import Answer
from notify.services.live_counts import LiveCounter

routes = Routes("status", "/_status", client=None)


class LiveCountsAnswer(Answer):
    """The number of live services, and of organisations that have one."""

    organisations: int
    services: int


@routes.get("/live-service-and-organisation-counts")
def count_live_services_and_organisations(container: Container) -> LiveCountsAnswer:
    """Count live services and organisations."""
    return LiveCountsAnswer.of(container.get(LiveCounter).count())
