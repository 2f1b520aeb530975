"""What is found of the words of made files, whole and damaged, and that whatever is not found is told.

`python -m benchmarks.formats` does the same with more files, and with those of pandoc's own tests.
"""

from __future__ import annotations

import pytest

from benchmarks import formats
from benchmarks.format_samples import MAKERS
from embassay import plugins
from embassay.ingest.isolation import Isolation


@pytest.fixture(scope="module")
def isolation():
    with Isolation() as opened:
        yield opened


def test_every_reader_has_made_files():
    assert set(plugins.names("embassay.ingest.readers")) == set(MAKERS)


def test_words_are_found_or_their_loss_is_told(tmp_path, isolation):
    tally = formats.made_files(tmp_path, isolation, 10)
    assert tally.files == 10 * len(MAKERS) and not tally.tracebacks
    assert tally.share >= formats.FOUND, tally.losses
    known = formats.documented_reasons()
    assert [reason for reason in tally.listed if not any(part in reason for part in known)] == []
    assert tally.listed.total() > 20 and not tally.alarms, "damaged files are told, whole ones are not"


def test_everything_is_found_in_whole_files(tmp_path, isolation):
    for row in formats.sound_rows(tmp_path, isolation):
        assert row.met, row


def test_words_that_nobody_sees_are_not_found(tmp_path, isolation):
    """Comments, deleted text, menus: a reader that gives all of a file would find every word as well."""
    from benchmarks.format_samples.words import Words

    class Told(Words):
        hidden: set[str]

        def unseen(self, count=3):
            said = super().unseen(count)
            self.hidden |= formats.words_of(said)
            return said

    for reader in ("notebook", "opendocument", "rtf", "captions", "man", "xml", "tex", "org", "asciidoc", "docx"):
        for at in range(6):
            words = Told(f"{reader} {at}")
            words.hidden = set()
            name, content = MAKERS[reader](words)
            (tmp_path / name).write_bytes(content)
            assert not words.hidden & formats.outcome(tmp_path / name, isolation).words, (reader, at)
