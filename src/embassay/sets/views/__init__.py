"""Filtered views: what of a set passes a filter, under a name of its own."""
