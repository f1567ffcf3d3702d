"""Prices: what a message costs on a day."""
