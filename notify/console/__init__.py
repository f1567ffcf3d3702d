"""A web page for developers: messages, their timelines, and the current state of the system."""
