"""Logos are made harmless before anything draws them."""

from __future__ import annotations

import pytest
from lxml import etree

from notify.letters.render.errors import LogoError
from notify.letters.render.svg import sanitised

START = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">'


def drawn(content: str) -> str:
    return sanitised(f"{START}{content}</svg>".encode())


@pytest.mark.parametrize(
    "content",
    [
        "<script>1</script>",
        '<foreignObject><body xmlns="http://www.w3.org/1999/xhtml">x</body></foreignObject>',
        '<image href="http://127.0.0.1/a.png"/>',
        '<image xlink:href="file:///etc/passwd"/>',
        '<image href="data:image/png;base64,AAAA"/>',
        '<use href="http://127.0.0.1/a.svg#b"/>',
        '<use xlink:href=" file:///etc/passwd#a"/>',
        '<a href="http://127.0.0.1"><path d="M0 0"/></a>',
        '<rect onload="x()" width="1" height="1"/>',
        '<rect style="fill:url(http://127.0.0.1/a#b)" width="1" height="1"/>',
        '<rect fill="url( \'http://127.0.0.1/a#b\')" width="1" height="1"/>',
        '<style>@import "http://127.0.0.1/a.css"; rect { fill: url("http://127.0.0.1/b") }</style>',
        '<rect filter="url(#a)" width="1" height="1"/><filter id="a"><feImage href="http://127.0.0.1"/></filter>',
        "<animate attributeName='x'/><set attributeName='x'/>",
        '<?xml-stylesheet href="http://127.0.0.1/a.css"?><!-- 127.0.0.1 script -->',
    ],
)
def test_nothing_runs_and_nothing_comes_from_elsewhere(content: str) -> None:
    out = drawn(content).lower()
    for word in (
        "127.0.0.1",
        "etc/passwd",
        "script",
        "foreignobject",
        "onload",
        "<image",
        "data:",
        "filter",
        "animate",
    ):
        assert word not in out


def test_a_drawing_stays() -> None:
    inside = (
        '<defs><linearGradient id="a"><stop offset="0"/></linearGradient></defs><style>.b{fill:red}</style>'
        '<g transform="scale(2)"><rect class="b" fill="url(#a)" width="1" height="1"/><use href="#a"/></g>'
    )
    before, after = etree.fromstring(f"{START}{inside}</svg>".encode()), etree.fromstring(drawn(inside).encode())
    assert [each.tag for each in after.iter()] == [each.tag for each in before.iter()]
    assert [dict(each.attrib) for each in after.iter()] == [dict(each.attrib) for each in before.iter()]


def test_entities_of_the_file_are_resolved_and_others_are_refused(tmp_path: object) -> None:
    text = '<!DOCTYPE svg [<!ENTITY colour "#f00">]>' + START + '<rect fill="&colour;"/></svg>'
    assert 'fill="#f00"' in sanitised(text.encode())
    assert "ENTITY" not in sanitised(text.encode())
    outside = '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/hostname">]>' + START + "<text>&a;</text></svg>"
    with pytest.raises(LogoError):
        sanitised(outside.encode())


def test_a_file_that_would_grow_without_end_is_refused() -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 20 if n else "x" * 100}">' for n in range(9))
    with pytest.raises(LogoError):
        sanitised(f"<!DOCTYPE svg [{levels}]>{START}<text>&e8;</text></svg>".encode())


@pytest.mark.parametrize("content", [b"", b"<svg", b"<html/>", b"\x89PNG\r\n", b"<svg/>", b"x" * (2 * 2**20 + 1)])
def test_what_is_no_svg_is_refused(content: bytes) -> None:
    with pytest.raises(LogoError):
        sanitised(content)
