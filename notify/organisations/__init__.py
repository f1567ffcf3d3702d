"""Organisations, and the email domains whose people belong to them."""
