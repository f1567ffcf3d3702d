"""A text file given on the command line."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import click

_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


class TextFile(click.ParamType[str]):
    """The content of a UTF-8 file, with or without a byte order mark; `-` is standard input. For a file that cannot be
    read, or is in another encoding, the error is one line with the file's name and its probable encoding.
    """

    name = "filename"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read the file. Raises `click.BadParameter`."""
        try:
            content = sys.stdin.buffer.read() if value == "-" else _read(value)
        except OSError as error:
            self.fail(f"{value!r}: {error.strerror or error}", param, ctx)
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self._refuse(value, content, error.start, param, ctx)
        if "\0" in text:  # UTF-16 without a byte order mark is valid UTF-8, full of NULs
            self._refuse(value, content, content.index(b"\0"), param, ctx)
        return text

    def _refuse(
        self, value: str, content: bytes, place: int, param: click.Parameter | None, ctx: click.Context | None
    ) -> NoReturn:
        self.fail(
            f"{_named(value)} is not UTF-8 (byte {place + 1}): it looks like {_guess(content)}; save it as UTF-8",
            param,
            ctx,
        )


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _named(value: str) -> str:
    return "standard input" if value == "-" else repr(value)


def _guess(content: bytes) -> str:
    """The probable encoding of bytes that are not UTF-8."""
    for mark, name in _MARKS:
        if content.startswith(mark):
            return name
    if max(content[1::2].count(0), content[::2].count(0)) > len(content) // 4:
        return "UTF-16"
    if 0 in content:
        return "a file that is not text"
    try:
        content.decode("cp1252")
    except UnicodeDecodeError:
        return "another encoding"
    return "Windows-1252 (or ISO-8859-1)"
