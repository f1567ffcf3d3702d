"""The template preview service of the official admin app: pages of letters, checks of precompiled ones (contract:
letters 6, admin-app 2.3)."""
