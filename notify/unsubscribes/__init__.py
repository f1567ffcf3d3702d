"""Requests of recipients not to get more emails, and the batches in which services see them."""
