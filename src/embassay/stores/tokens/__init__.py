"""Vectors of tokens as sets keep them: packed into a few bytes, in a file beside the rows."""
