"""Keeps a set up to date with its files while they change."""
