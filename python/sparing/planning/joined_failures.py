"""New records of failures joined to those that are there."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparing.records.failure_history import CountRecords, FailureHistory, UnitRecords
from sparing.records.problems import ProblemLog

Rows: TypeAlias = NDArray[np.int64]


def joined_failures(
    first: FailureHistory | None, second: FailureHistory, name: str, log: ProblemLog
) -> tuple[FailureHistory, Rows]:
    """Return the failures of both, and which of the first [n] the second takes the place of."""
    if first is None:
        return second, np.empty(0, dtype=np.int64)
    if isinstance(first, UnitRecords) and isinstance(second, UnitRecords):
        return _joined_units(first, second, name, log)
    if isinstance(first, CountRecords) and isinstance(second, CountRecords):
        known = set(zip(first.part, first.location, first.start.tolist(), strict=True))
        for key in zip(second.part, second.location, second.start.tolist(), strict=True):
            if key in known:
                log.add(name, 0, "Start", f"{key[0]!r} at {key[1]!r} is on record for that time")
        both = CountRecords(
            part=first.part + second.part,
            location=first.location + second.location,
            start=np.concatenate((first.start, second.start)),
            failures=np.concatenate((first.failures, second.failures)),
            exposure=np.concatenate((first.exposure, second.exposure)),
        )
        return both, np.empty(0, dtype=np.int64)
    log.add(name, 0, "", "has units one by one where the folder has counts, or the reverse")
    return first, np.empty(0, dtype=np.int64)


def _joined_units(
    first: UnitRecords, second: UnitRecords, name: str, log: ProblemLog
) -> tuple[UnitRecords, Rows]:
    def key(found: UnitRecords, i: int) -> tuple[object, ...]:
        return found.part[i], found.location[i], found.place[i], float(found.installed[i])

    in_service = dict[tuple[object, ...], list[int]]()
    for i in np.flatnonzero(np.isnan(first.damaged)).tolist():
        in_service.setdefault(key(first, i), []).append(i)
    failed = {
        (*key(first, i), float(first.damaged[i]))
        for i in np.flatnonzero(~np.isnan(first.damaged)).tolist()
    }
    replaced = list[int]()
    for i, damaged in enumerate(second.damaged.tolist()):
        own = key(second, i)
        what = f"{second.part[i]!r} at {second.location[i]!r}, {'/'.join(second.place[i])}"
        if np.isnan(damaged):
            if in_service.get(own):
                log.add(name, 0, "", f"{what}: is on record as in service already")
        elif (*own, damaged) in failed:
            log.add(name, 0, "", f"{what}: its failure is on record already")
        elif waiting := in_service.get(own):
            replaced.append(waiting.pop(0))
    kept = np.setdiff1d(np.arange(len(first.part)), replaced)
    both = UnitRecords(
        part=tuple(first.part[i] for i in kept) + second.part,
        location=tuple(first.location[i] for i in kept) + second.location,
        place=tuple(first.place[i] for i in kept) + second.place,
        installed=np.concatenate((first.installed[kept], second.installed)),
        damaged=np.concatenate((first.damaged[kept], second.damaged)),
    )
    return both, np.array(sorted(replaced), dtype=np.int64)
