"""Errors of LanceDB and of the disk as errors of ours."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from embassay import remedy
from embassay.errors import HomeNotWritable, StoreError
from embassay.files import disk_full


@contextmanager
def translated() -> Iterator[None]:
    """Translate what LanceDB raises, which has no classes of its own: the cause stands in the text of a common one."""
    try:
        yield
    except (ValueError, RuntimeError, OSError, pa.ArrowException) as error:
        text = " ".join(str(error).split())
        number = getattr(error, "errno", None)
        if "os error 28" in text or "No space left" in text or number == errno.ENOSPC:
            raise disk_full() from error
        if "os error 30" in text or number == errno.EROFS:
            raise HomeNotWritable(
                "the vector store cannot be written: its disk is mounted read-only.",
                remedy=remedy.option(
                    "home", "DIR", say="Mount it for writing, or copy the home and name the copy with"
                ),
            ) from error
        if "os error 13" in text or number in (errno.EACCES, errno.EPERM):
            raise HomeNotWritable(
                "the vector store cannot be written: it belongs to somebody else.", remedy="Check its owner and mode."
            ) from error
        if "create temp" in text:
            raise StoreError(
                f"the vector store has no folder for what it sorts: {text[:200]}",
                remedy=remedy.environment("TMPDIR", "/tmp", say="Make the folder that TMPDIR names, or {}"),
            ) from error
        raise StoreError(
            f"the vector store failed: {text[:300]}",
            remedy=remedy.command("doctor", say="Run {}; if files are damaged, index again into a new set."),
        ) from error
