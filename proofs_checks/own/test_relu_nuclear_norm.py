r"""By how much patterns of zeros, and so a ReLU, raise a nuclear norm (docs/optimum.md).

For every matrix M with K columns, and every matrix D of zeros and ones,

$$
\lVert D\circ M\rVert_*\le\gamma_K\lVert M\rVert_*,\qquad
\gamma_K^2=\min_{0\le q<1}\ \max_{0\le m\le K}\ \frac1{1-q}\Bigl(m-\frac{qm^2}{1-q+Kq}\Bigr),
$$

and the constant is attained, by a matrix of rank one with a row for every pattern. As σ(M) is such a product, the
nuclear norm of the last layer is at most γ_K ‖H_1‖ ‖W_1‖ ⋯ ‖W_{L−1}‖, and

$$ \min\mathcal L\ \ge\ \min_{u\ge0}\ \frac L2\Bigl(\frac{K^3\Pi}{\gamma_K^2}\Bigr)^{1/L}u^{1/L}+\frac1{2(1+u)},
\qquad \Pi = n\lambda_{H_1}\lambda_{W_1}\cdots\lambda_{W_L}. $$

For a ReLU alone γ_K is too large: with two columns the constant is 1 (`lowrank.two-classes`).
"""

from collections.abc import Callable
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from nct.ledger import (
    Claim,
    Instances,
    Part,
    Statement,
    require,
    require_at_most,
    require_close,
    require_equal,
    require_proved,
)
from theory import coq, dufm, verified
from theory.certificate import ShiftCertificate

#: A bounded search finds a place to about 1e-8, and at a kink the value to as much.
SEARCH = 1e-7


class Constant(NamedTuple):
    """γ_K², as the maximum over m = 0, …, K of a function of (K, m, q), at its best q; and c of the lower bound.

    The minimum of the L-DUFM is at least that of (L/2)(cΠ)^{1/L}u^{1/L} + 1/(2(1+u)), c a function of K and γ_K².
    """

    price: Callable
    constant: Callable = lambda K, square: K**3 / square

    def at(self, K, q):
        return max(self.price(K, m, q) for m in range(K + 1))

    def square(self, K):
        # Convex in q: a bounded search finds the minimum.
        return minimize_scalar(lambda q: self.at(K, q), bounds=(0, 0.9), method="bounded", options={"xatol": 1e-12}).fun


def price(K, m, q):
    return (m - q * m**2 / (1 - q + K * q)) / (1 - q)


claim = Claim(
    id="own.relu-nuclear-norm",
    title="How much a ReLU raises the nuclear norm",
    source="docs/optimum.md, The nuclear norm",
    verdict="holds",
    printed=Statement(
        r"M \in \mathbb R^{\cdot\times K},\ D \in \{0, 1\}^{\cdot\times K}:\ \max \|D \circ M\|_* / \|M\|_* = \gamma_K,"
        r"\ \gamma_K^2 = \min_{0 \le q < 1} \max_{0 \le m \le K} \frac1{1-q}\Bigl(m - \frac{qm^2}{1-q+Kq}\Bigr)"
        r";\quad \min\mathcal L \ge \min_u \tfrac L2(K^3\Pi/\gamma_K^2)^{1/L}u^{1/L} + \tfrac1{2(1+u)},"
        r"\ \Pi = n\lambda_{H_1}\lambda_{W_1}\cdots\lambda_{W_L}",
        Constant(price),
        parts=["upper bound", "attained", "minimum"],
    ),
    near_misses={
        "(1 + √K)/2 for every K": Constant(lambda K, m, q: (1 + np.sqrt(K)) ** 2 / 4 + 0 * m * q),
        "1, as with two columns": Constant(lambda K, m, q: 1.0 + 0 * m * q),
        "with K − 1 in place of K": Constant(lambda K, m, q: price(K - 1, min(m, K - 1), q)),
        "K⁴ in the minimum": Constant(price, lambda K, square: K**4 / square),
        "γ_K in the minimum": Constant(price, lambda K, square: K**3 / square**0.5),
        "without the square of m": Constant(lambda K, m, q: (m - q * m / (1 - q + K * q)) / (1 - q)),
    },
    depends_on=["lowrank.two-classes"],
)


OF_THE_NORM = dict.fromkeys(["K⁴ in the minimum", "γ_K in the minimum"], "the check is of the norm")


@claim.check("derived", covers=[Part("upper bound"), Instances("attained for K ≤ 8")], blind_to=OF_THE_NORM)
def test_the_gamma_2_norm_from_its_definition(statement):
    # Upper bound: the columns' Gram matrix Q = (1 − q) I + q 11ᵀ makes a row with m ones cost dᵀQ⁻¹d.
    q = sp.Symbol("q", positive=True)
    for K in range(2, 7):
        inverse = ((1 - q) * sp.eye(K) + q * sp.ones(K)).inv()
        for m in range(K + 1):
            d = sp.Matrix([1] * m + [0] * (K - m))
            at = [(sp.simplify((d.T * inverse * d)[0].subs(q, x)), x) for x in (sp.Rational(1, 5), sp.Rational(1, 3))]
            for cost, x in at:
                require_equal(float(cost), float(statement.price(K, m, x)), "a row costs otherwise", K=K, m=m, q=str(x))
    # For all K and m: Q⁻¹ = (I − q 11ᵀ/(1−q+Kq))/(1−q), as Q times it is the identity.
    K, m = sp.symbols("K m", positive=True)
    a, b = 1 / (1 - q), -q / ((1 - q) * (1 - q + K * q))  # Q⁻¹ = a I + b 11ᵀ
    require_equal(sp.simplify((1 - q) * a), 1, "not the inverse on the identity")
    require_equal(sp.simplify((1 - q) * b + q * a + q * K * b), 0, "not the inverse on the ones")
    require_equal(sp.simplify(a * m + b * m**2 - price(K, m, q)), 0, "another price")
    attained(statement, range(2, 9))


@claim.check(
    "derived",
    covers=Part("minimum"),
    blind_to=dict.fromkeys(
        ["(1 + √K)/2 for every K", "1, as with two columns", "with K − 1 in place of K", "without the square of m"],
        "of any γ_K",
    ),
)
def test_the_minimum_from_the_nuclear_norm_of_the_last_layer(statement):
    # The mean t of the singular values of M_L, in units of √(Kλ_WL): norms cost (L/2)(Π/λ_WL · ‖M_L‖_*²/γ²)^{1/L}.
    K, L, t, last, whole, square = sp.symbols("K L t lambda Pi gamma", positive=True)
    nuclear = K * t * sp.sqrt(K * last)
    inside = sp.simplify(whole / last * nuclear**2 / square / (statement.constant(K, square) * whole * t**2))
    require_equal(inside, 1, "the norms cost otherwise", inside=inside)
    # A singular value s leaves 1/(2K(1+s²)); its convex envelope is the tangent 1/2 − s/4 up to 1, then the function.
    fit, tangent = 1 / (2 * (1 + t**2)), sp.Rational(1, 2) - t / 4
    require_equal(sp.factor(fit - tangent), sp.factor(t * (1 - t) ** 2 / (4 * (1 + t**2))), "no tangent from below")
    require_equal(sp.diff(fit, t).subs(t, 1), sp.diff(tangent, t), "it does not touch")
    bend = sp.numer(sp.factor(sp.diff(fit, t, 2)))
    convex = ShiftCertificate.of("the fit’s second derivative is positive, but for its denominator", bend, {t: 1})
    require(convex.verify(), "not convex from 1 on", bend=bend)
    # Up to 1 the norms, with a power 2/L ≤ 1 of t, and the tangent are concave: the least is ½, or at some t ≥ 1.
    # Against solutions: collapse, and the best that are known.
    for K, L in ((2, 3), (3, 3), (6, 4), (10, 3), (10, 8)):
        require_at_most(least(statement, K, L, 5e-4), dufm.best_known(K, L).loss, "a solution is below", K=K, L=L)


@claim.check("kernel", covers=Part("that the fit of a singular value is convex from 1 on"))
def test_certificates_by_the_kernel(statement):
    with verified.verified_certificates() as found:
        test_the_minimum_from_the_nuclear_norm_of_the_last_layer(statement)
    require_proved(claim, coq.script(coq.translate_all(found)))


def least(statement, K, L, lam):
    """The stated bound for one λ of all matrices and n = 1, over a fine grid of u."""
    u = np.exp(np.linspace(-5, 40, 20001))
    cost = (statement.constant(K, statement.square(K)) * lam ** (L + 1)) ** (1 / L)
    return min(0.5, (L / 2 * cost * u ** (1 / L) + 1 / (2 * (1 + u))).min() * (1 - 1e-5))


@cache
def largest_norm(K):
    """The largest ‖D ∘ vwᵀ‖_* over unit v, with every pattern a row of D and w = 1/√K, and the weights of the patterns.

    By symmetry v depends on the number of ones only. With weight w_m on all patterns of m ones the Gram matrix of the
    product has the diagonal a = Σ w_m m/K and b = Σ w_m m(m−1)/(K(K−1)) beside it, both over K.
    """
    m = np.arange(K + 1)

    def norm(w):
        a, b = (w * m).sum() / K, (w * m * (m - 1)).sum() / (K * (K - 1))
        return ((K - 1) * np.sqrt(max(a - b, 0)) + np.sqrt(max(a + (K - 1) * b, 0))) / np.sqrt(K)

    # Concave in the weights, and the best ones are on one or two neighbouring numbers.
    best, where = 0.0, None
    for low in range(K):

        def on(t, low=low):
            w = np.zeros(K + 1)
            w[low], w[low + 1] = 1 - t, t
            return w

        found = minimize_scalar(lambda t: -norm(on(t)), bounds=(0, 1), method="bounded", options={"xatol": 1e-10})
        if -found.fun > best:
            best, where = -found.fun, on(found.x)
    return best, where


def attained(statement, sizes):
    for K in sizes:
        require_close(statement.square(K), largest_norm(K)[0] ** 2, "not attained", rtol=SEARCH, K=K)


@claim.check(
    "exact",
    blind_to=OF_THE_NORM,
    covers=Instances("K ≤ 30: rational bounds against the matrices of rank one that attain them"),
)
def test_rational_bounds_and_the_matrix_that_attains_them(statement):
    for K in (2, 3, 4, 5, 8, 9, 16, 30):
        square = dufm.relu_constant(K)
        require_close(float(square), statement.square(K), "another bound", rtol=SEARCH, K=K)
    # For K ≤ 6 the matrix itself, all 2^K patterns as rows.
    for K in (2, 3, 4, 6):
        patterns = np.array(list(product((0, 1), repeat=K)))
        _, weights = largest_norm(K)
        ones = patterns.sum(1)
        count = np.bincount(ones)
        v = np.sqrt(weights[ones] / count[ones])
        norm = np.linalg.norm(patterns * v[:, None] / np.sqrt(K), "nuc")
        require_close(np.linalg.norm(v), 1.0, "not of norm 1", rtol=1e-9, K=K)
        require_close(norm**2, statement.square(K), "the matrix has another norm", rtol=SEARCH, K=K)


@claim.check(
    "property",
    blind_to=OF_THE_NORM,
    covers=Instances("K ≤ 7, random matrices and patterns, 50 drawn; and those that attain the constant, disturbed"),
)
@given(st.integers(2, 7), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_random_matrices_and_patterns(statement, K, rows, seed):
    generator = np.random.default_rng(seed)
    M = generator.standard_normal((rows, K))
    for D in (generator.integers(0, 2, M.shape), M > 0):
        ratio = np.linalg.norm(D * M, "nuc") / np.linalg.norm(M, "nuc")
        require_at_most(ratio**2, statement.square(K) * (1 + SEARCH), "the norm is raised further", K=K)
    patterns = np.array(list(product((0, 1), repeat=K)))
    _, weights = largest_norm(K)
    ones = patterns.sum(1)
    v = np.sqrt(weights[ones] / np.bincount(ones)[ones])
    M = np.outer(v, np.ones(K)) + 1e-7 * generator.standard_normal(patterns.shape)
    ratio = np.linalg.norm(patterns * M, "nuc") / np.linalg.norm(M, "nuc")
    # The disturbance changes the norms by at most 1e-7 √(2^K K) of them.
    require_close(ratio**2, statement.square(K), "the constant is not reached", rtol=1e-5, K=K)
