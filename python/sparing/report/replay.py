"""A replay of held-out records as JSON and tables."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sparing._files import replaced_folder, write_atomically
from sparing.evaluate.replay import Replay, ReplayedPolicy
from sparing.records.failures import FailureRecord, write_failures

FORMAT = "sparing-replay-1"


def replay_report(case: str, files: Sequence[str] | None, found: Replay) -> dict[str, Any]:
    """Return what `sparing replay --json` prints."""
    sets, count = found.sets, len(found.sets)
    failures = sum(int(counts.sum()) for part in sets for counts in part.failures.values())
    return {
        "case": case,
        "records": list(files or ()),
        "sets": [{"first": part.first.isoformat(), "beliefs": _beliefs(part)} for part in sets],
        "num_fitted": sets[0].num_fitted,
        "periods": sets[0].network.periods,
        "replications": found.num_replications,
        "failures": failures / count,
        "exposure": sum(part.exposure for part in sets) / count,
        "within": found.num_within,
        "predicted": found.num_predicted,
        "sla": sets[0].network.sla,
        "seconds": found.seconds,
        "policies": [_policy(row) for row in found.policies.values()],
        "reductions": [
            {"against": key, **{metric: vars(r) for metric, r in by_metric.items()}}
            for key, by_metric in found.reductions.items()
        ],
        "best_baseline": found.best_baseline,
    }


def save_replay(
    found: Replay,
    records: Sequence[Sequence[FailureRecord]],
    report: dict[str, Any],
    folder: Path,
) -> None:
    """Write replay.csv (a line per policy and set), the records of each set, and replay.json."""
    from sparing.commands.output import finite

    with replaced_folder(folder) as part:
        write_atomically(part / "replay.csv", _table(found))
        for number, of_set in enumerate(records):
            write_failures(of_set, part / f"failures-{number + 1}.csv")
        content = finite({"format": FORMAT, **report})
        write_atomically(part / "replay.json", json.dumps(content, indent=1) + "\n")


def _beliefs(part: Any) -> dict[str, dict[str, float]]:
    """Return per part type the belief that was fitted, what it expects and what came."""
    found = {}
    for own in part.network.parts:
        mean, low, high = part.predicted(own)
        found[own.name] = {
            "shape": own.prior.shape,
            "rate": own.prior.rate,
            "expected": mean,
            "lower": low,
            "upper": high,
            "failures": int(part.failures[own.name].sum()),
        }
    return found


def _policy(row: ReplayedPolicy) -> dict[str, Any]:
    return {
        "key": row.key,
        "policy": row.name,
        "reached": row.num_reached,
        **{
            name: {"mean": mean, "half_width": row.half_widths[name]}
            for name, mean in row.mean.items()
        },
        "hyper_score": None if row.score is None else row.score.score,
    }


def _table(found: Replay) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [*next(iter(found.policies.values())).mean]
    writer.writerow(["policy", "set", *names])
    for row in found.policies.values():
        for number in range(len(found.sets)):
            cells = [f"{row.samples[name][number]:.9g}" for name in names]
            writer.writerow([row.key, number + 1, *cells])
    return text.getvalue()
