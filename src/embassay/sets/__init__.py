"""Homes, sets and generations: what exists, how it is built, whether it is well."""
