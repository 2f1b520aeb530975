"""The query log of a home: what was searched for, what was found, and what people thought of it."""
