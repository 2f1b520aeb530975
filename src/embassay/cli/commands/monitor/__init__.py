"""Whether the searches of a set are still good, and what to do where they are not."""
