"""How fast messages are made: `python -m bench.content`. Each figure has beside it that of the naive way, which
reads the template anew for each recipient.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from notify.content.email import EmailTemplate
from notify.content.sms import SmsTemplate

SECONDS = 1.0
ROUNDS = 3

TEXT = (
    "Hello ((name)), your appointment at ((place)) is on ((date)). Reply STOP to opt out of these messages "
    "or call us on 0300 123 4567 to change it now, thanks."
)
EMAIL = (
    "Dear ((name)),\n\n# Your appointment\n\nYou have an appointment at ((place)) on ((date)). "
    + "Please bring some proof of who you are, and of your address; it's needed. " * 8
    + '\n\n* a letter\n* a card, "valid"\n* ((item))\n\n## How to get there\n\n'
    "See https://www.example.gov.uk/map?x=1 or [our page](https://example.gov.uk/a) - it helps. "
    + "The doors open at nine in the morning. " * 27
    + "\n\n^ Call us if you can't come\n\n---\n\nReference ((ref))\n\n((url))\n"
)


def values(number: int) -> dict[str, Any]:
    """What fills the templates for one of many recipients."""
    return {
        "name": f"Kate {number % 10}",
        "place": "High Street",
        "date": "12 March 2026",
        "item": "your AB-12 form",
        "ref": f"AB{number}",
        "url": f"https://example.gov.uk/{number}/x?y=1",
    }


def rate(make: Callable[[int], object]) -> float:
    """Messages a second of processor time; the best of a few rounds, as other programs may disturb one."""
    best = 0.0
    for _ in range(ROUNDS):
        count, began = 0, time.process_time()
        while (seconds := time.process_time() - began) < SECONDS / ROUNDS:
            for _ in range(20):
                make(count)
                count += 1
        best = max(best, count / seconds)
    return best


def main() -> None:
    """Measure, and print."""
    sms, email = SmsTemplate(TEXT), EmailTemplate("Your appointment on ((date))", EMAIL)
    texts = [{name: values(number)[name] for name in ("name", "place", "date")} for number in range(100)]
    for number in range(2):
        email.render(values(number))  # the second of its shape is when a template is prepared
    rows: list[tuple[str, Callable[[int], object], Callable[[int], object]]] = [
        (
            f"text message, {len(sms.render(texts[0]).text)} characters",
            lambda number: sms.render(texts[number % 100]).fragments,
            lambda number: SmsTemplate(TEXT).render(texts[number % 100]).fragments,
        ),
        (
            f"email, {len(email.body(values(0)))} characters, HTML and text",
            lambda number: email.render(values(number)),
            lambda number: EmailTemplate("Your appointment on ((date))", EMAIL).render(values(number)),
        ),
        (
            "the same with a value that is read whole",
            lambda number: email.render({**values(number), "name": "Kate (née O'Neil)"}),
            lambda number: EmailTemplate("Your appointment on ((date))", EMAIL).render(values(number)),
        ),
    ]
    for name, quick, naive in rows:
        print(f"{name}: {rate(quick):,.0f}/s; template read anew each time: {rate(naive):,.0f}/s", flush=True)


if __name__ == "__main__":
    main()
