"""A map of what a set is about, and of what is asked of it: where documents lie, and questions that nobody answered."""
