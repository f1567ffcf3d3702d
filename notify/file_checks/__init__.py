"""The checks of files that the official admin app asks for: the virus scanner, and the one call of the
document-download service that it makes (contract: letters 9, admin-app 2.4, 2.5).
"""
