"""Every table of the product: importing this module makes the metadata complete.

A process that writes imports it once (foreign keys name tables of other rooms), and migrations compare against it.
"""

from notify.accounts import models as accounts
from notify.billing import models as billing
from notify.branding import models as branding
from notify.documents import models as documents
from notify.inbound import models as inbound
from notify.infra.database import Base
from notify.messages import models as messages
from notify.providers import models as providers
from notify.services import models as services
from notify.templates import models as templates
from notify.webhooks import models as webhooks

metadata = Base.metadata

__all__ = [
    "accounts",
    "billing",
    "branding",
    "documents",
    "inbound",
    "messages",
    "metadata",
    "providers",
    "services",
    "templates",
    "webhooks",
]
