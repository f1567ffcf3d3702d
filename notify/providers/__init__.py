"""Providers: one folder each for sending and receiving, and the choice between them."""
