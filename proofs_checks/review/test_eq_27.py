r"""The direction of negative curvature at critical points that are not global minima (review, equation 27).

At a point of $\mathcal C_2$ let G be the gradient in the outputs, $\sigma=\lVert
G\rVert_2>\mu=\sqrt{\lambda_A\lambda_F}$, $\rho=(\lambda_A/\lambda_F)^{1/4}$ and Aw = 0, $\lVert w\rVert=1$. As
$\lambda_FF=-A^\top G$, also $w^\top F=0$. Along $\Delta F=-\alpha wv^\top$, $\Delta A=\beta uw^\top$ the outputs
change by $-\alpha\beta\varepsilon^2uv^\top$ only, and

$$ R''=-2\alpha\beta\langle u,Gv\rangle+\lambda_A\beta^2+\lambda_F\alpha^2 . $$

Printed are α = β = ρ, which gives $\rho^2(\lambda_A+\lambda_F-2\sigma)$: not negative for
$\mu<\sigma\le\frac{\lambda_A+\lambda_F}2$. With β = 1/ρ it is 2(μ − σ) < 0, the least for all α, β with αβ = 1. And
printed are the singular vectors of the *second* derivative $\nabla_Z^2g$, a map of $\mathbb R^{K\times N}$ with no
$u\in\mathbb R^K$, $v\in\mathbb R^N$; those of the gradient are meant. Read as the top eigenvector of the Hessian, a
matrix of size K × N, and its singular vectors, it fails as well.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require, require_at_most, require_close, require_equal
from theory.ufm import cross_entropy


class Direction(NamedTuple):
    """ΔF = −α w vᵀ, ΔA = β u wᵀ, with u and v of the gradient or of the top matrix of the Hessian."""

    alpha: Callable[[Any, Any], Any]  # of λ_A, λ_F
    beta: Callable[[Any, Any], Any]
    of: Literal["gradient", "Hessian"]
    curvature: Callable[[Any, Any, Any], Any]  # of λ_A, λ_F, σ


def ratio(x, y):
    return (x / y) ** sp.Rational(1, 4) if isinstance(x, sp.Basic) else (x / y) ** 0.25


def alpha(lam_A, lam_F):
    return ratio(lam_A, lam_F)


def beta(lam_A, lam_F):
    return ratio(lam_F, lam_A)


def curvature(lam_A, lam_F, sigma):
    return 2 * (sp.sqrt(lam_A * lam_F) - sigma)


claim = Claim(
    id="review.eq-27",
    title="The direction of negative curvature",
    source="review, equation 27",
    verdict="amended",
    printed=Statement(
        r"(F, A, b) \in \mathcal C_2,\ m > K,\ A w = 0,\ w \ne 0: \quad \Delta = \left(-(\lambda_A/\lambda_F)^{1/4} w "
        r"v^\top, (\lambda_A/\lambda_F)^{1/4} u w^\top, 0\right) \text{ is a direction of negative curvature, with } "
        r"u, v \text{ the singular vectors of the largest singular value of } \nabla^2_{Z=AF}\, g",
        Direction(alpha, alpha, "Hessian", curvature),
    ),
    amended=Statement(
        r"(F, A, b) \in \mathcal C_2,\ A w = 0,\ \lVert w\rVert = 1: \quad \Delta = \left(-(\lambda_A/\lambda_F)^{1/4} "
        r"w v^\top, (\lambda_F/\lambda_A)^{1/4} u w^\top, 0\right),\ u, v \text{ of the gradient } \nabla_{Z=AF}\, g,"
        r"\text{ has the curvature } 2(\sqrt{\lambda_A\lambda_F} - \lVert\nabla_Z g\rVert_2) < 0",
        Direction(alpha, beta, "gradient", curvature),
    ),
    near_misses={
        "the same factor for both": Direction(alpha, alpha, "gradient", curvature),
        "the factors exchanged": Direction(beta, alpha, "gradient", curvature),
        "of the Hessian": Direction(alpha, beta, "Hessian", curvature),
        "half the curvature": Direction(
            alpha, beta, "gradient", lambda lam_A, lam_F, sigma: curvature(lam_A, lam_F, sigma) / 2
        ),
        "square roots": Direction(lambda x, y: alpha(x, y) ** 2, lambda x, y: beta(x, y) ** 2, "gradient", curvature),
    },
    depends_on=["review.eq-26"],
    true_edits={
        f"{name}.ratio: (x / y) ** sp.Rational(1, 4) if isinstance(x, sp.Basic) else (x / y) ** 0.25 → "
        "(x / y) ** sp.Rational(1, 4)": "the same number, slower"
        for name in ("alpha", "beta")
    },
    counterexample_code=r"""
from fractions import Fraction as Q

# K = 2, n = 1, m = 3, lambda_A = 1, lambda_F = 1/16, at the origin, w = (1, 0, 0): G = [[-1/4, 1/4], [1/4, -1/4]].
lam_A, lam_F, factor = Q(1), Q(1, 16), 2      # (lambda_A/lambda_F)^(1/4) = 2
sigma = Q(1, 2)                               # u = (1, -1)/sqrt 2 = -v
assert sigma**2 > lam_A * lam_F               # in C_2
second = factor**2 * (lam_A + lam_F - 2 * sigma)
print(f"second derivative along the printed direction, with the vectors of the gradient: {second}")
assert second > 0
amended = -2 * sigma + lam_A / factor**2 + lam_F * factor**2
print(f"with (lambda_F/lambda_A)^(1/4) for A: {amended}")
assert amended < 0
""",
)


@claim.check(
    "derived",
    covers="all",
    blind_to={"of the Hessian": "u and v are symbols with ⟨u, Gv⟩ = σ"},
)
def test_second_derivative(statement):
    lam_A, lam_F, sigma, e = sp.symbols("lam_A lam_F sigma e", positive=True)
    # w along the first coordinate, where A and F are 0; u, v the first coordinates, K = N = 2
    a, f = sp.symbols("a0:2", real=True), sp.symbols("f0:2", real=True)
    al, be = statement.alpha(lam_A, lam_F), statement.beta(lam_A, lam_F)
    A, F = sp.Matrix([[0, a[0]], [0, a[1]]]), sp.Matrix([[0, 0], [f[0], f[1]]])
    dA, dF = be * sp.Matrix([[1, 0], [0, 0]]), -al * sp.Matrix([[1, 0], [0, 0]])
    require_equal(sp.expand(dA * F + A * dF), sp.zeros(2, 2), "the outputs change to first order")
    require_equal(dA * dF, -al * be * sp.diag(1, 0), "another second-order change")
    decay = lam_A * sum((x + e * y) ** 2 for x, y in zip(A, dA, strict=True)) / 2
    decay += lam_F * sum((x + e * y) ** 2 for x, y in zip(F, dF, strict=True)) / 2
    second = sp.diff(decay, e, 2) - 2 * al * be * sigma
    expected = statement.curvature(lam_A, lam_F, sigma)
    require_equal(sp.simplify(second - expected), 0, "another curvature")
    require_equal(sp.simplify(expected - 2 * (sp.sqrt(lam_A * lam_F) - sigma)), 0, "not negative on all of C₂")


def top_pair(G, P, kind):
    """The singular vectors of the gradient, or of the matrix that is the Hessian's top eigenvector."""
    K, N = G.shape
    if kind == "Hessian":
        blocks = [np.linalg.eigh(np.diag(P[:, s]) - np.outer(P[:, s], P[:, s])) for s in range(N)]
        s = max(range(N), key=lambda i: blocks[i][0][-1])
        M = np.zeros((K, N))
        M[:, s] = blocks[s][1][:, -1]
        M *= -np.sign(np.sum(M * G)) or 1
    else:
        M = G
    left, _, right = np.linalg.svd(M)
    return left[:, 0], right[0]


def second_difference(A, F, b, dA, dF, lams):
    """The second derivative of the risk along a direction, of the polynomial and by Richardson's differences."""
    h = 2e-3

    def risk(t):
        return cross_entropy.regularised_risk(A + t * dA, F + t * dF, b, lams=lams)

    def coarse(s):
        return (risk(s) - 2 * risk(0) + risk(-s)) / s**2

    return (4 * coarse(h) - coarse(2 * h)) / 3


@claim.check(
    "exact",
    covers=Instances("the origin, K = 2, 3, 4, λ fourth powers, fractions"),
    blind_to={"of the Hessian": "the vectors of the gradient are taken"},
)
def test_the_origin(statement):
    for K in (2, 3, 4):
        for x, y in ((1, 16), (16, 1), (81, 1), (1, 1)):
            lam_A, lam_F = sp.Rational(x, 81 * 64), sp.Rational(y, 81 * 64)
            sigma = sp.Rational(1, K)  # u = (e_0 − e_1)/√2, v = −u, ⟨u, Gv⟩ = 1/K, n = 1
            u = [Fraction(1), Fraction(-1)] + [Fraction(0)] * (K - 2)
            G = [[Fraction(1, K) * (Fraction(1, K) - int(i == j)) for j in range(K)] for i in range(K)]
            form = sum(u[i] * G[i][j] * -u[j] for i in range(K) for j in range(K)) / 2
            require_equal(form, Fraction(1, K), "not the singular value", K=K)
            al, be = statement.alpha(lam_A, lam_F), statement.beta(lam_A, lam_F)
            second = -2 * al * be * sigma + lam_A * be**2 + lam_F * al**2
            require_equal(sp.nsimplify(second), statement.curvature(lam_A, lam_F, sigma), "another curvature", K=K)


@cache
def saddles():
    """Critical points that are not global: minima of lower width, in wider spaces, with their decay."""
    found = []
    for K, n, m, product, bias in (
        (3, 1, 1, 0.004, 0.2),
        (4, 1, 2, 0.001, 0.1),
        (4, 2, 1, 0.002, 0.3),
        (3, 2, 1, 0.004, 0.1),
    ):
        for share in (0.3, 2.5):
            lams = [product**0.5 * share, product**0.5 / share, bias]
            best = cross_entropy.ce_optimum(K, n, *lams[:2], m=m, lam_b=bias, starts=2)
            A, F = np.pad(best.A, ((0, 0), (0, 2))), np.pad(best.F, ((0, 2), (0, 0)))
            found.append((A, F, best.b, lams))
            found.append((0 * A, 0 * F, 0 * best.b, lams))
    return found


@claim.check("property", covers=Instances("16 saddles, K ≤ 4, n ≤ 2: minima of lower width, and the origin"))
@given(st.integers(0, 15), st.integers(0, 99))
def test_saddles(statement, index, seed):
    A, F, b, lams = saddles()[index]
    H = A @ F + b[:, None]
    G = cross_entropy.output_gradient(H)
    P = np.exp(H) / np.exp(H).sum(axis=0)
    u, v = top_pair(G, P, statement.of)
    angle = 2 * np.pi * seed / 100
    w = np.zeros(A.shape[1])
    w[-2:] = np.cos(angle), np.sin(angle)
    dA = float(statement.beta(*lams[:2])) * np.outer(u, w)
    dF = -float(statement.alpha(*lams[:2])) * np.outer(w, v)
    sigma = np.linalg.norm(G, 2)
    require(sigma > np.sqrt(lams[0] * lams[1]), "not in C₂", index=index)
    second = second_difference(A, F, b, dA, dF, lams)
    expected = float(statement.curvature(*lams[:2], sigma))
    require_close(second, expected, "another curvature", rtol=2e-5, atol=1e-7, index=index)
    require_at_most(second, -1e-9 + 0 * expected, "no negative curvature", index=index)
    ours = cross_entropy.escape_direction(A, F, b, lams=lams, tolerance=1e-4)
    require(ours is not None, "no direction", index=index)
    require_close(ours.curvature, expected, "another curvature of the function", rtol=1e-4, atol=1e-7, index=index)
