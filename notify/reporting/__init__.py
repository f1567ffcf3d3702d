"""Facts and statistics about messages. Reads messages and billing, which never call it."""
