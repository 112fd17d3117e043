"""What `sparing plan` prints of a policy that was simulated: how it was found, and beside what."""

from __future__ import annotations

from typing import Any

from sparing.commands.output import print_table

NAME = 48  # characters of a policy's name that there is room for


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


def is_simulated(metrics: dict[str, Any]) -> bool:
    """Return whether the policies were compared by simulation."""
    return any("cost_half_width" in row for row in metrics["policies"])


def print_simulated(metrics: dict[str, Any]) -> None:
    """Print policies beside the recommended one, which is the first, on the same luck."""
    rows = []
    for row in metrics["policies"]:
        above = row["above_recommended"]
        rows.append(
            [
                row["name"] if len(row["name"]) <= NAME else row["name"][: NAME - 3] + "...",
                f"{row['cost']:.2f} +- {row['cost_half_width']:.2f}",
                "" if above is None else f"{above['mean']:+.2f} +- {above['half_width']:.2f}",
                f"{row['reliability']:.4f}",
            ]
        )
    columns = ["policy", "cost", "above the first", "reliability"]
    print_table(columns, rows, title="simulated, long run, per period, 95 %")


def print_worth(robustness: dict[str, Any]) -> None:
    """Print what better data is worth, as far as it is known."""
    worth = robustness.get("better_data_is_worth")
    if worth is None or worth["at_least"] is None:
        return
    parts = [
        f"at {word} {found['mean']:.2f} +- {found['standard_error']:.2f}"
        for word, found in (("least", worth["at_least"]), ("most", worth["at_most"]))
        if found is not None
    ]
    print(f"better data is worth {', '.join(parts)} per period (standard errors)")
