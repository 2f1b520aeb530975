"""Which models there are, what is known of them, and which to try."""
