"""Unsubscribe requests of recipients, and the batches (reports) in which services process them."""
