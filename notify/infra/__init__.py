"""The real parts behind small interfaces. No word of the domain in here."""
