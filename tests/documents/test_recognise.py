"""Types of files by their content; malicious files cost little."""

from __future__ import annotations

import bz2
import io
import random
import time
import tracemalloc
import zipfile
import zlib

import pytest
import xlwt

from notify.documents.recognise import MOST_ZIP_ENTRIES, recognise

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def excel_97() -> bytes:
    book = xlwt.Workbook()
    book.add_sheet("a").write(0, 0, "hello")
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def ole(stream: str) -> bytes:
    """An OLE file whose one stream has this name: what tells its kind."""
    content = bytearray(excel_97())
    place = content.index("Workbook".encode("utf-16-le"))
    name = stream.encode("utf-16-le")
    content[place : place + 64] = name.ljust(64, b"\0")
    content[place + 64 : place + 66] = (len(name) + 2).to_bytes(2, "little")
    return bytes(content)


def archive(*names: str, mimetype: str | None = None, compression: int = zipfile.ZIP_STORED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        if mimetype is not None:
            file.writestr("mimetype", mimetype, compression)
        for name in names:
            file.writestr(name, "x")
    return content.getvalue()


ODT = "application/vnd.oasis.opendocument.text"


@pytest.mark.parametrize(
    ("content", "mime_type"),
    [
        (b"%PDF-1.4\n", "application/pdf"),
        (b"\xef\xbb\xbf\n%PDF-1.7\n", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n\0", "image/png"),
        (b"\xff\xd8\xff\xe0\0", "image/jpeg"),
        (b"{\\rtf1 hello}", "application/rtf"),
        (excel_97(), "application/vnd.ms-excel"),
        (ole("Book"), "application/vnd.ms-excel"),
        (ole("WordDocument"), "application/msword"),
        (ole("PowerPoint Document"), "application/vnd.ms-powerpoint"),
        (ole("__properties_version1.0"), "application/vnd.ms-outlook"),
        (ole("EncryptedPackage"), "application/encrypted"),
        (ole("Catalog"), "application/x-ole-storage"),
        (archive("[Content_Types].xml", "word/document.xml"), DOCX),
        (archive("xl/workbook.xml"), XLSX),
        (archive("content.xml", mimetype=ODT), ODT),
        (archive("content.xml", mimetype="application/epub+zip"), "application/epub+zip"),
        (archive("xl/workbook.xml", "xl/vbaProject.bin"), "application/vnd.ms-excel.sheet.macroEnabled.12"),
        (archive("readme.txt"), "application/zip"),
        (archive("word.txt", mimetype="<script>"), "application/zip"),
        (b"GIF89a\x01\0\x01\0", "image/gif"),
        (b"\0\1\2\3\xff\xfe", "application/octet-stream"),
    ],
)
def test_binary_files(content: bytes, mime_type: str) -> None:
    assert recognise(content) == mime_type


@pytest.mark.parametrize(
    ("text", "mime_type"),
    [
        ("hello\tworld\r\n", "text/plain"),
        ("", "text/plain"),
        ("name,ref\nAnn,1\n\x1a", "text/plain"),
        ("Dŵr & café: 5 < 6", "text/plain"),
        ("[DRAFT] text [END]", "text/plain"),
        ("[First Name],[Ref]\n[Ann],[1]", "text/plain"),
        ("{draft}", "text/plain"),
        ('{"a": 1}', "application/json"),
        (' [1, 98765432109876543210, "b"]\n', "application/json"),
        ("BM is a make of car", "text/plain"),
        ("MZ hello", "text/plain"),
        ("From: Ann\nTo: Bob\n\nDear Bob", "text/plain"),
        ("<name> to fill in", "text/plain"),
        ("#1 of our aims", "text/plain"),
        ("<!DOCTYPE html><script>alert(1)</script>", "text/html"),
        ("\n <HTML lang='en'>", "text/html"),
        ("<!-- a --><p>Hello</p>", "text/html"),
        ("<!-- only a comment -->", "text/html"),
        ("<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        (
            "<?xml version='1.0'?>\n<!-- a -->\n<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'x.dtd'>\n<svg>",
            "image/svg+xml",
        ),
        ("<?xml version='1.0'?><html xmlns='x'>", "application/xhtml+xml"),
        ("<?xml version='1.0'?><a/>", "text/xml"),
        ("%!PS-Adobe-3.0\n", "application/postscript"),
        ("GIF89a hello", "image/gif"),
        ("#!/bin/sh\necho", "text/x-shellscript"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_texts_in_every_encoding(text: str, mime_type: str, encoding: str) -> None:
    if mime_type == "image/gif" and encoding != "utf-8":
        mime_type = "text/plain"  # only as the bytes that they are
    assert recognise(text.encode(encoding)) == mime_type


def test_a_text_of_one_byte_a_letter() -> None:
    assert recognise("René, café".encode("latin-1")) == "text/plain"
    assert recognise(b"\xff\xfeh\0e\0\0\xd8") == "application/octet-stream"  # half a character


def test_a_bomb_is_not_unpacked() -> None:
    """A kilobyte that would be 1,500 megabytes, by every way of compression."""
    tracemalloc.start()
    for compression in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", compression) as file:
            file.writestr("mimetype", b"\0" * 40_000_000)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        assert recognise(content.getvalue()) == "application/zip"
        assert tracemalloc.get_traced_memory()[1] - before < 2_000_000
    tracemalloc.stop()


def test_a_list_that_lies_about_the_size() -> None:
    honest = archive("word/a", mimetype="x" * 5000)
    # both places that have the size of `mimetype` say 10 bytes
    lying = honest.replace((5000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lying != honest
    assert recognise(lying) in ("application/zip", DOCX)


def test_an_archive_of_very_many_files() -> None:
    entry = archive("a")
    start, end = entry.index(b"PK\x01\x02"), entry.index(b"PK\x05\x06")
    count = 45_000
    directory = entry[start:end] * count
    tail = (
        b"PK\x05\x06\0\0\0\0"
        + b"\xff\xff\xff\xff"
        + len(directory).to_bytes(4, "little")
        + start.to_bytes(4, "little")
        + b"\0\0"
    )
    content = entry[:start] + directory + tail
    assert count > MOST_ZIP_ENTRIES
    tracemalloc.start()
    assert recognise(content) == "application/zip"
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_damaged_files_are_recognised_as_something() -> None:
    """Broken ones raise nothing."""
    whole = [
        archive("word/document.xml", mimetype=ODT, compression=zipfile.ZIP_DEFLATED),
        archive("a", mimetype=ODT),
        archive("a", mimetype=ODT, compression=zipfile.ZIP_BZIP2),
        archive("a", mimetype=ODT, compression=zipfile.ZIP_LZMA),
        ole("WordDocument"),
        b"PK\x03\x04" + zlib.compress(b"x"),
        b"PK\x03\x04" + bz2.compress(b"x"),
    ]
    chance = random.Random(7)
    began = time.monotonic()
    for content in whole:
        for _ in range(300):
            broken = bytearray(content)
            for _ in range(chance.randint(1, 12)):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            assert recognise(bytes(broken[: chance.randint(1, len(broken))]))
            assert recognise(bytes(broken))
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    "content",
    [
        b"<!-- " * 400_000,
        b"<!---->" * 280_000,
        b"<?a>" * 500_000,
        b"<!doctype svg " * 140_000,
        b"<!doctype svg [" * 140_000,
        b"[" * 2_000_000,
        b" " * 2_000_000,
        b"\0" * 2_000_000,
        "<".encode("utf-16") + b"<\0" * 1_000_000,
    ],
    ids=range(9),
)
def test_hostile_texts_are_read_in_time(content: bytes) -> None:
    began = time.monotonic()
    assert recognise(content)
    assert time.monotonic() - began < 5
