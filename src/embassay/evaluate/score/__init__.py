"""What a model or a pipeline scores on judged data."""
