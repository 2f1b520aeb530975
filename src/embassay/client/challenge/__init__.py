"""Every route of a running server, called once from outside, and what is wrong with what came back."""
