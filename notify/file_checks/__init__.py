"""The file checks that the official admin app calls: the virus scanner, and one endpoint of the document-download
service (contract: letters 9, admin-app 2.4, 2.5).
"""
