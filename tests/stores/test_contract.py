"""Every backend that is found passes the suite that ships to users."""

import pytest

from embassay import plugins
from embassay.errors import StoreError, UsageError
from embassay.stores.opening import BACKENDS
from embassay.stores.values import Capabilities, Collection, VectorSpec
from embassay.testing import check_store

NAMES = plugins.names(BACKENDS)


def test_backends_are_found():
    assert set(NAMES) >= {"memory", "lance"}


@pytest.mark.parametrize("name", NAMES)
def test_conformance(name, tmp_path):
    backend = plugins.load(BACKENDS, name)
    check_store(backend, backend.settings_in(tmp_path))


@pytest.mark.parametrize("name", NAMES)
def test_capabilities_are_declared(name):
    found = plugins.load(BACKENDS, name).CAPABILITIES
    assert isinstance(found, Capabilities) and "float32" in found.dtypes


@pytest.mark.parametrize("text", ["", "A", "1a", "a-b", "a b", "a;drop", "ä", "a" * 49])
def test_names_that_a_backend_could_not_use_are_refused(text):
    with pytest.raises(StoreError, match="lower-case letters"):
        Collection.single(text, 4)
    with pytest.raises(StoreError, match="lower-case letters"):
        Collection("one", {text: VectorSpec(4)})


def test_a_collection_has_vectors():
    with pytest.raises(StoreError, match="no vectors"):
        Collection("one", {})


def test_an_unknown_language_is_refused_before_anything_is_opened():
    with pytest.raises(UsageError, match="the language 'tlh' is not known") as error:
        Collection.single("one", 4, "tlh")
    assert "de (German)" in str(error.value.remedy)


def test_an_unknown_label_says_which_there_are():
    with pytest.raises(StoreError, match="Did you mean 'coarse'"):
        Collection("one", {"coarse": VectorSpec(4), "vector": VectorSpec(8)}).spec("corse")
