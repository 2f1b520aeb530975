"""What runs a model's graph: one file for each runtime."""
