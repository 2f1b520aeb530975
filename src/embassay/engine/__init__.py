"""The local engine: a model's own files in, vectors out, without torch."""
