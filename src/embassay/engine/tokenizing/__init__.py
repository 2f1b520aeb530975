"""Tokenizers as transformers makes them of a repository's files: some as they are stored, some built anew."""
