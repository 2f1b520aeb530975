"""Queries to hits: stages as values, and a set bound to its embedder and store."""
