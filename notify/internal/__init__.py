"""The internal API, which the admin app calls: one module per noun, each with its `routes`."""
