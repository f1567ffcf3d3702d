"""The object store as S3, for the official admin app in development (contract: admin-app 2.1)."""
