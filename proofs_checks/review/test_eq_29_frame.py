r"""The minimiser of the regularised squared error is an orthogonal frame (review, Section 3.1.4, after equation 29).

By (24) the risk of the outputs Z of the class means is $\frac1{2K}\lVert Z-I\rVert^2+c\lVert Z\rVert_*$,
$c=\sqrt{n\lambda_A\lambda_F}$, rank Z ≤ m; by von Neumann at least the sum over singular values z of
$\frac1{2K}(z-1)^2+cz=c-\frac{Kc^2}2+\frac1{2K}(z-(1-Kc))^2$, with equality for Z = UzUᵀ only. So min(m, K) of them are
1 − Kc if Kc < 1, else all vanish. Factors are balanced, $\lambda_AA^\top A=n\lambda_F\bar F\bar F^\top$, whence
$\bar F^\top\bar F=\sqrt{\lambda_A/(n\lambda_F)}\,Z$. It is a positive multiple of I for m ≥ K and Kc < 1 only.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import sympy as sp
from scipy.optimize import minimize

from nct.ledger import (
    Claim,
    Condition,
    Instances,
    Part,
    Search,
    Statement,
    require_close,
    require_equal,
    require_proved,
)
from theory import coq
from theory.ufm import squared_error


class Frame(NamedTuple):
    """The minimisers have F̄ᵀF̄ = gram(K, n, λ_A, λ_F) I ≠ 0 under the condition, and only then."""

    applies: Annotated[Callable[[Any, Any, int, Any, Any], bool], Condition]  # K, n, m, λ_A, λ_F
    gram: Callable[[Any, Any, Any, Any], Any]


def gram(K, n, a, f):
    return sp.sqrt(a / (n * f)) * (1 - K * sp.sqrt(n * a * f))


claim = Claim(
    id="review.eq-29.frame",
    title="The minimiser of the regularised squared error is an orthogonal frame",
    source="review, Section 3.1.4, after equation 29",
    verdict="amended",
    depends_on=("review.eq-29",),
    printed=Statement(
        r"b = 0, \lambda_A, \lambda_F > 0: \text{ the minimiser has } \bar F^\top\bar F \propto I_K \text{, and } \bar "
        r"F - \bar f_G1_K^\top \text{ is a simplex ETF (read: a positive multiple, for all } m, n, \lambda_A, "
        r"\lambda_F)",
        Frame(lambda K, n, m, a, f: True, gram),
    ),
    amended=Statement(
        r"\text{every global minimiser has } \bar F^\top\bar F = \sqrt{\tfrac{\lambda_A}{n\lambda_F}}\left(1 - K\sqrt{n"
        r"\lambda_A\lambda_F}\right)I_K \text{ with a positive factor, so that } \bar F - \bar f_G1_K^\top \text{ is a "
        r"simplex ETF, if and only if } m \ge K \text{ and } K^2n\lambda_A\lambda_F < 1; \text{ beyond that threshold "
        r"it is } 0, \text{ and for } m < K \text{ the factor times a projection of rank } m",
        Frame(lambda K, n, m, a, f: m >= K and K**2 * n * a * f < 1, gram),
        formulas={
            r"\sqrt{\tfrac{\lambda_A}{n\lambda_F}}"
            r"\left(1 - K\sqrt{n\lambda_A\lambda_F}\right)": lambda s, K, n, lam_A, lam_F: s.gram(K, n, lam_A, lam_F)
        },
    ),
    near_misses={
        "m ≥ K − 1": Frame(lambda K, n, m, a, f: m >= K - 1 and K**2 * n * a * f < 1, gram),
        "at the threshold": Frame(lambda K, n, m, a, f: m >= K and K**2 * n * a * f <= 1, gram),
        "K for K²": Frame(lambda K, n, m, a, f: m >= K and K * n * a * f < 1, gram),
        "another factor": Frame(
            lambda K, n, m, a, f: m >= K and K**2 * n * a * f < 1,
            lambda K, n, a, f: sp.sqrt(a / (n * f)) * (1 - sp.sqrt(n * a * f)),
        ),
    },
    counterexample_code=r"""
# K = 2, m = n = 1: the zero point costs 1/2, A = (1, 0)ᵀ and F̄ = (1, 0) cost 1/4 + λ. So F̄ ≠ 0 at the minimum, and
# the Gram matrix of two numbers f, g, with entries f², fg, g², is a multiple of I for f = g = 0 only.
lam = 1 / 10
assert 1 / 4 + lam < 1 / 2
print("a 2 × 2 Gram matrix of rank one is no multiple of I")
""",
)

ROOTS = [
    ("1/2", "1/2"),
    ("1/3", "1/5"),
    ("1/4", "1/4"),
    ("1/2", "1/8"),
    ("1", "1/4"),
    ("1/9", "1"),
    ("1/7", "2"),
    ("2", "1/7"),
]


def points():
    """Sizes, and weight decay of which some are at the threshold; K²nλ_Aλ_F is a square for n = 1 and 4."""
    for K in (2, 3, 4):
        for n in (1, 4):
            for m in range(1, K + 2):
                for a, f in [*ROOTS, (sp.Rational(1, K), sp.Rational(1, K * n))]:
                    yield K, n, m, sp.Rational(a) ** 2, sp.Rational(f) ** 2
                yield K, n, m, sp.Rational(1, K), sp.Rational(1, K * n)
                yield K, n, m, sp.Rational(1, K), sp.Rational(99, 100 * K * n)
                yield K, n, m, sp.Rational(1, K), sp.Rational(101, 100 * K * n)


@claim.check("derived", covers="all")
def test_square(statement):
    K, n, a, f, z = sp.symbols("K n lam_A lam_F z", positive=True)
    c = sp.sqrt(n * a * f)
    best = 1 - K * c
    rest = (z - 1) ** 2 / (2 * K) + c * z - (c - K * c**2 / 2) - (z - best) ** 2 / (2 * K)
    require_equal(sp.simplify(rest), 0, "not a square above the minimum")
    require_equal(sp.simplify(statement.gram(K, n, a, f) - sp.sqrt(a / (n * f)) * best), 0, "another factor")
    for sizes in points():  # best > 0, and as many as there are classes
        K, n, m, a, f = sizes
        full = bool(1 - K * sp.sqrt(n * a * f) > 0) and min(m, K) == K
        require_equal(bool(statement.applies(*sizes)), full, "a frame otherwise", K=K, n=n, m=m, lam_A=a, lam_F=f)
    # In all of K, n and the weight decay: what is stated to be positive has the sign of best, for m ≥ K, and nothing
    # is stated below.
    K, n, a, f = sp.symbols("K n lam_A lam_F", positive=True)
    said = statement.applies(K, n, K, a, f)
    require_equal(isinstance(said, sp.StrictLessThan), True, "no strict threshold", said=said)
    ratio = sp.simplify((said.gts - said.lts) / sp.expand(best * (2 - best)))  # 2 − best = 1 + Kc > 0
    require_equal(ratio.is_positive, True, "another threshold", said=said)
    require_equal(bool(statement.applies(K, n, K - 1, a, f)), False, "a Gram matrix of rank below K")


@claim.check("exact", covers=Instances("K ≤ 4, n = 1, 4, m ≤ K + 1, some at the threshold: a convex certificate"))
def test_certificate(statement):
    # Z = zI with F̄ᵀF̄ = g I has A = z F̄ᵀ/g: the slope (Z − I)/K + c is 0 if z > 0, and its norm is ≤ c at 0.
    for sizes in points():
        K, n, m, a, f = sizes
        if m < K:  # F̄ᵀF̄ has rank at most m
            require_equal(bool(statement.applies(*sizes)), False, "a Gram matrix of full rank", K=K, n=n, m=m)
            continue
        c = sp.sqrt(n * a * f)
        zero = bool(1 / sp.Integer(K) <= c)  # ‖(0 − I)/K‖ ≤ c: the zero point is global
        require_equal(bool(statement.applies(*sizes)), not zero, "the zero point", K=K, n=n, m=m, lam_A=a, lam_F=f)
        if not zero:
            g = statement.gram(sp.Integer(K), n, a, f)
            z = g * sp.sqrt(n * f / a)
            require_equal(sp.simplify((z - 1) / K + c), 0, "a slope is left", K=K, n=n, lam_A=a, lam_F=f)


@claim.check(
    "kernel",
    covers=Part(
        "that no slope is left at the stated outputs below the threshold and that zero is optimal beyond it, for all "
        "K, n, λ_A and λ_F"
    ),
)
def test_certificate_by_the_kernel(statement):
    require_proved(claim, coq.script([Path(__file__).with_name("eq_29_frame.v")]))


@claim.check("optimised", covers=Search("L-BFGS from three starts, K ≤ 3, n ≤ 4, m ≤ 3, eight problems"), blind_to={
    "at the threshold": "rounding decides which side of a threshold floats are on"})  # fmt: skip
def test_minimisers_found(statement):
    rng = np.random.default_rng(0)
    for K, n, m, a, f in (
        (2, 1, 1, 0.1, 0.1), (2, 1, 2, 0.1, 0.2), (2, 4, 2, 0.1, 0.1), (2, 4, 2, 0.3, 0.3), (3, 1, 2, 0.05, 0.1),
        (3, 2, 3, 0.02, 0.1), (3, 2, 3, 0.2, 0.2), (2, 2, 3, 0.3, 0.5),
    ):  # fmt: skip
        N, Y = K * n, np.repeat(np.eye(K), n, axis=1)

        def value(x, K=K, m=m, N=N, Y=Y, a=a, f=f):
            A, F = x[: K * m].reshape(K, m), x[K * m :].reshape(m, N)
            E = (A @ F - Y) / N
            total = N / 2 * np.sum(E**2) + a / 2 * np.sum(A**2) + f / 2 * np.sum(F**2)
            return total, np.concatenate([(E @ F.T + a * A).ravel(), (A.T @ E + f * F).ravel()])

        options = {"ftol": 1e-15, "gtol": 1e-10}
        runs = [
            minimize(value, rng.normal(size=(K + N) * m), jac=True, method="L-BFGS-B", options=options)
            for _ in range(3)
        ]
        best = min(runs, key=lambda run: run.fun)
        F = best.x[K * m :].reshape(m, K, n).mean(axis=2)
        size = float(np.trace(F.T @ F)) / K
        frame = size > 1e-4 and float(np.abs(F.T @ F - size * np.eye(K)).max()) < 1e-3 * size
        where = {"K": K, "n": n, "m": m, "lam_A": a, "lam_F": f}
        require_equal(bool(statement.applies(K, n, m, a, f)), frame, "a frame otherwise", **where)
        if frame:
            require_close(size, float(statement.gram(K, n, a, f)), "another factor", rtol=1e-4, **where)
        found = squared_error.ufm_mse_optimum(K, n, m, a, f)
        require_close(best.fun, found.loss, "another minimum", rtol=1e-7, **where)
