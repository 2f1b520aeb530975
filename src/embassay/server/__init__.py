"""One process that a team runs: embeddings, reranking and search over HTTP, in the dialects of others."""
