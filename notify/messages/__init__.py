"""Messages: acceptance, delivery, receipts, statuses, search and retention."""
