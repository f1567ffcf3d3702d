"""A row of a list of recipients (contract: content 13.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from notify.content.placeholders import Personalisation, key_form
from notify.content.recipient_columns import Columns

MISSING: Final = "Missing"
"""The error of a blank cell."""

REFERENCE: Final = "reference"
"""The column that becomes a message's reference, whether or not the template has such a placeholder."""

Cell = str | None | list[str | None]
"""What a row has in a column: a list where several columns have its name, `None` where it is blank."""


@dataclass(slots=True)
class Row:
    """A row of a list. Positions count from 0, without the row of headers."""

    index: int
    values: Personalisation
    """Every cell, by the name of its column in any spelling."""
    extra: list[str | None]
    """Cells to the right of the last header."""
    columns: Columns = field(repr=False)
    cell_errors: dict[str, str] = field(default_factory=dict)
    """What is wrong with a cell, by the header of its column."""
    address_error: str | None = None
    message_too_long: bool = False
    message_empty: bool = False
    qr_code_too_long: bool = False
    compared_recipient: str | None = None
    """The recipient in the form that guest lists are compared in, where there is one."""
    is_sent_abroad: bool = False
    """A text message to a number that does not begin with +44."""

    @property
    def recipient(self) -> Cell:
        """The recipient as the file has it; for a letter the list of the eight cells that make its address."""
        cells = [self.values.get(header) for header in self.columns.recipient_headers]
        return cells[0] if len(cells) == 1 else cells  # type: ignore[return-value]

    @property
    def personalisation(self) -> dict[str, Cell]:
        """The cells that the template and the recipient use, by their headers."""
        by_key = self.values.by_key
        return {header: by_key(key) for header, key in self.columns.used.items()}  # type: ignore[misc]

    @property
    def recipient_and_personalisation(self) -> dict[str, Cell]:
        """All cells, by their headers."""
        by_key = self.values.by_key
        return {header: by_key(key) for header, key in self.columns.headers.items()}  # type: ignore[misc]

    @property
    def reference(self) -> Cell:
        """The reference of the message; `None` where the file has no such column."""
        return self.values.by_key(REFERENCE)  # type: ignore[return-value]

    @property
    def has_missing_data(self) -> bool:
        """A cell is blank that must not be."""
        return MISSING in self.cell_errors.values()

    @property
    def has_bad_recipient(self) -> bool:
        """There is a recipient, and it cannot be sent to."""
        return self.address_error is not None or any(
            error != MISSING and key_form(header) in self.columns.recipient_keys
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
