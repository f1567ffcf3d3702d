"""Events of a service that other rooms take part in, within the same transaction."""

from typing import Final

from notify.infra.hooks import Hook
from notify.services.models import LetterContact, Service

created: Final = Hook[Service]()
"""A service was created."""

archived: Final = Hook[Service]()
"""A service is being archived: it is still active, and keeps its name until the subscribers are done."""

letter_contact_archived: Final = Hook[LetterContact]()
"""A contact block of letters was archived."""
