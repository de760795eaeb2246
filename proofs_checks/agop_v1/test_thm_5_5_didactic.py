r"""Theorem 5.5 for more than two classes (agop-v1, Section 5.4).

"We assume that the task is binary classification with one-dimensional labels equal to ±1. This assumption is only
didactic and can be dropped." Read: the collapsed kernel $I_K\otimes 1_n1_n^\top$ is the unique optimum of the same
problem, with non-negative entries and μ > 0 (as `agop-v1.thm-5.5` needs them), for any label vectors $y_c$, one a
class, summed over the labels' coordinates. *As read it is false.* *Amended:* the collapsed kernel is an optimum if and
only if no two label vectors make an acute angle, $\langle y_c, y_d\rangle\le0$ for $c\ne d$; with all angles obtuse it
is the only one. So one-hot labels, the corners of a simplex and the printed ±1 may be taken, but ±1 rows for up to four
classes only, and three classes at 1, −1 and 2 may not.

*Proof.* At the collapsed kernel the gradient of the convex cost is −C with blocks
$C_{cd} = \mu\langle y_c,y_d\rangle/((n_c+\mu)(n_d+\mu))\,11^\top$. If all those between classes are at most zero, then
$\Lambda_{cd} = -C_{cd}$ and $S_c = \frac{\mu|y_c|^2}{(n_c+\mu)^2}(n_cI-11^\top)$ prove optimality; S fixes the entries
within classes of non-zero labels, Λ those between with an obtuse angle. If one is positive, k with t between these two
classes is feasible for 0 ≤ t ≤ 1, and the cost falls with the slope $-2n_cn_dC_{cd}$.
"""

import functools
import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Search, Statement, require, require_at_most, require_close, require_equal
from theory import labels
from theory.deep_rfm import kernel_certificate, kernel_ridge


class Labels(NamedTuple):
    """Whether the collapsed kernel is said to be an optimum, from the inner products of classes' labels."""

    optimal: Callable = lambda products: max(products) <= 0


claim = Claim(
    id="agop-v1.thm-5.5.didactic",
    title="Which labels make the collapsed kernel optimal",
    source="agop-v1, Section 5.4, before Theorem 5.5",
    verdict="amended",
    depends_on=["agop-v1.thm-5.5"],
    printed=Statement(
        r"\operatorname*{argmin}_{k} \min_A \operatorname{tr}((Y-Ak)(Y-Ak)^\top) + \mu\operatorname{tr}(kA^\top A)"
        r" \ni I_K\otimes 1_n1_n^\top \text{ over } k \succeq 0,\; k \ge 0,\; k_{ii} = 1,"
        r" \text{ whatever the classes' labels}",
        Labels(optimal=lambda products: True),
    ),
    amended=Statement(
        r"\text{the same if and only if } \langle y_c, y_d\rangle \le 0 \text{ for all } c \ne d",
        Labels(),
    ),
    near_misses={
        "obtuse angles only": Labels(optimal=lambda products: max(products) < 0),
        "one pair is enough": Labels(optimal=lambda products: min(products) <= 0),
        "on average": Labels(optimal=lambda products: sum(products) <= 0),
        "up to a product of one": Labels(optimal=lambda products: max(products) <= 1),
    },
    counterexample_code=r"""
from fractions import Fraction

# Two classes of one sample with the labels 1 and 2, μ = 1: for k = [[1, t], [t, 1]] the cost is μ yᵀ (k+μ)⁻¹ y.
def cost(t):
    return Fraction(1 * 2 * 1 - 2 * t * 1 * 2 + 2 * 2 * 2) / (4 - t * t)

print(f"the collapsed kernel costs {cost(0)}, t = 1/2 costs {cost(Fraction(1, 2))}")
assert cost(Fraction(1, 2)) < cost(0)
""",
)


def products_of(vectors):
    """Inner products of the labels of pairs of classes; columns are classes."""
    gram = np.asarray(vectors).T @ np.asarray(vectors)
    return [gram[c, d].item() for c in range(len(gram)) for d in range(c)]


@claim.check("derived", covers="all")
def test_slope_between_two_classes(statement):
    # On vectors constant on the two classes, in unit indicators: k = [[n, t√nm], [t√nm, m]], rows of labels (a√n, b√m).
    # The cost is μ Σ over coordinates; its slope in t, linear in the product of labels, is that of one coordinate.
    n, m, mu = sp.symbols("n m mu", positive=True)
    a, b, t = sp.symbols("a b t", real=True)
    k = sp.Matrix([[n, t * sp.sqrt(n * m)], [t * sp.sqrt(n * m), m]])
    y = sp.Matrix([[a * sp.sqrt(n), b * sp.sqrt(m)]])
    cost = mu * (y * (k + mu * sp.eye(2)).inv() * y.T)[0]
    slope = sp.factor(sp.diff(cost, t).subs(t, 0))
    require(sp.simplify(slope + 2 * mu * n * m * a * b / ((n + mu) * (m + mu))) == 0, "another slope", slope=slope)
    positive = {n: 2, m: 3, mu: 1}
    for first, second, third in ((1, -1, -1), (1, 2, -1), (1, -2, 3), (1, 0, -1), (1, 1, -5), (2, -1, 0), (0, 1, -2)):
        values = [(first, second), (first, third), (second, third)]
        slopes = [slope.subs({**positive, a: one, b: other}) for one, other in values]
        require_equal(
            bool(statement.optimal([one * other for one, other in values])),
            bool(min(slopes) >= 0),
            "optimal or not",
            labels=(first, second, third),
        )


def label_sets():
    """One-hot labels and ±1 rows for K classes, and all ±1 codes of three classes in three rows, in columns."""
    for K in range(2, 8):
        yield np.eye(K)
        yield 2 * np.eye(K) - 1
    corners = list(itertools.product((-1.0, 1.0), repeat=3))
    for codes in itertools.combinations(corners, 3):
        yield np.array(codes).T


@claim.check("exact", covers=Instances("one-hot and ±1 rows, K ≤ 7, and all ±1 codes of length 3 for K = 3, μ = ½"))
def test_rational_certificate(statement):
    for vectors in label_sets():
        K = vectors.shape[1]
        for sizes in ((1,) * K, (2,) + (1,) * (K - 1)):
            one_hot = labels.one_hot(sizes)
            kernel = kernel_ridge.collapsed_kernel(one_hot)
            certificate = kernel_certificate.dual_certificate(kernel, vectors @ one_hot, Fraction(1, 2))
            faults = certificate.faults()
            stated = bool(statement.optimal(products_of(vectors)))
            shown = {"labels": vectors.tolist(), "sizes": sizes}
            require_equal(stated, not faults, "optimal or not", **shown, faults=faults)


@claim.check(
    "property", covers=Instances("2–4 classes of up to 3 samples, ±1 codes of length up to 5, drawn at random")
)
@given(
    st.lists(st.integers(1, 3), min_size=2, max_size=4),
    st.integers(1, 5),
    st.floats(-2, 2),
    st.integers(0, 2**32 - 1),
)
def test_random_competitors(statement, sizes, rows, log_mu, seed):
    rng, mu, N, K = np.random.default_rng(seed), 10.0**log_mu, sum(sizes), len(sizes)
    vectors, one_hot = rng.choice((-1.0, 1.0), (rows, K)), labels.one_hot(sizes)
    Y, collapsed = vectors @ one_hot, kernel_ridge.collapsed_kernel(one_hot)
    features = np.abs(rng.standard_normal((N, N)))
    features /= np.linalg.norm(features, axis=0)
    others = [features.T @ features, 0.9 * collapsed + 0.1 * features.T @ features]
    for c, d in itertools.combinations(range(K), 2):
        joined = one_hot[[c]].T @ one_hot[[d]]
        # the curvature in t is at most 2 N² rows N²/μ³ times μ: this step shows the sign of the slope
        for step in (0.1, 1e-3, 1e-3 * min(mu, 1) / N):
            others.append(collapsed + step * (joined + joined.T))
    best = kernel_ridge.reduced_objective(collapsed, Y, mu)
    least = min(kernel_ridge.reduced_objective(k, Y, mu) for k in others)
    rounding = 1e-12 * rows * N * (1 + N / mu) * max(mu, 1)
    shown = {"labels": vectors.tolist(), "sizes": sizes, "mu": mu}
    if statement.optimal(products_of(vectors)):
        require_at_most(best, least + rounding, "another kernel costs less", **shown)
    else:
        require(least < best - rounding, "no kernel costs less", **shown)


@functools.cache
def solved(sizes, codes):
    return kernel_ridge.solve(np.array(codes) @ labels.one_hot(sizes), 1.0).value


@claim.check("optimised", covers=Search("Clarabel, two and three classes, five ±1 codes, μ = 1"))
def test_conic_solver(statement):
    for sizes, codes in (
        ((1, 1), ((1.0, 1.0),)),
        ((2, 1), ((1.0, -1.0),)),
        ((1, 2), ((1.0, 1.0), (1.0, -1.0))),
        ((1, 1, 1), ((1.0, -1.0, 1.0), (1.0, -1.0, -1.0))),
        ((1, 1, 1), ((1.0, 1.0, -1.0),)),
    ):
        one_hot = labels.one_hot(sizes)
        found = solved(sizes, codes)
        value = kernel_ridge.reduced_objective(kernel_ridge.collapsed_kernel(one_hot), np.array(codes) @ one_hot, 1.0)
        # Clarabel stops at a relative gap of 1e-8; a positive product gains a share of 0.01 at least
        if statement.optimal(products_of(codes)):
            require_close(found, value, "another value", rtol=1e-6, sizes=sizes, codes=codes)
        else:
            require_at_most(found, (1 - 1e-3) * value, "the solver finds nothing better", sizes=sizes, codes=codes)
