"""Models on sentence pairs and labelled texts."""
