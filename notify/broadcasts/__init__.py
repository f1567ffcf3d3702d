"""Emergency alerts: messages, approval, events, and the mobile networks that broadcast them."""
