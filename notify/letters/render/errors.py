"""Errors of rendering letters."""

from __future__ import annotations


class LetterRenderError(Exception):
    """A letter cannot be rendered."""


class LogoError(LetterRenderError):
    """A logo cannot be loaded, or is not a printable drawing (contract: letters 3.1). A retry may succeed."""


class QrDataError(LetterRenderError):
    """The data is too long for a QR code."""


class AttachmentError(LetterRenderError):
    """The attachment of a letter is not a readable PDF."""
