"""The pages about deploying and callbacks: their commands and links exist."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from pathlib import Path

import click
import pytest

from notify.cli import ENTRIES
from tests.deploy.product import ROOT, parse

PAGES = ["deploying.md", "first-callback.md", "callbacks.md"]
COMMAND = re.compile(r"^    (notify .+?)(?:\s+#.*)?$", re.MULTILINE)
INLINE = re.compile(r"`(notify [^`]+)`")
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FILE = re.compile(r"`((?:deploy|tests|notify|scripts)/[\w./-]+)`")


def anchors(file: Path) -> set[str]:
    """The names of a page's headings, as GitHub makes them."""
    headings = HEADING.findall(file.read_text())
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_its_commands_exist(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    found = COMMAND.findall(text) + [" ".join(words.split()) for words in INLINE.findall(text)]
    assert found
    for line in found:
        words = shlex.split(line.replace("ROLE", "sender").replace("...", ""))[1:]
        assert words[0] in ENTRIES, line
        if len(words) > 1:
            # options that only show something; prose, which leaves out what a command needs
            with suppress(click.exceptions.Exit, click.MissingParameter):
                parse(words)


@pytest.mark.parametrize("page", PAGES)
def test_its_links_and_files_are_there(page: str) -> None:
    file = ROOT / "docs" / page
    text = file.read_text()
    for name, anchor in LINK.findall(text):
        if "://" in name:
            continue
        target = (file.parent / name) if name else file
        assert target.exists(), name
        if anchor:
            assert anchor in anchors(target), f"{name}#{anchor}"
    assert [name for name in FILE.findall(text) if not (ROOT / name).exists()] == []
