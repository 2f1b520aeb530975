"""Judged data from own documents: queries made, written and checked."""
