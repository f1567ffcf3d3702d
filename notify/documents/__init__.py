"""Files that services send by email: encrypted, behind a link, for as long as the service chose."""
