"""Files that services send by email: encrypted, behind a link, for a retention period that the service chooses."""
