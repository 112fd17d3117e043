"""Exact and learned policies for maintenance and spare parts.

What to repair now, what to stock where, and how sure we are of it.
"""

# First of all: _threads settles how threads wait, which the kernels read once when they are loaded;
# and a room that were loaded later would take the place of the function of its name.
from sparing import _threads as _threads
from sparing import evaluate as _evaluate_room  # noqa: F401
from sparing.api import (
    evaluate,
    front,
    load,
    simulate,
    solve,
    solve_with_goals,
    train,
)
from sparing.beliefs.alpha_vectors import AlphaVectorPolicy
from sparing.beliefs.pomdp_files import save_pomdp
from sparing.beliefs.pomdp_model import ExplicitPOMDP
from sparing.epoch import Alternative, Axis, Branch, Chance, Cost, Decision, Epoch
from sparing.exact.finite_horizon import finite_horizon
from sparing.fleet.solving import FleetSolution, solve_many
from sparing.models.case_files import built_in_cases, save_case
from sparing.models.explicit import ExplicitMDP
from sparing.models.hidden import HiddenComponent, HiddenProblem
from sparing.models.load_sharing import IntervalRange, LoadSharingCosts, LoadSharingProblem
from sparing.models.load_sharing_policies import ThresholdRule
from sparing.models.multi_component import Component, Goal, MultiComponentProblem
from sparing.models.spare import GammaLeadTime, SparePart
from sparing.models.spares_network import (
    GammaPrior,
    Location,
    OutstandingOrder,
    Part,
    SparesNetwork,
    UnitAge,
)
from sparing.plans import plan, plan_many, update_plan
from sparing.policies import CallbackPolicy, RowPolicy, TablePolicy
from sparing.randomised_policy import RandomisedPolicy
from sparing.saved_solution import load_solution, save_solution
from sparing.table import Table

__all__ = [
    "AlphaVectorPolicy",
    "Alternative",
    "Axis",
    "Branch",
    "CallbackPolicy",
    "Chance",
    "Component",
    "Cost",
    "Decision",
    "Epoch",
    "ExplicitMDP",
    "ExplicitPOMDP",
    "FleetSolution",
    "GammaLeadTime",
    "GammaPrior",
    "Goal",
    "HiddenComponent",
    "HiddenProblem",
    "IntervalRange",
    "LoadSharingCosts",
    "LoadSharingProblem",
    "Location",
    "MultiComponentProblem",
    "OutstandingOrder",
    "Part",
    "RandomisedPolicy",
    "RowPolicy",
    "SparePart",
    "SparesNetwork",
    "Table",
    "TablePolicy",
    "ThresholdRule",
    "UnitAge",
    "built_in_cases",
    "evaluate",
    "finite_horizon",
    "front",
    "load",
    "load_solution",
    "plan",
    "plan_many",
    "save_case",
    "save_pomdp",
    "save_solution",
    "simulate",
    "solve",
    "solve_many",
    "solve_with_goals",
    "train",
    "update_plan",
]
