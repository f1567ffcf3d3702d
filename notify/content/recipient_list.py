"""Lists of recipients: the rows of a spreadsheet, checked against a template (contract: content 13).

A list is read as a stream: once for its shape (`RecipientList(...)`), and once for each use of its rows. A job takes
`batches()`, a preview `check()`, which remembers the first rows and the first ones with errors, and counts the others.
"""

from __future__ import annotations

import string
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from notify.content.email import EmailTemplate
from notify.content.email_addresses import InvalidEmailAddress, validate
from notify.content.letter import LetterTemplate, QrCodeTooLong
from notify.content.phone_numbers import InvalidPhoneNumber, PhoneNumber
from notify.content.placeholders import Personalisation, TooMuchTextError, key_form
from notify.content.postal_addresses import PostalAddress
from notify.content.recipients import format_recipient
from notify.content.sms import SmsTemplate
from notify.content.spreadsheet_limits import MOST_COLUMNS, UnreadableSpreadsheet
from notify.content.text import strip_obscure

MOST_ROWS: Final = 100_000
"""Rows a list may have. What comes after them is counted and not looked at."""

MISSING: Final = "Missing"
REFERENCE: Final = "reference"
"""The column that becomes a message's reference, whether or not the template has such a placeholder."""

EMAIL_HEADERS: Final = ("email address",)
SMS_HEADERS: Final = ("phone number",)
LETTER_HEADERS: Final = (*(f"address line {number}" for number in range(1, 7)), "postcode", "address line 7")
FEWEST_ADDRESS_COLUMNS: Final = 3

Template = SmsTemplate | EmailTemplate | LetterTemplate
Cell = str | None | list[str | None]
"""What a row has in a column: a list where several columns have its name, null where it is blank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingRules:
    """What a service may do, as far as lists are checked against it. Null limits are none."""

    allow_international_sms: bool = False
    allow_landlines: bool = False
    allow_international_letters: bool = False
    check_phone_numbers: bool = True
    guest_list: Collection[str] | None = None
    remaining_messages: int | None = None
    remaining_international: int | None = None


@dataclass(slots=True)
class Row:
    """A row of a list. Positions count from 0, without the row of headers."""

    index: int
    values: Personalisation
    """Every cell, by the name of its column in whatever spelling."""
    extra: list[str | None]
    """Cells to the right of the last header."""
    layout: _Layout = field(repr=False)
    cell_errors: dict[str, str] = field(default_factory=dict)
    """What is wrong with a cell, by the header of its column."""
    address_error: str | None = None
    message_too_long: bool = False
    message_empty: bool = False
    qr_code_too_long: bool = False
    compared_recipient: str | None = None
    """The recipient in the form that guest lists are compared in, where there is one."""
    is_sent_abroad: bool = False
    """A text to a number that does not begin with +44."""

    @property
    def recipient(self) -> Cell:
        """The recipient as the file has it; for a letter the list of the eight cells that make its address."""
        cells = [self.values.get(header) for header in self.layout.recipient_headers]
        return cells[0] if len(cells) == 1 else cells  # type: ignore[return-value]

    @property
    def personalisation(self) -> dict[str, Cell]:
        """The cells that the template and the recipient are made of, by their headers."""
        by_key = self.values.by_key
        return {header: by_key(key) for header, key in self.layout.used.items()}  # type: ignore[misc]

    @property
    def recipient_and_personalisation(self) -> dict[str, Cell]:
        """All cells, by their headers."""
        by_key = self.values.by_key
        return {header: by_key(key) for header, key in self.layout.headers.items()}  # type: ignore[misc]

    @property
    def reference(self) -> Cell:
        """What the message is to be known by; null where the file has no such column."""
        return self.values.by_key(REFERENCE)  # type: ignore[return-value]

    @property
    def has_missing_data(self) -> bool:
        """A cell is blank that must not be."""
        return MISSING in self.cell_errors.values()

    @property
    def has_bad_recipient(self) -> bool:
        """There is a recipient, and it cannot be sent to."""
        return self.address_error is not None or any(
            error != MISSING and key_form(header) in self.layout.recipient_keys
            for header, error in self.cell_errors.items()
        )

    @property
    def has_error(self) -> bool:
        """Anything is wrong with it."""
        return bool(
            self.cell_errors
            or self.address_error
            or self.message_too_long
            or self.message_empty
            or self.qr_code_too_long
        )


@dataclass(kw_only=True)
class Report:
    """What is wrong with a list, and its first rows."""

    row_count: int
    missing_columns: tuple[str, ...]
    duplicate_recipient_columns: tuple[str, ...]
    has_recipient_columns: bool
    too_many_rows: bool
    more_rows_than_can_send: bool
    allowed_to_send_to: bool = True
    international_count: int = 0
    too_many_international: bool = False
    rows_with_errors: int = 0
    rows_with_bad_recipients: int = 0
    rows_with_missing_data: int = 0
    rows_with_messages_too_long: int = 0
    rows_with_empty_messages: int = 0
    rows_with_qr_codes_too_long: int = 0
    first_rows: list[Row] = field(default_factory=list)
    first_rows_with_errors: list[Row] = field(default_factory=list)

    @property
    def has_errors(self) -> bool:
        """Whether it can't be sent as it is."""
        return bool(
            self.missing_columns
            or self.duplicate_recipient_columns
            or self.more_rows_than_can_send
            or self.too_many_rows
            or not self.allowed_to_send_to
            or self.rows_with_errors
            or self.too_many_international
        )

    @property
    def displayed_rows(self) -> list[Row]:
        """The rows to show: first those with errors, unless a column is missing altogether."""
        if self.rows_with_errors and not self.missing_columns:
            return self.first_rows_with_errors
        return self.first_rows


class RecipientList:
    """The rows of a spreadsheet, to be sent with a template.

    `rows` are lists of texts, headers first, and can be iterated any number of times. Raises `UnreadableSpreadsheet`
    when they can't be read, or have too many columns. With `validate` off no row is looked at for errors.
    """

    def __init__(
        self,
        rows: Iterable[Sequence[str]],
        template: Template,
        rules: SendingRules | None = None,
        *,
        validate: bool = True,
    ) -> None:
        self._source = rows
        self._rules = rules or SendingRules()
        self._checker = _checker(template, self._rules) if validate else None
        self._layout, self.row_count = _survey(rows, template)

    @property
    def headers(self) -> tuple[str, ...]:
        """The headers of the file: of two that mean the same column, the first."""
        return tuple(self._layout.headers)

    @property
    def missing_columns(self) -> tuple[str, ...]:
        """Placeholders and recipients that no column is for. An address may do without some of its lines."""
        return self._layout.missing

    @property
    def duplicate_recipient_columns(self) -> tuple[str, ...]:
        """Headers, as the file spells them, that leave it open which column the recipient is in."""
        return self._layout.duplicate_recipients

    @property
    def has_recipient_columns(self) -> bool:
        """Whether there are columns enough for a recipient."""
        return self._layout.has_recipient_columns

    @property
    def too_many_rows(self) -> bool:
        """More than a list may have."""
        return self.row_count > MOST_ROWS

    @property
    def more_rows_than_can_send(self) -> bool:
        """More than the service may still send."""
        return self._rules.remaining_messages is not None and self.row_count > self._rules.remaining_messages

    def rows(self, first: int = 0) -> Iterator[Row]:
        """The rows from position `first` on, checked; none beyond those that a list may have."""
        layout, checker = self._layout, self._checker
        for index, cells in enumerate(islice(self._source, 1 + first, 1 + MOST_ROWS), start=first):
            row = layout.row(index, cells)
            if checker is not None:
                checker.check(row)
            yield row

    def batches(self, size: int, first: int = 0) -> Iterator[list[Row]]:
        """The rows from position `first` on, `size` at a time."""
        rows = self.rows(first)
        while batch := list(islice(rows, size)):
            yield batch

    def check(self, first_rows: int = 10, first_errors: int = 20) -> Report:
        """Look at every row. So many of the first rows, and of the first with errors, are kept; others are counted."""
        rules = self._rules
        report = Report(
            row_count=self.row_count,
            missing_columns=self.missing_columns,
            duplicate_recipient_columns=self.duplicate_recipient_columns,
            has_recipient_columns=self.has_recipient_columns,
            too_many_rows=self.too_many_rows,
            more_rows_than_can_send=self.more_rows_than_can_send,
        )
        allowed = None if rules.guest_list is None else {format_recipient(guest) for guest in rules.guest_list}
        for row in self.rows():
            if row.index < first_rows:
                report.first_rows.append(row)
            if row.has_error:
                _count(report, row, first_errors)
            report.international_count += row.is_sent_abroad
            if allowed is not None and row.compared_recipient is not None and row.compared_recipient not in allowed:
                report.allowed_to_send_to = False
        if rules.remaining_international is not None:
            report.too_many_international = report.international_count > max(rules.remaining_international, 0)
        return report


def _count(report: Report, row: Row, first_errors: int) -> None:
    if report.rows_with_errors < first_errors:
        report.first_rows_with_errors.append(row)
    report.rows_with_errors += 1
    report.rows_with_bad_recipients += row.has_bad_recipient
    report.rows_with_missing_data += row.has_missing_data
    report.rows_with_messages_too_long += row.message_too_long
    report.rows_with_empty_messages += row.message_empty
    report.rows_with_qr_codes_too_long += row.qr_code_too_long


# -- columns


def _clean(cell: str) -> str | None:
    text = cell.strip(string.whitespace) if cell.isascii() else strip_obscure(cell)
    return text or None


class _Layout:
    """The columns of a file: which are kept, and what they are for."""

    def __init__(self, names: Sequence[str], width: int, blank: Collection[int], template: Template) -> None:
        """`names` are the headers, `width` is one more than the position of the last column with a value, `blank` has
        the positions of columns with neither header nor value.
        """
        self._width = min(width, len(names))
        self._extra_until = width
        self._keys = tuple(None if index in blank else key_form(name) for index, name in enumerate(names[:width]))
        written = [name for index, name in enumerate(names[:width]) if index not in blank]
        populated = set(self._keys)
        # of columns without any value only the headers count, and only where they say something new
        valueless: dict[str, str] = {}
        for name in names[width:]:
            if name and key_form(name) not in populated:
                valueless.setdefault(key_form(name), name)
        written += valueless.values()
        self._valueless: dict[str, object] = dict.fromkeys(valueless)
        self.headers: dict[str, str] = {}
        """The key of every column by its header."""
        keys: set[str] = set()
        for name in written:
            if (key := key_form(name)) not in keys:
                keys.add(key)
                self.headers[name] = key
        self._is_plain = None not in populated and len(keys) == len(written)

        self.recipient_headers = recipient_headers(template)
        self.recipient_keys = frozenset(map(key_form, self.recipient_headers))
        wanted = {key_form(name): name for name in (*self.recipient_headers, *template.placeholders)}
        optional = self.recipient_keys if isinstance(template, LetterTemplate) else frozenset()
        in_order = dict.fromkeys(map(key_form, (*template.placeholders, *self.recipient_headers)))
        self.missing = tuple(wanted[key] for key in in_order if key not in keys and key not in optional)
        self.used = {header: key for header, key in self.headers.items() if key in wanted}
        all_keys = [key_form(name) for name in written]
        self.duplicate_recipients = tuple(
            name
            for name, key in zip(written, all_keys, strict=True)
            if key in self.recipient_keys and all_keys.count(key) > 1
        )
        self.has_recipient_columns = _has_recipient_columns(template, keys)

    def row(self, index: int, cells: Sequence[str]) -> Row:
        """The row with these cells, not checked yet."""
        values: dict[str, object]
        if self._is_plain and len(cells) >= self._width:
            values = dict(zip(self._keys, map(_clean, cells), strict=False))  # type: ignore[arg-type]
        else:
            values = self._collect(cells)
        values.update(self._valueless)
        extra = [_clean(cell) for cell in cells[self._width : self._extra_until]] if len(cells) > self._width else []
        return Row(index, Personalisation(values), extra, self)

    def _collect(self, cells: Sequence[str]) -> dict[str, object]:
        """The values by key; those of columns with the same name make a list, without nulls at its start."""
        values: dict[str, object] = {}
        for position, key in enumerate(self._keys):
            if key is None:
                continue
            value = _clean(cells[position]) if position < len(cells) else None
            before = values.get(key)
            if before is None or key in self.recipient_keys:
                values[key] = value
            elif isinstance(before, list):
                before.append(value)
            else:
                values[key] = [before, value]
        return values


def _survey(rows: Iterable[Sequence[str]], template: Template) -> tuple[_Layout, int]:
    """The columns of a file, and how many rows it has."""
    iterator = iter(rows)
    names = [_clean(cell) or "" for cell in next(iterator, ())]
    while names and not names[-1]:
        names.pop()
    blank = {position for position, name in enumerate(names) if not name}
    width, count = 0, 0
    for count, cells in enumerate(iterator, start=1):
        if count > MOST_ROWS:
            continue
        if len(cells) > width:
            # from the right, so that as a rule one look is enough
            width = next((end for end in range(len(cells), width, -1) if _clean(cells[end - 1])), width)
        if blank:
            blank = {position for position in blank if position >= len(cells) or not _clean(cells[position])}
    if max(width, len(names)) > MOST_COLUMNS:
        raise UnreadableSpreadsheet("too_many_columns")
    return _Layout(names, width, blank, template), count


def recipient_headers(template: Template) -> tuple[str, ...]:
    """The headers of the columns that recipients of such a template are in."""
    if isinstance(template, SmsTemplate):
        return SMS_HEADERS
    return EMAIL_HEADERS if isinstance(template, EmailTemplate) else LETTER_HEADERS


def _has_recipient_columns(template: Template, keys: Collection[str]) -> bool:
    present = [key_form(header) in keys for header in recipient_headers(template)]
    if not isinstance(template, LetterTemplate):
        return present[0]
    *first_six, postcode, seventh = present
    return sum(first_six) + max(postcode, seventh) >= FEWEST_ADDRESS_COLUMNS


# -- rows


class _Checker(ABC):
    """What every row of a list is checked for."""

    def check(self, row: Row) -> None:
        """Write down in `row` what is wrong with it."""
        for header, key in row.layout.used.items():
            error = self.cell_error(row, key)
            if error is not None:
                row.cell_errors[header] = error
        try:
            self.check_message(row)
        except TooMuchTextError:
            row.message_too_long = True

    def cell_error(self, row: Row, key: str) -> str | None:
        """What is wrong with the value of a column."""
        return MISSING if row.values.by_key(key) is None else None

    @abstractmethod
    def check_message(self, row: Row) -> None:
        """Write down in `row` what is wrong with its message as a whole."""


class _OneColumnChecker(_Checker):
    """Of lists whose recipients have one column."""

    def __init__(self, template: Template, rules: SendingRules) -> None:
        self.rules = rules
        self.recipient_key = key_form(recipient_headers(template)[0])

    def check(self, row: Row) -> None:
        """Write down in `row` what is wrong with it. Without a recipient it is not on a list of guests."""
        if self.rules.guest_list is not None:
            row.compared_recipient = ""
        super().check(row)

    def cell_error(self, row: Row, key: str) -> str | None:
        """Of a recipient, also write down in `row` what it is compared by."""
        if key != self.recipient_key:
            return super().cell_error(row, key)
        recipient = row.values.by_key(key)
        if isinstance(recipient, str):
            return self.recipient_error(row, recipient)
        return None if row.layout.duplicate_recipients else MISSING

    @abstractmethod
    def recipient_error(self, row: Row, recipient: str) -> str | None:
        """What is wrong with a recipient; and write down in `row` what it is compared by."""


class _SmsChecker(_OneColumnChecker):
    def __init__(self, template: SmsTemplate, rules: SendingRules) -> None:
        super().__init__(template, rules)
        self._template = template

    def recipient_error(self, row: Row, recipient: str) -> str | None:
        rules = self.rules
        error: str | None = None
        try:
            number = PhoneNumber.parse(recipient)
        except InvalidPhoneNumber as fault:
            error = fault.ui_text
            if rules.guest_list is not None:
                row.compared_recipient = format_recipient(recipient)
        else:
            row.is_sent_abroad = not number.is_uk_number
            row.compared_recipient = number.normalised
            try:
                number.check(allow_international=rules.allow_international_sms, allow_landline=rules.allow_landlines)
            except InvalidPhoneNumber as fault:
                error = fault.ui_text
        return error if rules.check_phone_numbers else None

    def check_message(self, row: Row) -> None:
        message = self._template.render(row.values)
        row.message_too_long = message.is_too_long
        row.message_empty = message.is_empty


class _EmailChecker(_OneColumnChecker):
    def __init__(self, template: EmailTemplate, rules: SendingRules) -> None:
        super().__init__(template, rules)
        self._template = template

    def recipient_error(self, row: Row, recipient: str) -> str | None:
        try:
            row.compared_recipient = validate(recipient).lower()
        except InvalidEmailAddress as fault:
            if self.rules.guest_list is not None:
                row.compared_recipient = format_recipient(recipient)
            return str(fault)
        return None

    def check_message(self, row: Row) -> None:
        row.message_empty = self._template.is_empty(row.values)


class _LetterChecker(_Checker):
    def __init__(self, template: LetterTemplate, rules: SendingRules) -> None:
        self._template = template
        self._rules = rules

    def cell_error(self, row: Row, key: str) -> str | None:
        return None if key in row.layout.recipient_keys else super().cell_error(row, key)

    def check_message(self, row: Row) -> None:
        row.address_error = PostalAddress.from_personalisation(
            row.values, allow_international=self._rules.allow_international_letters
        ).error
        row.message_empty = self._template.is_empty(row.values)
        try:
            self._template.check_qr_codes(row.values)
        except QrCodeTooLong:
            row.qr_code_too_long = True


def _checker(template: Template, rules: SendingRules) -> _Checker:
    if isinstance(template, SmsTemplate):
        return _SmsChecker(template, rules)
    if isinstance(template, EmailTemplate):
        return _EmailChecker(template, rules)
    return _LetterChecker(template, rules)
