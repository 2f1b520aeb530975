"""One file for each reranker, local or of a provider; its name is how users write it."""
