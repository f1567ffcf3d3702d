"""Callbacks (webhooks): HTTP requests that tell services about statuses, received texts and other events."""
