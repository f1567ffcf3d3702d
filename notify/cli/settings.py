"""`notify settings`: every setting, from the classes that read them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin
from urllib.parse import urlsplit, urlunsplit

import click
import orjson
from pydantic.fields import FieldInfo

from notify.safety import DEVELOPMENT_SALT, DEVELOPMENT_SECRET
from notify.settings import Settings, parts, read

_SECTION = re.compile(r"^    # -- (?P<title>.+)$|^    (?P<field>[a-z][a-z0-9_]*): ", re.MULTILINE)
_SECRET = re.compile(r"(^|_)(keys?|salt|token|secret|auth|credentials|password|username)($|_)")
_HIDDEN = "(hidden)"

_HEAD = """# Configuration

<!-- Written by `make docs` from `notify/<room>/settings.py`: change it there. -->

Settings are environment variables. Blanks and quotes around a value are removed. An empty variable counts as not set.
If a value is wrong or unsafe, the process does not start, and one line names the variable. `notify settings` shows the
current values.
"""


@click.command()
@click.option("--markdown", is_flag=True, help="Print the page docs/configuration.md instead.")
def settings(markdown: bool) -> None:
    """Show every setting and its current value."""
    click.echo(page() if markdown else "\n".join(values(read())), nl=not markdown)


def sections() -> Iterator[tuple[str, list[str]]]:
    """The field names of the settings in order, under the titles (`# -- title`) of their groups."""
    found: dict[str, list[str]] = {}
    title = ""
    for part in parts():
        for match in _SECTION.finditer(inspect.getsource(part)):
            title = match["title"] or title
            if match["field"] in part.model_fields:
                found.setdefault(title, []).append(match["field"])
    yield from found.items()


def page() -> str:
    """The text of docs/configuration.md."""
    lines = [_HEAD]
    fields = {name: field for part in parts() for name, field in part.model_fields.items()}
    for title, names in sections():
        lines += [f"## {title[0].upper()}{title[1:]}", "", "| variable | default | meaning |", "|---|---|---|"]
        for name in names:
            field = fields[name]
            lines.append(f"| `{name.upper()}` | {_default(name, field)} | {_meaning(field)} |")
        lines.append("")
    return "\n".join(lines)


def values(current: Settings) -> Iterator[str]:
    """A line `NAME=value` for each setting. Secrets are hidden, in addresses too."""
    for _, names in sections():
        for name in names:
            value = getattr(current, name)
            is_secret = value and not isinstance(value, bool) and _SECRET.search(name)
            yield f"{name.upper()}={_HIDDEN if is_secret else _without_password(_as_text(value))}"


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if value is None:
        return ""
    return str(value) if isinstance(value, str | int | float | Path) else orjson.dumps(value, default=str).decode()


def _without_password(text: str) -> str:
    if "://" not in text:
        return text
    try:
        parts = urlsplit(text)
        if "password=" in parts.query:
            return _HIDDEN
        if not parts.password:
            return text
    except ValueError:
        return _HIDDEN
    user, _, place = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:{_HIDDEN}@{place}"))


def _default(name: str, field: FieldInfo) -> str:
    default = field.get_default()
    if default in (DEVELOPMENT_SALT, [DEVELOPMENT_SECRET]) or name == "internal_client_api_keys":
        return "a value for development"
    text = _as_text(default).replace("|", "\\|")
    return f"`{text}`" if text else ""


def _meaning(field: FieldInfo) -> str:
    """Description, form and limits."""
    description = (field.description or "").replace("|", "\\|")
    return " ".join(part for part in (description, _form(field.annotation), _limits(field)) if part)


def _form(annotation: Any) -> str:
    if annotation is bool:
        return "`1` or `0`."
    if get_origin(annotation) is Literal:
        return "One of " + ", ".join(f"`{choice}`" for choice in get_args(annotation)) + "."
    return ""


def _limits(field: FieldInfo) -> str:
    least = next((rule.ge for rule in field.metadata if hasattr(rule, "ge")), None)
    most = next((rule.le for rule in field.metadata if hasattr(rule, "le")), None)
    if least is not None and most is not None:
        return f"From {least} to {most}."
    return f"At least {least}." if least is not None else ""
