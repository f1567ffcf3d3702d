"""Sign-in: passwords, codes, links and security keys (contract: internal-users 1.3, 1.4, 2)."""
