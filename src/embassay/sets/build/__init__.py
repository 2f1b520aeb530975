"""How a generation of a set is built: changes from a source, their vectors alongside, and a writer of checkpoints."""
