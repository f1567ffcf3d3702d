"""The internal API, which the admin app talks to: one module a noun, each with its `routes`."""
