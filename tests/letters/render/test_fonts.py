"""Fonts of other scripts, and characters that no font has (contract: letters 3.1)."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from notify.letters.render.compiler import FONTS, LayoutCompiler
from notify.letters.render.letter import Letter
from notify.letters.render.logos import Logos
from notify.letters.render.renderer import LetterRenderer
from tests.letters.render.measure import measured
from tests.letters.render.recorded import cases, letter_of, logo_bucket, renderer

OURS = (FONTS / "LiberationSans-Regular.ttf").read_bytes()
FULLWIDTH_A = "\uff21"
PLACE_OF_AN_OBJECT = 0xFFFC


def _table(font: bytes, wanted: bytes) -> tuple[int, int]:
    """Where a table of a TrueType file begins, and its size in bytes."""
    for index in range(struct.unpack_from(">H", font, 4)[0]):
        tag, _, start, size = struct.unpack_from(">4sLLL", font, 12 + 16 * index)
        if tag == wanted:
            return start, size
    raise LookupError(wanted)


def _wider() -> bytes:
    """A font of the same name as ours, in which every letter has the same width."""
    font = bytearray(OURS)
    start, size = _table(OURS, b"hmtx")
    for at in range(start, start + size // 4 * 4, 4):
        struct.pack_into(">H", font, at, 2000)
    return bytes(font)


def _foreign() -> bytes:
    """A font of another name, in which one sign is a fullwidth A."""
    font = bytearray(OURS)
    cmap, _ = _table(OURS, b"cmap")
    for index in range(struct.unpack_from(">H", OURS, cmap + 2)[0]):
        table = cmap + struct.unpack_from(">HHL", OURS, cmap + 4 + 8 * index)[2]
        if struct.unpack_from(">H", OURS, table)[0] != 4:
            continue
        segments = struct.unpack_from(">H", OURS, table + 6)[0]
        for at in range(table + 14, table + 14 + segments, 2):
            if struct.unpack_from(">H", OURS, at)[0] == PLACE_OF_AN_OBJECT:
                for place in (at, at + segments + 2):  # ends, then starts
                    struct.pack_into(">H", font, place, ord(FULLWIDTH_A))
    for name in ("Liberation".encode("utf-16-be"), b"Liberation"):
        font = font.replace(name, name.replace(b"L", b"M"))
    return bytes(font)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of fonts of a user of this machine, without any."""
    folder = tmp_path / "home" / ".local" / "share" / "fonts"
    folder.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    return folder


def test_a_font_of_the_machine_never_takes_the_place_of_ours(machine: Path, tmp_path: Path) -> None:
    letter = letter_of(cases()["one_page_plain"]["request"])
    expected = renderer(tmp_path / "logos").render(letter, "print")
    (machine / "LiberationSans-Regular.ttf").write_bytes(_wider())
    assert renderer(tmp_path / "logos", system_fonts=True).render(letter, "print") == expected


def _with_fonts(folder: Path, *fonts: Path) -> LetterRenderer:
    compiler = LayoutCompiler(fonts, system_fonts=False)
    return LetterRenderer(compiler, Logos(logo_bucket(folder), compiler))


def test_what_no_font_has_is_named_by_its_script(tmp_path: Path) -> None:
    plain = _with_fonts(tmp_path)
    text = "中文 한국어 हिन्दी العربية \U0001f600"
    letter = Letter("S", "\u201cZażółć Ελληνικά Русский – €\u201d", {})
    assert plain.render(letter, "print").unprintable == frozenset()
    found = plain.render(Letter("S", text, {}), "print").unprintable
    assert found == {"CJK", "HANGUL", "DEVANAGARI", "ARABIC", "GRINNING"}


def test_a_font_that_is_added_is_used_and_old_previews_are_not(tmp_path: Path) -> None:
    letter = Letter("S", f"A {FULLWIDTH_A}", {})
    before = _with_fonts(tmp_path)
    assert before.render(letter, "print").unprintable == {"FULLWIDTH"}
    fonts = tmp_path / "fonts"
    fonts.mkdir()
    (fonts / "Foreign.ttf").write_bytes(_foreign())
    after = _with_fonts(tmp_path, fonts)
    rendered = after.render(letter, "print")
    assert rendered.unprintable == frozenset()
    (line,) = [line for line in measured(rendered.pdf)[0].lines if FULLWIDTH_A in line.text]
    assert {name.split("+")[1] for name in line.fonts} == {"LiberationSans", "MiberationSans"}
    assert before.parts(letter, "preview")[0].key != after.parts(letter, "preview")[0].key
