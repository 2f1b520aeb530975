"""Rerankers over HTTP: what one provider says in `api.py`, and the one driver of all of them."""
