"""Make, extend and check judged data."""
