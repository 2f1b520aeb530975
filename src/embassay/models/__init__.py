"""From a model's name to an embedder: references, the registry, the order of the wrappers, the vector cache."""
