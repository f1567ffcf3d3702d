"""Organisations and their email domains."""
