"""Candidates side by side: paired statistics, costs, and a verdict."""
