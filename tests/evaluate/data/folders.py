"""Folders of judged data, made of the texts of their files."""

CORPUS = '{"_id": "d1", "title": "Keys", "text": "Rotate a key."}\n{"_id": "d2", "text": "Proxies."}\n'


def folder_of(tmp_path, **files):
    """Files by name; ``__`` is a slash and ``_dot_`` a dot."""
    for name, text in files.items():
        file = tmp_path / name.replace("__", "/").replace("_dot_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path
