"""Names of countries as people write them in addresses (contract: content 12, B)."""

from __future__ import annotations

import json
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, Literal

from notify.content.gsm import downgrade_to_ascii
from notify.content.text import OBSCURE

Zone = Literal["united-kingdom", "europe", "rest-of-world"]

UNITED_KINGDOM: Final = "United Kingdom"
LONGEST_NAME: Final = 200
"""Characters: more than twice as many as the longest name has."""
_AND: Final = str.maketrans({"&": "and", "+": "and"})
_DROPPED: Final = dict.fromkeys(map(ord, " _-'’,.()" + OBSCURE))


def _key(name: str) -> str:
    bare = name.translate(_AND).translate(_DROPPED).lower()
    plain = downgrade_to_ascii(bare)
    return bare if "?" in plain else plain


@cache
def _data() -> tuple[dict[str, str], frozenset[str]]:
    data = json.loads(files("notify.content").joinpath("data/countries.json").read_text(encoding="utf-8"))
    synonyms: dict[str, list[str]] = data["synonyms"]
    names = {_key(synonym): name for name, others in synonyms.items() for synonym in others}
    for name in synonyms:
        names.setdefault(_key(name), name)
    return names, frozenset(data["europe"])


def find_country(name: str) -> str | None:
    """The canonical English name of the country that `name` means, or `None`. A name with a digit is no country."""
    return _find_country(name) if len(name) <= LONGEST_NAME else None


@lru_cache(maxsize=4096)
def _find_country(name: str) -> str | None:
    if any(character.isdigit() for character in name) or not name.strip():
        return None
    names, _ = _data()
    key = _key(name)
    for article in ("", "the", "yr", "y"):
        found = names.get(article + key)
        if found is not None:
            return found
    return None


def zone(country: str) -> Zone:
    """The postage zone of a country, which is given by its canonical name."""
    if country == UNITED_KINGDOM:
        return "united-kingdom"
    return "europe" if country in _data()[1] else "rest-of-world"
