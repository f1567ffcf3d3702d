"""Phone numbers that texts may go to (contract: content 10, public-api 5.3)."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumber as Parsed
from phonenumbers import PhoneNumberFormat, PhoneNumberType, ValidationResult

from notify.content.gsm import downgrade_to_ascii
from notify.content.sms_rates import rates
from notify.content.text import OBSCURE, strip_direction_marks

_INVALID: Final = "Number is not valid – double check the phone number you entered"
_EMERGENCY: Final = "Phone number cannot be an emergency number"
_TEXTS: Final = {
    "invalid_number": (_INVALID, _INVALID),
    "too_long": ("Too many digits", "Mobile number is too long"),
    "too_short": ("Not enough digits", "Mobile number is too short"),
    "not_a_uk_mobile": (
        "Not a UK mobile number",
        "This does not look like a UK mobile number – double check the mobile number you entered",
    ),
    "unknown_character": (
        "Must not contain letters or symbols",
        "Mobile numbers can only include: 0 1 2 3 4 5 6 7 8 9 ( ) + -",
    ),
    "unsupported_country_code": (
        "Not a valid country prefix",
        "Country code not found - double check the mobile number you entered",
    ),
    "unsupported_emergency_number": (_EMERGENCY, _EMERGENCY),
}
_ALLOWED: Final = frozenset(string.digits + "()+-" + string.whitespace + OBSCURE)
_ACCEPTED_TYPES: Final = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.UAN,
        PhoneNumberType.PERSONAL_NUMBER,
    }
)
_LANDLINE_TYPES: Final = frozenset(
    {PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.UAN}
)
_TV_NUMBER: Final = re.compile(r"7700\d")
_LENGTH_FAULTS: Final = {
    ValidationResult.TOO_LONG: "too_long",
    ValidationResult.TOO_SHORT: "too_short",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "too_short",
    ValidationResult.INVALID_COUNTRY_CODE: "unsupported_country_code",
}
UK: Final = 44
LONGEST_INPUT: Final = 250
SHORT_CODE_DIGITS: Final = 3
EMERGENCY_NUMBERS: Final = frozenset({999, 112})


class InvalidPhoneNumber(ValueError):  # noqa: N818 - the contract's word
    """Not a number that can be sent to. `api_text` is the public API's wording, `ui_text` that of the admin app."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.api_text, self.ui_text = _TEXTS[code]
        super().__init__(self.ui_text)


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number that is valid in some country's numbering plan."""

    normalised: str
    human: str
    country_code: int
    international: bool
    is_landline: bool
    is_tv_number: bool
    country_prefix: str

    @staticmethod
    def parse(raw: str) -> PhoneNumber:
        """The number that a person meant by `raw`, whether or not a service may send to it. Raises
        `InvalidPhoneNumber`.
        """
        return _parse(raw)

    @property
    def is_uk_number(self) -> bool:
        """Country code 44, crown dependencies included."""
        return self.country_code == UK

    @property
    def crown_dependency(self) -> bool:
        """Jersey, Guernsey or the Isle of Man: country code 44, but international."""
        return self.international and self.country_code == UK

    @property
    def rate_multiplier(self) -> int:
        """What a fragment costs, in fragments within the UK. 1 also for a country that has no rate."""
        rate = rates().get(self.country_prefix) if self.international else None
        return 1 if rate is None else rate.multiplier

    def check(self, *, allow_international: bool, allow_landline: bool) -> None:
        """Whether a service with these permissions may send to it (content 10.3). Raises `InvalidPhoneNumber`."""
        if not self.is_uk_number and not allow_international:
            raise InvalidPhoneNumber("not_a_uk_mobile")
        if self.is_uk_number and self.is_landline and not allow_landline:
            raise InvalidPhoneNumber("not_a_uk_mobile")
        if str(self.country_code) not in rates():
            raise InvalidPhoneNumber("unsupported_country_code")


def _gb_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Patterns of mobile numbers of Great Britain, and of its numbers of other types, from the library's metadata."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region("GB")
    if metadata is None or metadata.mobile is None or metadata.mobile.national_number_pattern is None:
        raise LookupError("the metadata of phone numbers lacks GB")
    others = (
        metadata.premium_rate,
        metadata.toll_free,
        metadata.shared_cost,
        metadata.voip,
        metadata.personal_number,
        metadata.pager,
        metadata.uan,
        metadata.voicemail,
        metadata.fixed_line,
    )
    patterns = [other.national_number_pattern for other in others if other and other.national_number_pattern]
    return re.compile(metadata.mobile.national_number_pattern), re.compile("|".join(f"(?:{one})" for one in patterns))


_GB_MOBILE, _GB_OTHER = _gb_patterns()
_PLAIN_MOBILE: Final = re.compile(r"(?:(?:\+|00)?44(?:\(0\))?|0)?(7[0-9]{9})")
_SEPARATORS: Final = str.maketrans("", "", " -")
_LONGEST_PLAIN: Final = 40


def _parse(raw: str) -> PhoneNumber:
    """A fast path for the usual forms of British mobiles, nearly all numbers: the library is a hundred times slower."""
    raw = strip_direction_marks(raw)
    if len(raw) <= _LONGEST_PLAIN:
        match = _PLAIN_MOBILE.fullmatch(raw) or _PLAIN_MOBILE.fullmatch(raw.translate(_SEPARATORS))
        if match is not None:
            national = match[1]
            is_tv_number = _TV_NUMBER.match(national) is not None
            if (is_tv_number or _GB_MOBILE.fullmatch(national)) and not _GB_OTHER.fullmatch(national):
                human = f"0{national[:4]} {national[4:]}"
                return PhoneNumber("44" + national, human, UK, False, False, is_tv_number, "44")
    return _parse_again(raw) if len(raw) <= LONGEST_INPUT else _parse_thoroughly(raw)


def _parse_thoroughly(raw: str) -> PhoneNumber:
    try:
        return _describe(_attempt(raw))
    except InvalidPhoneNumber:
        return _describe(_attempt(_without_prefixes(raw)))


def _without_prefixes(raw: str) -> str:
    return downgrade_to_ascii(raw.replace("+", "").lstrip("0"))


_parse_again: Final = lru_cache(maxsize=4096)(_parse_thoroughly)


def check_contact_number(raw: str) -> None:
    """Checks a number that users of a service are to call: any that can be called, including a short one such as 111,
    but not an emergency number (content 10.2, step 4). Raises `InvalidPhoneNumber`.
    """
    raw = strip_direction_marks(raw)
    try:
        _attempt_contact_number(raw)
    except InvalidPhoneNumber:
        _attempt_contact_number(_without_prefixes(raw))


def _attempt_contact_number(text: str) -> None:
    national = _read(text).national_number
    if len(str(national)) != SHORT_CODE_DIGITS:
        _attempt(text)
    elif national in EMERGENCY_NUMBERS:
        raise InvalidPhoneNumber("unsupported_emergency_number")


def _read(text: str) -> Parsed:
    if not _ALLOWED.issuperset(text):
        raise InvalidPhoneNumber("unknown_character")
    if not text:
        raise InvalidPhoneNumber("too_short")
    try:
        return phonenumbers.parse(text, "GB")
    except phonenumbers.NumberParseException:
        raise InvalidPhoneNumber("too_short" if text == "+" else "invalid_number") from None


def _attempt(text: str) -> Parsed:
    number = _read(text)
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != ValidationResult.IS_POSSIBLE:
        number = _as_international(text, reason)
    if not _is_tv_number(number) and not (
        phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) in _ACCEPTED_TYPES
    ):
        raise InvalidPhoneNumber("invalid_number")
    return number


def _as_international(text: str, reason: int) -> Parsed:
    try:
        number = phonenumbers.parse("+" + text)
    except phonenumbers.NumberParseException:
        number = None
    if number is not None and phonenumbers.is_possible_number(number):
        return number
    raise InvalidPhoneNumber(_LENGTH_FAULTS.get(reason, "invalid_number"))


def _is_tv_number(number: Parsed) -> bool:
    return _TV_NUMBER.match(str(number.national_number)) is not None


def _describe(number: Parsed) -> PhoneNumber:
    is_tv_number = _is_tv_number(number)
    country_code = number.country_code or 0
    prefix = str(country_code)
    if country_code == 1 and (with_area := f"1{str(number.national_number)[:3]}") in rates():
        prefix = with_area
    form = PhoneNumberFormat.NATIONAL if country_code == UK else PhoneNumberFormat.INTERNATIONAL
    return PhoneNumber(
        normalised=phonenumbers.format_number(number, PhoneNumberFormat.E164).removeprefix("+"),
        human=phonenumbers.format_number(number, form),
        country_code=country_code,
        international=not is_tv_number and phonenumbers.region_code_for_number(number) != "GB",
        is_landline=phonenumbers.number_type(number) in _LANDLINE_TYPES,
        is_tv_number=is_tv_number,
        country_prefix=prefix,
    )
