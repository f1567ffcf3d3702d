"""Templates (contract: public-api 8)."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from notify.content.placeholders import TooMuchTextError
from notify.infra.errors import NotFoundProblemError
from notify.messages import serialise
from notify.messages.accept.checks import check_missing
from notify.messages.errors import too_much_text
from notify.public import schemas
from notify.public.endpoints import Call, Endpoints
from notify.public.fields import given
from notify.templates import queries
from notify.templates.cache import CompiledTemplate, TemplateCache

endpoints = Endpoints()

MOST_PREVIEW_BYTES: Final = 8 * 1024 * 1024
"""Largest body of a preview in bytes: the values of the largest email, with every character escaped."""


def _find(call: Call, template_id: UUID, version: int = 0) -> CompiledTemplate:
    """The service's current template (version 0), or a version of it."""
    templates, service_id = call.container.get(TemplateCache), call.caller.service.id
    if version:
        found = templates.version(service_id, template_id, version)
    else:
        found = templates.current(service_id, template_id)
    if found is None or found.row.hidden:
        raise NotFoundProblemError
    return found


@endpoints.get("/template/<template_id>", answer=schemas.TemplateAnswer, errors=(400, 404))
def get_template(call: Call, template_id: UUID) -> dict[str, Any]:
    """Get a template."""
    return serialise.template(_find(call, template_id))


@endpoints.get("/template/<template_id>/version/<int:version>", answer=schemas.TemplateAnswer, errors=(400, 404))
def get_template_version(call: Call, template_id: UUID, version: int) -> dict[str, Any]:
    """Get a template version."""
    return serialise.template(_find(call, template_id, version))


@endpoints.get("/templates", answer=schemas.TemplatesAnswer, errors=(400,))
def list_templates(call: Call, query: schemas.TemplatesQuery) -> dict[str, Any]:
    """Get a list of templates."""
    with call.container.parts.database.session() as session:
        rows = queries.list_templates(session, call.caller.service.id, given(query.type))
    return {"templates": [serialise.template(CompiledTemplate(row)) for row in rows]}


@endpoints.post(
    "/template/<template_id>/preview",
    answer=schemas.PreviewAnswer,
    errors=(400, 404),
    is_body_required=False,
    most_bytes=MOST_PREVIEW_BYTES,
)
def preview_template(call: Call, template_id: UUID, body: schemas.PreviewRequest) -> dict[str, Any]:
    """Preview a template."""
    template = _find(call, template_id)
    check_missing(template, body.personalisation)
    try:
        return serialise.preview(template, body.personalisation)
    except TooMuchTextError as error:
        raise too_much_text(template.row.type, error.length) from None
