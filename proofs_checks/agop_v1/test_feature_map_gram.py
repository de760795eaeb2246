r"""Random ReLU features and the Gram matrix of unit vectors (agop-v1, Section 5.3).

The feature map is said to separate all pairs of points, "lowering the off-diagonal entries in the empirical kernel and
increasing the effective rank of this matrix". Read, for unit vectors with Gram matrix G (not centred) and the expected
features of Proposition 5.1: K = κ(G) has off-diagonal entries below those of G, and a larger (tr)²/‖·‖_F².

*As read it is false:* κ(cos θ) − cos θ = (sin θ − θ cos θ)/π is zero at θ = 0 and has the derivative θ sin θ/π, so that
the map *raises* every off-diagonal entry below 1. *Amended:* so it does, and if no entry of G is negative, the
effective rank does not rise. *Proof.* Both matrices have a unit diagonal, and 0 ≤ G ≤ K entry by entry gives
‖G‖_F ≤ ‖K‖_F. ∎

With negative entries it can rise: from 2 to 2.93 for three vectors at 120°. Of the centred matrices nothing is claimed
here.
"""

from collections.abc import Callable
from typing import Annotated, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Conclusion, Condition, Instances, Statement, require, require_close, require_equal
from theory.deep_rfm import relu_kernel


class Effects(NamedTuple):
    """What becomes of an entry r < 1, of the effective rank, and for which G the latter (from its entries)."""

    entry: Annotated[Callable, Conclusion] = lambda r, after: after > r
    rank: Annotated[Callable, Conclusion] = lambda before, after: after <= before
    premise: Annotated[Callable, Condition] = lambda entries: min(entries) >= 0


AMENDED = Effects()
claim = Claim(
    id="agop-v1.feature-map-gram",
    title="Random ReLU features raise the entries of the Gram matrix",
    source="agop-v1, Section 5.3",
    verdict="amended",
    printed=Statement(
        r"K = \kappa(G),\; G_{ii} = 1: \quad K_{ij} < G_{ij} \; (i \ne j), \quad "
        r"\frac{(\operatorname{tr} K)^2}{\|K\|_F^2} \ge \frac{(\operatorname{tr} G)^2}{\|G\|_F^2}",
        Effects(lambda r, after: after < r, lambda before, after: after >= before, lambda entries: True),
    ),
    amended=Statement(
        r"K_{ij} > G_{ij} \iff G_{ij} < 1; \text{ and if all } G_{ij} \ge 0: \quad "
        r"\frac{(\operatorname{tr} K)^2}{\|K\|_F^2} \le \frac{(\operatorname{tr} G)^2}{\|G\|_F^2}",
        AMENDED,
    ),
    near_misses={
        "lower in absolute value": Effects(entry=lambda r, after: abs(after) < abs(r)),
        "the effective rank rises": Effects(rank=lambda before, after: after >= before),
        "the effective rank falls for any data": Effects(premise=lambda entries: True),
        "a mean that is not negative is enough": Effects(premise=lambda entries: sum(entries) >= 0),
    },
    depends_on=["agop.prop-A1"],
    counterexample_code=r"""
from math import pi

# Two orthogonal unit vectors: the inner product 0 becomes κ(0) = 1/π, and the effective rank falls from 2.
before, after = 0, 1 / pi
rank = lambda r: 4 / (2 + 2 * r**2)
print(f"the entry goes from {before} to {after:.4f}, the effective rank from {rank(before)} to {rank(after):.4f}")
assert after > before and rank(after) < rank(before)
""",
)


def check(statement, entries, after, **witness):
    """The statement for a Gram matrix by its n² entries and those of the features."""
    for r, raised in zip(entries, after, strict=True):
        # An entry 1 stays as it is.
        require_equal(bool(statement.entry(r, raised)), bool(r < 1), "another direction of an entry", r=r, after=raised)
    if statement.premise([float(r) for r in entries]):
        ranks = [len(entries) / sum(r**2 for r in matrix) for matrix in (entries, after)]  # (tr)² = n²
        require_equal(bool(statement.rank(*ranks)), True, "another direction of the effective rank", **witness)


@claim.check("derived", covers="all")
def test_rising_difference(statement):
    theta, phi = sp.symbols("theta phi", positive=True)
    # 2 E σ(u)σ(v) of a Gaussian vector in the plane of the two: the radial integral is 2.
    angular = sp.cos(phi) * sp.cos(phi - theta)
    kappa = sp.simplify(2 / sp.pi * sp.integrate(sp.expand_trig(angular), (phi, theta - sp.pi / 2, sp.pi / 2)))
    difference = kappa - sp.cos(theta)
    slope = sp.simplify(difference.diff(theta) - theta * sp.sin(theta) / sp.pi)
    require(slope == 0, "another slope than θ sin θ/π, which is positive on (0, π)", slope=slope)
    require(sp.simplify(difference.subs(theta, 0)) == 0, "another value at θ = 0")
    # The statement itself, at vectors at equal angles, as many as there can be with that angle.
    for n, angle in (
        (2, sp.Integer(0)),
        (2, sp.pi / 3),
        (3, sp.pi / 3),
        (2, sp.pi / 2),
        (4, sp.pi / 2),
        (3, 2 * sp.pi / 3),
    ):
        entries = [sp.Integer(1) if i == j else sp.cos(angle) for i in range(n) for j in range(n)]
        after = [sp.Integer(1) if r == 1 else sp.simplify(kappa.subs(theta, angle)) for r in entries]
        check(statement, entries, after, n=n, angle=angle)


@claim.check("property", covers=Instances("2–6 unit vectors in up to 5 dimensions, 50 draws, and the simplex of three"))
@given(st.integers(2, 6), st.integers(2, 5), st.booleans(), st.integers(0, 2**32 - 1))
def test_random_vectors(statement, n, d, nonnegative, seed):
    X = np.random.default_rng(seed).integers(-3, 4, (d, n)).astype(float)
    X[0, ~X.any(axis=0)] = 1
    X = np.abs(X) if nonnegative else X
    X /= np.linalg.norm(X, axis=0)
    triangle = np.full((3, 3), -0.5) + 1.5 * np.eye(3)
    for G in (X.T @ X, triangle):
        G = np.where(G > 1 - 1e-9, 1.0, G)  # parallel vectors, of small integers: others are 2e-4 from it
        after = np.asarray(relu_kernel.expected_product(np.clip(G, -1, 1)))
        require_close(np.diag(after), np.ones(len(G)), "norms are not kept", atol=1e-14)
        after[G == 1] = 1
        check(statement, G.ravel().tolist(), after.ravel().tolist(), G=G)
