r"""Batch normalisation and ReLU in the unconstrained features model (review, Appendix A.4, equations 60 to 63).

A row of $F_{BN}$ is any vector, of squared norm γ² + v², so that (61) is
$\frac12\lVert AG_+-Y\rVert^2+\frac\lambda2(\lVert A\rVert^2+\lVert G\rVert^2)$ with any G. Of the multiples A = aI, G =
gY it is $K[\frac n2(ag-1)^2+\frac\lambda2(a^2+ng^2)]$, least for $a=\sqrt n\,g$, $ng^2=\sqrt n-\lambda$, and
`review.A4.optimum` shows that no other point is better. In the rows γ² + v² = ng², where (62) says 1: it is the
minimiser for λ = √n − 1 only. Rows of zeros of F* have no normalisation; their scale and shift have to be 0.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from scipy.optimize import minimize

from nct.ledger import Claim, Instances, Part, Search, Statement, require_close, require_equal, require_proved
from theory import coq
from theory.ufm import squared_error


class Scales(NamedTuple):
    """γ*, v* of the rows j ≤ K are scale(n, λ) times γ(K), v(K), and F*_BN is scale(n, λ) times outputs(K, n) Y."""

    gamma: Callable[[Any], Any]
    v: Callable[[Any], Any]
    outputs: Callable[[Any, Any], Any]
    scale: Callable[[Any, Any], Any]


def gamma(K):
    return sp.sqrt((K - 1) / K)


def v(K):
    return 1 / sp.sqrt(K)


def outputs(K, n):
    return 1 / sp.sqrt(n)


def scale(n, lam):
    return sp.sqrt(sp.Max(sp.sqrt(n) - lam, 0))


claim = Claim(
    id="review.A4",
    title="Scales and shifts of batch normalisation at the minimum",
    source="review, Appendix A.4, equations 60 to 63",
    verdict="amended",
    printed=Statement(
        r"\min\tfrac12\|A(F_{BN})_+ - Y\|_F^2 + \tfrac{\lambda_A}2\sum_j(\gamma_j^2 + v_j^2 + \|a_j\|^2) \text{ is "
        r"attained at } \gamma_j^* = \frac{\|y_j - \frac1NJy_j\|}{\|y_j\|} = \sqrt{\tfrac{K-1}K}, v_j^* = \frac{1^\top "
        r"y_j}{\sqrt N\|y_j\|} = \tfrac1{\sqrt K}, F^* = [Y; 0] \text{ and the best } A, \text{ where } F_{BN}^* = "
        r"\sqrt{K/N}[Y; 0] "
        r"\text{ (}a_j\text{ column } j \text{ of } A; \text{ for all } \lambda_A > 0)",
        Scales(gamma, v, outputs, lambda n, lam: sp.Integer(1)),
        formulas={
            r"\sqrt{\tfrac{K-1}K}": lambda s, K: s.gamma(K),
            r"\tfrac1{\sqrt K}": lambda s, K: s.v(K),
        },
    ),
    amended=Statement(
        r"\text{for } m \ge K, \lambda_A > 0 \text{ it is attained at } \gamma_j = s\sqrt{\tfrac{K-1}K}, v_j = "
        r"\tfrac s{\sqrt K} (j \le K), \gamma_j = v_j = 0 (j > K), F^* = [Y; F'] \text{ with any rows } "
        r"F' \text{ that are not constant (of which (60) would divide by 0)}, s = \sqrt{(\sqrt n - \lambda_A)_+}, A "
        r"= s[I, 0], \text{ where } F_{BN} = s\sqrt{K/N}[Y; 0]; \text{ so at the printed values for } \lambda_A = "
        r"\sqrt n "
        r"- 1 \text{ only}",
        Scales(gamma, v, outputs, scale),
    ),
    near_misses={
        "without the root": Scales(gamma, v, outputs, lambda n, lam: sp.Max(sp.sqrt(n) - lam, 0)),
        "n for √n": Scales(gamma, v, outputs, lambda n, lam: sp.sqrt(sp.Max(n - lam, 0))),
        "γ and v exchanged": Scales(v, gamma, outputs, scale),
        "√K for √(K/N)": Scales(gamma, v, lambda K, n: sp.sqrt(K), scale),
    },
    counterexample_code=r"""
# K = 2, n = 1, m = 2, λ = 1: at the printed values F_BN = I, the best A = aI costs (a − 1)² + (2 + 2a²)/2, at least
# 3/2 (a = 1/2); the zero point costs ½‖Y‖² = 1.
best = min((a / 100 - 1) ** 2 + 1 + (a / 100) ** 2 for a in range(101))
print(best, "at the printed values, 1 at the zero point")
assert best > 1
""",
)

POINTS = [(2, 1, "1/3"), (2, 4, "1/2"), (3, 4, 1), (3, 9, "1/4"), (4, 1, 1), (2, 4, 3), (3, 1, "3/2")]


@claim.check("derived", covers="all")
def test_multiples_of_the_labels(statement):
    # (60) at F* = Y: a row of Y has n ones; off its mean n(1 − 1/K) of squared norm.
    K, n = sp.symbols("K n", positive=True)
    lam, a, g = sp.symbols("lam a g", positive=True)
    ones, zeros = 1 - 1 / K, -1 / K
    norm = sp.sqrt(n * ones**2 + (K * n - n) * zeros**2)
    row = [x / norm * statement.gamma(K) + statement.v(K) / sp.sqrt(K * n) for x in (ones, zeros)]
    require_equal(sp.simplify(row[0] - statement.outputs(K, n)), 0, "(60) does not give (63)")
    values = {K: 3, n: 5}
    require_close(float(row[1].subs(values)), 0.0, "(60) does not give (63) off the class", atol=1e-12)
    require_equal(sp.simplify(row[1].subs(K, 7)), 0, "(60) does not give (63) off the class")
    # The least of the multiples: G = gY.
    risk = n * (a * g - 1) ** 2 / 2 + lam * (a**2 + n * g**2) / 2
    x = sp.Symbol("x", positive=True)  # √n − λ where it is positive
    point = {a: sp.sqrt(x), g: sp.sqrt(x / n), lam: sp.sqrt(n) - x}
    slopes = [sp.simplify(sp.diff(risk, y).subs(point, simultaneous=True)) for y in (a, g)]
    require_equal(slopes, [0, 0], "no critical point")
    stated = statement.scale(n, sp.sqrt(n) - x) * statement.outputs(K, n)
    require_equal(sp.simplify(stated - sp.sqrt(x / n)), 0, "another scale")
    require_equal(sp.simplify(statement.scale(n, sp.sqrt(n) + x)), 0, "not zero above √n")


@claim.check("exact", covers=Instances("seven (K, n, λ), in surds: the slopes and the dual bound at the stated point"))
def test_certificate(statement):
    # A critical point whose residual has no singular value above λ is global: the convex bound is tight there.
    for K, n, lam in POINTS:
        K, n, lam = sp.Integer(K), sp.Integer(n), sp.Rational(lam)
        s = statement.scale(n, lam)
        y = [sp.Integer(1), sp.Integer(0)]
        centred = [value - 1 / K for value in y]
        norm = sp.sqrt(n * centred[0] ** 2 + (K - 1) * n * centred[1] ** 2)
        row = [s * (c / norm * statement.gamma(K) + statement.v(K) / sp.sqrt(K * n)) for c in centred]
        require_equal([sp.simplify(x) for x in row], [s * statement.outputs(K, n), 0], "(60) does not give (63)", K=K)
        g = row[0]
        a = n * g / (n * g**2 + lam)  # the best A = aI
        require_equal(sp.simplify(n * a * (a * g - 1) + lam * n * g), 0, "a slope in G is left", K=K, n=n, lam=lam)
        require_equal(bool(sp.sqrt(n) * abs(a * g - 1) <= lam), True, "not the global minimum", K=K, n=n, lam=lam)


@claim.check(
    "kernel", covers=Part("that no slope is left at the stated point and the dual bound is met, for all n and λ_A")
)
def test_certificate_by_the_kernel(statement):
    require_proved(claim, coq.script([Path(__file__).with_name("A4.v")]))


@claim.check("optimised", covers=Search("L-BFGS from six starts, m ≤ K + 1, K ≤ 3, n ≤ 4, seven λ"))
def test_minimisers_found(statement):
    rng = np.random.default_rng(0)
    for K, n, lam in POINTS:
        lam = float(sp.Rational(lam))
        m, N = K + 1, K * n
        Y = np.repeat(np.eye(K), n, axis=1)

        def value(x, K=K, m=m, N=N, Y=Y, lam=lam):
            A, F, g, v = np.split(x, np.cumsum([K * m, m * N, m]))
            A, F = A.reshape(K, m), F.reshape(m, N)
            c = F - F.mean(axis=1, keepdims=True)
            norm = np.linalg.norm(c, axis=1, keepdims=True)
            u = c / norm
            G = g[:, None] * u + v[:, None] / N**0.5
            E = A @ np.maximum(G, 0) - Y
            dG = (A.T @ E) * (G > 0)
            du = g[:, None] * dG
            dF = (du - du.mean(axis=1, keepdims=True) - u * np.sum(u * du, axis=1, keepdims=True)) / norm
            total = np.sum(E**2) / 2 + lam / 2 * (np.sum(A**2) + g @ g + v @ v)
            dg, dv = np.sum(dG * u, axis=1) + lam * g, dG.sum(axis=1) / N**0.5 + lam * v
            return total, np.concatenate([(E @ np.maximum(G, 0).T + lam * A).ravel(), dF.ravel(), dg, dv])

        runs = [
            minimize(
                value, rng.normal(size=K * m + m * N + 2 * m), jac=True, method="L-BFGS-B", options={"ftol": 1e-14}
            )
            for _ in range(6)
        ]
        best = min(run.fun for run in runs)
        s = float(statement.scale(sp.Integer(n), lam))
        A, F = np.eye(K, m), np.vstack([Y, rng.normal(size=(m - K, N))])
        G = s * float(statement.outputs(sp.Integer(K), n)) * Y
        A[:, :K] *= np.sum(G * Y) / (np.sum(G * G) + K * lam)
        on = np.arange(m) < K
        gv = [s * float(f(sp.Integer(K))) * on for f in (statement.gamma, statement.v)]
        stated = value(np.concatenate([A.ravel(), F.ravel(), *gv]))[0]
        require_close(stated, min(best, N / 2), "not the minimum found", rtol=1e-5, K=K, n=n, lam=lam)
        found = squared_error.batchnorm_optimum(K, n, m, lam)
        require_close(found.gamma, gv[0], "other scales", atol=1e-12)
        require_close(found.v, gv[1], "other shifts", atol=1e-12)
