"""Text messages that people send to services."""
