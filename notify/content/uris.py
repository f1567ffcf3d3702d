"""Web addresses that users type (contract: public-api 4)."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import Final

# the names are those of the grammar in RFC 3986, appendix A
_UNRESERVED_OR_SUB_DELIMS: Final = r"A-Za-z0-9._~!$&'()*+,;=\-"
_ESCAPED: Final = "%[0-9A-Fa-f]{2}"
_USERINFO: Final = rf"(?:[{_UNRESERVED_OR_SUB_DELIMS}:]|{_ESCAPED})*+"
_REG_NAME: Final = rf"(?:[{_UNRESERVED_OR_SUB_DELIMS}]|{_ESCAPED})*+"
_PCHAR: Final = rf"(?:[{_UNRESERVED_OR_SUB_DELIMS}:@]|{_ESCAPED})"
_QUERY: Final = rf"(?:[{_UNRESERVED_OR_SUB_DELIMS}:@/?]|{_ESCAPED})*+"
_URI: Final = re.compile(
    rf"""
    [A-Za-z][A-Za-z0-9+.\-]*+ :                                     # scheme
    (?:
        // (?:{_USERINFO}@)?                                        # authority
        (?:
            \[ (?: (?P<ipv6>[0-9A-Fa-f:.]++) | [vV][0-9A-Fa-f]++\.[{_UNRESERVED_OR_SUB_DELIMS}:]++ ) \]
          | {_REG_NAME}
        )
        (?: :[0-9]*+ )?
        (?: /{_PCHAR}*+ )*+
      | /? {_PCHAR}++ (?: /{_PCHAR}*+ )*+                           # a path without an authority
      | /?
    )
    (?: \?{_QUERY} )?
    (?: \#{_QUERY} )?                                               # fragment
    """,
    re.VERBOSE,
)


def is_uri(text: str, *schemes: str) -> bool:
    """Whether this is a URI (RFC 3986: ASCII only, no blanks) that begins with one of the schemes, in lower case."""
    if not text.startswith(schemes) or (match := _URI.fullmatch(text)) is None:
        return False
    return match["ipv6"] is None or _is_ipv6(match["ipv6"])


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True
