"""Documents cut into passages."""

from embassay.evaluate.judge.passages import Passages, read_passages
from tests.evaluate.judge.sample import GUIDE, JOBS, documents


def test_passages_cover_every_word():
    made = Passages(documents())
    for document in documents():
        text = " ".join(p.text for p in made.of[document.id])
        assert text.split() == document.text.split()
        assert all(len(p.text) < 1500 for p in made.of[document.id])


def test_the_set_is_no_document_of_its_own(tmp_path):
    (tmp_path / "guide.md").write_text(GUIDE)
    (tmp_path / "judged").mkdir()
    (tmp_path / "judged" / "notes.md").write_text(JOBS)
    (tmp_path / "tab\there.md").write_text(GUIDE)
    made = read_passages([tmp_path], lambda file: file.name, leave_out=tmp_path / "judged")
    assert {name.partition("#")[0] for name in (p.id for p in made.all)} == {"guide.md", "tab%09here.md"}
