"""Moving a set to another model while it stays searchable: a second generation is built, proven, and switched to."""
