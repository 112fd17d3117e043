"""Well-known problems, built from their definitions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sparing.beliefs.pomdp_model import ExplicitPOMDP

MOVES = {"north": (0, 1), "south": (0, -1), "east": (1, 0), "west": (-1, 0)}
# Rocks and start of the instances of Smith and Simmons (2004) that are widely used: (x, y) from the
# lower left corner; the exit is beyond the right edge.
ROCK_SAMPLE_7_8 = ((2, 0), (0, 1), (3, 1), (6, 3), (2, 4), (3, 4), (5, 5), (1, 6))
ROCK_SAMPLE_7_8_START = (0, 3)


def tiger() -> ExplicitPOMDP:
    """Return the tiger problem of Cassandra, Kaelbling and Littman (1994)."""
    half = np.full((2, 2), 0.5)
    heard = np.array([[0.85, 0.15], [0.15, 0.85]])
    return ExplicitPOMDP.from_dense(
        np.stack([np.eye(2), half, half]),
        np.stack([heard, half, half]),
        [[1, 1], [100, -10], [-10, 100]],
        discount=0.95,
        states=("tiger-left", "tiger-right"),
        actions=("listen", "open-left", "open-right"),
        observations=("obs-left", "obs-right"),
    )


def tag() -> ExplicitPOMDP:
    """Return Tag of Pineau, Gordon and Thrun (2003): a robot hunts an opponent it does not see.

    Both stand on 29 cells (two rows of ten, and a block of three by three on top of cells 5 to 7).
    A move costs 1 and succeeds unless a wall is in the way. The opponent flees at the same time,
    seen from where the robot stands before it moves: with chance .4 along each axis away from it
    (.2 either way, where they are level on that axis) and .2 not at all; what runs into a wall
    stays. Tag earns 10 on the opponent's cell, which ends the game, and costs 10 elsewhere. The
    robot observes its own cell, or, in its place, that the opponent is there, too. Both start
    anywhere, independently.
    """
    import scipy.sparse as sp

    cells = [(x, y) for y in range(2) for x in range(10)]
    cells += [(x, y) for y in range(2, 5) for x in range(5, 8)]
    number = {cell: k for k, cell in enumerate(cells)}
    count = len(cells)
    tagged = count  # in place of the opponent's cell

    def moved(cell: int, step: tuple[int, int]) -> int:
        x, y = cells[cell]
        return number.get((x + step[0], y + step[1]), cell)

    def flight(robot: int, opponent: int) -> list[tuple[int, float]]:
        found = [(opponent, 0.2)]
        for axis, (near, far) in enumerate(zip(cells[robot], cells[opponent], strict=True)):
            away = int(np.sign(far - near))
            for sign in (-1, 1):
                chance = 0.2 if away == 0 else 0.4 * (sign == away)
                step = (sign, 0) if axis == 0 else (0, sign)
                found.append((moved(opponent, step), chance))
        return found

    actions = (*MOVES, "tag")
    num_states = count * (count + 1)
    cost = np.ones((5, num_states))
    rows, columns, chances = [], [], []
    for a, action in enumerate(actions):
        for robot in range(count):
            after = robot if action == "tag" else moved(robot, MOVES[action])
            for opponent in range(count + 1):
                state = robot * (count + 1) + opponent
                ends = opponent == tagged or (action == "tag" and opponent == robot)
                if opponent == tagged:
                    cost[a, state] = 0.0
                elif action == "tag":
                    cost[a, state] = -10.0 if ends else 10.0
                nexts = [(tagged, 1.0)] if ends else flight(robot, opponent)
                for cell, chance in nexts:
                    rows.append(a * num_states + state)
                    columns.append(after * (count + 1) + cell)
                    chances.append(chance)
    numbers = np.arange(num_states)
    where, other = numbers // (count + 1), numbers % (count + 1)
    seen = np.where(where == other, count, where)
    look = sp.csr_array((np.ones(num_states), (numbers, seen)), shape=(num_states, count + 1))
    start = np.where(other == tagged, 0.0, 1.0 / count**2)
    return ExplicitPOMDP(
        transition=sp.csr_array((chances, (rows, columns)), shape=(5 * num_states, num_states)),
        observation=sp.vstack([look] * 5, format="csr"),
        cost=cost,
        start=start,
        discount=0.95,
        states=tuple(
            f"r{r}-{'tagged' if o == tagged else o}" for r in range(count) for o in range(count + 1)
        ),
        actions=actions,
        observations=(*(f"at{r}" for r in range(count)), "found"),
    )


def rock_sample(
    size: int = 7,
    rocks: Sequence[tuple[int, int]] = ROCK_SAMPLE_7_8,
    start: tuple[int, int] = ROCK_SAMPLE_7_8_START,
    *,
    half_distance: float = 20.0,
    discount: float = 0.95,
) -> ExplicitPOMDP:
    """Return RockSample of Smith and Simmons (2004): a rover samples rocks, some of them good.

    The rover moves on a grid of `size` by `size` cells; leaving it to the east earns 10 and ends
    the mission, other edges stop it. Sampling a good rock earns 10 and makes it bad, sampling a bad
    one, or where there is none, costs 10 and 100. Checking rock i at distance d shows its quality
    rightly with chance (1 + 2^(-d / half_distance)) / 2. Each rock is good with chance 1/2 at the
    start. Moves show "bad" always.

    Parameters
    ----------
    rocks, start
        Cells (x, y) from 0, all different rocks; the defaults are RockSample(7, 8).
    half_distance
        Distance at which the sensor's efficiency is one half [cells].

    Raises
    ------
    ValueError
        If a cell is outside of the grid, or a rock is there twice.
    """
    import scipy.sparse as sp

    for name, cell in [("start", start), *((f"rocks[{i}]", c) for i, c in enumerate(rocks))]:
        if not (len(cell) == 2 and all(0 <= value < size for value in cell)):
            raise ValueError(f"{name} must be a cell from (0, 0) to ({size - 1}, {size - 1}).")
    if len(set(rocks)) != len(rocks):
        raise ValueError("rocks must be different cells.")
    count = len(rocks)
    qualities = np.arange(1 << count)  # bit i: rock i is good
    done = size * size << count  # the state behind the exit
    num_states = done + 1
    actions = (*MOVES, "sample", *(f"check{i}" for i in range(count)))
    target = np.full((len(actions), num_states), done)
    cost = np.zeros((len(actions), num_states))
    good = np.zeros((len(actions), num_states))  # chance of seeing "good" in the next state
    rock_at = {tuple(cell): i for i, cell in enumerate(rocks)}
    for x in range(size):
        for y in range(size):
            states = ((x * size + y) << count) + qualities
            for a, step in enumerate(MOVES.values()):
                to = x + step[0], y + step[1]
                if to[0] == size:
                    cost[a, states] = -10.0
                    continue
                to = to if to[0] >= 0 and 0 <= to[1] < size else (x, y)
                target[a, states] = ((to[0] * size + to[1]) << count) + qualities
            rock = rock_at.get((x, y))
            target[4, states] = states
            cost[4, states] = 100.0
            if rock is not None:
                is_good = (qualities >> rock & 1).astype(bool)
                target[4, states] = states & ~(1 << rock)
                cost[4, states] = np.where(is_good, -10.0, 10.0)
            for i, cell in enumerate(rocks):
                efficiency = 2.0 ** (-np.hypot(x - cell[0], y - cell[1]) / half_distance)
                right = 0.5 * (1.0 + efficiency)
                target[5 + i, states] = states
                good[5 + i, states] = np.where(qualities >> i & 1, right, 1.0 - right)
    rows = np.arange(target.size)
    belief = np.zeros(num_states)
    belief[((start[0] * size + start[1]) << count) + qualities] = 1.0 / len(qualities)
    seen = good.ravel()
    return ExplicitPOMDP(
        transition=sp.csr_array(
            (np.ones(target.size), (rows, target.ravel())), shape=(target.size, num_states)
        ),
        observation=sp.csr_array(np.stack([seen, 1.0 - seen], axis=1)),
        cost=cost,
        start=belief,
        discount=discount,
        actions=actions,
        observations=("good", "bad"),
    )
