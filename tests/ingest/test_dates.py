import pytest

from embassay.ingest.dates import sortable_date


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Fri, 3 May 2024 10:00:00 +0200", "2024-05-03T08:00:00+00:00"),
        ("03 May 2024 23:30 EST", "2024-05-04T04:30:00+00:00"),
        ("Fri, 03 May 2024 10:00:00 -0000", "2024-05-03T10:00:00"),
        ("Fri, 20 Nov 2026", "Fri, 20 Nov 2026"),
        ("2024-05-03T10:00:00Z", "2024-05-03T10:00:00Z"),
        ("yesterday", "yesterday"),
        ("", ""),
    ],
)
def test_dates_sort_where_they_can_be_read(written, expected):
    assert sortable_date(written) == expected
