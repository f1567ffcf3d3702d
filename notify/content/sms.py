"""Text messages (contract: content 5)."""

from __future__ import annotations

import re
from typing import Final

from notify.content.gsm import downgrade_to_gsm
from notify.content.text import collapse_newlines, normalise_lines, tidy_punctuation

LONGEST_MESSAGE: Final = 918
"""Characters a text message may have, without the name of its service."""

_PLACEHOLDER: Final = re.compile(r"\(\([^()]+\)\)")


def template_length(content: str) -> int:
    """Characters that a template is sure to send, whatever is filled in: placeholders and conditional text count
    nothing, the blanks around them stay (content 5.4). Counted in UTF-16 units.
    """
    text = tidy_punctuation(_PLACEHOLDER.sub("\ue000", content))
    text = collapse_newlines(normalise_lines(text)).strip()
    text = downgrade_to_gsm(text.replace("\ue000", ""))
    return len(text.encode("utf-16-le")) // 2
