r"""The best bias without weight decay (review, after equation 29).

$\nabla_bR = \frac1N\sum(Af+b-e) = A\mu_G+b-\frac1K1$, and R is strictly convex in b. So the outputs are
A(f − μ_G) + 1/K. At the global minimisers themselves μ_G = 0 and b = 1/K: with P = I − J/K and the best bias the risk
of the outputs Z of the class means is $\frac1{2K}\lVert ZP-P\rVert^2+c\lVert Z\rVert_*$,
$c=\sqrt{n\lambda_A\lambda_F}$, and the nuclear norm of Z is larger than that of ZP unless Z1 = 0.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from scipy.optimize import minimize

from nct.ledger import Claim, Instances, Search, Statement, require_close, require_equal
from theory.ufm import squared_error


class Bias(NamedTuple):
    """The best bias of class k is value(K, n, a_kᵀμ_G)."""

    value: Callable[[Any, Any, Any], Any]


claim = Claim(
    id="review.eq-29.bias",
    title="The best bias without weight decay subtracts the global mean",
    source="review, Section 3.1.4, after equation 29",
    verdict="holds",
    depends_on=("review.eq-29",),
    printed=Statement(
        r"b \text{ free}, \lambda_b = 0: \quad b_k^* = \tfrac1K - a_k^\top\mu_G, \text{ the global-mean subtractor: } "
        r"Af + b^* = A(f - \mu_G) + \tfrac1K1 \text{ (read: for all } A, F, \text{ classes balanced)}",
        Bias(lambda K, n, inner: 1 / K - inner),
        formulas={
            r"\tfrac1K": lambda s, K: s.value(K, 2, 0),
        },
    ),
    near_misses={
        "1/N for 1/K": Bias(lambda K, n, inner: 1 / (K * n) - inner),
        "added": Bias(lambda K, n, inner: 1 / K + inner),
        "without 1/K": Bias(lambda K, n, inner: -inner),
    },
)


@claim.check("derived", covers="all")
def test_slope(statement):
    # Row k: Σ(h + b − y)² over N samples, Σh = N a·μ_G, Σy = Σy² = n.
    K, n = sp.symbols("K n", positive=True)
    b, inner, squares, mixed = sp.symbols("b inner squares mixed", real=True)
    risk = (squares + K * n * b**2 + n + 2 * b * K * n * inner - 2 * mixed - 2 * b * n) / (2 * K * n)
    (best,) = sp.solve(sp.diff(risk, b), b)
    require_equal(sp.simplify(best - statement.value(K, n, inner)), 0, "another bias")
    require_equal(sp.diff(risk, b, 2), 1, "not convex")


@claim.check("exact", covers=Instances("K ≤ 4, n = 2, 3, m ≤ 3, small integers, in rationals, 30 points"))
def test_rational_points(statement):
    rng = np.random.default_rng(0)
    for trial in range(30):
        K, n, m = int(rng.integers(2, 5)), 2 + trial % 2, int(rng.integers(1, 4))
        A, F = rng.integers(-2, 3, (K, m)).astype(object), rng.integers(-2, 3, (m, K * n)).astype(object)
        A[0, 0] = F[0, 0] = 5
        mean = F.sum(axis=1) * Fraction(1, K * n)
        b = np.array([statement.value(Fraction(K), n, x) for x in A.dot(mean)], dtype=object)
        slope = (A.dot(F) + b[:, None] - np.repeat(np.eye(K, dtype=int), n, axis=1)).sum(axis=1)
        require_equal(list(slope), [0] * K, "a slope is left", K=K, n=n, A=A, F=F)


@claim.check("optimised", covers=Search("L-BFGS over b, and over all of (A, F, b), K ≤ 4, n ≤ 3, m ≤ 3"))
def test_minimisers_found(statement):
    rng, lam = np.random.default_rng(1), 0.02
    for K, n, m in ((2, 2, 1), (3, 2, 2), (4, 3, 3), (3, 3, 1)):
        N, Y = K * n, np.repeat(np.eye(K), n, axis=1)

        def value(x, A=None, F=None, K=K, m=m, N=N, Y=Y):
            free = A is None
            a, f = (x[: K * m].reshape(K, m), x[K * m : -K].reshape(m, N)) if free else (A, F)
            E = (a @ f + x[-K:, None] - Y) / N
            total = N / 2 * np.sum(E**2) + lam / 2 * (np.sum(a**2) + np.sum(f**2))
            slopes = [(E @ f.T + lam * a).ravel(), (a.T @ E + lam * f).ravel()] if free else []
            return total, np.concatenate([*slopes, E.sum(axis=1)])

        A, F = rng.normal(size=(K, m)), rng.normal(size=(m, N))
        run = minimize(lambda x, A=A, F=F, value=value: value(x, A, F), np.zeros(K), jac=True, options={"gtol": 1e-10})
        stated = np.array([statement.value(K, n, x) for x in A @ F.mean(axis=1)])
        require_close(run.x, stated, "another bias", atol=1e-7, K=K, n=n, m=m)
        options = {"ftol": 1e-15, "gtol": 1e-10, "maxiter": 3000}
        run = minimize(value, rng.normal(size=(K + N) * m + K), jac=True, method="L-BFGS-B", options=options)
        F = run.x[K * m : -K].reshape(m, N)
        stated = np.array([statement.value(K, n, x) for x in run.x[: K * m].reshape(K, m) @ F.mean(axis=1)])
        require_close(run.x[-K:], stated, "another bias at the minimum", atol=1e-6, K=K, n=n, m=m)
        require_close(F.mean(axis=1), np.zeros(m), "a mean at the minimum", atol=1e-4, K=K, n=n, m=m)
        least = squared_error.ufm_mse_optimum(K, n, m, lam, lam, bias=True).loss
        require_close(run.fun, least, "another minimum", rtol=1e-6, K=K, n=n, m=m)
