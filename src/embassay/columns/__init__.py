"""Files and tables of vectors with their texts, in columns: read block by block, and written."""
