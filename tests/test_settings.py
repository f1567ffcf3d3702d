"""Settings: what is wrong with the environment is one line that names the variable."""

from __future__ import annotations

import pytest

from notify.settings import SettingsError, load

PRODUCTION = {
    "NOTIFY_ENVIRONMENT": "production",
    "SECRET_KEY": "a secret of its own",
    "DANGEROUS_SALT": "a salt of its own",
    "INTERNAL_CLIENT_API_KEYS": '{"notify-admin": ["another secret"]}',
    "SQLALCHEMY_DATABASE_URI": "postgresql://db/notify",
    "REDIS_URL": "redis://cache:6379",
}


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
        ("INTERNAL_CLIENT_API_KEYS", "{no json", "must be valid JSON"),
        ("SECRET_KEY", "[]", "must not be empty"),
        ("APIS", "public,console", "'public' or 'internal'"),
        ("INTERNAL_PORT", "-1", "0"),
    ],
)
def test_a_malformed_variable_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, text: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load()
    line = str(caught.value)
    assert line.startswith(f"{name}: ")
    assert text in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", None),
        ("SECRET_KEY", "dev-notify-secret-key"),
        ("DANGEROUS_SALT", None),
        ("INTERNAL_CLIENT_API_KEYS", None),
        ("INTERNAL_CLIENT_API_KEYS", '{"notify-admin": ["dev-notify-secret-key"]}'),
        ("SANDBOX_URL", "http://localhost:1"),
        ("SQLALCHEMY_DATABASE_URI", None),
        ("REDIS_URL", None),
    ],
)
def test_outside_development_what_is_unsafe_or_missing_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str | None
) -> None:
    environment = {**PRODUCTION, name: value}
    for variable, given in environment.items():
        if given is None:
            monkeypatch.delenv(variable, raising=False)
        else:
            monkeypatch.setenv(variable, given)
    with pytest.raises(SettingsError, match=f"^{name}: "):
        load()


def test_outside_development_secrets_of_ones_own_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, given in PRODUCTION.items():
        monkeypatch.setenv(variable, given)
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
