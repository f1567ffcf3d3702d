"""Renders an email template once for many recipients.

Parsing Markdown takes most of the time that an email takes, and most values do not need it: a name, a date, an amount
or a link comes out as it went in. So a template is rendered once with samples in place of such values, and the result
is cut at the samples. For each recipient the values are then put between the pieces.

That is right if a value is of a kind that a sample stands for (`_KINDS`), and if the text around it cannot change how
it is read (`_is_context_free`). In any doubt `fill` returns `None`, and the email is rendered in full. A template is
prepared for each shape of values (which are missing, which conditions hold, how many items a list has) when that shape
is seen for the second time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Final, Literal, NamedTuple

from notify.content.email_page import RIGHT_TO_LEFT
from notify.content.placeholders import (
    Field,
    Lists,
    Personalisation,
    Unfilled,
    bullets,
    escape,
    is_yes,
    list_items,
    sentence,
)

MOST_SHAPES: Final = 64
MOST_PLACEHOLDERS: Final = 500
"""Each is checked together with its line."""
MOST_ITEMS: Final = 20
LONGEST_VALUE: Final = 2000


class Texts(NamedTuple):
    """All texts of an email: its subject, the title of its page, the preheader, the message as HTML without the page
    around it, and as plain text.
    """

    subject: str
    title: str
    preheader: str
    fragment: str
    plain_text: str


TextsMaker = Callable[[str, str, str, str, str | None], Texts]
"""Makes the texts of: subject, escaped subject, escaped content, the same for plain text, unsubscribe link."""

# letters that are never digits of some script; and any letter or digit but those that run from right to left, and
# one that mail readers show as a box
_LETTER: Final = "[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0400-\u0481\u048a-\u052f\u4e00-\u9fa5]"
_ANY: Final = r"[^\W_\u0590-\u08ff\u3164\ufb1d-\ufdff\ufe70-\U0001ffff]"
_JOINED: Final = rf"{_ANY}*(?:[-./:,]{_ANY}+)*"
_SPACED: Final = rf"{_ANY}*(?:(?:[-./:,]|[,.:]? | & ){_ANY}+)*[.?]?"
_PATTERNS: Final = {
    "number": r"[0-9]+(?:\.[0-9]+)*",
    "name": r"[A-Za-z][A-Za-z0-9]*(?:[-./_][A-Za-z0-9]+)*",
    "code": r"[0-9]+(?:[A-Za-z][A-Za-z0-9]*|[-/_][A-Za-z0-9]+)(?:[-./_][A-Za-z0-9]+)*",
    "words": rf"(?=\S+ ){_LETTER}{_SPACED}",
    "count": rf"(?=\S+ )[0-9]+(?![0-9.]){_SPACED}",
    "token": _LETTER + _JOINED,
    "time": rf"[0-9]+(?![0-9.]){_JOINED}",
    "money": r"[£€][0-9]+(?:[,.][0-9]+)*",
    "email": r"[A-Za-z][A-Za-z0-9]*(?:[._-][A-Za-z0-9]+)*@[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*",
    "url": r"https?://[A-Za-z0-9][A-Za-z0-9._~/?=%&:#-]*(?<=[A-Za-z0-9])",
}
_KINDS: Final = re.compile(
    r"(?!(?:.*\s)?(?i:gov\.uk))(?:" + "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _PATTERNS.items()) + ")"
)
_WORD, _DIGITS = "Qzxj", "9081726354"
_SAMPLES: Final = {
    "number": "{digits}",
    "name": "{word}",
    "code": "7{word}",
    "words": "{word} é{word}",
    "count": "7{word} é{word}",
    "token": "{word}:é,{word}",
    "time": "7{word}:é,{word}",
    "money": "£7{word}",
    "email": "{word}@{word}",
    "url": "https://{word}",
}
"""Samples begin and end as their kind does. Where values need encoding in a link, so does the sample."""

Kind = str
Shape = tuple["Kind | bool | tuple[Kind, ...] | None", ...]
"""For each placeholder whether it is shown and the kind of its value (the kinds of its items), or `None` where it has
no value; then the kind of the unsubscribe link.
"""


def kind_of(value: str) -> Kind | None:
    """The kind of a value, or `None` if it has to be read with the text around it. The kind of an empty value is
    empty.
    """
    if not value:
        return ""
    if len(value) > LONGEST_VALUE:
        return None
    match = _KINDS.fullmatch(value)
    return match.lastgroup if match else None


class _Sample(NamedTuple):
    """What stands for a value: its text, or the texts of a list, and whether it shows conditional text."""

    texts: tuple[str, ...]
    is_list: bool = False
    is_yes: bool = False

    def text(self, lists: Lists) -> str:
        if not self.is_list:
            return self.texts[0]
        items = list(self.texts)
        return bullets(items) if lists == "bullets" else sentence(items)


class _Cut(NamedTuple):
    """A text cut at its samples: the pieces, and which value goes where among them."""

    pieces: list[str]
    values: list[tuple[int, int]]

    def fill(self, values: list[str]) -> str:
        pieces = self.pieces.copy()
        for position, value in self.values:
            pieces[position] = values[value]
        return "".join(pieces)


class Prepared:
    """A template's fields, and the texts prepared from them. Thread-safe."""

    def __init__(
        self,
        subject: Field,
        escaped_subject: Field,
        escaped_content: Field,
        marked: Unfilled,
        unfilled: Unfilled | None,
    ) -> None:
        self._subject = subject
        self._title = escaped_subject
        self._content = escaped_content
        self._marked = marked
        self._unfilled = unfilled
        uses: dict[str, list[bool]] = {}
        for field in (escaped_subject, escaped_content):
            for part in field.parts:
                if not isinstance(part, str):
                    uses.setdefault(part.key, []).append(part.conditional is not None)
        self._keys = [(key, not all(conditional), any(conditional)) for key, conditional in uses.items()]
        # rendered in full: names that escaping changes, tabs (whose width depends on the column), characters that are
        # removed before the Markdown is read, definitions of links, angle brackets, text from right to left
        source = escaped_subject.content + escaped_content.content
        self._is_possible = (
            sum(map(len, uses.values())) <= MOST_PLACEHOLDERS
            and subject.names.keys() == escaped_subject.names.keys()
            and not any("&" in key for key in uses)
            and not any(mark in source for mark in ("\t", "\u3164", "\u2028", "]:", "&lt;", _DIGITS))
            and _WORD.lower() not in source.lower()
            and not RIGHT_TO_LEFT.search(source)
        )
        self._shapes: dict[Shape, tuple[_Cut, ...] | Literal["seen", "unsafe"]] = {}
        self._lock = Lock()

    def fill(self, values: Mapping[str, object], unsubscribe_url: str | None, make_texts: TextsMaker) -> Texts | None:
        """The email with these values, or `None` if it has to be rendered in full."""
        if not self._is_possible or any("&" in str(name) for name in values):
            return None
        texts: list[str] = []
        shape = self._shape(Personalisation(values), unsubscribe_url, texts)
        if shape is None:
            return None
        cuts = self._shapes.get(shape)
        if not isinstance(cuts, tuple):
            cuts = self._prepare(shape, make_texts)
            if cuts is None:
                return None
        escaped = [escape(text) if "&" in text else text for text in texts]
        subject, title, preheader, fragment, plain_text = cuts
        return Texts(
            subject.fill(texts),
            title.fill(escaped),
            preheader.fill(escaped),
            fragment.fill(escaped),
            plain_text.fill(texts),
        )

    def _shape(self, given: Personalisation, unsubscribe_url: str | None, texts: list[str]) -> Shape | None:
        shape: list[Kind | bool | tuple[Kind, ...] | None] = []
        for key, is_shown, is_condition in self._keys:
            value = given.by_key(key)
            if value is None:
                shape.append(None)
                continue
            if is_condition:
                shape.append(is_yes(value))
            if not is_shown:
                continue
            if isinstance(value, list):
                items = list_items(value)
                kinds = tuple(kind for kind in map(kind_of, items) if kind)
                if len(kinds) < len(items) or len(kinds) > MOST_ITEMS:
                    return None
                shape.append(kinds)
                texts += items
            else:
                text = value if isinstance(value, str) else str(value)
                kind = kind_of(text)
                if kind is None:
                    return None
                shape.append(kind)
                texts.append(text)
        if unsubscribe_url:
            if kind_of(unsubscribe_url) != "url":
                return None
            shape.append("url")
            texts.append(unsubscribe_url)
        return tuple(shape)

    def _prepare(self, shape: Shape, make_texts: TextsMaker) -> tuple[_Cut, ...] | None:
        with self._lock:
            state = self._shapes.get(shape)
            if state is None:
                if len(self._shapes) >= MOST_SHAPES:
                    self._shapes.clear()
                self._shapes[shape] = "seen"
            if state is None or state == "unsafe":
                return None
        cuts = self._cut(shape, make_texts)
        self._shapes[shape] = cuts or "unsafe"
        return cuts

    def _cut(self, shape: Shape, make_texts: TextsMaker) -> tuple[_Cut, ...] | None:
        """The texts with samples of this shape, cut at the samples."""
        kinds: dict[str, Kind] = {}
        samples, unsubscribe = self._samples(shape, kinds)
        subject = _filled(self._subject, samples, "sentence", self._unfilled)
        title = _filled(self._title, samples, "sentence", self._marked)
        shown = _filled(self._content, samples, "bullets", self._marked)
        text = _filled(self._content, samples, "bullets", self._unfilled)
        # the longest first, so that no sample is found within another
        pattern = re.compile("|".join(map(re.escape, sorted(kinds, key=len, reverse=True))) or r"(?!)")
        if not all(_is_context_free(source, kinds, pattern) for source in (subject, title, shown, text)):
            return None
        positions = {sample: position for position, sample in enumerate(kinds)}
        cuts: list[_Cut] = []
        for outcome in make_texts(subject, title, shown, text, unsubscribe):
            pieces: list[str] = []
            values: list[tuple[int, int]] = []
            end = 0
            for match in pattern.finditer(outcome):
                pieces += [outcome[end : match.start()], ""]
                values.append((len(pieces) - 1, positions[match[0]]))
                end = match.end()
            pieces.append(outcome[end:])
            if any(_WORD in piece or _DIGITS in piece for piece in pieces):
                return None  # a sample was changed
            cuts.append(_Cut(pieces, values))
        return tuple(cuts)

    def _samples(self, shape: Shape, kinds: dict[str, Kind]) -> tuple[dict[str, _Sample | None], str | None]:
        """The samples for the placeholders by their keys, and the one for the unsubscribe link. Adds the kind of each
        sample to `kinds`, in the order of the values.
        """

        def sample(kind: Kind) -> str:
            number = len(kinds)
            letters = "".join(chr(ord("a") + number // 26**power % 26) for power in (2, 1, 0))
            made = _SAMPLES[kind].format(word=_WORD + letters, digits=f"{_DIGITS}{number:05d}") if kind else ""
            kinds[made or f"{_WORD}{letters}"] = kind
            return made

        samples: dict[str, _Sample | None] = {}
        parts = iter(shape)
        for key, is_shown, is_condition in self._keys:
            part = next(parts)
            if part is None:
                samples[key] = None
                continue
            is_yes = False
            if is_condition:
                is_yes = bool(part)
                part = next(parts) if is_shown else ""
            if isinstance(part, tuple):
                samples[key] = _Sample(tuple(map(sample, part)), is_list=True, is_yes=is_yes)
            else:
                samples[key] = _Sample((sample(str(part)) if is_shown else "",), is_yes=is_yes)
        return samples, next((sample(str(kind)) for kind in parts), None)


def _filled(field: Field, samples: Mapping[str, _Sample | None], lists: Lists, unfilled: Unfilled | None) -> str:
    out: list[str] = []
    for part in field.parts:
        if isinstance(part, str):
            out.append(part)
        elif (sample := samples[part.key]) is None:
            out.append(unfilled(part) if unfilled else part.source)
        elif part.conditional is not None:
            out.append(part.conditional if sample.is_yes else "")
        else:
            out.append(sample.text(lists))
    return "".join(out)


_LINE_START: Final = re.compile(r"[ ^*•\-.0-9>+#)]*")
_BEFORE_DIGITS: Final = re.compile(r"'\d{0,2}\Z")
_BEGINS_NAME: Final = re.compile(r"(?:^|\s)[#*^]?(?:g|go|gov\.?|gov\.u)\Z", re.IGNORECASE)
_ENDS_NAME: Final = ("ov.uk", "v.uk", ".uk", "uk", "k")
_ENDS_SCHEME: Final = ("ttp://", "tp://", "p://", "://", "ttps://", "tps://", "ps://", "s://")
_FARTHEST: Final = 8


def _is_context_free(text: str, kinds: Mapping[str, Kind], pattern: re.Pattern[str]) -> bool:
    """Whether every value of these kinds is read like its sample, at each place in the text."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    matches = list(pattern.finditer(text))
    for match, following in zip(matches, [*matches[1:], None], strict=False):
        kind = kinds[match[0]]
        start, end = match.span()
        left = text[max(start - _FARTHEST, 0) : start]
        next_value = following.start() if following else len(text) + _FARTHEST
        right = text[end : min(end + _FARTHEST, next_value)].lower()
        # an apostrophe before a decade, or after a full stop
        if _BEFORE_DIGITS.search(left) or (kind in ("words", "count") and right.startswith("'")):
            return False
        # a number that begins a list
        line = text[text.rfind("\n", 0, start) + 1 : start]
        following_mark = text[end : end + 1]
        goes_on = following_mark in (".", ")") or following_mark.isdigit()
        if kind == "number" and goes_on and _LINE_START.fullmatch(line):
            return False
        # a value at the beginning of a link's target may be a scheme
        target = text.rfind("](", 0, start)
        if kind != "url" and target >= 0 and not {":", ")"} & set(text[target + 2 : start]):
            return False
        # text and value together may be GOV.UK, or the beginning of a URL
        if _BEGINS_NAME.search(left) or any(_may_end(right, ending, next_value - end) for ending in _ENDS_NAME):
            return False
        if any(_may_end(right, ending, next_value - end) for ending in _ENDS_SCHEME):
            return False
    return True


def _may_end(right: str, ending: str, distance: int) -> bool:
    """Whether the text after a value begins with `ending`, or may do so with the next value, `distance` away."""
    return right.startswith(ending) or (distance < len(ending) and ending.startswith(right))
