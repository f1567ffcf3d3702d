"""The external parts of a process (database, cache, queue, files), built once from its settings."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from notify.infra import telemetry, tracing
from notify.infra.broker import BrokerSettings, broker_settings
from notify.infra.cache import Cache
from notify.infra.database import Database
from notify.infra.objects import Objects
from notify.infra.queue import Queue, create_celery
from notify.infra.secrets import Encryptor
from notify.queues import QUEUES
from notify.settings import Settings, SettingsError


@dataclass(frozen=True)
class Parts:
    """The parts that any room may use. A class takes the ones it needs as explicit parameters."""

    settings: Settings
    database: Database
    cache: Cache
    encryptor: Encryptor
    objects: Objects
    queue: Queue

    def close(self) -> None:
        """Close every connection."""
        self.database.close()
        self.cache.close()
        self.queue.close()


def configure_logs(settings: Settings) -> None:
    """Configure this process's logs from the settings."""
    telemetry.configure_logs(
        application=settings.notify_app_name, level=settings.notify_log_level, form=settings.notify_log_format
    )


def configure_traces(settings: Settings) -> None:
    """Make this process export traces, if the settings name an exporter. Raises `SettingsError`."""
    if not settings.otel_exporter_otlp_endpoint:
        return
    try:
        tracing.configure(settings.otel_service_name or f"notify-{settings.notify_app_name}")
    except tracing.MissingLibraryError as error:
        raise SettingsError(str(error)) from None


def check_parts(settings: Settings) -> None:
    """Raise `SettingsError` where `build_parts` or `configure_traces` would. A process that starts others calls this
    first: theirs would be a traceback for each.
    """
    _broker_of(settings)
    if settings.otel_exporter_otlp_endpoint:
        try:
            tracing.check_library()
        except tracing.MissingLibraryError as error:
            raise SettingsError(str(error)) from None


def _broker_of(settings: Settings) -> BrokerSettings:
    if not settings.sqlalchemy_database_uri:
        raise SettingsError("SQLALCHEMY_DATABASE_URI: must be set (or start everything with `notify up`)")
    if not settings.effective_broker_url:
        raise SettingsError("REDIS_URL or BROKER_URL: must be set (or start everything with `notify up`)")
    broker = broker_settings(
        settings.effective_broker_url,
        [settings.notification_queue_prefix + name for name in QUEUES],
        visibility_seconds=settings.broker_visibility_seconds,
        region=settings.aws_region,
        account_id=settings.aws_account_id,
    )
    if broker.is_sqs and find_spec("pycurl") is None:
        raise SettingsError('BROKER_URL: SQS needs an extra: pip install "notify[sqs]"')
    return broker


def build_parts(settings: Settings) -> Parts:
    """Build the parts; nothing connects before it is used. Raises `SettingsError` where an address is missing."""
    broker = _broker_of(settings)
    prefix = settings.notification_queue_prefix
    celery = create_celery(broker, prefix=prefix, queues=QUEUES)
    return Parts(
        settings=settings,
        database=Database(
            settings.sqlalchemy_database_uri,
            pool_size=settings.sqlalchemy_pool_size,
            max_overflow=settings.sqlalchemy_max_overflow,
            statement_timeout_ms=settings.database_statement_timeout_ms,
            lock_timeout_ms=settings.database_lock_timeout_ms,
            application_name=f"notify-{settings.notify_app_name}",
            pooled=settings.database_is_pooled,
        ),
        cache=Cache(settings.redis_url if settings.redis_enabled else ""),
        encryptor=Encryptor(settings.encryption_keys, only_read=settings.older_encryption_keys),
        objects=Objects(settings.object_store_url or f"file://{settings.notify_data_dir.resolve() / 'objects'}"),
        queue=Queue(celery, prefix, broker, groups=settings.enable_sqs_message_group_ids),
    )
