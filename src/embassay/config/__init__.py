"""The configuration: its values, how they are read, and what of them is secret."""
