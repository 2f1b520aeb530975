"""Whether the searches of a set are still good, what has changed, and what to do next."""
