"""The catalog: what is known of models and rerankers, each fact with its source."""
