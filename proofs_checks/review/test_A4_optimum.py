r"""The least squared error with batch normalisation (review, Appendix A.4, equations 61 and 62).

(61) is at least the problem without ReLU, $\min_Z\frac12\lVert Z-Y\rVert^2+\lambda\lVert Z\rVert_*$ (its rows are any
vectors, and ReLU only shortens them). By von Neumann with singular values √n of Y, K times, this is at least
$K\min_z[\frac12(z-\sqrt n)^2+\lambda z]$, a square completed: $K(\lambda\sqrt n-\lambda^2/2)$ for λ ≤ √n, at $z=\sqrt
n-\lambda$, else Kn/2 at 0. Multiples of Y, which are not negative, attain it for m ≥ K.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from nct.ledger import Claim, Instances, Search, Statement, require_at_most, require_close, require_equal
from theory.ufm import squared_error


class Least(NamedTuple):
    """The least risk, K below(n, λ) for λ ≤ √n and K above(n, λ) beyond."""

    below: Callable[[Any, Any], Any]
    above: Callable[[Any, Any], Any]


def true(n, lam):
    return lam * sp.sqrt(n) - lam**2 / 2


def printed(n, lam):
    return lam / 2 * (1 + n / (1 + lam))


claim = Claim(
    id="review.A4.optimum",
    title="The least squared error with batch normalisation",
    source="review, Appendix A.4, equations 61 and 62",
    verdict="amended",
    printed=Statement(
        r"\text{the closed-form solution (62) is a global minimum of (61), for every } \lambda_A > 0: \text{ with the "
        r"best "
        r"} A \text{ there, } \min R_{SE-BN} = \tfrac{K\lambda_A}2\left(1 + \frac n{1 + \lambda_A}\right)",
        Least(printed, printed),
        formulas={
            r"\tfrac{K\lambda_A}2\left(1 + \frac n{1 + \lambda_A}\right)": lambda s, K, n, lam_A: K * s.below(n, lam_A),
        },
    ),
    amended=Statement(
        r"m \ge K: \min R_{SE-BN} = K\left(\lambda_A\sqrt n - \tfrac{\lambda_A^2}2\right) \text{ if } \lambda_A \le "
        r"\sqrt n, \text{ else } \tfrac N2, \text{ at } A = 0, F_{BN} = 0",
        Least(true, lambda n, lam: n / 2),
        formulas={
            r"K\left(\lambda_A\sqrt n - \tfrac{\lambda_A^2}2\right)": lambda s, K, n, lam_A: K * s.below(n, lam_A),
            r"\tfrac N2": lambda s, N: s.above(N, N),
        },
    ),
    near_misses={
        "no threshold": Least(true, true),
        "λ²": Least(lambda n, lam: lam * sp.sqrt(n) - lam**2, lambda n, lam: n / 2),
        "1/2 above": Least(true, lambda n, lam: n / n / 2),
    },
    counterexample_code=r"""
# K = 2, n = 1, λ = 1: (62) costs 2·1/2·(1 + 1/2) = 3/2, the zero point ½‖Y‖² = 1.
print(2 * 1 / 2 * (1 + 1 / 2), "at the printed values, 1 at the zero point")
assert 2 * 1 / 2 * (1 + 1 / 2) > 1
""",
)


@claim.check("derived", covers="all")
def test_square(statement):
    n, lam, z, x = sp.symbols("n lam z x", positive=True)
    cost = (z - sp.sqrt(n)) ** 2 / 2 + lam * z
    rest = sp.expand(cost - statement.below(n, lam) - (z - (sp.sqrt(n) - lam)) ** 2 / 2)
    require_equal(sp.simplify(rest), 0, "not a square above the minimum")
    beyond = sp.sqrt(n) + x  # λ: what is left, z²/2 + xz, is least at 0
    rest = sp.expand(cost.subs(lam, beyond) - statement.above(n, beyond) - z**2 / 2 - x * z)
    require_equal(sp.simplify(rest), 0, "another minimum above the threshold")


def stated(statement, K, n, lam):
    return K * float((statement.below if lam * lam <= n else statement.above)(sp.Integer(n), lam))


@claim.check("optimised", covers=Search("L-BFGS-B on A and F_BN ≥ 0, six starts, K ≤ 3, n ≤ 4, m ≤ K + 1, nine λ"))
def test_minima_found(statement):
    rng = np.random.default_rng(0)
    for K, n, m, lam in (
        (2, 1, 2, 0.3), (2, 1, 3, 1.2), (2, 4, 2, 0.5), (2, 4, 3, 1.5), (3, 2, 3, 0.2), (3, 2, 4, 1.0), (3, 1, 3, 0.9),
(3, 4, 3, 3.0), (2, 3, 2, 1.8),     ):  # fmt: skip
        Y = np.repeat(np.eye(K), n, axis=1)

        def value(x, K=K, m=m, Y=Y, lam=lam):
            A, G = x[: K * m].reshape(K, m), x[K * m :].reshape(m, -1)
            E = A @ G - Y
            slopes = np.concatenate([(E @ G.T).ravel(), (A.T @ E).ravel()])
            return np.sum(E**2) / 2 + lam / 2 * (x @ x), slopes + lam * x

        bounds = [(None, None)] * (K * m) + [(0, None)] * (m * K * n)
        best = min(
            minimize(value, rng.uniform(0.01, 1, K * m + m * K * n), jac=True, bounds=bounds, method="L-BFGS-B").fun
            for _ in range(6)
        )
        require_close(best, stated(statement, K, n, lam), "another minimum", rtol=1e-5, K=K, n=n, m=m, lam=lam)


@claim.check("property", covers=Instances("K ≤ 4, n ≤ 6, λ from 0.05 to 4, the point of the theory and 20 near it"))
@given(st.integers(2, 4), st.integers(2, 6), st.floats(0.05, 0.95), st.integers(0, 2**32 - 1))
def test_near_the_minimum(statement, K, n, part, seed):
    rng = np.random.default_rng(seed)
    Y = np.repeat(np.eye(K), n, axis=1)
    for lam in (part * n**0.5, n**0.5 / part):
        found, least = squared_error.batchnorm_optimum(K, n, K, lam), stated(statement, K, n, lam)
        for size in [0.0] + [0.1] * 20:
            A, G = found.A + size * rng.normal(size=(K, K)), found.F_BN + size * rng.normal(size=Y.shape)
            risk = np.sum((A @ np.maximum(G, 0) - Y) ** 2) / 2 + lam / 2 * (np.sum(A**2) + np.sum(G**2))
            require_at_most(least, risk * (1 + 1e-12), "a smaller risk", K=K, n=n, lam=lam)
            if size == 0:
                require_close(risk, least, "not attained", rtol=1e-12, K=K, n=n, lam=lam)
