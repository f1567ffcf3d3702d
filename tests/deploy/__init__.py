"""Checks of the deployment files: they must only name things that exist in the product."""
