"""Sets as files: exported with their vectors, and made again out of such files."""
