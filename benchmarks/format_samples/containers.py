"""Files inside of others."""

from __future__ import annotations

import gzip

from benchmarks.format_samples import markup, plain
from benchmarks.format_samples.words import Words


def packed(words: Words) -> tuple[str, bytes]:
    name, content = words.one_of(plain.text, plain.markdown, plain.json_lines, markup.manual)(words)
    return f"{name}.gz", gzip.compress(content)


MAKERS = {"gzip": packed}
