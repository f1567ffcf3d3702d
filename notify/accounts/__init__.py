"""People and organisations: users, sign-in, permissions, invitations, organisations."""
