"""sparing simulate for hidden degradation: the policy found, rolled out with exact beliefs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sparing.beliefs.component_result import BeliefOptions
from sparing.beliefs.component_rollout import GreedyBeliefPolicy, estimated
from sparing.commands.hidden_solve import solved, summary
from sparing.commands.output import number, print_json, print_table
from sparing.models.hidden import HiddenProblem


def simulate(
    case: str,
    problem: HiddenProblem,
    *,
    policy: str,
    horizon: float,
    warm_up: float,
    replications: int,
    seed: int,
    threads: int,
    as_json: bool,
) -> None:
    """Estimate the cost of a policy over beliefs; the horizon is that of the case."""
    if warm_up:
        raise ValueError("--warm-up is not for such a case: its costs count from all new.")
    if replications < 2:
        raise ValueError(f"--replications must be at least 2; got {replications}.")
    chosen = _policy(problem, policy, threads)
    estimates, costs, _ = chosen.rollout(num_episodes=replications, seed=seed)
    found = estimated(estimates, costs)
    plain = replace(found, mean=float(costs.mean()), half_width=found.raw_half_width)
    report = {
        "case": case,
        "policy": policy,
        "criterion": "discounted",
        "replications": replications,
        "seed": seed,
        "cost": {"mean": found.mean, "half_width": found.half_width},
        "simulated_cost": {"mean": plain.mean, "half_width": plain.half_width},
        "confidence": found.confidence,
    }
    if as_json:
        print_json(report)
        return
    print(f"{case}: {summary(problem)}")
    print(f"policy {policy}, {replications:,} replications, seed {seed}\n")
    rows = [
        [name, number(value.mean, 8), f"+- {value.half_width:.2g}"]
        for name, value in (("cost, by lookahead", found), ("cost, as simulated", plain))
    ]
    print_table(["", "mean", "95 %"], rows)


def _policy(problem: HiddenProblem, policy: str, threads: int) -> GreedyBeliefPolicy:
    if policy == "optimal":
        options = BeliefOptions(num_threads=threads or None)
        return solved(problem, options, None, None).policy
    if Path(policy).is_dir():
        from sparing.beliefs.component_files import load_belief_policy

        return load_belief_policy(policy, num_threads=threads or 1)
    raise ValueError(f"--policy must be optimal or the folder of a saved solution; got {policy!r}.")
