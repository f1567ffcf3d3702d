"""Texts that parsers may trip over."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator

MEGABYTE = 1_000_000

REPEATED = (
    *("((", "))", "((a", "((a??", "(", "[", "]", "[]", "![", "[a](", "[a](b", "](", "[a](b)"),
    *(
        "[a][b]",
        "[^a]",
        "[[a](b)](c)",
        "![a](b)",
        '[a](b "',
        "(<",
        "<!--",
        "<!-- ' >",
        "<a ",
        "</",
        "&",
        "&lt;",
        "&#",
        "&amp",
    ),
    *(
        "*",
        "* ",
        "- ",
        "-",
        "+ ",
        "1. ",
        "1.",
        "1) ",
        "• ",
        "_",
        "~",
        "`",
        ">",
        "> ",
        "^",
        "^ ",
        "#",
        "# ",
        "=",
        "- - ",
    ),
    *("````", "\t", " ", "\n", "\r", "\r\n", "\\", "\\*", "|", "!", "http://a.b ", "www.a", "a.", "a-", ".", ",", " ,"),
    *(" .", "@", "a@", "'a@", "’", '"', "'", "'\"", "a'", " '", '"a', "--", " - ", " – ", "gov.uk ", "GOV.", "qr:"),
    *("qr:  ", "é", "ŵ", "\u200b", "\u00a0", "\u2028", "\u3164", "\u0301", "😀", "\ud800", "\x00", "&nbsp;", "ا", "0"),
    *("+44", "07", ";", "a,", "a\t", "-a", "x@y.z", "1", "999999999. "),
)
"""Pieces of which a megabyte is read."""

BARE = ("((", "[", "*", ">", " ", "_", "`", "#")
"""Those of them that are single marks."""

LINES = (
    *("((a))", "((a??b))"),
    *("[a]: b\n", "[^a]: b\n", "*a\n", "* a\n", "*\n", "- a\n\n", "1. a\n", "> a\n", "^ a\n", "^a\n\n", "^\n", "# a\n"),
    *("=\n", "a\n=\n", "---\n", "```\n", "~~~\n", "    a\n", "  \n", " \n", "\\\n", "|a|\n", "a|b\n-|-\n", "qr: a\n\n"),
    *(",\n", '"\n', "a,b\n", "a\n", "a" * 1000 + "\n"),
)
"""Lines and placeholders. A megabyte of the shortest would be half a million of them, each of which takes its time."""

_PIECES = (
    *REPEATED,
    *LINES,
    "word",
    "name",
    "((first name))",
    "((a??shown))",
    "https://www.example.gov.uk/a?b=c&d=e#f",
    "£1.50",
)


def nested() -> Iterator[tuple[str, str]]:
    """Texts that go deeper and deeper, with what to call them."""
    yield "deeper bullets", "".join(f"{'  ' * depth}* a\n" for depth in range(1000))
    yield "deeper numbers", "".join(f"{'   ' * depth}1. a\n" for depth in range(800))
    yield "deeper quotes", "".join(f"{'^' * depth} a\n" for depth in range(1400))
    yield "quotes in bullets", "^ * " * 250_000
    yield "bullets in quotes", "* ^ " * 250_000
    yield "links in links", "[" * 200_000 + "a" + "](b)" * 200_000
    yield "images in images", "![" * 166_000 + "a" + "](b)" * 166_000
    yield "one word", "a" * MEGABYTE
    yield "no blanks", "a.b-c_d@e/" * 100_000
    yield "blanks, then a word", " " * MEGABYTE + "a"
    yield "a word, then blanks", "a" + " " * MEGABYTE
    yield "blanks between words", ("a" + " " * 1000) * 1000
    yield "newlines between words", ("a" + "\n" * 1000) * 1000
    yield "a quote, blanks, a quote", ("^ a" + "\n" * 1000) * 1000
    yield "a fence, then words", "~" * MEGABYTE + " a b"
    yield "a fence, blanks, words", "~~~" + " " * MEGABYTE + "a b"
    yield "a code, blanks, two lines", "qr:" + " " * MEGABYTE + "a\nb"
    yield "blanks in a heading", "# a" + " " * MEGABYTE + "b"
    yield "a code, then blanks", "qr: a" + " " * MEGABYTE + "b"
    yield "ends of links, then one word", "](" * 2000 + "a" * MEGABYTE + ")"
    yield "one word, then links", "a" * MEGABYTE + "[a](b)" * 2000
    yield "titles without an end, then one word", '[a](b "c)' * 2000 + "a" * MEGABYTE
    yield "a row of dashes below a bar", "|a\n|" + "-" * MEGABYTE + "a"
    yield "an address without an end", "<" + "a:" * (MEGABYTE // 2)
    yield "quotes in items, then newlines", ("* a\n^ b" + "\n" * 1000) * 1000


def repeated(pieces: Iterable[str] = REPEATED, length: int = MEGABYTE) -> Iterator[tuple[str, str]]:
    """Each piece again and again, up to a length, with what to call it."""
    for piece in pieces:
        yield repr(piece[:20]), (piece * (length // len(piece) + 1))[:length]


def structured(chance: random.Random) -> str:
    """A text put together from pieces."""
    return "".join(
        chance.choice(_PIECES) * (chance.randint(2, 40) if chance.random() < 0.1 else 1)
        for _ in range(chance.randint(0, 60))
    )


def stretched(chance: random.Random) -> Callable[[int], str]:
    """A text in which something is repeated, of about any length."""
    before, repeated, after = ("".join(chance.choices(_PIECES, k=chance.randint(*k))) for k in ((0, 2), (1, 3), (0, 2)))
    return lambda length: before + repeated * (length // len(repeated)) + after


def characters(chance: random.Random) -> str:
    """A text of characters from everywhere."""
    highest = chance.choice((0x7F, 0xFF, 0x2FFF, 0x10FFFF))
    return "".join(chr(chance.randint(0, highest)) for _ in range(chance.randint(0, 80)))


def mutated(text: str, chance: random.Random) -> str:
    """A text with some of it cut, doubled, moved or replaced."""
    for _ in range(chance.randint(1, 6)):
        start, end = sorted((chance.randint(0, len(text)), chance.randint(0, len(text))))
        end = min(end, start + 40)
        middle = text[start:end]
        middle = chance.choice(("", middle * 2, middle[::-1], chance.choice(_PIECES)))
        text = text[:start] + middle + text[end:]
    return text
