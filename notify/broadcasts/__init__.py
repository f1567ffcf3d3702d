"""Emergency alerts: messages, approval, events, and the networks that broadcast them."""
