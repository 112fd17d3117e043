"""sparing train --learner lookahead: values of components fitted to rollouts."""

from __future__ import annotations

import json
from pathlib import Path

from sparing._files import replaced_folder, write_atomically
from sparing.commands.crew_text import crew_json, print_crew
from sparing.commands.output import check_new_folder, finite, print_json
from sparing.commands.problems import multi_component, summary
from sparing.commands.progress import shown_steps
from sparing.models.case_files import Problem


def check_unused(given: dict[str, object]) -> None:
    """Raise if an option was given that only networks have a use for."""
    unused = [name for name, value in given.items() if value is not None and value is not False]
    if unused:
        raise ValueError(f"--learner lookahead has no use for {', '.join(unused)}.")


def train_lookahead_case(case: str, loaded: Problem, *, out: Path | None, as_json: bool) -> None:
    """Tune, rate, print and save the better of lookahead and control limits."""
    from sparing.large.crew_training import train_crew
    from sparing.large.saved_policy import save_crew_policy

    problem = multi_component(loaded)
    if out is not None:
        check_new_folder(out, "training.json")
    with shown_steps() as progress:
        result = train_crew(problem, progress=progress)
    report = {"case": case, "learner": "lookahead", **crew_json(result)}
    if out is not None:
        with replaced_folder(out) as part:
            content = {"format": "sparing-training-crew-1", **finite(report), "finished": True}
            text = json.dumps(content, indent=1, allow_nan=False)
            write_atomically(part / "training.json", text + "\n")
            save_crew_policy(result.policy, part / "policy")
    if as_json:
        print_json(report)
        return
    print(f"{case}: {summary(problem)}; {result.seconds:.1f} s\n")
    print_crew(result)
    if out is not None:
        print(f"\nsaved in {out}; sparing simulate takes {out / 'policy'} as --policy")
