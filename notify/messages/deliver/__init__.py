"""Delivers messages: hands each to a provider, once (contract: workers 6; docs/architecture.md).

`batch` takes messages and publishes the rest again, `locks` decides which worker may send a message, `prepare`
composes, `attempt` calls a provider, `schedule` decides when to retry, `write` stores the results.
"""

from notify.messages.deliver.attempt import WRITE_EVERY_SECONDS
from notify.messages.deliver.batch import Deliverer

__all__ = ["WRITE_EVERY_SECONDS", "Deliverer"]
