"""Email and letter branding."""
