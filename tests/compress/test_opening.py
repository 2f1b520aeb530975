"""Sets of a home: what their vectors can be compressed to, and a generation of it."""

import shutil

import pytest

import embassay
from embassay.compress.opening import apply, compress
from embassay.errors import JudgedSetError, MigrationState, SetNotFound, UsageError
from embassay.evaluate.data.judged import JudgedSet
from tests.compress.made import home_of
from tests.compress.made import judged as made_judged


@pytest.fixture(scope="module")
def judged():
    return made_judged()


@pytest.fixture(scope="module")
def made(tmp_path_factory, judged):
    """A home that nobody changes."""
    folder = tmp_path_factory.mktemp("made") / ".embassay"
    home_of(folder, judged)
    return folder


@pytest.fixture
def home(tmp_path, made):
    with embassay.open(shutil.copytree(made, tmp_path / ".embassay")) as opened:
        yield opened


def test_the_smallest_is_proposed_and_applied(home, judged):
    rows = []
    found = compress(home, "words", judged, max_loss=0.02, started=rows.append, advance=lambda n: rows.append(-n))
    assert rows[0] == 600 and sum(rows) == 0, "every row is read twice"
    names = [row.name for row in found.rows]
    assert names[0] == "float32" and {"float16", "int8", "binary", "pq", "pca(128) int8"} < {*names}
    assert found.stored.recall == 1 and found.stored.loss.mean == 0
    assert [row.bytes for row in found.rows[1:]] == sorted((row.bytes for row in found.rows[1:]), reverse=True)
    row = found.proposed
    assert row.bytes <= 256 and row.loss.mean <= 0.02 and not row.unkept
    assert found.proposal.held_out.mean <= 0.02 and found.proposal.held_out.queries == 30
    plain = found.to_dict()
    assert plain["proposed"]["scheme"] == row.name and plain["schemes"][0]["scheme"] == "float32"

    before = home.search("word1 word2", set="words", mode="dense").space
    assert apply(home, found).state == "switched"
    spec = home.set("words").spec()
    assert spec.dtype == row.options["dtype"] and spec.pca == row.options.get("pca", 0)
    again = compress(home, "words", judged, max_loss=0.02).stored
    assert again.metrics["nDCG@10"] == pytest.approx(row.metrics["nDCG@10"], abs=1e-3), "what was measured is served"
    assert again.bytes == row.bytes
    home.set("words").rollback()
    assert home.search("word1 word2", set="words", mode="dense").space == before
    assert home.set("words").spec().dtype == "float32"


def test_what_is_compressed_already(home, judged):
    assert not compress(home, "words", judged).caution
    home.set("words").migrate(dtype="int8")
    home.set("words").switch()
    found = compress(home, "words", judged, max_loss=0.0)
    assert "compressed already" in found.caution
    assert found.rows[0].name == "int8" and all(row.bytes < 256 for row in found.rows[1:])
    assert any(row.name.endswith("int8") and not row.unkept for row in found.rows[1:])


def test_where_nothing_loses_so_little(home, judged):
    judged = JudgedSet(judged.name, judged.documents, judged.queries, judged.qrels)
    found = compress(home, "words", judged, max_loss=0.0, sure=True)
    if found.proposal is None:
        assert apply(home, found) is None and found.sentence.startswith("Nothing smaller")
    else:
        assert found.proposal.held_out.high <= 0


def test_a_set_of_a_few_rows(home, judged):
    """There is too little for a PCA, and for what is fitted to many."""
    home.set("words").delete([one.id for one in judged.documents[5:]])
    few = {name: judged.queries[name] for name in list(judged.queries)[:5]}
    data = JudgedSet("few", judged.documents[:5], few, {name: judged.qrels[name] for name in few})
    found = compress(home, "words", data, max_loss=0.1)
    assert found.proposed.name == "int8" and "judge more queries" in found.sentence
    assert {row.name for row in found.rows} >= {"float16", "binary"} and all(row.name != "pq" for row in found.rows)


def test_a_set_that_is_deleted_meanwhile(home, judged):
    with embassay.open(home.folder) as other, pytest.raises(SetNotFound):
        compress(home, "words", judged, advance=lambda _: other.set("words").exists and other.delete_set("words"))


def test_a_set_that_is_deleted_before_it_is_applied(home, judged):
    found = compress(home, "words", judged, max_loss=0.05)
    home.delete_set("words")
    with pytest.raises(SetNotFound):
        apply(home, found)


def test_a_set_that_is_moved_elsewhere_already(home, judged):
    home.set("words").migrate("hash/128")
    with pytest.raises(MigrationState, match="being migrated already"):
        apply(home, compress(home, "words", judged, max_loss=0.05))


def test_a_set_that_is_written_meanwhile(home, judged):
    """What is measured is one version; the generation has what came since."""
    found = compress(home, "words", judged, max_loss=0.05)
    home.set("words").upsert([{"id": "late", "text": "zebra crossing"}])
    apply(home, found)
    assert home.search("zebra crossing", set="words", mode="dense").hits[0].chunk.document == "late"


def test_what_cannot_be_measured(home, judged):
    with pytest.raises(UsageError, match=r"a loss of -0.1 at most"):
        compress(home, "words", judged, max_loss=-0.1)
    with pytest.raises(UsageError, match="lacks 60 of the 60 judged documents, first e0"):
        other = {query: {f"e{at}": 1} for at, query in enumerate(judged.queries)}
        compress(home, "words", JudgedSet("other", judged.documents, judged.queries, other))
    few = {"q1": judged.queries["q1"]}
    with pytest.raises(JudgedSetError, match="has 1 judged queries"):
        compress(home, "words", JudgedSet("few", judged.documents, few, {"q1": {"d1": 1}}))
    unanswered = {query: dict.fromkeys(of, 0) for query, of in judged.qrels.items()}
    with pytest.raises(JudgedSetError, match="has 0 judged queries"):
        compress(home, "words", JudgedSet("unanswered", judged.documents, judged.queries, unanswered))
    with pytest.raises(UsageError, match="no metric is named"):
        compress(home, "words", judged, metrics=())
    with pytest.raises(UsageError, match="a loss of x at most"):
        compress(home, "words", judged, max_loss="x")
    with pytest.raises(SetNotFound):
        compress(home, "nothing", judged)
    home.set("words").delete([one.id for one in judged.documents])
    with pytest.raises(UsageError, match=r"lacks 60|it is empty"):
        compress(home, "words", judged)
