"""Two brokers, the same requests, and what they answer."""
