"""Email branding: its rules."""

from __future__ import annotations

from typing import Any

import pytest

from notify.branding.email_branding import create_email_branding, list_email_brandings, update_email_branding
from notify.branding.errors import (
    BrandingTextError,
    DuplicateEmailBrandingError,
    InvalidBrandingError,
    NoFreeNameError,
)
from notify.branding.models import EmailBranding
from notify.branding.names import free_name
from notify.infra.errors import NotFoundProblemError
from notify.infra.ids import new_id
from notify.infra.parts import Parts


def test_only_what_is_given_changes_and_empty_means_none(parts: Parts) -> None:
    with parts.database.transaction() as session:
        branding = create_email_branding(
            session, name="Oak", text="Oak Council", colour="#123456", logo="oak.png", brand_type="both"
        )
        assert branding.updated_at is None
        update_email_branding(session, branding.id, colour="#654321")
        update_email_branding(session, branding.id, text=None, alt_text="Oak Council logo")
        changed = update_email_branding(session, branding.id, logo="", brand_type="org_banner")
        assert (changed.name, changed.colour, changed.logo) == ("Oak", "#654321", None)
        assert (changed.text, changed.alt_text, changed.brand_type) == (None, "Oak Council logo", "org_banner")
        assert changed.updated_at is not None
        assert branding.id in [row.id for row in list_email_brandings(session)]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"name": "Fir"}, BrandingTextError),
        ({"name": "Fir", "text": "Fir", "alt_text": "Fir logo"}, BrandingTextError),
        ({"name": "", "text": "Fir"}, InvalidBrandingError),
        ({"name": "Fir", "text": "Fir", "brand_type": "round"}, InvalidBrandingError),
        ({"name": "Yew", "text": "Another"}, DuplicateEmailBrandingError),
    ],
)
def test_refused(parts: Parts, values: dict[str, Any], problem: type[Exception]) -> None:
    with parts.database.session() as session:
        create_email_branding(session, name="Yew", text="Yew")
        with pytest.raises(problem):
            create_email_branding(session, **values)


def test_a_change_is_refused_too(parts: Parts) -> None:
    with parts.database.session() as session:
        yew = create_email_branding(session, name="Yew", text="Yew")
        for change in ({"alt_text": "Yew logo"}, {"text": ""}):
            with pytest.raises(BrandingTextError):
                update_email_branding(session, yew.id, **change)  # type: ignore[arg-type]
            session.refresh(yew)
        with pytest.raises(NotFoundProblemError):
            update_email_branding(session, new_id(), text="X")


def test_a_free_name_is_found(parts: Parts) -> None:
    with parts.database.session() as session:
        assert free_name(session, EmailBranding, "Ivy") == "Ivy"
        create_email_branding(session, name="Ivy", text="Ivy")
        assert free_name(session, EmailBranding, "ivy") == "ivy (alternate 1)"
        for number in range(1, 100):
            create_email_branding(session, name=f"Ivy (Alternate {number})", text="Ivy")
        with pytest.raises(NoFreeNameError):
            free_name(session, EmailBranding, "ivy")
