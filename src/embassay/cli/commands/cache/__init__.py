"""The embedding cache: vectors that were made or paid for once."""
