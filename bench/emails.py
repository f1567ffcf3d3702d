"""How emails look: `python -m bench.emails --out DIR` writes five of them as pages, and pictures of them on a
telephone, on
a desk, and in dark mode. The pictures are made by Chromium, where that is installed (`apt-get install chromium`).
"""

from __future__ import annotations

import argparse
import base64
import html
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from notify.content.email import EmailMessage, EmailTemplate
from notify.content.email_page import EmailBranding

WIDTHS = (375, 1200)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

_LOGO = "data:image/svg+xml;base64," + base64.b64encode(
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 54 54"><circle cx="27" cy="27" r="26" fill="#7a1f4d"/>'
    b'<path d="M14 38 27 12l13 26z" fill="#fff"/></svg>'
).decode("ascii")

_LONG = """Dear ((name)),

# Your licence has been renewed

Thank you for paying ((amount)). Your licence is valid until ((date)).

## What you must do now

1. Print this email.
2. Keep it with your vehicle:
  * in the glove box, or
  * at home - if nobody else drives it
3. Tell us if you move house.

Intro to a list:
* a bullet whose text is long enough to be broken into more than one line on a telephone, and on a desk too
* another bullet with [a link](https://www.example.gov.uk/licences "All about licences")
* https://www.example.gov.uk/a-very-long-address/that-has-no-blanks-in-it/and-must-be-broken-somewhere?reference=((ref))

---

## If something is wrong

^ "Please check the dates carefully," said the examiner.
^ * If your name is wrong, call us.
^ * If the date is wrong, write to us.

### A small heading

Telephone: 0300 123 4567
Monday to Friday, 9am to 5pm
[Find out about call charges](https://www.gov.uk/call-charges)
"""

_SCRIPTS = """# Croeso, ((name)) 👋

Mae eich apwyntiad ddydd Mawrth am 10yb yn Ysbyty Llandochau. Dewch â'ch llythyr gyda chi.

* Parcio: £2 y dydd 🚗
* Bws: 92, 93 a 94

# موعدك القادم

موعدك يوم الثلاثاء الساعة 10 صباحًا في المستشفى. يرجى إحضار هذه الرسالة معك.

* موقف السيارات: 2 جنيه إسترليني
* الحافلة: 92 و 93

^ للمساعدة اتصل على 0300 123 4567

請攜帶此信 · Прыходзьце своечасова · 🏥 📅 ✅
"""


class Sample(NamedTuple):
    """An email that shows something."""

    name: str
    subject: str
    content: str
    values: Mapping[str, Any] = MappingProxyType({})
    branding: EmailBranding = EmailBranding()
    unsubscribe_url: str | None = None


SAMPLES = (
    Sample(
        "reminder",
        "Your appointment on ((date))",
        "Hello ((name)),\n\nYou have an appointment at ((place)) on ((date)) at 10:30am.\n\n"
        "Can't come? [Change your appointment](https://www.example.gov.uk/change).",
        {"name": "Kate O'Neil", "date": "Tuesday 12 March", "place": "Mill Road Health Centre"},
    ),
    Sample(
        "long",
        "Your licence",
        _LONG,
        {"name": "Sam Jones", "amount": "£82.50", "date": "31 March 2027", "ref": "AB-12345"},
    ),
    Sample(
        "banner",
        "Your library books are due",
        "Dear ((name)),\n\nTwo of your books are due back on ((date)):\n\n((books))\n\n"
        "Renew them at https://library.example.gov.uk/renew",
        {"name": "Sam", "date": "1 May", "books": ["The Waves", "A Handful of Dust"]},
        EmailBranding.from_brand_type("org_banner", logo_url=_LOGO, text="Mill Road Council", colour="#f3d02f"),
    ),
    Sample(
        "unsubscribe",
        "What's new this month",
        "# This month\n\n## Bins\n\nCollections move to Thursday.\n\n## Roads\n\nMill Road is closed until 4 May.",
        {},
        EmailBranding.from_brand_type(
            "both", logo_url=_LOGO, text=None, colour="#7a1f4d", alt_text="Mill Road Council"
        ),
        "https://www.example.gov.uk/unsubscribe/1/token",
    ),
    Sample(
        "scripts",
        "Croeso · أهلاً",
        _SCRIPTS,
        {"name": "Siân"},
        EmailBranding.from_brand_type("org", logo_url=_LOGO, text="Mill Road Hospital", colour="#7a1f4d"),
    ),
)


def render(sample: Sample) -> EmailMessage:
    """A sample as it would be sent."""
    template = EmailTemplate(sample.subject, sample.content)
    return template.render(sample.values, branding=sample.branding, unsubscribe_url=sample.unsubscribe_url)


def picture(browser: str, page: Path, out: Path, width: int, *, dark: bool) -> None:
    """A picture of a page. The page is put into a frame: a browser's window may not be as narrow as a telephone."""
    height = 1700 if width < 600 else 1300
    with tempfile.TemporaryDirectory() as folder:
        frame = Path(folder) / "frame.html"
        source = html.escape(page.read_text(encoding="utf-8"))
        frame.write_text(
            '<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
            f'<style>body{{margin:0}}</style><iframe srcdoc="{source}" width="{width}" height="{height}" '
            'style="border:0"></iframe>',
            encoding="utf-8",
        )
        subprocess.run(
            [
                browser,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--hide-scrollbars",
                f"--user-data-dir={folder}/profile",
                f"--blink-settings=preferredColorScheme={0 if dark else 1}",
                f"--window-size={max(width, 500)},{height}",
                f"--screenshot={out}",
                frame.as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )


def main() -> None:
    """Write the pages and the pictures."""
    parser = argparse.ArgumentParser(prog="python -m bench.emails", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    for sample in SAMPLES:
        message = render(sample)
        page = out / f"{sample.name}.html"
        page.write_text(message.html, encoding="utf-8")
        (out / f"{sample.name}.txt").write_text(f"{message.subject}\n\n{message.plain_text}", encoding="utf-8")
        print(f"{page}: {len(message.html.encode()) / 1024:.1f} KiB")
        for width in WIDTHS if browser else ():
            for dark in (False, True):
                name = f"{sample.name}-{width}{'-dark' if dark else ''}.png"
                picture(str(browser), page, out / name, width, dark=dark)
    if browser is None:
        print(f"No pictures: none of {', '.join(BROWSERS)} is installed.")


if __name__ == "__main__":
    main()
