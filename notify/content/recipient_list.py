"""Lists of recipients: the rows of a spreadsheet, checked against a template (contract: content 13).

A list is read as a stream: once for its columns (`RecipientList(...)`), and once for each use of its rows. A job takes
`batches()`, a preview `check()`, which keeps the first rows and the first ones with errors, and counts the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from notify.content.placeholders import Personalisation
from notify.content.recipient_checks import SendingRules, row_checker
from notify.content.recipient_columns import MOST_ROWS, Template, read_columns
from notify.content.recipient_rows import Row
from notify.content.recipients import format_recipient

__all__ = ["MOST_ROWS", "RecipientList", "Report", "Row", "SendingRules", "Template"]


@dataclass(kw_only=True)
class Report:
    """What is wrong with a list, and its first rows (contract: content 13.3)."""

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
    when they can't be read, or have too many columns. Without `validate` no row is checked for errors. `given` are
    values that each row has, whatever its columns say.
    """

    def __init__(
        self,
        rows: Iterable[Sequence[str]],
        template: Template,
        rules: SendingRules | None = None,
        *,
        validate: bool = True,
        given: Mapping[str, object] | None = None,
    ) -> None:
        self._source = rows
        self._rules = rules or SendingRules()
        self._checker = row_checker(template, self._rules) if validate else None
        self._columns, self.row_count = read_columns(rows, template, given or ())
        self._given = dict(given or {})

    @property
    def headers(self) -> tuple[str, ...]:
        """The headers of the file: of two that mean the same column, the first."""
        return tuple(self._columns.headers)

    @property
    def missing_columns(self) -> tuple[str, ...]:
        """Placeholders and recipients that no column is for. An address may do without some of its lines."""
        return self._columns.missing

    @property
    def duplicate_recipient_columns(self) -> tuple[str, ...]:
        """Headers of recipients that occur more than once, as the file spells them."""
        return self._columns.duplicate_recipients

    @property
    def has_recipient_columns(self) -> bool:
        """Whether there are columns enough for a recipient."""
        return self._columns.has_recipient_columns

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
        columns, checker = self._columns, self._checker
        for index, cells in enumerate(islice(self._source, 1 + first, 1 + MOST_ROWS), start=first):
            values = columns.values(cells)
            if self._given:
                values = Personalisation({**values, **self._given})
            row = Row(index, values, columns.extra_cells(cells), columns)
            if checker is not None:
                checker.check(row)
            yield row

    def batches(self, size: int, first: int = 0) -> Iterator[list[Row]]:
        """The rows from position `first` on, `size` at a time."""
        rows = self.rows(first)
        while batch := list(islice(rows, size)):
            yield batch

    def check(self, first_rows: int = 10, first_errors: int = 20) -> Report:
        """Check every row. The report keeps the first `first_rows` rows and the first `first_errors` rows with errors,
        and counts the others.
        """
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
