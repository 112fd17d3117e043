"""sparing compare on a system too large to solve: policies by simulation, a bound beside them."""

from __future__ import annotations

import json
from pathlib import Path

from sparing._files import replaced_folder, write_atomically
from sparing.commands.crew_text import crew_json, print_crew
from sparing.commands.output import check_new_folder, finite, print_json
from sparing.commands.problems import summary
from sparing.commands.progress import shown_steps
from sparing.models.multi_component import MultiComponentProblem

LARGE_STATES = 1 << 24  # beyond, the optimum is not solved by compare


def is_large(problem: object) -> bool:
    """Whether `problem` is compared by simulation."""
    return (
        isinstance(problem, MultiComponentProblem)
        and not problem.spares
        and problem.num_states > LARGE_STATES
    )


def compare_large_case(
    case: str,
    problem: MultiComponentProblem,
    *,
    out: Path | None,
    quick: bool,
    seed: int,
    as_json: bool,
) -> None:
    """Tune and simulate control limits and a lookahead, print and save what came out."""
    from sparing.large.crew_training import train_crew
    from sparing.large.saved_policy import save_crew_policy

    if out is not None:
        check_new_folder(out, "compare.json")
    with shown_steps() as progress:
        result = train_crew(problem, seed=seed, quick=quick, progress=progress)
    report = {"case": case, "states": problem.num_states, "seed": seed, **crew_json(result)}
    if out is not None:
        with replaced_folder(out) as part:
            content = {"format": "sparing-comparison-large-1", **finite(report)}
            text = json.dumps(content, indent=1, allow_nan=False)
            write_atomically(part / "compare.json", text + "\n")
            for rated in result.policies:
                save_crew_policy(rated.policy, part / rated.key)
    if as_json:
        print_json(report)
        return
    print(f"{case}: {summary(problem)}\n")
    print_crew(result)
    if out is not None:
        print(f"\nsaved in {out}; sparing simulate takes {out / result.best.key} as --policy")
