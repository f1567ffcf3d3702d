from notify.console.frame import framed
from notify.content.email import EmailTemplate

EMAIL = EmailTemplate("Subject", "Hello [you](https://example.com)").html({})


def test_links_open_elsewhere() -> None:
    assert '<head><base target="_blank">' in framed(EMAIL, "auto")
    assert framed("<p>no head", "auto") == '<base target="_blank"><p>no head'


def test_a_theme_answers_what_the_style_sheet_asks() -> None:
    assert "(prefers-color-scheme:dark)" in framed(EMAIL, "auto")
    assert "@media (min-width:0){" in framed(EMAIL, "dark")
    assert "@media (max-width:0){" in framed(EMAIL, "light")
    asked = "<style>@media (Prefers-Color-Scheme : light){}</style>"
    assert "@media (min-width:0){}" in framed(asked, "light")
    assert "@media (max-width:0){}" in framed(asked, "dark")
