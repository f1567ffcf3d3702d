"""Numbers: what services sent, and what became of it. Reads messages; nothing below reads it."""
