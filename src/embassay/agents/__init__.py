"""Agents: what a language model may do with a home, as tools of the Model Context Protocol."""
