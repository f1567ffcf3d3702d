"""Services and their API keys, senders, reply-to addresses, limits, guest lists, members and retention."""
