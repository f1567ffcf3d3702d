"""The template preview service for the official admin app: renders pages of letters and checks precompiled letters
(contract: letters 6, admin-app 2.3)."""
