"""What people did in the admin app, as it reports it: sign-ins, changes of permissions, archived services."""
