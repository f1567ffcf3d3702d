"""What each row of a list of recipients is checked for (contract: content 13.4)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass

from notify.content.email import EmailTemplate
from notify.content.email_addresses import InvalidEmailAddress, validate
from notify.content.letter import LetterTemplate, QrCodeTooLong
from notify.content.phone_numbers import InvalidPhoneNumber, PhoneNumber
from notify.content.placeholders import TooMuchTextError, key_form
from notify.content.postal_addresses import PostalAddress
from notify.content.recipient_columns import Template, recipient_headers
from notify.content.recipient_rows import MISSING, Row
from notify.content.recipients import format_recipient
from notify.content.sms import SmsTemplate


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingRules:
    """What a service may do, as far as lists are checked against it. A limit that is `None` does not apply."""

    allow_international_sms: bool = False
    allow_landlines: bool = False
    allow_international_letters: bool = False
    check_phone_numbers: bool = True
    guest_list: Collection[str] | None = None
    remaining_messages: int | None = None
    remaining_international: int | None = None


class RowChecker(ABC):
    """Checks the rows of a list."""

    def check(self, row: Row) -> None:
        """Record in `row` what is wrong with it."""
        for header, key in row.columns.used.items():
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
        """Record in `row` what is wrong with its message as a whole."""


class _OneColumnChecker(RowChecker):
    """For lists with one column of recipients."""

    def __init__(self, template: Template, rules: SendingRules) -> None:
        self.rules = rules
        self.recipient_key = key_form(recipient_headers(template)[0])

    def check(self, row: Row) -> None:
        """Record in `row` what is wrong with it. Without a recipient it is not on a guest list."""
        if self.rules.guest_list is not None:
            row.compared_recipient = ""
        super().check(row)

    def cell_error(self, row: Row, key: str) -> str | None:
        """As above; of a recipient, also record in `row` the form that guest lists are compared in."""
        if key != self.recipient_key:
            return super().cell_error(row, key)
        recipient = row.values.by_key(key)
        if isinstance(recipient, str):
            return self.recipient_error(row, recipient)
        return None if row.columns.duplicate_recipients else MISSING

    @abstractmethod
    def recipient_error(self, row: Row, recipient: str) -> str | None:
        """What is wrong with a recipient. Records in `row` the form that guest lists are compared in."""


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


class _LetterChecker(RowChecker):
    def __init__(self, template: LetterTemplate, rules: SendingRules) -> None:
        self._template = template
        self._rules = rules

    def cell_error(self, row: Row, key: str) -> str | None:
        return None if key in row.columns.recipient_keys else super().cell_error(row, key)

    def check_message(self, row: Row) -> None:
        row.address_error = PostalAddress.from_personalisation(
            row.values, allow_international=self._rules.allow_international_letters
        ).error
        row.message_empty = self._template.is_empty(row.values)
        try:
            self._template.check_qr_codes(row.values)
        except QrCodeTooLong:
            row.qr_code_too_long = True


def row_checker(template: Template, rules: SendingRules) -> RowChecker:
    """The checks for rows that are sent with this template."""
    if isinstance(template, SmsTemplate):
        return _SmsChecker(template, rules)
    if isinstance(template, EmailTemplate):
        return _EmailChecker(template, rules)
    return _LetterChecker(template, rules)
