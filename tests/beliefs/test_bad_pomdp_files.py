"""Broken .pomdp files and calls: each is refused with line, token and rule."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from sparing import AlphaVectorPolicy, ExplicitPOMDP
from sparing.beliefs.pomdp_exact import incremental_pruning
from sparing.beliefs.pomdp_files import PomdpFileError, load_pomdp, parse_pomdp
from sparing.beliefs.pomdp_problems import rock_sample, tiger
from sparing.beliefs.pomdp_rollouts import simulate_pomdp
from sparing.beliefs.pomdp_solver import PomdpOptions, solve_pomdp

FILE = """discount: 0.9
values: reward
states: up down
actions: 2
observations: 2
start: uniform
T: * identity
O: * uniform
R: 0 : up : * : * 1
"""

# what to replace in the file, by what, and the message
FILES = {
    "discount": ("0.9", "1.5", "line 1: discount must be from 0 to 1; got '1.5'."),
    "discount no number": ("0.9", "high", "line 1: discount: expected a number; got 'high'."),
    "no discount": ("discount: 0.9", "", "line 7: no discount is given."),
    "values": ("reward", "money", "line 2: values must be reward or cost; got 'money'."),
    "no states": ("states: up down", "", "line 7: no states are given."),
    "none": ("actions: 2", "actions: 0", "line 4: actions must be from 1 to 100000000; got '0'."),
    "name twice": ("up down", "up up", "line 3: states: 'up' is there twice."),
    "number as a name": ("up down", "up 7", "a name must start with a letter and be no keyword"),
    "unknown keyword": ("values:", "prices:", "expected discount, values, states, actions"),
    "colon": ("discount: ", "discount ", "line 1: discount: expected ':'; got '0.9'."),
    "start too short": ("start: uniform", "start: 1 0 0", "expected 2 probabilities; got 3."),
    "start sum": (
        "start: uniform",
        "start: 0.5 0.4",
        "line 6: start: the probabilities sum to 0.9",
    ),
    "start state": ("start: uniform", "start: side", "the name of a state or a number from 0 to 1"),
    "start empty": ("start: uniform", "start exclude: 0 1", "line 6: start: no state is left."),
    "state": ("R: 0 : up", "R: 0 : side", "line 9: R: expected the name of a state or a number"),
    "action": ("R: 0 :", "R: 2 :", "R: expected an action or a number from 0 to 1; got '2'."),
    "probability": ("O: * uniform", "O: 0 : 0 : 0 1.5", "line 8: O: expected a probability from 0"),
    "below 0": ("O: * uniform", "O: 0 : 0 : 0 -1", "expected a probability from 0 to 1; got '-1'."),
    "row sum": ("O: * uniform", "O: *\n1 0\n1 .1", "line 8: O: action 0 in next state 'down'"),
    "never given": ("O: * uniform", "", "action 0 in next state 'up' is never given"),
    "row sum of T": (
        "T: * identity",
        "T: 0 identity",
        "line 1: T: action 1 from state 'up' is nev",
    ),
    "row too short": ("O: * uniform", "O: *\n1 0 1", "line 10: O: expected a probability from 0"),
    "reward": ("* 1\n", "* many\n", "line 9: R: expected a number; got 'many'."),
    "reward inf": ("* 1\n", "* inf\n", "line 9: R: expected a number; got 'inf'."),
    "end": (
        ": * 1\n",
        ":",
        "line 9: R: expected an observation or a number from 0 to 1; got the end",
    ),
    "R of an action": (
        "R: 0 : up : * : * 1",
        "R: 0 1",
        "line 9: R: expected ':' and a state; got '1'",
    ),
    "preamble behind": ("R: 0", "discount: 1\nR: 0", "'discount' must stand before the first T"),
    "odd word": ("R: 0", "S: 0", "line 9: expected T, O or R; got 'S'."),
}


@pytest.mark.parametrize("name", FILES)
def test_broken_files_are_refused(name):
    old, new, message = FILES[name]
    assert old in FILE
    with pytest.raises(PomdpFileError) as caught:
        parse_pomdp(FILE.replace(old, new, 1))
    assert message in str(caught.value)
    assert str(caught.value).startswith("line ")


def test_the_file_is_named(tmp_path):
    path = tmp_path / "wrong.pomdp"
    path.write_text("states: 2 states: x y discount: 7")
    with pytest.raises(PomdpFileError, match=r"wrong\.pomdp: line 1: discount must be from 0 to 1"):
        load_pomdp(path)
    with pytest.raises(PomdpFileError, match=r"absent\.pomdp: cannot be read"):
        load_pomdp(tmp_path / "absent.pomdp")


def test_what_cannot_fit_into_memory_is_refused_at_once():
    head = "discount: .9 values: cost states: 90000000 actions: 90000000 observations: 1 "
    with pytest.raises(MemoryError, match="90000000 states and 90000000 actions do not fit"):
        parse_pomdp(head + "T: 0 identity")


ROWS = sp.csr_array(np.array([[1.0, 0.0], [0.5, 0.5]]))
MODEL = {"transition": ROWS, "observation": ROWS, "cost": [[1.0, 2.0]], "discount": 0.9}

MODELS = {
    "discount": ({"discount": 1.5}, "discount must be in [0, 1]; got 1.5."),
    "values": ({"values": "money"}, "values must be 'reward' or 'cost'; got 'money'."),
    "cost NaN": ({"cost": [[1.0, np.nan]]}, "cost[0, 1] must be finite; got nan."),
    "cost shape": ({"cost": [1.0]}, "cost must have shape (A, S); got (1,)."),
    "no sparse array": ({"transition": ROWS.toarray()}, "transition must be a scipy sparse array"),
    "shape": ({"cost": [[1.0] * 3]}, "transition must have shape (3, 3); got (2, 2)."),
    "row sum": ({"observation": ROWS * 1.5}, "observation: row 0 sums to 1.5, not 1."),
    "below 0": ({"transition": -ROWS}, "transition: row 0 holds -1, which is no probability."),
    "start": ({"start": [0.5, 0.4]}, "start must sum to 1; got 0.9."),
    "start below 0": ({"start": [1.5, -0.5]}, "start[1] must be a probability; got -0.5."),
    "names": ({"states": ("a", "a")}, "states must be 2 different names; got 2."),
}


@pytest.mark.parametrize("name", MODELS)
def test_broken_models_are_refused(name):
    changes, message = MODELS[name]
    with pytest.raises(ValueError) as caught:
        ExplicitPOMDP(**(MODEL | changes))
    assert message in str(caught.value)


def policy(**changes):
    parts = {
        "num_states": 2,
        "domains": (np.array([0, 1]),),
        "vectors": (np.zeros((1, 2)),),
        "actions": (np.array([0]),),
        "elsewhere": 0.0,
    }
    return AlphaVectorPolicy(**(parts | changes))


CALLS = {
    "gap": (lambda: PomdpOptions(gap=-1.0), "gap must be at least 0; got -1.0."),
    "seconds": (lambda: PomdpOptions(seconds=0.0), "seconds must be above 0; got 0.0."),
    "horizon": (lambda: PomdpOptions(horizon=0), "horizon must be at least 1; got 0."),
    "sides": (lambda: PomdpOptions(sides="left"), "sides must be 'both', 'policy' or 'bound'"),
    "trials": (lambda: PomdpOptions(max_trials=-1), "max_trials must be at least 0; got -1."),
    "unrolled": (lambda: tiger().unrolled(0), "horizon must be at least 1; got 0."),
    "pruning": (lambda: incremental_pruning(tiger(), 0), "horizon must be at least 1; got 0."),
    "discount 1": (
        lambda: solve_pomdp(ExplicitPOMDP(**(MODEL | {"discount": 1.0}))),
        "discount 1 needs a finite horizon; give one.",
    ),
    "rocks": (lambda: rock_sample(3, [(1, 1), (1, 1)], (0, 0)), "rocks must be different cells."),
    "rock": (lambda: rock_sample(3, [(3, 1)], (0, 0)), "rocks[0] must be a cell from (0, 0) to (2"),
    "no vectors": (
        lambda: policy(vectors=(np.zeros((0, 2)),), actions=(np.zeros(0, int),)),
        "a policy needs at least one vector.",
    ),
    "domain": (lambda: policy(domains=(np.array([1, 0]),)), "domains[0] must be rising numbers"),
    "belief": (lambda: policy().act([1.0]), "belief must have shape (2,); got (1,)."),
    "belief sum": (lambda: policy().act([1.0, 1.0]), "belief must be probabilities that sum to 1."),
    "replications": (
        lambda: simulate_pomdp(tiger(), policy(), num_replications=0),
        "num_replications must be at least 1; got 0.",
    ),
    "states": (
        lambda: simulate_pomdp(rock_sample(2, [(1, 1)], (0, 0)), policy()),
        "the policy is for 2 states; the model has 9.",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_broken_calls_are_refused(name):
    call, message = CALLS[name]
    with pytest.raises(ValueError) as caught:
        call()
    assert message in str(caught.value)


ALPHAS = {
    "short": ("0\n1 2\n\n1\n3", "expected vectors of an action and 2 values; got 5 numbers."),
    "word": ("0\n1 x", "could not convert string to float"),
    "action": ("7\n1 2", "vector 0: the action must be from 0 to 2; got 7."),
    "NaN": ("0\n1 nan", "vector 0 holds a value that is not finite."),
    "empty": ("", "got 0 numbers."),
}


@pytest.mark.parametrize("name", ALPHAS)
def test_broken_alpha_files_are_refused(name, tmp_path):
    text, message = ALPHAS[name]
    path = tmp_path / "policy.alpha"
    path.write_text(text)
    with pytest.raises(ValueError) as caught:
        AlphaVectorPolicy.load_alpha(path, tiger())
    assert message in str(caught.value)
