"""Every table of the product: importing this module makes the metadata complete.

A process that writes imports it once (foreign keys name tables of other rooms), and migrations compare against it.
"""

from notify.infra import models as infra_models
from notify.infra.database import Base
from notify.rooms import load_all

load_all("models")
__all__ = ["infra_models", "metadata"]

metadata = Base.metadata
