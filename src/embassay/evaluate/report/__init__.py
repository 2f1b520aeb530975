"""Comparisons as pages for a browser."""
