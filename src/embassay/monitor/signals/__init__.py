"""Signals, each a module: what is read of the searches, the model and the documents of a set."""
