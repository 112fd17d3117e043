"""Times of records in words."""

from __future__ import annotations

from datetime import date, timedelta

EPOCH = date(1970, 1, 1)
DATES_FROM = 3650.0  # times above are days since 1970 rather than counts from a start


def time_text(time: float) -> str:
    """Return a date where times are dates, else the number."""
    return (EPOCH + timedelta(days=time)).isoformat() if time > DATES_FROM else f"{time:g}"
