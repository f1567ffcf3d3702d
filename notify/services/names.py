"""Makes names safe for addresses and keys (contract: internal-services 1.3 and 4, content 15)."""

from __future__ import annotations

import re
import unicodedata


def _plain(name: str, separator: str) -> str:
    """Without accents, blanks as `separator`, in lower case, and of other characters only letters and digits."""
    decomposed = unicodedata.normalize("NFD", name)
    unmarked = "".join(char for char in decomposed if not unicodedata.combining(char))
    joined = re.sub(r"\s+", separator, unmarked.strip()).lower()
    return "".join(char for char in joined if char.isalnum() or char == separator)


def email_local_part(name: str) -> str:
    """The local part of a service's email address: `Foo & Bar (Ltd)` gives `foo.bar.ltd`. Services whose names give the
    same count as duplicates. May be empty.
    """
    return re.sub(r"\.{2,}", ".", _plain(name, ".")).strip(".")


def key_prefix(name: str) -> str:
    """The start of a full API key: `Café key` gives `cafe_key`."""
    return _plain(name, "_")
