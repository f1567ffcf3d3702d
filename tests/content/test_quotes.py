import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.content.quotes import smart_quotes
from notify.content.text import typography


@pytest.mark.parametrize(
    ("straight", "curly"),
    [
        ("\"a\" 'b' it's", "“a” ‘b’ it’s"),
        ("'", "‘"),
        ('"', "“"),
        ("\"'Quoted' words\"", "“‘Quoted’ words”"),
        ("the '80s, the 1980's", "the ‘80s, the 1980’s"),
        ('("a") [\'b\'] -"c"', "(“a”) [‘b’] -“c”"),
        ("dogs' bones, St John's", "dogs’ bones, St John’s"),
        ("a&nbsp;'b' --\"c\"", "a&nbsp;‘b’ --“c”"),
        # a backslash keeps a quote straight; it protects nothing else
        (r"\"a\" 'b' c\.d", '"a" ‘b’ c\\.d'),
        # tags, code and links are left alone; a quote between tags is read with the text before
        ('<p class="x">it\'s</p>', '<p class="x">it’s</p>'),
        ("<a href='x'>it's</a> it's", "<a href='x'>it's</a> it’s"),
        ("<code>'</code><A>'</A>'", "<code>'</code><A>'</A>’"),
        ("a<b>'</b> <b>'</b>", "a<b>’</b> <b>‘</b>"),
        ("it's < that's", "it’s < that’s"),
    ],
)
def test_straight_quotes_become_curly(straight: str, curly: str) -> None:
    assert smart_quotes(straight) == curly


@given(st.text(alphabet="\"' a<>-s8.()\n"))
def test_nothing_but_quotes_changes(text: str) -> None:
    straight = str.maketrans("‘’“”", "''\"\"")
    assert smart_quotes(text).translate(straight) == text


@pytest.mark.parametrize(
    ("text", "dashed"),
    [
        ("a -- b", "a – b"),
        ("a — b", "a – b"),
        ("a  -  b", "a – b"),
        ("a -  -- b", "a – -- b"),
        ("a - - b", "a – - b"),
        ("a\n- b", "a – b"),
        ("1-2 d—e a -b a ---- b", "1-2 d—e a -b a ---- b"),
    ],
)
def test_a_dash_between_blanks_becomes_an_en_dash(text: str, dashed: str) -> None:
    assert typography(text) == dashed
