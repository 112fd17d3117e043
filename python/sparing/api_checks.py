"""What the public functions ask of a model and of a policy, before they look into them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sparing.policies import Policy


def check_model(model: object, kinds: tuple[type, ...]) -> None:
    """Raise TypeError unless `model` is of one of these types, and say how to get one."""
    if isinstance(model, kinds):
        return
    names = ", ".join(kind.__name__ for kind in kinds)
    hint = "; sparing.load gives the problem of a case or file"
    raise TypeError(
        f"the model must be a problem ({names}); got {model!r:.60}"
        f"{hint if isinstance(model, str | Path) else ''}."
    )


def check_policy(policy: object) -> None:
    """Raise TypeError unless `policy` is one, or a sequence of them, one per period."""
    if isinstance(policy, Policy):
        return
    several = isinstance(policy, Sequence) and not isinstance(policy, str)
    if several and all(isinstance(each, Policy) for each in policy):  # type: ignore[attr-defined]
        return
    own = isinstance(getattr(policy, "policy", None), Policy)
    hint = "; give its .policy" if own else ""
    raise TypeError(f"the policy must be one; got a {type(policy).__name__}{hint}.")


def check_kinds(measures: Mapping[str, Mapping[str, float]], known: Iterable[str]) -> None:
    """Raise ValueError where a measure weighs a kind of cost that the model does not have."""
    kinds = list(known)
    for name, weights in measures.items():
        for kind in weights:
            if kind not in kinds:
                raise ValueError(
                    f"measures: {name!r} weighs a cost of kind {kind!r}; kinds: {kinds}."
                )
