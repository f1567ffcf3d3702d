"""Prints the texts of the messages to a recipient, newest first: `python outbox.py DATA_FOLDER EMAILS RECIPIENT`.

DATA_FOLDER is that of a running `notify up`, whose sandbox has its text messages; EMAILS the address of the stand-in
that took its emails (`mailbox.py`); RECIPIENT an email address, or a phone number in any form.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

from notify.content.phone_numbers import InvalidPhoneNumber, PhoneNumber


def messages_to(folder: Path, emails: str, recipient: str) -> list[str]:
    """The subjects and bodies of the messages to a recipient, newest first."""
    environment = json.loads((folder / "run" / "environment.json").read_text())
    address = emails if "@" in recipient else environment["SANDBOX_URL"]
    query = urlencode({"to": _as_sent(recipient), "limit": 20})
    with urlopen(f"{address}/outbox?{query}", timeout=10) as answer:
        messages = json.load(answer)["messages"]
    return [f"{message.get('subject') or ''}\n{message['body']}" for message in messages]


def _as_sent(recipient: str) -> str:
    if "@" in recipient:
        return recipient
    try:
        return PhoneNumber.parse(recipient).normalised
    except InvalidPhoneNumber:
        return recipient


if __name__ == "__main__":
    print("\n\n".join(messages_to(Path(sys.argv[1]), sys.argv[2], sys.argv[3])))
