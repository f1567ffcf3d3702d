"""The Celery application that workers and beat run."""

from __future__ import annotations

from celery import Celery

from notify.infra.parts import build_parts
from notify.settings import Settings


def create_celery(settings: Settings) -> Celery:
    """The application with the queues of these settings. Raises `SettingsError` where an address is missing."""
    return build_parts(settings).queue.celery
