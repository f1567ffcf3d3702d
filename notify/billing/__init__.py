"""Prices, free allowances, and what services used and have to pay."""
