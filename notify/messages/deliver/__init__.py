"""Delivering messages: hand each to a provider, once (contract: workers 6; docs/architecture.md).

`batch` takes messages and sees to what is left of them, `locks` says who may hand a message over, `prepare` composes,
`attempt` gives a message to a provider, `schedule` says when it is tried again, `write` writes down what became of it.
"""

from notify.messages.deliver.attempt import WRITE_EVERY_SECONDS
from notify.messages.deliver.batch import Deliverer

__all__ = ["WRITE_EVERY_SECONDS", "Deliverer"]
