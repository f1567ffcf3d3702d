"""Services and what hangs on one: API keys, senders, reply-tos, limits, guest lists, retention, callback settings."""
