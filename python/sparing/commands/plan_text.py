"""What `sparing plan` prints about how the policy was found."""

from __future__ import annotations

from typing import Any

from sparing.commands.output import print_table


def print_candidates(metrics: dict[str, Any]) -> None:
    """Print why the problem was not solved exactly, and what each policy that was tried costs."""
    print(metrics["method"]["reason"])
    print()
    rows = [
        [
            found["name"] + (" (recommended)" if found["key"] == metrics["chosen"] else ""),
            f"{(found['objective']['lower'] + found['objective']['upper']) / 2.0:.6g}",
            f"{(found['objective']['upper'] - found['objective']['lower']) / 2.0:.2g}",
        ]
        for found in metrics["candidates"]
    ]
    print_table(["policy", "objective", "+- (95 %)"], rows, title="simulated")
    if metrics["optimum_lower"] is not None:
        print(f"\nno policy costs less than {metrics['optimum_lower']:.6g}")
