"""Events that the admin app reports (such as sign-ins and archived services), and the log of changes."""
