"""The keys of a server: who may use it, for what, and how much."""
