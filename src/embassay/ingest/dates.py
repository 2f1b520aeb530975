"""Dates as mails and feeds write them, as dates that sort."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime


def sortable_date(written: str) -> str:
    """``Fri, 3 May 2024 10:00:00 +0200`` in ISO 8601 and in UTC, so that filters compare dates of all zones; what is no
    such date stays as it is written."""
    try:
        date = parsedate_to_datetime(written)
        return date.isoformat() if date.tzinfo is None else date.astimezone(UTC).isoformat()
    except (ValueError, TypeError, OverflowError, IndexError):
        return written
