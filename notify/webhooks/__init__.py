"""Telling services what happened: callbacks, which the field calls webhooks."""
