"""From the records of a plan to problems: the one of the mean, and one per posterior draw."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparing.models.case_files import problem_from_table
from sparing.models.multi_component import MultiComponentProblem
from sparing.planning.folder import SETTINGS, PlanInput
from sparing.records.generator import generator_posterior
from sparing.records.inspections import spans_of
from sparing.records.paths import Array, Spans
from sparing.records.problems import ProblemLog
from sparing.records.transitions import WHOLE, TransitionPosterior, transition_posterior


@dataclass(frozen=True, kw_only=True, eq=False)
class ComponentEstimate:
    """What the records say about the wear of the components of one kind.

    Parameters
    ----------
    posterior
        Of the transition matrix of one period.
    num_cut
        Inspections that begin no span, as an action of unknown effect went before.
    """

    name: str
    posterior: TransitionPosterior
    num_cut: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Estimates:
    """What is estimated, and the problems that makes.

    Parameters
    ----------
    components
        By kind of component; a component that names no kind is its own.
    kinds
        Per estimated component its kind.
    """

    components: Mapping[str, ComponentEstimate]
    kinds: Mapping[str, str]
    system: Mapping[str, Any]
    name: str

    @property
    def num_draws(self) -> int:
        """Posterior draws there are of each component; 0 if none is estimated."""
        found = [len(c.posterior.draws) for c in self.components.values()]
        return min(found, default=0)

    def mean_problem(self) -> MultiComponentProblem:
        """Return the problem with the posterior means."""
        return self._problem({n: c.posterior.mean for n, c in self.components.items()})

    def drawn_problem(self, draw: int, only: str | None = None) -> MultiComponentProblem:
        """Return the problem of one posterior draw, of all components or of `only` one kind."""
        return self._problem(
            {
                name: found.posterior.draws[draw] if only in (None, name) else found.posterior.mean
                for name, found in self.components.items()
            }
        )

    def _problem(self, transitions: Mapping[str, Array]) -> MultiComponentProblem:
        table = deepcopy(dict(self.system))
        for entry in table["component"]:
            if entry["name"] in self.kinds:
                matrix = transitions[self.kinds[entry["name"]]]
                entry["transition"] = (matrix / matrix.sum(axis=1, keepdims=True)).tolist()
        problem = problem_from_table(table, name=self.name)
        if not isinstance(problem, MultiComponentProblem):
            raise ValueError(f"{SETTINGS}: kind must be 'multi-component' in a plan.")
        return problem


def estimate(plan: PlanInput) -> Estimates:
    """Estimate the transitions of the components that plan.toml gives none for.

    Raises
    ------
    sparing.records.problems.RecordsError
        If a component has no pair of successive inspections, or one that cannot be.
    ValueError
        If plan.toml makes no problem, naming the place.
    """
    log = ProblemLog()
    found = dict[str, ComponentEstimate]()
    for position, component in enumerate(plan.components):
        if not component.is_estimated or component.kind in found:
            continue
        try:
            found[component.kind] = _estimated(plan, component.kind, plan.seed + position)
        except ValueError as error:
            for line in str(error).splitlines():
                log.add("inspections", 0, component.kind, line)
    log.finish()
    return Estimates(
        components=found,
        kinds={c.name: c.kind for c in plan.components if c.is_estimated},
        system=plan.system,
        name=plan.folder.name,
    )


def _estimated(plan: PlanInput, kind: str, seed: int) -> ComponentEstimate:
    """Estimate the wear of the components of one kind from all their records."""
    alike = [component for component in plan.components if component.kind == kind]
    parts, num_cut = [], 0
    for component in alike:
        part, cut = spans_of(
            plan.inspections, plan.maintenance, component.name, renewals=component.renewals
        )
        parts.append(part)
        num_cut += cut
    spans = Spans(
        start=np.concatenate([part.start for part in parts]),
        end=np.concatenate([part.end for part in parts]),
        duration=np.concatenate([part.duration for part in parts]),
        labels=[label for part in parts for label in part.labels],
    )
    if spans.start.size == 0:
        raise ValueError(
            "has no two successive inspections of one unit; without them nothing is known of its"
            " wear. Give its transition in plan.toml, or inspect it."
        )
    return ComponentEstimate(
        name=kind,
        posterior=_posterior(spans, alike[0].num_states, plan, seed),
        num_cut=num_cut,
    )


def _posterior(spans: Spans, num_states: int, plan: PlanInput, seed: int) -> TransitionPosterior:
    """Count where inspections are whole periods apart, else estimate in continuous time."""
    periods = spans.duration / plan.period
    whole = np.all((np.abs(periods - np.rint(periods)) <= WHOLE) & (periods > 0.5))
    if whole:
        return transition_posterior(
            spans, num_states, period=plan.period, num_draws=plan.num_draws, seed=seed
        )
    generator = generator_posterior(spans, num_states, num_draws=plan.num_draws, seed=seed)
    return generator.transition(plan.period)
