"""Settings of all kinds of processes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, IPvAnyNetwork, field_validator
from pydantic_settings import NoDecode

from notify.safety import (
    PLAINTEXT_BROKERS,
    SHORTEST_SECRET,
    to_database,
    to_server,
)
from notify.setting_types import (
    Address,
    Connection,
    HeaderText,
    HostName,
    ObjectStoreAddress,
    PostgresAddress,
    RedisAddress,
    SettingsPart,
    UrlPath,
    WebAddress,
    words,
)

SAFE_ENVIRONMENTS: Final = ("development", "test")


class EnvironmentSettings(SettingsPart):
    """The environment's name, and its addresses."""

    # -- where we are
    notify_environment: str = Field(
        "",
        description="Name of the environment; must be set, `notify up` alone takes `development`. `development` and `test` have the sandbox, the console and published secrets, and refuse real providers, a public `API_HOST_NAME` and listeners beyond this machine; any other name, such as `production`, refuses what is unsafe.",
    )
    allow_plaintext_internal: bool = Field(
        False,
        description="Outside development and test, connections beyond this machine to PostgreSQL, Redis, the broker, SMTP and providers must be encrypted. `1` allows them without encryption: only where the network between the machines is private.",
    )
    api_host_name: WebAddress = Field(
        "http://localhost:6011",
        description="Public address of this API, used in links that leave it. Outside development and test it must be set, and not lead to this machine.",
    )
    api_host_name_internal: WebAddress = Field(
        "http://localhost:6011", description="Address under which our own processes reach this API."
    )
    admin_base_url: WebAddress = Field(
        "http://localhost:6012",
        description="Address of the admin web app, used in links and error texts. Outside development and test it must be set, and not lead to this machine.",
    )
    notify_email_domain: HostName = Field(
        "notify.tools",
        description="Domain of the addresses that emails are sent from. Outside development and test it must be set where emails are sent.",
    )
    notify_app_name: str = Field("api", description="Name of this process type in logs.")
    git_commit: str = Field("", description="Commit of this build, shown by `/_status`.")
    build_time: str = Field("", description="Time of this build, shown by `/_status`.")

    @property
    def is_safe_environment(self) -> bool:
        """Development or test: the only environments that allow published secrets and the sandbox."""
        return self.notify_environment in SAFE_ENVIRONMENTS

    def links(self) -> Iterator[tuple[str, str]]:
        """Where links in messages lead: this API and the admin web app."""
        yield "API_HOST_NAME", self.api_host_name
        yield "ADMIN_BASE_URL", self.admin_base_url

    def connections(self) -> Iterator[Connection]:
        """How others reach this API and the admin web app."""
        for variable, address in EnvironmentSettings.links(self):
            yield to_server(variable, address, ("http",), "set an https:// address")

    @cached_property
    def logo_base_url(self) -> str:
        """Address of the logos of email brandings (content 7.3): a host of the same domain as the admin web app."""
        parts = urlsplit(self.admin_base_url)
        host = (parts.hostname or "localhost").removeprefix("www.")
        if host.endswith("localhost"):
            host = "notify.tools"
        return f"{parts.scheme}://static-logos.{host}"


class DatabaseSettings(SettingsPart):
    """PostgreSQL."""

    # -- database
    sqlalchemy_database_uri: PostgresAddress = Field(
        "", description="PostgreSQL >= 15. Empty: `notify up` starts its own under the data folder."
    )
    sqlalchemy_database_uri_bulk: PostgresAddress = Field(
        "", description="A read replica for long reads. Empty: the primary database."
    )
    sqlalchemy_pool_size: int = Field(8, ge=1, le=500, description="Database connections that a process keeps open.")
    sqlalchemy_max_overflow: int = Field(
        8, ge=0, le=500, description="Further connections a process may open temporarily."
    )
    database_is_pooled: bool = Field(
        False,
        description="`1` if the database's address is that of a pooler in transaction mode, such as PgBouncer: nothing is then left in a session, no prepared statement either. See docs/running.md.",
    )
    database_statement_timeout_ms: int = Field(
        1_200_000,
        ge=0,
        description="Longest a statement may run, in milliseconds. In web processes `WEB_STATEMENT_TIMEOUT_MS` holds.",
    )
    database_lock_timeout_ms: int = Field(
        0,
        ge=0,
        description="Longest a statement may wait for a lock, in milliseconds. 0: no limit. In web processes `WEB_LOCK_TIMEOUT_MS` holds.",
    )

    def connections(self) -> Iterator[Connection]:
        """To the primary database and its replica."""
        for variable, address in (
            ("SQLALCHEMY_DATABASE_URI", self.sqlalchemy_database_uri),
            ("SQLALCHEMY_DATABASE_URI_BULK", self.sqlalchemy_database_uri_bulk),
        ):
            if address:
                yield to_database(variable, address)


class QueueSettings(SettingsPart):
    """Cache and broker."""

    # -- cache and queue
    redis_enabled: bool = Field(True, description="`0` runs without a cache: no rate limits, no daily limits.")
    redis_url: RedisAddress = Field(
        "", description="Valkey or Redis. Empty: `notify up` starts its own under the data folder."
    )
    broker_url: Address = Field(
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

    @cached_property
    def effective_broker_url(self) -> str:
        """Address of the broker: `BROKER_URL`, else the cache."""
        return self.broker_url or self.redis_url

    def connections(self) -> Iterator[Connection]:
        """To the cache and the broker."""
        if self.redis_url and (self.redis_enabled or not self.broker_url):
            yield to_server("REDIS_URL", self.redis_url, ("redis",), "set a rediss:// address")
        if self.broker_url:
            advice = "set a rediss://, amqps:// or https:// address"
            yield to_server("BROKER_URL", self.broker_url, PLAINTEXT_BROKERS, advice)


class FileSettings(SettingsPart):
    """The data folder and the object store."""

    # -- files
    notify_data_dir: Path = Field(
        Path(".notify"), description="Folder of everything `notify up` keeps: databases, files, logs, `dev.json`."
    )
    object_store_url: ObjectStoreAddress = Field(
        "",
        description="Where files live: `file:///...`, `s3://bucket/prefix`, `gs://...`, `az://...` or `memory:///` (which keeps nothing; refused outside development and test). Empty: a folder in `NOTIFY_DATA_DIR`.",
    )
    s3_bucket_csv_upload: str = Field(
        "development-notifications-csv-upload",
        description="Bucket of the spreadsheets that jobs send to. This and the buckets below are those of the admin app: real ones where `OBJECT_STORE_URL` is a cloud store, else folders that are made at their first use. Outside development and test each must be named for a cloud store: the default's may be somebody else's.",
    )
    s3_bucket_contact_list: str = Field("development-contact-list", description="Bucket of contact lists.")
    s3_bucket_report_requests_download: str = Field(
        "development-report-requests-download", description="Bucket of reports that users download."
    )
    s3_bucket_template_email_files: str = Field(
        "development-template-email-files", description="Bucket of files that are attached to email templates."
    )
    s3_bucket_letter_attachments: str = Field(
        "development-letter-attachments", description="Bucket of PDFs that are attached to letter templates."
    )
    s3_bucket_transient_uploaded_letters: str = Field(
        "development-transient-uploaded-letters", description="Bucket of letters that were uploaded and not sent yet."
    )
    s3_bucket_precompiled_originals_backup_letters: str = Field(
        "development-letters-precompiled-originals-backup",
        description="Bucket of the original files of uploaded letters.",
    )
    s3_bucket_logo_upload: str = Field("public-logos-tools", description="Bucket of logos.")
    s3_bucket_mou: str = Field("notify.tools-mou", description="Bucket of agreements, which the admin app reads.")

    def stand_ins(self) -> Iterator[tuple[str, str]]:
        """Files in memory."""
        if self.object_store_url.startswith("memory:"):
            yield "OBJECT_STORE_URL", "a store in the memory of one process, which forgets every file,"


class WebSettings(SettingsPart):
    """Addresses and limits of the API."""

    # -- the web process
    port: int = Field(6011, ge=1, le=65535, description="Port of the API.")
    web_host: HostName = Field("127.0.0.1", description="Address the API listens on.")
    web_processes: int = Field(2, ge=1, le=64, description="Web processes of `notify web`.")
    web_threads: int = Field(
        32,
        ge=1,
        le=512,
        description="Requests a web process works on at the same time; at most a quarter of them without a key.",
    )
    web_connections: int = Field(
        2048,
        ge=1,
        le=65535,
        description="Connections a web process holds at the same time, those included that clients keep open and do not use; more wait until one is closed.",
    )
    web_connections_per_address: int = Field(
        512,
        ge=1,
        le=65535,
        description="Connections that one address may hold, about, over all web processes of a host; the newest are closed. Addresses in `TRUSTED_PROXIES` may hold any number.",
    )
    web_idle_seconds: float = Field(
        30,
        ge=1,
        le=3600,
        description="A connection whose next request does not begin, or whose header does not end, within this time is closed. A proxy in front must close its idle ones earlier.",
    )
    web_request_seconds: float = Field(
        30,
        ge=1,
        le=3600,
        description="Longest time for a request's body to arrive and its answer to begin, after which, and `WEB_IDLE_SECONDS`, its connection is closed.",
    )
    web_keyless_body_bytes: int = Field(
        64 * 1024, ge=1024, description="Largest body of a request without a valid key, such as a provider's receipt."
    )
    web_statement_timeout_ms: int = Field(
        10_000, ge=0, description="Longest a statement of a web process may run, in milliseconds. 0: no limit."
    )
    web_lock_timeout_ms: int = Field(
        3_000,
        ge=0,
        description="Longest a statement of a web process may wait for a lock, in milliseconds. 0: no limit.",
    )
    apis: Annotated[tuple[Literal["public", "internal", "template_preview", "file_checks"], ...], NoDecode] = Field(
        ("public", "internal"),
        description="Which APIs the web processes serve, with commas between them: `public`, `internal` (what the admin app talks to), `template_preview` (its pictures of letters, below `/template-preview`) and `file_checks` (its virus scanner and checks of files, below `/antivirus` and `/document-download`). In development and test the last two are always served.",
    )
    legacy_2020: bool = Field(
        True,
        description="Serve the routes that the original had in 2020 and has no more (`docs/legacy.md`). 0: they are 404.",
    )
    internal_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port of the internal API, which then is not served on `PORT`. 0: both are served on `PORT`.",
    )
    trusted_proxies: list[IPvAnyNetwork] = Field(
        [IPv4Network("127.0.0.0/8"), IPv6Network("::1/128")],
        description="JSON list of addresses and networks of load balancers and proxies in front of the API. In development and test, links in answers begin with what their `X-Forwarded-Proto` and `X-Forwarded-Host` say; elsewhere with `API_HOST_NAME`.",
    )
    api_page_size: int = Field(250, ge=1, le=2500, description="Notifications on a page of the public API.")
    max_request_bytes: int = Field(32 * 1024 * 1024, ge=1024, description="Largest accepted request body.")

    @field_validator("apis", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        return words(value)

    @property
    def apis_on_port(self) -> tuple[str, ...]:
        """The APIs that are served on `PORT`."""
        return tuple(api for api in self.apis if api != "internal" or not self.internal_port)

    def listeners(self) -> Iterator[tuple[str, str]]:
        """The addresses of the APIs."""
        yield "WEB_HOST", self.web_host


class WorkerSettings(SettingsPart):
    """Worker processes."""

    # -- workers
    worker_concurrency: int = Field(32, ge=1, le=1024, description="Tasks a worker process handles at the same time.")
    worker_stop_seconds: int = Field(
        25,
        ge=1,
        description="Time a worker has for the tasks under way when it is asked to stop; what is left of them then runs again elsewhere.",
    )
    hung_seconds: float = Field(
        60,
        ge=5,
        description="Seconds without a heartbeat after which a worker or web process is killed and replaced.",
    )
    worker_metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port on which a worker shows its metrics. 0: none; the web processes of its host may show them.",
    )
    worker_metrics_host: HostName = Field("127.0.0.1", description="Address a worker shows its metrics on.")
    provider_connections: int = Field(
        200, ge=1, le=5000, description="Requests in flight to providers per worker process."
    )

    def listeners(self) -> Iterator[tuple[str, str]]:
        """The address of a worker's metrics."""
        if self.worker_metrics_port:
            yield "WORKER_METRICS_HOST", self.worker_metrics_host


class AmazonSettings(SettingsPart):
    """Amazon's services."""

    # -- Amazon's services
    aws_region: str = Field(
        "eu-west-1", pattern=r"^[a-z0-9-]+$", description="Region of Amazon's services, such as SES and SQS."
    )
    ses_topic_arns: list[str] = Field(
        [],
        description="JSON list of the SNS topics whose notifications `POST /notifications/email/ses` takes. Empty: there is no such endpoint.",
    )
    sns_url: WebAddress = Field(
        "",
        description="Address of a stand-in for SNS, whose certificates are accepted too. Refused outside development and test.",
    )

    def stand_ins(self) -> Iterator[tuple[str, str]]:
        """A stand-in for SNS."""
        if self.sns_url:
            yield "SNS_URL", "a stand-in for SNS"


class TelemetrySettings(SettingsPart):
    """Logs, metrics and traces."""

    # -- logs, metrics and traces
    notify_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Level of logs.")
    notify_log_format: Literal["json", "text"] = Field("json", description="Form of log lines.")
    prometheus_multiproc_dir: str = Field(
        "",
        description="Folder in which the processes of a host count together for `/metrics`. Empty: `notify up` has one, `notify web` makes one.",
    )
    prometheus_metrics_path: UrlPath = Field("/metrics", description="Path of the metrics endpoint.")
    metrics_token: HeaderText = Field(
        "",
        description="Bearer token of the metrics endpoint. Empty: the application id in `VCAP_APPLICATION`, if there is one. Without both the endpoint is open, which is refused outside development and test.",
    )
    metrics_basic_auth: bool = Field(True, description="`0` ignores `VCAP_APPLICATION`.")
    vcap_application: dict[str, Any] = Field(
        {}, description="JSON object that Cloud Foundry sets; its `application_id` may open the metrics endpoint."
    )
    otel_exporter_otlp_endpoint: WebAddress = Field(
        "",
        description="Address of an OpenTelemetry collector (OTLP over HTTP) that gets traces; the SDK's other variables (`OTEL_...`) hold too. Empty: no traces. Needs the extra `tracing`.",
    )
    otel_service_name: str = Field(
        "", description="Name of this service in traces. Empty: `notify-` and `NOTIFY_APP_NAME`."
    )

    @cached_property
    def effective_metrics_token(self) -> str:
        """The token of the metrics endpoint (public-api 14.5). Empty: it needs none."""
        platform = str(self.vcap_application.get("application_id") or "") if self.metrics_basic_auth else ""
        return self.metrics_token or platform

    def secrets(self) -> Iterator[tuple[str, str, int]]:
        """The token of the metrics endpoint."""
        if self.effective_metrics_token:
            variable = "METRICS_TOKEN" if self.metrics_token else "VCAP_APPLICATION"
            yield variable, self.effective_metrics_token, SHORTEST_SECRET
