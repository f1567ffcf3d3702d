"""The cache of templates."""

from __future__ import annotations

from notify.infra.parts import Parts
from notify.templates.cache import TemplateCache
from tests.services.factory import a_service
from tests.templates.test_actions import a_template


def test_a_version_that_is_made_later_is_found_at_once(own_parts: Parts) -> None:
    directory = TemplateCache(own_parts.settings, own_parts.database)
    with own_parts.database.transaction() as session:
        service = a_service(session)
        template = a_template(session, service)
        service_id, template_id = service.id, template.id
        assert directory.version(service_id, template_id, 1) is None
    found = directory.version(service_id, template_id, 1)
    assert found is not None
    assert found.row.version == 1


def test_a_template_of_another_service_is_not_found(parts: Parts) -> None:
    directory = TemplateCache(parts.settings, parts.database)
    with parts.database.transaction() as session:
        service, other = a_service(session), a_service(session)
        template_id, service_id, other_id = a_template(session, service).id, service.id, other.id
    assert directory.current(service_id, template_id) is not None
    assert directory.current(other_id, template_id) is None
    assert directory.version(other_id, template_id, 1) is None
