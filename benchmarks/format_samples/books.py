"""Books and notebooks."""

from __future__ import annotations

import json
from collections.abc import Callable

from benchmarks.format_samples.web import blocks
from benchmarks.format_samples.words import Words
from benchmarks.hostile import zipped

CONTAINER = '<container><rootfiles><rootfile full-path="in/book.opf"/></rootfiles></container>'
PNG = "iVBORw0KGgoAAAANSUhEUg" * 400


def epub(words: Words) -> tuple[str, bytes]:
    chapters = [f"c{at}" for at in range(words.rng.randint(1, 4))]
    items = "".join(f'<item id="{name}" href="{name}.xhtml" media-type="application/xhtml+xml"/>' for name in chapters)
    spine = "".join(f'<itemref idref="{name}"/>' for name in chapters)
    about = f'<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{words.text(2)}</dc:title></metadata>'
    package = f"<package>{about}<manifest>{items}</manifest><spine>{spine}</spine></package>"
    pages = {
        f"in/{name}.xhtml": f"<html><body><h1>{words.text(2)}</h1>{blocks(words, 4)}</body></html>" for name in chapters
    }
    return "a.epub", zipped({"META-INF/container.xml": CONTAINER, "in/book.opf": package, **pages})


def notebook(words: Words) -> tuple[str, bytes]:
    old = words.rng.random() < 0.3
    cells = []
    for _ in range(words.rng.randint(2, 8)):
        cells.append(words.one_of(_markdown, _raw, _code)(words, old))
    body = {"worksheets": [{"cells": cells}], "nbformat": 3} if old else {"cells": cells, "nbformat": 4}
    return "a.ipynb", json.dumps(
        body | {"metadata": {"kernelspec": {"language": words.one_of("python", "R")}}}
    ).encode()


def _lines(words: Words, text: str) -> str | list[str]:
    return text.splitlines(keepends=True) if words.rng.random() < 0.5 else text


def _markdown(words: Words, old: bool) -> dict[str, object]:
    if old and words.rng.random() < 0.5:
        return {"cell_type": "heading", "level": 2, "source": words.text(2)}
    return {"cell_type": "markdown", "source": _lines(words, f"# {words.text(2)}\n\n{words.text()}")}


def _raw(words: Words, _: bool) -> dict[str, object]:
    return {"cell_type": "raw", "source": words.text()}


def _code(words: Words, old: bool) -> dict[str, object]:
    said = words.text(4)
    outputs: tuple[Callable[[], dict[str, object]], ...] = (
        lambda: {"output_type": "stream", "text": _lines(words, said)},
        lambda: (
            {"output_type": "pyout", "text": said, "png": PNG}
            if old
            else {"output_type": "execute_result", "data": {"text/plain": said, "image/png": PNG}}
        ),
        lambda: {"output_type": "pyerr" if old else "error", "ename": "Error", "evalue": said, "traceback": []},
    )
    source = _lines(words, f"x = '{words.word()}'  # {words.text(2)}\nprint(x)")
    return {"cell_type": "code", "input" if old else "source": source, "outputs": [words.one_of(*outputs)()]}


MAKERS = {"epub": epub, "notebook": notebook}
