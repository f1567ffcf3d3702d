"""Settings: an error is one line that names the variable."""

from __future__ import annotations

from typing import Any

import pytest

from notify.settings import SettingsError, load, parts
from tests.production import PRODUCTION, as_environment

DEVELOPMENT = {"NOTIFY_ENVIRONMENT": "development"}


def set_environment(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for part in parts():
        for name in part.model_fields:
            monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def refused() -> str:
    """The line that the environment is refused with."""
    with pytest.raises(SettingsError) as caught:
        load()
    line = str(caught.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("PORT", "eighty", "valid integer"),
        ("PORT", "70000", "65535"),
        ("REDIS_URL", "http://cache", "redis://"),
        ("SQLALCHEMY_DATABASE_URI", "mysql://db", "postgresql://"),
        ("OBJECT_STORE_URL", "ftp://files", "s3://"),
        ("OBJECT_STORE_URL", "somewhere", "file://"),
        ("SMTP_URL", "mail:25", "smtp://"),
        ("SMTP_URL", "smtp://u:sesame/x@mail", "smtp://"),
        ("INTERNAL_CLIENT_API_KEYS", "{no json", "must be valid JSON"),
        ("SECRET_KEY", "[]", "must not be empty"),
        ("APIS", "public,console", "'public', 'internal', 'template_preview' or 'file_checks'"),
        ("INTERNAL_PORT", "-1", "0"),
        ("SECRET_KEY", '["a", ""]', "must not hold empty values"),
        ("SECRET_KEY", '["a"', "one value or a JSON list"),
        ("API_HOST_NAME", "api.example", "http:// or https://"),
        ("ADMIN_BASE_URL", "https://", "http:// or https://"),
        ("ADMIN_BASE_URL", "https://admin.example:port", "http:// or https://"),
        ("MMG_URL", "https://mmg.example/a b", "http:// or https://"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "http:// or https://"),
        ("NOTIFY_EMAIL_DOMAIN", "https://notify.example", "host name"),
        ("NOTIFY_EMAIL_DOMAIN", "notify.example\nBcc: x", "host name"),
        ("WEB_HOST", "localhost:6011", "host name or an IP address"),
        ("MMG_API_KEY", "ke\ny", "must be ASCII"),
        ("FIRETEXT_API_KEY", "key\u200b", "must be ASCII"),
        ("FROM_NUMBER", "NOT\x00IFY", "control characters"),
        ("SMTP_URL", "smtp://mail\x7f", "control characters"),
        ("TOKEN_SECRET_KEY", "short", "Fernet key"),
        ("PROMETHEUS_METRICS_PATH", "metrics", "must start with /"),
        ("BROKER_URL", "cache", "with its scheme"),
    ],
)
def test_a_malformed_variable_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, text: str
) -> None:
    if "\x00" in value:  # no environment holds it
        given: dict[str, Any] = {name.lower(): value}
        with pytest.raises(SettingsError, match=f"^{name}: .*{text}"):
            load(**given)
        return
    set_environment(monkeypatch, {**DEVELOPMENT, name: value})
    line = refused()
    assert line.startswith(f"{name}: ")
    assert text in line
    assert "sesame" not in line


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("MMG_API_KEY", "key\n", "key"),
        ("MMG_API_KEY", "key\r\n", "key"),
        ("API_HOST_NAME", "http://localhost:6011\n", "http://localhost:6011"),
        ("ADMIN_BASE_URL", '"https://admin.example"', "https://admin.example"),
        ("NOTIFY_EMAIL_DOMAIN", " 'notify.example' ", "notify.example"),
        ("INTERNAL_CLIENT_API_KEYS", '\'{"a": ["b"]}\'\n', {"a": ["b"]}),
        ("SECRET_KEY", ' ["one", "two"] ', ["one", "two"]),
        ("DATA_ENCRYPTION_KEYS", "one\n", ["one"]),
        ("PORT", '"7011"', 7011),
        ("FROM_NUMBER", '""', "development"),
        ("FROM_NUMBER", " \n", "development"),
        ("SQLALCHEMY_DATABASE_URI", "postgresql://a:5432,b:5432/notify", "postgresql://a:5432,b:5432/notify"),
    ],
)
def test_blanks_and_quotes_around_a_value_are_taken_off(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, read: Any
) -> None:
    set_environment(monkeypatch, {**DEVELOPMENT, "MMG_URL": "http://localhost:1", name: value})
    assert getattr(load(), name.lower()) == read


def test_the_environment_has_no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, {})
    assert refused().startswith("NOTIFY_ENVIRONMENT: must be set: development on your own machine")


@pytest.mark.parametrize("environment", ["development", "test"])
@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("WEB_HOST", {"WEB_HOST": "0.0.0.0"}),  # noqa: S104
        ("WEB_HOST", {"WEB_HOST": "::"}),
        ("WEB_HOST", {"WEB_HOST": "machine.example"}),
        ("WORKER_METRICS_HOST", {"WORKER_METRICS_HOST": "0.0.0.0", "WORKER_METRICS_PORT": "9000"}),  # noqa: S104
        ("SANDBOX_URL", {"SANDBOX_URL": "http://10.0.0.1:9"}),
        ("API_HOST_NAME", {"API_HOST_NAME": "https://api.notify.example"}),
        ("API_HOST_NAME", {"API_HOST_NAME": "http://203.0.112.5:6011"}),
        ("MMG_API_KEY", {"MMG_API_KEY": "real"}),
        ("FIRETEXT_API_KEY", {"FIRETEXT_API_KEY": "real"}),
        ("FIRETEXT_API_KEY", {"FIRETEXT_INTERNATIONAL_API_KEY": "real"}),
        ("SES_ENABLED", {"SES_ENABLED": "1"}),
        ("SMTP_URL", {"SMTP_URL": "smtp://user:pass@relay.example"}),
    ],
)
def test_development_is_not_open_to_the_world(
    monkeypatch: pytest.MonkeyPatch, environment: str, name: str, given: dict[str, str]
) -> None:
    set_environment(monkeypatch, {"NOTIFY_ENVIRONMENT": environment, **given})
    line = refused()
    assert line.startswith(f"{name}: ")
    assert "set NOTIFY_ENVIRONMENT to a name of your own" in line


def test_development_takes_stand_ins_and_names_of_its_own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {
        **DEVELOPMENT,
        "WEB_HOST": "::1",
        "API_HOST_NAME": "http://notify-api.localhost:6011",
        "MMG_API_KEY": "a",
        "MMG_URL": "http://127.0.0.1:1",
        "FIRETEXT_API_KEY": "a",
        "FIRETEXT_URL": "http://stand-in:8080/",
        "SES_ENABLED": "1",
        "SES_URL": "http://ses.internal",
        "SMTP_URL": "smtp://192.168.1.4:1025",
        "SANDBOX_URL": "http://localhost:9",
    }
    set_environment(monkeypatch, environment)
    assert load().is_safe_environment


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", None),
        ("SECRET_KEY", "dev-notify-secret-key"),
        ("SECRET_KEY", "a"),
        ("SECRET_KEY", '["a strong one of thirty-two characters", "weak"]'),
        ("SECRET_KEY", "abababababababababababababababababab"),
        ("DANGEROUS_SALT", None),
        ("DANGEROUS_SALT", "b"),
        ("TOKEN_SECRET_KEY", None),
        ("TOKEN_SECRET_KEY", "5YNWU0e_pN5ZyaSZvBd5uZb_sZlrVDFeOjiea6dq4zQ="),
        ("DATA_ENCRYPTION_KEYS", None),
        ("DATA_ENCRYPTION_KEYS", "short"),
        ("DATA_ENCRYPTION_KEYS", PRODUCTION["secret_key"][0]),
        ("INTERNAL_CLIENT_API_KEYS", None),
        ("INTERNAL_CLIENT_API_KEYS", '{"notify-admin": ["dev-notify-secret-key"]}'),
        ("INTERNAL_CLIENT_API_KEYS", '{"notify-admin": ["x"]}'),
        ("METRICS_TOKEN", None),
        ("METRICS_TOKEN", "short"),
        ("TEMPLATE_PREVIEW_INTERNAL_SECRETS", '["my-secret-key"]'),
        ("TEMPLATE_PREVIEW_INTERNAL_SECRETS", '["x"]'),
        ("MMG_DELIVERY_STATUS_CALLBACK_BASIC_AUTH_CREDENTIALS", '["mmg", ""]'),
        ("FIRETEXT_DELIVERY_STATUS_CALLBACK_BASIC_AUTH_CREDENTIALS", '["firetext", "aaaaaaaaaaaaaaaaaaaa"]'),
        ("MMG_INBOUND_SMS_AUTH", '["Rt6-hands-in-texts", "pass"]'),
        ("FIRETEXT_INBOUND_SMS_AUTH", '["fire"]'),
        ("SANDBOX_URL", "http://localhost:1"),
        ("SNS_URL", "http://localhost:1"),
        ("SQLALCHEMY_DATABASE_URI", None),
        ("REDIS_URL", None),
    ],
)
def test_outside_development_what_is_unsafe_or_missing_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str | None
) -> None:
    environment = as_environment(PRODUCTION) | ({name: value} if value else {})
    if value is None:
        del environment[name]
    set_environment(monkeypatch, environment)
    assert refused().startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"METRICS_TOKEN": "", "VCAP_APPLICATION": '{"application_id": "short"}'}, "VCAP_APPLICATION"),
        ({"SEND_ZENDESK_ALERTS_ENABLED": "1"}, "ZENDESK_API_KEY"),
        ({"CBC_PROXY_AWS_ACCESS_KEY_ID": "AKIA"}, "CBC_PROXY_AWS_SECRET_ACCESS_KEY"),
        ({"LETTER_PRINTER": "dvla", "DVLA_USERNAME": "u"}, "DVLA_PASSWORD"),
        ({"LETTER_PRINTER": "dvla", "DVLA_USERNAME": "u", "DVLA_PASSWORD": "p4-Ssw0rd-x"}, "DVLA_API_KEY"),
        ({"LETTER_PRINTER": "sftp", "FTP_HOST": "printer.example", "FTP_PASSWORD": "x"}, "FTP_PASSWORD"),
    ],
)
def test_outside_development_what_is_switched_on_has_its_secrets(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], name: str
) -> None:
    set_environment(monkeypatch, as_environment(PRODUCTION) | environment)
    assert refused().startswith(f"{name}: ")


STORE = {"OBJECT_STORE_URL": "s3://notify-files"}
PRINTER = {
    "LETTER_PRINTER": "dvla",
    "DVLA_USERNAME": "u",
    "DVLA_PASSWORD": "p4-Ssw0rd-x",
    "DVLA_API_KEY": "K7-opens-printing",
}


@pytest.mark.parametrize(
    ("name", "given", "missing"),
    [
        ("API_HOST_NAME", {}, "API_HOST_NAME"),
        ("API_HOST_NAME", {"API_HOST_NAME": "https://localhost"}, ""),
        ("API_HOST_NAME", {"API_HOST_NAME": "https://127.0.0.1:6011/"}, ""),
        ("API_HOST_NAME", {"API_HOST_NAME": "http://0.0.0.0:6011"}, ""),
        ("API_HOST_NAME", {"API_HOST_NAME": "https://[::]"}, ""),
        ("API_HOST_NAME", {"API_HOST_NAME": "https://notify-api.localhost"}, ""),
        ("ADMIN_BASE_URL", {}, "ADMIN_BASE_URL"),
        ("ADMIN_BASE_URL", {"ADMIN_BASE_URL": "https://[::1]:6012"}, ""),
        ("DOCUMENT_DOWNLOAD_BASE_URL", {"DOCUMENT_DOWNLOAD_BASE_URL": "http://localhost:7000"}, ""),
        ("MMG_RECEIPT_URL", {"MMG_RECEIPT_URL": "http://localhost:6011/notifications/sms/mmg"}, ""),
        ("FIRETEXT_RECEIPT_URL", {"FIRETEXT_RECEIPT_URL": "https://u:sesame@127.0.0.1/"}, ""),
        ("NOTIFY_EMAIL_DOMAIN", {"SES_ENABLED": "1"}, "NOTIFY_EMAIL_DOMAIN"),
        ("NOTIFY_EMAIL_DOMAIN", {"SMTP_URL": "smtps://relay.example"}, "NOTIFY_EMAIL_DOMAIN"),
        ("FROM_NUMBER", {"MMG_API_KEY": "real"}, "FROM_NUMBER"),
        ("FROM_NUMBER", {"FIRETEXT_INTERNATIONAL_API_KEY": "real"}, "FROM_NUMBER"),
        ("S3_BUCKET_CSV_UPLOAD", STORE, ""),
        ("OBJECT_STORE_URL", {"OBJECT_STORE_URL": "memory:///"}, ""),
        ("DVLA_API_BASE_URL", PRINTER, ""),
        ("FTP_HOST", {"LETTER_PRINTER": "sftp", "FTP_PASSWORD": "p4-Ssw0rd-x"}, ""),
        ("FTP_HOST_KEY", {"LETTER_PRINTER": "sftp", "FTP_PASSWORD": "p4-Ssw0rd-x", "FTP_HOST": "printer.example"}, ""),
    ],
)
@pytest.mark.parametrize("private", ["0", "1"])
def test_outside_development_nothing_leads_to_this_machine_or_to_somebody_else(
    monkeypatch: pytest.MonkeyPatch, name: str, given: dict[str, str], missing: str, private: str
) -> None:
    environment = as_environment(PRODUCTION) | given | {"ALLOW_PLAINTEXT_INTERNAL": private}
    environment.pop(missing, None)
    set_environment(monkeypatch, environment)
    line = refused()
    assert line.startswith(f"{name}: ")
    assert "sesame" not in line
    monkeypatch.setenv("NOTIFY_ENVIRONMENT", "test")
    if not given.keys() & {"SES_ENABLED", "SMTP_URL", "LETTER_PRINTER"} and not name.startswith("FROM"):
        monkeypatch.delenv("API_HOST_NAME", raising=False)
        assert load().is_safe_environment


def test_outside_development_every_bucket_of_a_cloud_store_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, as_environment(PRODUCTION) | STORE)
    named = set()
    while True:
        try:
            load()
        except SettingsError as error:
            name = str(error).partition(":")[0]
            assert name not in named
            named.add(name)
            monkeypatch.setenv(name, "example-notify-files")
        else:
            break
    assert {"S3_BUCKET_CSV_UPLOAD", "S3_BUCKET_LETTERS_PDF", "S3_BUCKET_MOU", "LETTER_CACHE_BUCKET_NAME"} <= named


PLAINTEXT = [
    ("SQLALCHEMY_DATABASE_URI", "postgresql://db/notify"),
    ("SQLALCHEMY_DATABASE_URI", "postgresql://u:p@127.0.0.1:5432,db:5432/notify?sslmode=prefer"),
    ("SQLALCHEMY_DATABASE_URI", "postgresql:///notify?host=db"),
    ("SQLALCHEMY_DATABASE_URI_BULK", "postgresql://replica/notify"),
    ("REDIS_URL", "redis://cache:6379"),
    ("BROKER_URL", "amqp://broker"),
    ("BROKER_URL", "redis://broker"),
    ("SES_RECEIPTS_QUEUE_URL", "http://sqs.example/queue"),
    ("API_HOST_NAME", "http://api.notify.example"),
    ("ADMIN_BASE_URL", "http://www.notify.example"),
]


@pytest.mark.parametrize(("name", "value"), PLAINTEXT)
def test_outside_development_connections_to_other_machines_are_encrypted(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    set_environment(monkeypatch, as_environment(PRODUCTION) | {name: value})
    line = refused()
    assert line.startswith(f"{name}: an unencrypted connection to another machine is refused")
    assert "ALLOW_PLAINTEXT_INTERNAL=1" in line
    monkeypatch.setenv("ALLOW_PLAINTEXT_INTERNAL", "1")
    assert not load().is_safe_environment


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SQLALCHEMY_DATABASE_URI", "postgresql:///notify?host=/run/postgresql"),
        ("SQLALCHEMY_DATABASE_URI", "postgresql://u@%2Frun%2Fpostgresql/notify"),
        ("SQLALCHEMY_DATABASE_URI", "postgresql://localhost:5432/notify"),
        ("SQLALCHEMY_DATABASE_URI", "postgresql://[::1]:5432/notify"),
        ("SQLALCHEMY_DATABASE_URI", "postgresql://a,b/notify?sslmode=require"),
        ("REDIS_URL", "redis://127.0.0.1:6379"),
        ("REDIS_URL", "unix:///run/valkey.sock"),
        ("BROKER_URL", "https://sqs.eu-west-1.amazonaws.com"),
        ("BROKER_URL", "sqs://"),
        ("BROKER_URL", "amqps://broker"),
        ("WEB_HOST", "0.0.0.0"),  # noqa: S104
        ("API_HOST_NAME", "https://api.notify.example"),
        ("MMG_API_KEY", "real"),
        ("MMG_DELIVERY_STATUS_CALLBACK_BASIC_AUTH_CREDENTIALS", '["mmg", "Rt6-hands-in-receipts"]'),
        ("VCAP_APPLICATION", '{"application_id": "any"}'),
        ("DVLA_API_BASE_URL", "https://printer.example"),
        ("API_HOST_NAME", "https://10.1.2.3"),
        ("DOCUMENT_DOWNLOAD_BASE_URL", "https://files.notify.example"),
        ("OBJECT_STORE_URL", "file:///srv/files"),
    ],
)
def test_outside_development_what_is_safe_is_accepted(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    set_environment(monkeypatch, as_environment(PRODUCTION) | {name: value})
    assert not load().is_safe_environment


@pytest.mark.parametrize(
    ("apis", "port", "served"),
    [
        ("public,internal", "0", ("public", "internal")),
        (" internal ", "0", ("internal",)),
        ("public,internal", "6013", ("public",)),
        ("internal", "6013", ()),
    ],
)
def test_which_apis_are_served_on_the_port(
    monkeypatch: pytest.MonkeyPatch, apis: str, port: str, served: tuple[str, ...]
) -> None:
    monkeypatch.setenv("APIS", apis)
    monkeypatch.setenv("INTERNAL_PORT", port)
    assert load().apis_on_port == served
