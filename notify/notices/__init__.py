"""Messages that Notify itself sends: codes, links, invitations. They are messages of the built-in Notify service."""
