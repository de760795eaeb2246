r"""Whether descent from a small start stays along the subspace of collapse (review, Section 3.1.2, after Figure 3).

As ‖F₀‖, ‖A₀‖ → 0 the entire trajectory tends to stay along S. Of the distance from S itself that is what is seen: its
largest value over the trajectory is in proportion to ε. Relative to the size of (A, F) it is not: the share of a random
start outside T does not depend on ε, and most of a start is outside, so that the trajectory begins at the same relative
distance for every ε.
"""

from functools import cache
from typing import Literal, NamedTuple

import numpy as np

from nct.ledger import Claim, Instances, Statement, require_at_most, require_close
from theory.ufm import strong_collapse

K, N, M = 3, 9, 15


class Distance(NamedTuple):
    """The largest distance from S along a trajectory is proportional to this power of ε."""

    kind: Literal["absolute", "relative"]
    power: float


claim = Claim(
    id="review.snc-init.trajectory",
    title="Descent from small starts stays along the subspace of collapse",
    source="review, Section 3.1.2, after Figure 3",
    verdict="observed",
    printed=Statement(
        r"\text{as } \|F_0\|_F, \|A_0\|_F \to 0 \text{ the entire trajectory of gradient descent tends to stay "
        r"along } S "
        r"\text{ (read: its largest distance from } S \text{ tends to 0, in proportion to } \|F_0\|_F\text{)}",
        Distance("absolute", 1),
    ),
    ran="K = 3, N = 9, m = 15, Gaussian starts scaled to ε = 1e-6, 1e-4, 1e-2, seeds 0–2, 1,500 steps of 0.05, "
    "every 25th "
    "looked at. All values are ours",
    near_misses={
        "relative to ‖(A, F)‖": Distance("relative", 1),
        "to ε²": Distance("absolute", 2),
        "to √ε": Distance("absolute", 0.5),
    },
    depends_on=["review.snc-init", "review.eq-20"],
)

SIZES = (1e-6, 1e-4, 1e-2)


@cache
def descents(seed):
    rng = np.random.default_rng(seed)
    A, F = rng.normal(size=(K, M)), rng.normal(size=(M, N))
    scale = np.array(SIZES)[:, None, None]
    A, F = scale * A / np.linalg.norm(A), scale * F / np.linalg.norm(F)
    return strong_collapse.gradient_descent(A, F, step=0.05, steps=1500, every=25)


def largest(statement, path):
    """The largest distance along a trajectory."""
    distance = path.distances
    if statement.kind == "relative":
        distance = distance / np.sqrt((path.A**2).sum(axis=(1, 2)) + (path.F**2).sum(axis=(1, 2)))
    return distance.max()


@claim.check("simulated", covers=Instances("three values of ε, three seeds"))
def test_descent(statement):
    for seed in range(3):
        paths = descents(seed)
        found = np.log([largest(statement, path) for path in paths])
        slopes = np.diff(found) / np.diff(np.log(SIZES))
        require_close(slopes, np.full(2, statement.power), "another power", rtol=1e-2, seed=seed)
        for path in paths:
            require_at_most(path.risks[-1] * 1e3, path.risks[0], "it has not descended", seed=seed)


@claim.check("property", covers=Instances("the gradient flow, ε = 1e-3 and 1e-2, five random starts, by an integrator"))
def test_flow(statement):
    for seed in range(5):
        check_flow(statement, np.random.default_rng(100 + seed), seed)


def check_flow(statement, rng, seed):
    A, F = rng.normal(size=(K, M)), rng.normal(size=(M, N))
    A, F = A / np.linalg.norm(A), F / np.linalg.norm(F)
    times = np.concatenate([[0.0], np.linspace(0.05, 12, 25)])
    less, more = (
        largest(statement, strong_collapse.gradient_flow(s * A, s * F, times, rtol=1e-8)) for s in (1e-3, 1e-2)
    )
    # The next terms are of relative order ε: a slope is off by a few per mille.
    require_close(np.log10(more / less), statement.power, "another power", rtol=1.5e-2, seed=seed)
