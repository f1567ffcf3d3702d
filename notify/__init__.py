"""Notify: send text messages, emails and letters on behalf of services, and read back what became of them."""
