"""Wrong explicit models and calls are refused with the place, the rule and the value."""

import numpy as np
import pytest
import scipy.sparse as sp
from sparing.exact.modified_policy_iteration import modified_policy_iteration
from sparing.models import _explicit_checks
from sparing.models.explicit import ExplicitMDP


def replaced(**changes):
    """Build two states of two pairs each, with some parts wrong."""
    good = {
        "transition": sp.csr_array([[0.5, 0.5], [1.0, 0.0], [0.25, 0.75], [0.0, 1.0]]),
        "cost": np.zeros(4),
        "state_indptr": np.array([0, 2, 4]),
        "discount": 0.9,
    }
    return ExplicitMDP(**(good | changes))


def rows_with(data=(0.5, 0.5, 1.0, 0.25, 0.75, 1.0), indices=(0, 1, 0, 0, 1, 1), indptr=None):
    """Assemble the rows of `replaced` without the checks scipy makes."""
    rows = sp.csr_array([[0.5, 0.5], [1.0, 0.0], [0.25, 0.75], [0.0, 1.0]])
    rows.data, rows.indices = np.array(data), np.array(indices, dtype=np.int32)
    if indptr is not None:
        rows.indptr = np.array(indptr, dtype=np.int32)
    return rows


WRONG_MODELS = [
    ({"discount": 0.0}, r"discount must be in \(0, 1\]; got 0.0"),
    ({"discount": 1.1}, r"discount must be in \(0, 1\]; got 1.1"),
    ({"discount": np.nan}, r"discount must be in \(0, 1\]; got nan"),
    ({"transition": np.eye(4)}, "transition must be a scipy CSR matrix.*got ndarray"),
    ({"transition": sp.coo_array(np.eye(4))}, "CSR matrix.*coo_array of format 'coo'"),
    ({"transition": rows_with().astype(np.float32)}, "must hold float64.*got float32"),
    ({"transition": rows_with((0.5, 0.4, 1, 0.25, 0.75, 1))}, "row 0 must sum to 1.*got 0.9"),
    ({"transition": rows_with((0.5, 0.5, 1, 1.25, -0.25, 1))}, r"\[2, 1\] must be .*got -0.25"),
    ({"transition": rows_with((0.5, 0.5, 1, 0.25, 0.75, np.nan))}, r"\[3, 1\] must be.*got nan"),
    ({"transition": rows_with(indices=(0, 1, 0, 0, 2, 1))}, r"row 2: states .*\[0, 2\); got 2"),
    ({"transition": rows_with(indices=(0, -1, 0, 0, 1, 1))}, r"row 0: states .*; got -1"),
    ({"transition": rows_with(indptr=(0, 3, 2, 5, 6))}, "indptr must not fall; got 3 at 1, 2 at 2"),
    ({"transition": rows_with(indptr=(0, 2, 3, 5, 7))}, "from 0 to at most 6; got 5 from 0 to 7"),
    ({"transition": rows_with(indptr=(0, 2, 2, 5, 6))}, "row 1 must sum to 1.*got 0"),
    ({"cost": np.zeros((2, 2))}, r"cost must have shape \(K,\).*got \(2, 2\)"),
    ({"cost": [0, np.nan, 0, 0]}, r"cost\[1\] must be finite; got nan"),
    ({"cost": [0, 0, np.inf, 0]}, r"cost\[2\] must be finite; got inf. Leave out"),
    ({"cost": np.zeros(3), "state_indptr": [0, 2, 3]}, "one row a pair, 3; got 4"),
    ({"state_indptr": [0, 4]}, r"state_indptr must have shape \(3,\); got \(2,\)"),
    ({"state_indptr": [0.0, 2.0, 4.0]}, "state_indptr must hold integers; got float64"),
    ({"state_indptr": [0, 2, 3]}, "from 0 to 4, the number of pairs; got 0 to 3"),
    ({"state_indptr": [0, 4, 4]}, "must have an action; state 1 has 0"),
    ({"row": [0, 1, 2]}, r"row must have shape \(4,\); got \(3,\)"),
    ({"row": [0, 1, 2, 4]}, r"row\[3\] must be in \[0, 4\); got 4"),
    ({"row": [0, 1, -2, 3]}, r"row\[2\] must be in \[0, 4\); got -2"),
    ({"action": [0, 1]}, r"action must have shape \(4,\); got \(2,\)"),
]


@pytest.mark.parametrize(("changes", "message"), WRONG_MODELS)
def test_a_wrong_model_is_refused(changes, message):
    with pytest.raises((ValueError, TypeError), match=message):
        replaced(**changes)


WRONG_CALLS = [
    (lambda: ExplicitMDP.from_dense(np.eye(2), [0, 0], discount=0.9), r"\(S, A, S\); got \(2, 2\)"),
    (lambda: ExplicitMDP.from_scipy(rows_with(), [[0, 0]], discount=0.9), r"got \(1, 2\)"),
    (
        lambda: ExplicitMDP.from_scipy(rows_with(), [[0, 0], [np.inf] * 2], discount=0.9),
        "state 1 has 0",
    ),
    (
        lambda: ExplicitMDP.from_scipy(rows_with(), np.zeros((2, 2)), discount=0.9, action=[1]),
        r"action must have shape \(2,\); got \(1,\)",
    ),
    (
        lambda: ExplicitMDP.from_sparse_pairs(rows_with(), [0] * 4, [0, 1, 0, 1], discount=0.9),
        "pair_state must not fall; got 0 at 2 after 1.*row=order",
    ),
    (
        lambda: ExplicitMDP.from_sparse_pairs(rows_with(), [0] * 4, [0, 0, 1, 2], discount=0.9),
        r"pair_state\[3\] must be in \[0, 2\); got 2",
    ),
    (
        lambda: ExplicitMDP.from_sparse_pairs(rows_with(), [0] * 4, [0, 0, 1], discount=0.9),
        r"pair_state must have shape \(4,\); got \(3,\)",
    ),
    (lambda: modified_policy_iteration(replaced(), tol=0.0), "tol must be positive.*got 0.0"),
    (lambda: modified_policy_iteration(replaced(), tol=np.nan), "tol must be positive.*got nan"),
    (lambda: modified_policy_iteration(replaced(), max_sweeps=0), "max_sweeps must be >= 1; got 0"),
    (
        lambda: modified_policy_iteration(replaced(), evaluation_sweeps=-1),
        "evaluation_sweeps must be >= 0 or None; got -1",
    ),
    (lambda: modified_policy_iteration(replaced(), damping=1.0), r"in \[0, 1\) or None; got 1.0"),
    (
        lambda: modified_policy_iteration(replaced(), initial_value=[0.0]),
        r"initial_value must be finite, of shape \(2,\); got shape \(1,\)",
    ),
    (
        lambda: modified_policy_iteration(replaced(), initial_value=[0.0, np.nan]),
        "with 1 values that are not",
    ),
]


@pytest.mark.parametrize(("call", "message"), WRONG_CALLS)
def test_a_wrong_call_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("row", [[0, 2, 2, 3], [0, 2, 3]])
def test_a_row_that_no_pair_uses_is_never_read(row):
    """Row 1 leads nowhere; once other rows are shared, once each has one pair."""
    rows = rows_with((0.5, 0.5, 9.0, 0.25, 0.75, 1.0), (0, 1, 2**30, 0, 1, 1))
    size = len(row)
    mdp = replaced(
        transition=rows, row=row, cost=np.arange(size) + 1.0, state_indptr=[0, size - 1, size]
    )
    assert mdp.row_sum_error == 0.0
    # State 0 pays 1 and moves as row 0; state 1 pays size for good.
    found = modified_policy_iteration(mdp, tol=1e-9)
    stay = size / 0.1
    assert found.value == pytest.approx([(1.0 + 0.45 * stay) / 0.55, stay], abs=1e-8)


def test_memory_is_told_of_before_any_work(monkeypatch):
    monkeypatch.setattr(_explicit_checks, "available_memory", lambda: 100)
    with pytest.raises(MemoryError, match=r"solver's arrays need .* GB; 1e-07 GB are free"):
        modified_policy_iteration(replaced())
    with pytest.raises(MemoryError, match="The sparse rows need"):
        ExplicitMDP.from_dense(np.full((9, 2, 9), 1 / 9), np.zeros((9, 2)), discount=0.9)
