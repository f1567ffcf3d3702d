"""Events of a service that other rooms react to, within the same transaction."""

from typing import Final

from notify.infra.hooks import Hook
from notify.services.models import LetterContact, Service

created: Final = Hook[Service]()
"""A service was created."""

archived: Final = Hook[Service]()
"""A service is being archived. It is active and has its name until the subscribers are done."""

organisation_type_set: Final = Hook[Service]()
"""A service got the type of its organisation, which may be the same as before."""

letter_contact_archived: Final = Hook[LetterContact]()
"""A contact block of letters was archived."""

permissions_reset: Final = Hook[Service]()
"""The members of a service lost every permission except viewing."""
