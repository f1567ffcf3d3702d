"""Providers: one file each, how to send through it and how to read its receipts; and the choice between them."""
