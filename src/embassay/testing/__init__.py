"""Conformance suites and fakes that ship to users: prove a reader, store, embedder or reranker of your own with these.

from embassay.testing import check_store

def test_my_store(tmp_path):
    check_store(my_backend, my_backend.settings_in(tmp_path))
"""

from embassay.testing.embedders import check_embedder
from embassay.testing.readers import check_reader
from embassay.testing.rerankers import check_reranker
from embassay.testing.samples import sample_chunks
from embassay.testing.stores import check_store

__all__ = ["check_embedder", "check_reader", "check_reranker", "check_store", "sample_chunks"]
