"""The policies that a multi-component system is usually run by.

Components decide apart, so the distribution of the post-maintenance state is a Kronecker product
with one factor a component; there is one product for states in which the system is up and one for
those in which it is down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sparing.models.multi_component import Component, MultiComponentProblem
from sparing.randomised_policy import RandomisedPolicy

LARGEST = 1 << 27  # entries of the joint product

Rows: TypeAlias = NDArray[np.float64]  # [from state, to state] of one component


def corrective(
    problem: MultiComponentProblem, *, replacement_probability: float = 1.0
) -> RandomisedPolicy:
    """Return the policy that replaces failed components and does nothing else.

    Parameters
    ----------
    replacement_probability
        Chance that a failed component is replaced while the system is up, each by itself; while
        it is down, or where a failed component must not be left, it always is.
    """
    return _per_component(problem, lambda c: np.eye(c.num_states), replacement_probability)


def random_maintenance(
    problem: MultiComponentProblem, *, replacement_probability: float = 1.0
) -> RandomisedPolicy:
    """Return the policy that brings a working component to a state uniform on 0..s.

    Failed components are treated as in `corrective`.
    """
    return _per_component(
        problem, lambda c: _uniform(c, include_present=True), replacement_probability
    )


def control_limits(
    problem: MultiComponentProblem,
    limits: Sequence[int],
    *,
    result: str = "uniform",
    replacement_probability: float = 1.0,
) -> RandomisedPolicy:
    """Return the policy that maintains a working component i from state ``limits[i]`` on.

    Parameters
    ----------
    limits
        Per component a state in 1..m; m means only when it has failed.
    result
        ``"uniform"``: on 0..s-1, the classical policy of Jimenez Gonzalez (2021, sec. 4.6);
        ``"new"``: state 0.
    replacement_probability
        As in `corrective`.

    Raises
    ------
    ValueError
        If there is not one limit per component, or one is not in 1..m.
    """
    if len(limits) != len(problem.components):
        raise ValueError(f"{len(problem.components)} components need as many limits; got {limits}.")
    limit_of = {}
    for component, limit in zip(problem.components, limits, strict=True):
        if not 1 <= limit <= component.failed:
            raise ValueError(
                f"component {component.name!r}: the limit must be in 1..{component.failed};"
                f" got {limit}."
            )
        limit_of[component.name] = limit
    if result not in ("uniform", "new"):
        raise ValueError(f"result must be 'uniform' or 'new'; got {result!r}.")

    def rows(component: Component) -> Rows:
        new = np.zeros((component.num_states, component.num_states))
        new[:, 0] = 1.0
        maintained = new if result == "new" else _uniform(component, include_present=False)
        present = np.arange(component.num_states)[:, None]
        return np.where(
            present >= limit_of[component.name], maintained, np.eye(component.num_states)
        )

    return _per_component(problem, rows, replacement_probability)


def _uniform(component: Component, *, include_present: bool) -> Rows:
    """Return rows uniform on 0..s (or 0..s-1; state 0 stays)."""
    rows = np.tril(np.ones((component.num_states,) * 2), 0 if include_present else -1)
    rows[0, 0] = 1.0
    shares: Rows = rows / rows.sum(axis=1, keepdims=True)
    return shares


def _per_component(
    problem: MultiComponentProblem, rows_of: Callable[[Component], Rows], probability: float
) -> RandomisedPolicy:
    if problem.spares:
        raise ValueError(
            "a rule that draws each component apart does not look at stocks; the case has spares:"
            f" {', '.join(spare.name for spare in problem.spares)}."
        )
    if problem.result != "chosen":
        raise ValueError("this policy needs a problem whose maintenance reaches a chosen state.")
    if not 0.0 <= probability <= 1.0:
        raise ValueError(f"replacement_probability must be in [0, 1]; got {probability}.")
    if probability == 1.0:
        joint = _joint(problem, rows_of, 1.0)
    else:
        up = _flat_up(problem).astype(np.float64)
        joint = sparse.diags_array(up) @ _joint(problem, rows_of, probability)
        joint = joint + sparse.diags_array(1.0 - up) @ _joint(problem, rows_of, 1.0)
    return RandomisedPolicy(problem.epoch, (joint,))


def _joint(
    problem: MultiComponentProblem, rows_of: Callable[[Component], Rows], probability: float
) -> Any:
    factors = []
    for component in problem.components:
        rows = rows_of(component).copy()
        may_stay = np.isfinite(component.maintenance_cost[component.failed, component.failed])
        replaced = probability if may_stay else 1.0
        rows[component.failed] = 0.0
        rows[component.failed, 0] = replaced
        rows[component.failed, component.failed] += 1.0 - replaced
        factors.append(sparse.csr_array(rows))
    entries = prod(factor.nnz for factor in factors)
    if entries > LARGEST:
        raise ValueError(
            f"this rule is a matrix over all states, here with {entries:.2g} entries of at most"
            f" {LARGEST:.2g}; for so many components use --policy tuned-limits or lookahead"
            " (sparing.large)."
        )
    return reduce(lambda a, b: sparse.csr_array(sparse.kron(a, b, format="csr")), factors)


def _flat_up(problem: MultiComponentProblem) -> NDArray[np.bool_]:
    """Return per state [states] whether the system works."""
    groups = np.ix_(*(problem.up_groups[name] for name in problem.names))
    return np.asarray(problem.works[groups]).ravel()
