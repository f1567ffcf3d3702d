"""Precompiled letters and attachments: checks, and pages as pictures (contract: letters 6)."""

from __future__ import annotations

from flask import Blueprint

from notify.infra.container import Container


def add_routes(routes: Blueprint, container: Container) -> None:
    """Add the endpoints of precompiled PDFs."""
