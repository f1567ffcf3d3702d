"""The message itself: accept, deliver, receipt; statuses; search; retention."""
