"""Texts that tell what a folder is: from all over it, and little of each file."""

from itertools import pairwise

from embassay.ingest.sample import FILE_TEXT, FILES, TRIED, sample_texts


def test_files_lie_far_apart_and_give_a_little_each(tmp_path):
    for n in range(100):
        (tmp_path / f"{n:03}.md").write_text(f"{n:03} " + "word " * 10_000)
    texts = list(sample_texts([tmp_path]))
    assert len(texts) == FILES and all(len(text) == FILE_TEXT for text in texts)
    numbers = sorted(int(text[:3]) for text in texts)
    assert numbers[0] == 0 and numbers[-1] >= 90
    assert max(b - a for a, b in pairwise(numbers)) <= 16


def test_code_and_what_cannot_be_read_give_nothing(tmp_path):
    (tmp_path / "a.py").write_text("def read(): ...\n")
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.4 broken")
    (tmp_path / "c.bin").write_bytes(bytes(range(256)) * 10)
    (tmp_path / "d.txt").write_text("")
    (tmp_path / "e.txt").write_text("prose")
    assert list(sample_texts([tmp_path])) == ["prose"]


def test_a_file_of_many_records_is_not_read_to_its_end(tmp_path):
    with (tmp_path / "rows.jsonl").open("w") as stream:
        stream.writelines(f'{{"id": "{n}", "text": "record {n} {"x" * 1000}"}}\n' for n in range(1_000))
    texts = list(sample_texts([tmp_path]))
    assert 1 < len(texts) <= 32 and sum(map(len, texts)) <= FILE_TEXT


def test_a_folder_without_texts_is_given_up(tmp_path):
    for n in range(2 * TRIED):
        (tmp_path / f"{n:03}.txt").write_text(" \n")
    assert len(list(sample_texts([tmp_path]))) == TRIED
