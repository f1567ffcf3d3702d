"""`notify admin-env`: the environment of the official admin app."""

from __future__ import annotations

import shlex

from click.testing import CliRunner

from notify.cli import program
from notify.cli.admin_env import variables
from notify.settings import load
from tests.production import PRODUCTION, as_environment


def test_the_admin_app_finds_everything_at_one_address() -> None:
    settings = load(
        notify_environment="development", api_host_name="http://localhost:6011", redis_url="redis://:word@localhost:1"
    )
    found = variables(settings)
    assert found["API_HOST_NAME"] == "http://localhost:6011"
    assert found["AWS_ENDPOINT_URL"] == "http://localhost:6011/objects"
    assert found["AWS_SECRET_ACCESS_KEY"] == found["ADMIN_CLIENT_SECRET"] == "dev-notify-secret-key"
    assert found["S3_BUCKET_CONTACT_LIST_UPLOAD"] == "development-contact-list"
    assert (found["ANTIVIRUS_API_HOST"], found["ANTIVIRUS_API_KEY"]) == ("http://localhost:6011/antivirus", "test-key")
    assert found["DOCUMENT_DOWNLOAD_API_HOST_NAME_INTERNAL"] == "http://localhost:6011/document-download"
    assert found["DOCUMENT_DOWNLOAD_API_KEY"] == "auth-token"
    assert found["REDIS_URL"] == "redis://:word@localhost:1"


def test_the_command_prints_lines_for_a_shell() -> None:
    environment = {"NOTIFY_ENVIRONMENT": "development", "NOTIFY_DATA_DIR": "/nowhere", "DANGEROUS_SALT": "it's salt"}
    answer = CliRunner().invoke(program, ["admin-env"], env=environment)
    assert answer.exit_code == 0, answer.output
    lines = [shlex.split(line) for line in answer.output.splitlines()]
    assert ["export", "DANGEROUS_SALT=it's salt"] in lines
    assert {words[0] for words in lines} == {"export"}


def test_it_prints_no_secrets_of_a_real_installation() -> None:
    answer = CliRunner().invoke(program, ["admin-env"], env=as_environment(PRODUCTION))
    assert answer.exit_code == 1
    assert "refused in environment 'production'" in answer.output
