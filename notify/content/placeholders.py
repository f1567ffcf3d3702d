"""Placeholders and the values that fill them (contract: content 2). The one parser of `((...))`."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple, TypeVar, cast

from notify.content.text import is_blank

PATTERN: Final = re.compile(r"\(\(([^()]+)\)\)")
MOST_CHARACTERS: Final = 10_000_000
"""Limit for a text with its values, far above the limit of any kind of message."""
YES: Final = frozenset({"yes", "y", "true", "t", "1", "include", "show"})

Lists = Literal["sentence", "bullets"]
T = TypeVar("T")

_ENTITY: Final = re.compile(r"&(?!nbsp;|amp;|#\d{8})(#?\w+);")  # no character has a number of eight digits


@lru_cache(maxsize=4096)
def key_form(name: str) -> str:
    """The form in which names are compared: without spaces, `_` and `-`, in lower case."""
    return name.replace(" ", "").replace("_", "").replace("-", "").lower()


def escape(text: str) -> str:
    """Make a text safe in HTML (content 2.4): entities are decoded first, but for `&nbsp;` and `&amp;`."""
    if "&" in text:
        text = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
        text = re.sub(r"&(?!nbsp;|amp;)", "&amp;", text)
    return text.replace("<", "&lt;").replace(">", "&gt;")


class Personalisation(Mapping[str, object]):
    """Values by name; spelling of names is insensitive to case, spaces, `_` and `-`, and the later of two equal names
    wins.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, object] | None = None) -> None:
        self._values: dict[str, object] = (
            values._values
            if isinstance(values, Personalisation)
            else {key_form(str(name)): value for name, value in (values or {}).items()}
        )

    def __getitem__(self, name: str) -> object:
        return self._values[key_form(name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def by_key(self, key: str) -> object:
        """The value of a name that is in its key form already, or `None`."""
        return self._values.get(key)


class Placeholder(NamedTuple):
    """A `((name))` or `((name??conditional text))` of a text. `source` is all of it, with its brackets."""

    name: str
    key: str
    conditional: str | None
    source: str


def _placeholder(source: str, body: str) -> Placeholder:
    name, mark, conditional = body.partition("??")
    return Placeholder(name, key_form(name), conditional if mark else None, source)


Unfilled = Callable[[Placeholder], str]
"""What is shown for a placeholder that has no value."""


def marked(placeholder: Placeholder) -> str:
    """HTML that marks the placeholder, with its brackets (content 2.5)."""
    if placeholder.conditional is None:
        return f"<span class='placeholder'>&#40;&#40;{placeholder.name}&#41;&#41;</span>"
    return (
        f"<span class='placeholder-conditional'>&#40;&#40;{placeholder.name}??</span>"
        f"{placeholder.conditional}&#41;&#41;"
    )


def marked_without_brackets(placeholder: Placeholder) -> str:
    """The same for an address, without brackets."""
    if placeholder.conditional is None:
        return f"<span class='placeholder-no-brackets'>{placeholder.name}</span>"
    return marked(placeholder)


def redacted(_placeholder: Placeholder) -> str:
    """HTML that hides the name of the placeholder."""
    return "<span class='placeholder-redacted'>hidden</span>"


def redacted_text(_placeholder: Placeholder) -> str:
    """The same as text."""
    return "[hidden]"


def without_null_characters(value: T) -> T:
    """A value of personalisation, or all of them, without U+0000, wherever in a list or object it stands: no channel
    can carry the character and no database stores it. Names of an object lose it too. Nothing is changed in place.
    """
    root: list[object] = [value]
    waiting: list[Any] = [root]
    while waiting:  # no recursion: objects may be nested as deep as a parser allows
        container = waiting.pop()
        for position, item in container.items() if isinstance(container, dict) else enumerate(container):
            copy: Any
            if isinstance(item, str):
                container[position] = item.replace("\0", "")
                continue
            if isinstance(item, list):
                copy = list(item)
            elif isinstance(item, dict):
                copy = {name.replace("\0", "") if isinstance(name, str) else name: one for name, one in item.items()}
            else:
                continue
            container[position] = copy
            waiting.append(copy)
    return cast(T, root[0])


def list_items(values: list[object]) -> list[str]:
    """The items of a list that are shown: without `None` and without what is blank."""
    texts = (strip_outer(str(value).replace("\0", "")) for value in values if value is not None)
    return [text for text in texts if text]


def strip_outer(text: str) -> str:
    """`text` without white space, visible or not, at its ends."""
    while text != (stripped := text.strip().strip("\u180e\u200b\u200c\u200d\u2060\ufeff\u2028\u2029\u00a0\u202f")):
        text = stripped
    return text


def sentence(items: list[str]) -> str:
    """`x` ; `x and y` ; `x, y and z`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def bullets(items: list[str]) -> str:
    """A Markdown list, with a blank line before it."""
    return "\n\n" + "\n".join(f"* {item}" for item in items) if items else ""


def is_yes(value: object) -> bool:
    """Whether a value shows conditional text. A list counts as its sentence."""
    if isinstance(value, list):
        value = sentence(list_items(value))
    return bool(value) and str(value).lower() in YES


def escaped_names(values: Mapping[str, object]) -> Personalisation:
    """Values with escaped names, for an escaped text, whose placeholders are escaped too."""
    return Personalisation({escape(str(name)): value for name, value in values.items()})


class TooMuchTextError(ValueError):
    """Filled in, a text would take too much memory; `length` is about how long it would be."""

    def __init__(self, length: int) -> None:
        self.length = length
        super().__init__("too much text")


class Field:
    """A text with placeholders, parsed once and filled many times. Thread-safe."""

    __slots__ = ("content", "names", "parts")

    def __init__(self, content: str) -> None:
        self.content = content
        parts: list[str | Placeholder] = []
        end = 0
        for match in PATTERN.finditer(content):
            parts += [content[end : match.start()], _placeholder(match[0], match[1])]
            end = match.end()
        parts.append(content[end:])
        self.parts: tuple[str | Placeholder, ...] = tuple(part for part in parts if part)
        self.names: dict[str, str] = {}
        """The placeholders by their keys, as the text first spells them, in order of first appearance."""
        for part in self.parts:
            if not isinstance(part, str):
                self.names.setdefault(part.key, part.name)

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The names of the placeholders, in order of first appearance."""
        return tuple(self.names.values())

    def missing(self, values: Mapping[str, object]) -> list[str]:
        """The placeholders that have no value, in order of first appearance."""
        return missing(self.names, values)

    def is_empty(self, values: Mapping[str, object]) -> bool:
        """Whether a message of this text has nothing in it: there is no text, or it is placeholders from end to end and
        renders to nothing but white space, visible or not (content 4). Text messages have another rule.
        """
        if not self.content:
            return True
        is_filled_only = self.content.startswith("((") and self.content.endswith("))")
        return is_filled_only and is_blank(self.fill(Personalisation(values), lists="bullets"))

    def fill(
        self,
        values: Personalisation,
        *,
        lists: Lists = "sentence",
        convert: Callable[[str], str] | None = None,
        unfilled: Unfilled | None = None,
    ) -> str:
        """The text with its values. `convert` is applied to each value, but not to conditional text; a placeholder
        without a value stays as it is, or is replaced by what `unfilled` returns. Raises `TooMuchTextError`, because a
        large value may be named many times.
        """
        out: list[str] = []
        length = 0
        shown: dict[str, str] = {}  # a value may be large, so it is converted once, however often it is used
        conditions: dict[str, bool] = {}
        for part in self.parts:
            if isinstance(part, str):
                text = part
            elif (value := values.by_key(part.key)) is None:
                text = unfilled(part) if unfilled else part.source
            elif part.conditional is None and convert is None and isinstance(value, str):
                text = value
            elif part.conditional is None:
                if part.key not in shown:
                    shown[part.key] = _shown(value, lists, convert)
                text = shown[part.key]
            else:
                if part.key not in conditions:
                    conditions[part.key] = is_yes(value)
                text = part.conditional if conditions[part.key] else ""
            out.append(text)
            length += len(text)
            if length > MOST_CHARACTERS:
                raise TooMuchTextError(self._length(values))
        filled = "".join(out)
        return filled.replace("\0", "") if "\0" in filled else filled

    def _length(self, values: Personalisation) -> int:
        """About how long the text with its values would be: lists and other values count as Python shows them."""
        lengths = {key: len(str(values.by_key(key))) for key in self.names}
        return sum(len(part) if isinstance(part, str) else lengths[part.key] for part in self.parts)


def names_of(fields: Iterable[Field]) -> dict[str, str]:
    """The names of all placeholders of some texts by their keys, each in its first spelling."""
    names: dict[str, str] = {}
    for field in fields:
        for key, name in field.names.items():
            names.setdefault(key, name)
    return names


def missing(names: Mapping[str, str], values: Mapping[str, object]) -> list[str]:
    """The placeholders that have no value, by their names."""
    given = Personalisation(values)
    return [name for key, name in names.items() if given.by_key(key) is None]


def _shown(value: object, lists: Lists, convert: Callable[[str], str] | None) -> str:
    """What is filled in for a value."""
    if isinstance(value, list):
        items = list_items(value)
        if convert:
            items = [convert(item) for item in items]
        return bullets(items) if lists == "bullets" else sentence(items)
    text = str(value)
    return convert(text) if convert else text
