"""A process of its own for readers, so that a file which hangs, crashes or swells costs itself and nothing else."""
