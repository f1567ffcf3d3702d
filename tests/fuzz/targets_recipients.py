"""Functions that read recipients, lists of them, and web addresses."""

from __future__ import annotations

from collections.abc import Callable

from notify.content import email_addresses
from notify.content.countries import find_country
from notify.content.email import EmailTemplate
from notify.content.email_addresses import InvalidEmailAddress
from notify.content.letter import LetterTemplate
from notify.content.phone_numbers import InvalidPhoneNumber, PhoneNumber, check_contact_number
from notify.content.postal_addresses import PostalAddress, format_postcode
from notify.content.recipient_list import RecipientList, Report, SendingRules, Template
from notify.content.recipients import format_recipient
from notify.content.sms import SmsTemplate
from notify.content.sms_senders import resolve_sender
from notify.content.spreadsheet_limits import UnreadableSpreadsheet
from notify.content.spreadsheets import CsvText, read_spreadsheet
from notify.content.uris import is_uri

ALLOWED = (InvalidPhoneNumber, InvalidEmailAddress, UnreadableSpreadsheet)
"""Errors that these may raise."""

RULES = SendingRules(allow_international_sms=True, guest_list=["07900900123"], remaining_international=1)


def _phone_number(text: str) -> str:
    number = PhoneNumber.parse(text)
    assert PhoneNumber.parse("+" + number.normalised).normalised == number.normalised
    return number.human


def _address(text: str) -> dict[str, str]:
    address = PostalAddress(text, allow_international=True)
    if address.is_valid:
        assert PostalAddress("\n".join(address.normalised_lines), allow_international=True) == address
    return address.as_personalisation()


def _list(template: Template) -> Callable[[str], Report]:
    # a megabyte may be half a million rows, each of which is checked: a part of it is enough to show what takes too long
    return lambda text: RecipientList(CsvText(text[:20_000]), template, RULES).check()


TARGETS: dict[str, Callable[[str], object]] = {
    "phone number": _phone_number,
    "contact number": check_contact_number,
    "sender": resolve_sender,
    "email address": email_addresses.normalise,
    "recipient": format_recipient,
    "postal address": _address,
    "postcode": format_postcode,
    "country": find_country,
    "web address": lambda text: is_uri(text, ""),
    "windows csv": lambda text: list(read_spreadsheet(text.encode("cp1252", "replace"), "list.csv")),
    "csv": lambda text: list(CsvText(text)),
    "uploaded csv": lambda text: list(read_spreadsheet(text.encode("utf-8", "surrogatepass"), "list.csv")),
    "list of texts": _list(SmsTemplate("Hello ((name)) ((a??b))")),
    "list of emails": _list(EmailTemplate("Hello ((name))", "((a??b))")),
    "list of letters": _list(LetterTemplate("Hello", "((name)) ((a??b))")),
}
