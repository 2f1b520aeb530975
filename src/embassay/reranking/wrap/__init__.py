"""What is put around a reranker: each file adds one behaviour to the same contract."""
