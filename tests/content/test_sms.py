import pytest

from notify.content.sms import template_length


@pytest.mark.parametrize(
    ("content", "length"),
    [
        ("Hello ((name))", 6),
        ("((a))" + "x" * 150, 150),
        ("((a??only sometimes)) always", 7),
        ("…", 3),
        ("a  b", 3),
        ("((a) is no placeholder", 22),
        ("", 0),
    ],
)
def test_placeholders_count_nothing_in_a_template(content: str, length: int) -> None:
    assert template_length(content) == length
