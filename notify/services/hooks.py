"""Events of a service that other rooms take part in, within the same transaction."""

from typing import Final

from notify.infra.hooks import Hook
from notify.services.models import LetterContact, Service

created: Final = Hook[Service]()
"""A service was created."""

archived: Final = Hook[Service]()
"""A service is being archived: it is still active, and keeps its name until the subscribers are done."""

organisation_type_set: Final = Hook[Service]()
"""A service was given the type of its organisation, which may be the one it had."""

letter_contact_archived: Final = Hook[LetterContact]()
"""A contact block of letters was archived."""

permissions_reset: Final = Hook[Service]()
"""The members of a service lost every permission but that to look."""
