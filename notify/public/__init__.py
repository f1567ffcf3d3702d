"""The public endpoints: v2 and v1 APIs, receipts of providers, one-click unsubscribe, downloads, health."""
