r"""Features with a given output, and the one of least norm (review, Section 3.1.1).

It is printed that $(A\cdot+b)^{-1}(z_i)$ is an affine subspace of dimension m − K of $\mathbb R^m$, and that by the
strict convexity of the $\ell^p$ norm, $1<p<\infty$, collapse of the outputs passes to features that are $\ell^p$-norm
constrained.

The dimension is m − rank A, where the set is not empty:
$A = P\bigl(\begin{smallmatrix}I_r&0\\0&0\end{smallmatrix}\bigr)Q$ with invertible P and Q, so that Q takes the set to
the vectors with r given entries. It is m − K only if A has rank K. The classifier of a collapsed state has not: its
rows sum to zero, its rank is K − 1, and the dimension m − K + 1; for m = K − 1 the features follow from the outputs.
The least-norm feature is unique for every A: the midpoint of two would have a smaller norm, since $|x|^p$ is strictly
convex. For p = 1 and p = ∞ it need not be.
"""

from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from nct.ledger import (
    Claim,
    Instances,
    Part,
    Search,
    Statement,
    require,
    require_at_most,
    require_close,
    require_equal,
)
from theory.ufm import cross_entropy

DIMENSION, UNIQUE = "the dimension", "the least norm"


class Preimage(NamedTuple):
    """The dimension of a preimage that is not empty, and exactly for which p its point of least lᵖ norm is unique."""

    dimension: Callable[[int, int, int], int]  # m, K, rank A
    unique: Callable[[Any], bool]  # of p ≥ 1: for every A and output


def between(p):
    return 1 < p < sp.oo


claim = Claim(
    id="review.preimage",
    title="The features with a given output",
    source="review, Section 3.1.1",
    verdict="amended",
    printed=Statement(
        r"(A\cdot + b)^{-1}(z_i) \text{ is an } (m - K)\text{-dimensional affine subspace of } \mathbb R^m;"
        r"\text{ its point of least } \ell^p \text{ norm is unique for } 1 < p < \infty",
        Preimage(lambda m, K, rank: m - K, between),
    ),
    amended=Statement(
        r"(A\cdot + b)^{-1}(z) \text{ is empty or an affine subspace of dimension } m - \operatorname{rank} A "
        r"\text{, for a collapsed classifier } m - K + 1;"
        r"\text{ its point of least } \ell^p \text{ norm is unique for } 1 < p < \infty \text{ and, for some } A,"
        r"\text{ not for } p = 1, \infty",
        Preimage(lambda m, K, rank: m - rank, between),
        parts=[DIMENSION, UNIQUE],
    ),
    near_misses={
        "m − K + 1 for every A": Preimage(lambda m, K, rank: m - K + 1, between),
        "unique for p = 1 too": Preimage(lambda m, K, rank: m - rank, lambda p: 1 <= p < sp.oo),
        "unique for p = ∞ too": Preimage(lambda m, K, rank: m - rank, lambda p: p > 1),
    },
    counterexample_code=r"""
from fractions import Fraction

# The classifier of a collapsed state with K = m = 3, A = I - J/3, and the output z = (2, -1, -1)/3 of class 1.
A = [[Fraction(2 if i == j else -1, 3) for j in range(3)] for i in range(3)]
features = [(1, 0, 0), (2, 1, 1)]  # two of a line of features with that output, where m - K = 0
outputs = [[sum(a * f for a, f in zip(row, feature)) for row in A] for feature in features]
print(outputs[0])
assert outputs[0] == outputs[1]
""",
)

ABOUT_P = {
    "unique for p = 1 too": "the check is of the dimension",
    "unique for p = ∞ too": "the check is of the dimension",
}
COLLAPSED = {"m − K + 1 for every A": "the classifier is a collapsed one"}


def elementary(size, step):
    """An invertible integer matrix."""
    lower = sp.Matrix(size, size, lambda i, j: int(i == j) + step * int(i == j + 1))
    return lower * lower.T


@claim.check("exact", covers=Part(DIMENSION), blind_to=ABOUT_P)
def test_matrices_of_every_rank(statement):
    # Every matrix is P diag(I_r, 0) Q: the normal form decides, for all A of these sizes.
    for m, K in product(range(1, 6), range(2, 5)):
        for r in range(min(m, K) + 1):
            A = sp.zeros(K, m)
            A[:r, :r] = sp.eye(r)
            A = elementary(K, 1) * A * elementary(m, -1)
            free = m - len(sp.Matrix(A).rref()[1])
            require_equal(statement.dimension(m, K, r), free, "another dimension", m=m, K=K, rank=r)
    m, r = sp.symbols("m r")  # the entries that the normal form leaves free, for every size
    for K in range(2, 6):
        require_equal(sp.expand(statement.dimension(m, K, r) - (m - r)), 0, "another dimension", K=K)


@claim.check("exact", covers=Part(UNIQUE), blind_to=COLLAPSED)
def test_strict_convexity(statement):
    x, p = sp.symbols("x p", positive=True)
    second = sp.simplify(sp.diff(x**p, x, 2) / x ** (p - 2))
    for value in (1, sp.Rational(101, 100), sp.Rational(3, 2), 2, 3, 50):
        strict = second.subs(p, value) > 0  # and an even function: |x|ᵖ is strictly convex
        if value > 1:
            require_equal(statement.unique(value), bool(strict), "strictly convex or not", p=value)
    require_equal(sp.factor(second - p * (p - 1)), 0, "another second derivative")
    # With one point in the preimage there is nothing to choose: the classifier of a collapsed state, m = K = 3.
    require_equal(statement.dimension(3, 3, 2), len((sp.eye(3) - sp.ones(3) / 3).nullspace()), "another dimension")
    if statement.unique(1):  # f_1 + f_2 = 1: two points of norm 1, and |f_1| + |f_2| ≥ 1
        require(False, "two of least norm", p=1, A=[[1, 1], [-1, -1]], features=[(1, 0), (0, 1)])
    if statement.unique(sp.oo):  # f_1 = 1: max(|f_1|, |f_2|) ≥ 1
        require(False, "two of least norm", p="∞", A=[[1, 0], [-1, 0]], features=[(1, 0), (1, 1)])


@claim.check("property", covers=Instances("K ≤ 4, m ≤ 5, any rank, integer entries, 50 drawn"), blind_to=ABOUT_P)
@given(st.integers(2, 4), st.integers(1, 5), st.integers(1, 4), st.booleans(), st.integers(0, 9999))
def test_drawn_matrices(statement, K, m, rank, centred, seed):
    rng = np.random.default_rng(seed)
    A = (rng.integers(-3, 4, (K, rank)) @ rng.integers(-3, 4, (rank, m))).astype(float)
    if centred:  # as the classifier of a collapsed state
        A -= A.mean(axis=0)
    found = cross_entropy.preimage(A, A @ rng.normal(size=m))
    require_close(A @ found.directions + 1, np.ones((K, found.dimension)), "other outputs", atol=1e-9, A=A.tolist())
    exact = sp.Matrix((K * A).round().astype(int).tolist()).rank()
    require_equal(statement.dimension(m, K, exact), found.dimension, "another dimension", A=A.tolist())


@claim.check(
    "optimised",
    covers=Search("the simplex ETF of K = 3 in m = 4, p = 1, 1.5, 2, 3, ∞, from three starts or objectives"),
    blind_to=COLLAPSED,
)
def test_minimisers_from_several_starts(statement):
    A = np.hstack([np.eye(3) - 1 / 3, np.ones((3, 1)) * [[1], [-1], [0]]])
    z = A @ np.array([0.3, -1.0, 0.4, 0.2])
    rng = np.random.default_rng(0)
    found = cross_entropy.preimage(A, z)
    require_equal(statement.dimension(4, 3, 2), found.dimension, "another dimension")
    for p in (1.5, 2, 3):
        require(statement.unique(p), "one minimiser is found", p=p)
        if statement.unique(p):

            def size(t, p=p):
                f = found.point + found.directions @ t
                return np.sum(np.abs(f) ** p), found.directions.T @ (p * np.sign(f) * np.abs(f) ** (p - 1))

            least = cross_entropy.least_norm_preimage(A, z, p)
            for _ in range(3):
                t = minimize(size, rng.normal(size=2), jac=True, method="BFGS", options={"gtol": 1e-9}).x
                f = found.point + found.directions @ t
                require_close(f, least, "another minimiser", atol=1e-5, p=p)
    # Linear programs: min Σ s with |f| ≤ s, and min s with |f_i| ≤ s, where f_1 + f_2 = 1 or f_1 = 1.
    for p, row, constraints, cost in (
        (1, [[1, 1, 0, 0]], np.block([[np.eye(2), -np.eye(2)], [-np.eye(2), -np.eye(2)]]), [0, 0, 1, 1]),
        (sp.oo, [[1, 0, 0, 0]], np.block([[np.eye(2), -np.ones((2, 1)), np.zeros((2, 1))],
                                          [-np.eye(2), -np.ones((2, 1)), np.zeros((2, 1))]]), [0, 0, 1, 0]),
    ):  # fmt: skip
        if statement.unique(p):
            ends = []
            for tilt in (1e-3, -1e-3):
                tilted = np.array(cost, float) + np.array([0, tilt, 0, 0])
                bounds = [(None, None)] * 2 + [(0, 10)] * 2
                run = linprog(tilted, constraints, np.zeros(4), row, [1], bounds=bounds)
                ends.append(run.x[:2])
            require_at_most(
                np.abs(ends[0] - ends[1]).max(), 0.1, "two minimisers", p=str(p), ends=np.array(ends).tolist()
            )
