"""Quotes users' texts in emails."""

from __future__ import annotations


def quoted(text: str) -> str:
    """A text with each line marked as inset text of the email (contract: internal-users-orgs-templates 10)."""
    return "\n".join(f"^ {line}" for line in text.splitlines())
