"""Notify: send text messages, emails and letters on behalf of services, and follow their delivery."""
