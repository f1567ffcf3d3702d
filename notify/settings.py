"""Every knob of the product: typed, documented, read from the environment.

The environment variable of a field is its name in upper case. `docs/configuration.md` is generated from this file
(`notify settings --markdown`), so a field's description is what an operator reads.
"""

from __future__ import annotations

from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as SettingsSourceError

DEVELOPMENT_SECRET = "dev-notify-secret-key"
DEVELOPMENT_SALT = "dev-notify-salt"
DEVELOPMENT_CLIENTS = {"notify-admin": [DEVELOPMENT_SECRET], "notify-functional-tests": ["functional-tests-secret-key"]}
SAFE_ENVIRONMENTS = ("development", "test")
OBJECT_STORES = ("file", "s3", "gs", "az", "memory")


class SettingsError(Exception):
    """A setting is missing, malformed or unsafe. Its text is one line that names the environment variable."""


class Settings(BaseSettings):
    """The settings of one process. Build it with `load()`, which turns every fault into one `SettingsError` line."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    # -- where we are
    notify_environment: str = Field(
        "development",
        description="Name of the environment. `development` and `test` accept default secrets and the sandbox; any other name refuses them at start.",
    )
    api_host_name: str = Field(
        "http://localhost:6011", description="Public address of this API, used in links that leave it."
    )
    api_host_name_internal: str = Field(
        "http://localhost:6011", description="Address under which our own processes reach this API."
    )
    admin_base_url: str = Field(
        "http://localhost:6012", description="Address of the admin web app, used in links and error texts."
    )
    notify_email_domain: str = Field("notify.tools", description="Domain of the addresses that emails are sent from.")
    notify_app_name: str = Field("api", description="Name of this process type in logs.")
    git_commit: str = Field("", description="Commit of this build, shown by `/_status`.")
    build_time: str = Field("", description="Time of this build, shown by `/_status`.")

    # -- secrets
    secret_key: Annotated[list[str], NoDecode] = Field(
        default=[DEVELOPMENT_SECRET],
        description="Signs links and tokens and, through a key derived from it, encrypts personal data at rest. One value, or a JSON list for rotation: the last one is used for new data, all are accepted.",
    )
    dangerous_salt: str = Field(DEVELOPMENT_SALT, description="Salt of signatures.")
    token_secret_key: str = Field(
        "",
        description="Fernet key of tokens in links (unsubscribe). Empty: signed tokens of the older form are made instead.",
    )
    internal_client_api_keys: dict[str, list[str]] = Field(
        default=DEVELOPMENT_CLIENTS,
        description="JSON object: id of an internal client (such as the admin app) to the list of its secrets.",
    )
    admin_client_id: str = Field("notify-admin", description="Internal client id of the admin web app.")

    # -- database
    sqlalchemy_database_uri: str = Field(
        "", description="PostgreSQL >= 15. Empty: `notify up` starts its own under the data folder."
    )
    sqlalchemy_database_uri_bulk: str = Field(
        "", description="A read replica for long reads. Empty: the primary database."
    )
    sqlalchemy_pool_size: int = Field(8, ge=1, le=500, description="Database connections kept per process.")
    sqlalchemy_max_overflow: int = Field(8, ge=0, le=500, description="Database connections a process may open on top.")
    database_statement_timeout_ms: int = Field(
        1_200_000, ge=0, description="Longest a statement may run, in milliseconds."
    )

    # -- cache and queue
    redis_enabled: bool = Field(True, description="`0` runs without a cache: no rate limits, no daily limits.")
    redis_url: str = Field("", description="Valkey or Redis. Empty: `notify up` starts its own under the data folder.")
    broker_url: str = Field(
        "",
        description="Broker of the task queues: `redis://`, `amqp://`, `sqs://` or an SQS address such as `https://sqs.eu-west-1.amazonaws.com`. Empty: the cache at `REDIS_URL`.",
    )
    notification_queue_prefix: str = Field("", description="Put in front of every queue name.")
    aws_account_id: str = Field(
        "", description="Account whose SQS queues are used; they exist then. Empty: queues are made at their first use."
    )
    broker_visibility_seconds: int = Field(
        3600,
        ge=60,
        le=43_200,
        description="Redis and SQS: a task that a worker has not acknowledged after this time is given to another. Longer than any task takes.",
    )
    enable_sqs_message_group_ids: bool = Field(
        True, description="`0` publishes to SQS without `MessageGroupId`, by which it deals fairly among services."
    )
    api_rate_limit_enabled: bool = Field(True, description="`0` switches the per-minute limit off.")

    # -- files
    notify_data_dir: Path = Field(
        Path(".notify"), description="Folder of everything `notify up` keeps: databases, files, logs, `dev.json`."
    )
    object_store_url: str = Field(
        "",
        description="Where files live: `file:///...`, `s3://bucket/prefix`, `gs://...`, `az://...` or `memory:///`. Empty: a folder in `NOTIFY_DATA_DIR`.",
    )

    # -- the web process
    port: int = Field(6011, ge=1, le=65535, description="Port of the API.")
    web_host: str = Field("127.0.0.1", description="Address the API listens on.")
    web_processes: int = Field(2, ge=1, le=64, description="Web processes of `notify web`.")
    web_threads: int = Field(32, ge=1, le=512, description="Requests a web process handles at the same time.")
    web_connections: int = Field(
        512,
        ge=1,
        le=65535,
        description="Connections a web process holds at the same time, those included that clients keep open and do not use; more wait until one is closed.",
    )
    apis: Annotated[tuple[Literal["public", "internal"], ...], NoDecode] = Field(
        ("public", "internal"),
        description="Which APIs the web processes serve: `public`, `internal` (what the admin app talks to), or `public,internal`.",
    )
    internal_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port of the internal API, which then is not served on `PORT`. 0: both are served on `PORT`.",
    )
    trusted_proxies: list[str] = Field(
        ["127.0.0.0/8", "::1"],
        description="JSON list of addresses and networks of load balancers and proxies in front of the API. In development and test, links in answers begin with what their `X-Forwarded-Proto` and `X-Forwarded-Host` say; elsewhere with `API_HOST_NAME`.",
    )
    api_page_size: int = Field(250, ge=1, le=2500, description="Notifications on a page of the public API.")
    max_request_bytes: int = Field(32 * 1024 * 1024, ge=1024, description="Largest accepted request body.")

    # -- workers
    worker_concurrency: int = Field(32, ge=1, le=1024, description="Tasks a worker process handles at the same time.")
    worker_stop_seconds: int = Field(
        25,
        ge=1,
        description="Time a worker has for the tasks under way when it is asked to stop; what is left of them then runs again elsewhere.",
    )
    worker_metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port on which a worker shows its metrics. 0: none; the web processes of its host may show them.",
    )
    worker_metrics_host: str = Field("127.0.0.1", description="Address a worker shows its metrics on.")
    provider_connections: int = Field(
        200, ge=1, le=5000, description="Requests in flight to providers per worker process."
    )
    delivery_retry_seconds: int = Field(
        300, ge=0, description="Seconds between two tries to hand a message to a provider."
    )
    delivery_max_retries: int = Field(
        48, ge=0, description="Tries after the first one, before a message ends as `technical-failure`."
    )
    sweep_after_seconds: int = Field(
        60,
        ge=1,
        description="Messages still `created` after this time are published to the queue again by the sweeper, and again each time they are twice as old; from an hour on, every quarter of an hour.",
    )
    sweep_every_seconds: int = Field(30, ge=1, description="Seconds between two runs of that sweeper.")
    sending_notifications_timeout_period: int = Field(
        259_200, ge=60, description="Seconds after which a text or email without a receipt becomes `temporary-failure`."
    )

    # -- telling services what happened
    callback_connections: int = Field(
        10,
        ge=1,
        le=500,
        description="Callbacks of one kind in flight to one service per worker process. A slow service waits for itself only.",
    )
    callback_timeout_seconds: float = Field(
        5.0, gt=0, le=60, description="Longest a service may take to answer a callback."
    )
    callback_retry_seconds: int = Field(300, ge=0, description="Seconds between two tries of a callback.")
    callback_max_retries: int = Field(5, ge=0, description="Tries after the first one, before a callback is given up.")
    callback_expiry_seconds: int = Field(
        86_400,
        ge=60,
        description="Callbacks that a service has not taken after this time, however long its queue is, are given up.",
    )
    callback_guard: bool = Field(
        False,
        description="Outside development and test, callbacks only go to https addresses of the public internet: not to private, loopback, link-local or metadata addresses. `1` has it so there as well.",
    )

    # -- providers of text messages
    mmg_url: str = Field("https://api.mmg.co.uk/jsonv2a/api.php", description="Address of MMG's sending API.")
    mmg_api_key: str = Field("", description="MMG's key. Empty: MMG is not used.")
    mmg_receipt_url: str = Field("", description="Address MMG is told to send receipts to. Empty: as agreed with MMG.")
    mmg_delivery_status_callback_basic_auth_credentials: tuple[str, str] | None = Field(
        None,
        description="JSON `[user, password]` put into the receipt address given to MMG; its receipts must carry them.",
    )
    mmg_inbound_sms_username: list[str] = Field(
        [], description="JSON list of user names MMG may use for inbound texts."
    )
    mmg_inbound_sms_auth: list[str] = Field([], description="JSON list of passwords MMG may use for inbound texts.")
    firetext_url: str = Field(
        "https://www.firetext.co.uk/api/sendsms/json", description="Address of Firetext's sending API."
    )
    firetext_api_key: str = Field("", description="Firetext's key. Empty: Firetext is not used.")
    firetext_international_api_key: str = Field(
        "", description="Firetext's key for international texts. Empty: the other one."
    )
    firetext_receipt_url: str = Field("", description="Address Firetext is told to send receipts to.")
    firetext_delivery_status_callback_basic_auth_credentials: tuple[str, str] | None = Field(
        None,
        description="JSON `[user, password]` put into the receipt address given to Firetext; its receipts must carry them.",
    )
    firetext_inbound_sms_auth: list[str] = Field(
        [], description="JSON list of passwords Firetext may use for inbound texts."
    )
    receipts_checked_in_front: bool = Field(
        False,
        description="`1`: a proxy in front of the API checks who sends receipts, and the API does not. `0`: outside development and test, a provider's receipts are only taken with its credentials (`MMG_DELIVERY_STATUS_CALLBACK_BASIC_AUTH_CREDENTIALS`, `FIRETEXT_DELIVERY_STATUS_CALLBACK_BASIC_AUTH_CREDENTIALS`).",
    )
    sms_provider_resting_points: dict[str, int] = Field(
        {"mmg": 51, "firetext": 49},
        description="JSON object: text message provider to the priority it drifts back to after it was changed automatically.",
    )
    check_slow_text_message_delivery: bool = Field(
        False,
        description="`1` logs an error when text messages have been slow for ten minutes: a tenth of them not delivered within five minutes.",
    )
    from_number: str = Field("development", description="Text message sender where a service has none.")

    # -- providers of email
    aws_region: str = Field(
        "eu-west-1", pattern=r"^[a-z0-9-]+$", description="Region of Amazon's services, such as SES and SQS."
    )
    ses_enabled: bool = Field(
        False,
        description="`1` sends email through Amazon SES. Credentials come from AWS's standard chain: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, shared files, or the role of the container or instance.",
    )
    ses_url: str = Field("", description="Address of the SES v2 API. Empty: Amazon's in `AWS_REGION`.")
    ses_configuration_set: str = Field(
        "", description="Configuration set that emails are sent with. Empty: the identity's default."
    )
    ses_stub_url: str = Field(
        "",
        description="Address of a stand-in for SES, for tests of load: it is told of each email, without its content, and nothing is sent.",
    )
    ses_topic_arns: list[str] = Field(
        [],
        description="JSON list of the SNS topics whose notifications `POST /notifications/email/ses` takes. Empty: there is no such endpoint.",
    )
    ses_receipts_queue_url: str = Field(
        "", description="Address of the SQS queue that `notify ses-receipts` reads SES notifications from."
    )
    sns_url: str = Field(
        "",
        description="Address of a stand-in for SNS, whose certificates are accepted too. Refused outside development and test.",
    )
    smtp_url: str = Field(
        "",
        description="`smtp://user:password@host:port` (STARTTLS when offered) or `smtps://...`. Special characters of user and password are percent-encoded. Empty: SMTP is not used.",
    )
    smtp_connections: int = Field(
        10,
        ge=1,
        le=500,
        description="Connections a worker process keeps to the SMTP server, one email at a time on each.",
    )
    sandbox_url: str = Field(
        "",
        description="Address of the sandbox provider. Empty: it is not used; `notify up` starts one and sets this. Refused outside development and test.",
    )
    sandbox_receipt_delay_ms: int = Field(
        500, ge=0, description="How long the sandbox waits before it sends a receipt."
    )

    # -- sending files by email
    document_download_base_url: str = Field(
        "", description="Public address of the download pages. Empty: `API_HOST_NAME`."
    )

    # -- logs, metrics and traces
    notify_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Level of logs.")
    notify_log_format: Literal["json", "text"] = Field("json", description="Form of log lines.")
    prometheus_multiproc_dir: str = Field(
        "",
        description="Folder in which the processes of a host count together for `/metrics`. Empty: `notify up` has one, `notify web` uses one of its own.",
    )
    prometheus_metrics_path: str = Field("/metrics", description="Path of the metrics endpoint.")
    metrics_token: str = Field(
        "",
        description="Bearer token of the metrics endpoint. Empty: the application id in `VCAP_APPLICATION`, if there is one; else it is open to whoever reaches the port.",
    )
    metrics_basic_auth: bool = Field(True, description="`0` leaves `VCAP_APPLICATION` out of account.")
    vcap_application: dict[str, Any] = Field(
        {}, description="JSON object that Cloud Foundry sets; its `application_id` may open the metrics endpoint."
    )
    otel_exporter_otlp_endpoint: str = Field(
        "",
        description="Address of an OpenTelemetry collector (OTLP over HTTP) that gets traces; the SDK's other variables (`OTEL_...`) hold too. Empty: no traces. Needs the extra `tracing`.",
    )
    otel_service_name: str = Field(
        "", description="Name of this service in traces. Empty: `notify-` and `NOTIFY_APP_NAME`."
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        for text in value:
            try:
                ip_network(text)
            except ValueError:
                raise ValueError(f"{text} is neither an address nor a network") from None
        return value

    @field_validator("secret_key", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        if isinstance(value, str):
            import orjson

            return orjson.loads(value) if value.lstrip().startswith("[") else [value]
        return value

    @field_validator("apis", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value

    @field_validator("secret_key")
    @classmethod
    def _not_empty(cls, value: list[str]) -> list[str]:
        if not value or not all(value):
            raise ValueError("must not be empty")
        return value

    @field_validator("sqlalchemy_database_uri", "sqlalchemy_database_uri_bulk")
    @classmethod
    def _postgres(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in ("postgresql", "postgres", "postgresql+psycopg"):
            raise ValueError("must be a postgresql:// address")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in ("redis", "rediss", "unix"):
            raise ValueError("must be a redis:// address")
        return value

    @field_validator("object_store_url")
    @classmethod
    def _object_store(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in OBJECT_STORES:
            raise ValueError("must be an address that starts with " + ", ".join(f"{name}://" for name in OBJECT_STORES))
        return value

    @field_validator("smtp_url")
    @classmethod
    def _smtp(cls, value: str) -> str:
        if value:
            parts = urlsplit(value)
            try:
                usable = parts.scheme in ("smtp", "smtps") and bool(parts.hostname) and parts.port != 0
            except ValueError:  # the port is no number; it may be a piece of a password
                usable = False
            if not usable:
                raise ValueError("must be an smtp:// or smtps:// address")
        return value

    @field_validator("ses_url", "ses_stub_url", "ses_receipts_queue_url", "sns_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if value:
            parts = urlsplit(value)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("must be an http:// or https:// address")
        return value

    @property
    def is_safe_environment(self) -> bool:
        """Development or test: default secrets and the sandbox are fine here, and nowhere else."""
        return self.notify_environment in SAFE_ENVIRONMENTS

    @property
    def apis_on_port(self) -> tuple[str, ...]:
        """The APIs that are served on `PORT`."""
        return tuple(api for api in self.apis if api != "internal" or not self.internal_port)

    @property
    def callbacks_are_guarded(self) -> bool:
        """Whether callbacks only go to https addresses of the public internet."""
        return self.callback_guard or not self.is_safe_environment

    @cached_property
    def documents_base_url(self) -> str:
        """Address that download links start with, without a slash at the end."""
        return (self.document_download_base_url or self.api_host_name).rstrip("/")

    @cached_property
    def logo_base_url(self) -> str:
        """Address of the logos of email brandings (content 7.3): a host beside the admin web app's."""
        parts = urlsplit(self.admin_base_url)
        host = (parts.hostname or "localhost").removeprefix("www.")
        if host.endswith("localhost"):
            host = "notify.tools"
        return f"{parts.scheme}://static-logos.{host}"

    @cached_property
    def effective_metrics_token(self) -> str:
        """What opens the metrics endpoint (public-api 14.5). Empty: nothing has to."""
        platform = str(self.vcap_application.get("application_id") or "") if self.metrics_basic_auth else ""
        return self.metrics_token or platform

    @cached_property
    def effective_broker_url(self) -> str:
        """Address of the broker: `BROKER_URL`, else the cache."""
        return self.broker_url or self.redis_url


def load(**overrides: Any) -> Settings:
    """Read the environment into `Settings`; keyword arguments (field names) win over it.

    Raises `SettingsError` with one line that names the first faulty variable, or a default secret outside development
    and test.
    """
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(f"{str(first['loc'][0]).upper()}: {first['msg']}") from None
    except SettingsSourceError as error:
        raise SettingsError(_malformed(error)) from None
    if not settings.is_safe_environment:
        _refuse_defaults(settings)
    return settings


def _malformed(error: SettingsSourceError) -> str:
    # the library's text is: error parsing value for field "<name>" from source "<class>"
    parts = str(error).split('"')
    return f"{parts[1].upper()}: must be valid JSON" if len(parts) > 1 else str(error)


def _refuse_defaults(settings: Settings) -> None:
    where = f"in environment {settings.notify_environment!r}"
    if DEVELOPMENT_SECRET in settings.secret_key:
        raise SettingsError(f"SECRET_KEY: the development default is refused {where}; set a secret of your own")
    if settings.dangerous_salt == DEVELOPMENT_SALT:
        raise SettingsError(f"DANGEROUS_SALT: the development default is refused {where}; set a value of your own")
    defaults = {secret for secrets in DEVELOPMENT_CLIENTS.values() for secret in secrets}
    if any(secret in defaults for secrets in settings.internal_client_api_keys.values() for secret in secrets):
        raise SettingsError(
            f"INTERNAL_CLIENT_API_KEYS: the development defaults are refused {where}; set secrets of your own"
        )
    if settings.sandbox_url:
        raise SettingsError(f"SANDBOX_URL: the sandbox provider is refused {where}")
    if settings.sns_url:
        raise SettingsError(f"SNS_URL: a stand-in for SNS is refused {where}")
    if not settings.sqlalchemy_database_uri:
        raise SettingsError(f"SQLALCHEMY_DATABASE_URI: must be set {where}")
    if settings.redis_enabled and not settings.redis_url:
        raise SettingsError(f"REDIS_URL: must be set {where} (or REDIS_ENABLED=0)")
