"""What people wrote, as it stands in emails."""

from __future__ import annotations


def quoted(text: str) -> str:
    """A text whose lines stand in a box of the email (contract: internal-users-orgs-templates 10)."""
    return "\n".join(f"^ {line}" for line in text.splitlines())
