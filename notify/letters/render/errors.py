"""What can go wrong when a letter is rendered."""

from __future__ import annotations


class LetterRenderError(Exception):
    """A letter cannot be rendered."""


class LogoError(LetterRenderError):
    """A logo cannot be loaded, or is no drawing that can be printed (contract: letters 3.1). It may be later."""


class QrDataError(LetterRenderError):
    """A QR code has more data than one can hold."""


class AttachmentError(LetterRenderError):
    """The attachment of a letter is no PDF that can be read."""
