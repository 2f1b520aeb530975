"""How judged data is written: one file a format, its name is the format's name.

    EXPECTED = "corpus.jsonl, queries.jsonl and qrels/<split>.tsv"
    def claims(path: Path) -> bool                               # whether a file or folder is of this format
    def read(path: Path, split: str | None) -> Files             # raises JudgedSetError with file and line

Other packages join through the entry-point group ``embassay.formats``.
"""
