"""The check at start that the keys belong to the database."""

from __future__ import annotations

import pytest

from notify.cli.keys import refuse_wrong_keys
from notify.infra.parts import Parts
from notify.settings import Settings, SettingsError
from tests.api import Api


@pytest.fixture
def parts(own_parts: Parts) -> Parts:
    """The check looks on a connection of its process."""
    return own_parts


def with_keys(parts: Parts, *keys: str, **more: object) -> Settings:
    return parts.settings.model_copy(update={"data_encryption_keys": list(keys), **more})


def rows(parts: Parts) -> int:
    with parts.database.connection() as connection:
        return len(connection.execute("SELECT FROM encryption_check").fetchall())


def test_the_first_start_leaves_a_check_that_later_ones_look_at(parts: Parts) -> None:
    refuse_wrong_keys(with_keys(parts, "one"))
    assert rows(parts) == 0  # a web process only looks
    refuse_wrong_keys(with_keys(parts, "one"), at_first=True)
    refuse_wrong_keys(with_keys(parts, "one"), at_first=True)
    assert rows(parts) == 1
    for settings in (with_keys(parts, "one"), with_keys(parts, "one", "two"), with_keys(parts, "two", "one")):
        refuse_wrong_keys(settings)
    for at_first in (True, False):
        with pytest.raises(SettingsError, match=r"^DATA_ENCRYPTION_KEYS: the configured keys are not those"):
            refuse_wrong_keys(with_keys(parts, "two"), at_first=at_first)


def test_data_of_other_keys_is_noticed_without_a_check(parts: Parts, api: Api) -> None:
    other = with_keys(api.parts, "another", read_data_under_secret_key=False)
    with pytest.raises(SettingsError, match=r"^DATA_ENCRYPTION_KEYS"):
        refuse_wrong_keys(other, at_first=True)
    assert rows(api.parts) == 0
    refuse_wrong_keys(with_keys(api.parts, "another"), at_first=True)  # SECRET_KEY, which they are under, is still read
    assert rows(api.parts) == 1


def test_a_database_that_is_down_or_not_migrated_stops_no_process(parts: Parts) -> None:
    refuse_wrong_keys(parts.settings.model_copy(update={"sqlalchemy_database_uri": "postgresql://127.0.0.1:1/x"}))
    with parts.database.connection() as connection:
        connection.execute("DROP TABLE encryption_check")
    refuse_wrong_keys(parts.settings)
