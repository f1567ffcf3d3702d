"""A page for people who develop: what was sent, what became of it, and how things are now."""
