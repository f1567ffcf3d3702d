"""What the outside reaches: the v2 API, receipts of providers, one-click unsubscribe, health."""
