"""Times of records in words."""

from __future__ import annotations

from datetime import date, timedelta

EPOCH = date(1970, 1, 1)
DATES_FROM = 3650.0  # times above are days since 1970 rather than counts from a start
DATES_UNTIL = 2932896.0  # the last day there is a name for


def time_text(time: float) -> str:
    """Return a date where times are dates, else the number."""
    if DATES_FROM < time < DATES_UNTIL:
        return (EPOCH + timedelta(days=time)).isoformat()
    return f"{time:g}"
