"""Errors of PDFs that clients send."""

from __future__ import annotations


class UnreadablePdfError(Exception):
    """The PDF cannot be read: damaged, encrypted, without pages, or too much work for a letter."""

    def __init__(self, reason: str = "the file cannot be read") -> None:
        self.reason = reason
        super().__init__(reason)


class PageMissingError(Exception):
    """The PDF has no page of this number."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"there is no page {number}")
