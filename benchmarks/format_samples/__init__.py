"""Files of every format that are made up, with the words that a person sees in them, so that none has to be kept.

A maker builds one file of one reader out of words that it takes from `Words`, and takes other forms for other seeds:
scripts, encodings, nesting, what a format has besides paragraphs. `MAKERS` has one for each reader, by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.format_samples import books, containers, markup, office, plain, web
from benchmarks.format_samples.words import Words

Maker = Callable[[Words], tuple[str, bytes]]
"""Gives the name of a file and its content; `Words` knows which of them a person sees."""

MAKERS: Mapping[str, Maker] = {
    **plain.MAKERS,
    **markup.MAKERS,
    **web.MAKERS,
    **office.MAKERS,
    **books.MAKERS,
    **containers.MAKERS,
}
