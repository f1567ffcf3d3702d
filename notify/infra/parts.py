"""The real parts of a process, built once from its settings."""

from __future__ import annotations

from dataclasses import dataclass

from notify.infra.cache import Cache
from notify.infra.database import Database
from notify.infra.objects import Objects
from notify.infra.queue import Queue, create_celery
from notify.infra.secrets import Signer, Vault
from notify.queues import QUEUES
from notify.settings import Settings, SettingsError


@dataclass(frozen=True)
class Parts:
    """What every room may be given: it takes what it needs of this explicitly."""

    settings: Settings
    database: Database
    cache: Cache
    vault: Vault
    signer: Signer
    objects: Objects
    queue: Queue

    def close(self) -> None:
        """Give every connection back."""
        self.database.close()
        self.cache.close()
        self.queue.close()


def build_parts(settings: Settings) -> Parts:
    """Build the parts; nothing connects before it is used. Raises `SettingsError` where an address is missing."""
    if not settings.sqlalchemy_database_uri:
        raise SettingsError("SQLALCHEMY_DATABASE_URI: must be set (or start everything with `notify up`)")
    if not settings.effective_broker_url:
        raise SettingsError("REDIS_URL or BROKER_URL: must be set (or start everything with `notify up`)")
    celery = create_celery(
        settings.effective_broker_url, prefix=settings.notification_queue_prefix, queues=list(QUEUES)
    )
    return Parts(
        settings=settings,
        database=Database(
            settings.sqlalchemy_database_uri,
            pool_size=settings.sqlalchemy_pool_size,
            max_overflow=settings.sqlalchemy_max_overflow,
            statement_timeout_ms=settings.database_statement_timeout_ms,
            application_name=f"notify-{settings.notify_app_name}",
        ),
        cache=Cache(settings.redis_url if settings.redis_enabled else ""),
        vault=Vault(settings.secret_key),
        signer=Signer(settings.secret_key, settings.dangerous_salt),
        objects=Objects(settings.object_store_url or f"file://{settings.notify_data_dir.resolve() / 'objects'}"),
        queue=Queue(celery, settings.notification_queue_prefix),
    )
