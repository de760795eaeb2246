r"""The spectrum of the linearised flow of the mean squared error (review, Appendix A.3, equations 58 and 59).

L_t is I_m tensored with the symmetric matrix of blocks 0, Bᵀ, B, 0 on samples and classes, B = (Y − β11ᵀ)/N, which
treats all classes alike. On the span of 1_N/√N, 1_K/√K it is $\frac{\sqrt n}N(1-K\beta)\sigma$, on each plane of
(v ⊗ 1)/√n and v ⊥ 1 it is $\frac{\sqrt n}N\sigma$, σ the exchange of both coordinates, and on samples that
sum to 0 in every class it is 0. The printed spaces are the eigenspaces of σ there, of dimensions m(K−1) twice, m twice
and m(N−K), which sum to m(N+K).
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_close, require_equal
from theory.ufm import strong_collapse


class Spectrum(NamedTuple):
    """Eigenspaces of L_t for ε = ±1: coefficients of features and rows, eigenvalues, dimensions over m."""

    features_1: Callable[[int, Any], Any]  # F = features_1(ε, n)(A ⊗ 1)ᵀ, 1ᵀA = 0
    value_1: Callable[[int, Any, Any, Any], Any]  # of ε, K, n, β
    features_2: Callable[[int, Any], Any]  # F = features_2(ε, n) z1ᵀ
    rows_2: Callable[[Any], Any]  # A = rows_2(n) 1zᵀ
    value_2: Callable[[int, Any, Any, Any], Any]
    dimensions: Callable[[Any, Any], tuple[Any, Any, Any]]  # of E₁^ε, E₂^ε and E₃, of K and n


def root(n):
    return sp.sqrt(n)


true = Spectrum(
    lambda e, n: e / root(n),
    lambda e, K, n, beta: e * root(n) / (K * n),
    lambda e, n: e,
    lambda n: root(n),
    lambda e, K, n, beta: e * root(n) / (K * n) * (1 - K * beta),
    lambda K, n: (K - 1, 1, K * n - K),
)

claim = Claim(
    id="review.A3.spectral",
    title="Eigenspaces of the linearised flow",
    source="review, Appendix A.3, equations 58 and 59",
    verdict="holds",
    printed=Statement(
        r"L_t(F,A) = (A^\top B, BF^\top),\ B = \tfrac1N(Y - \beta 1_K1_N^\top),\text{ is self-adjoint; } E_1^\epsilon "
        r"= \{F = \tfrac\epsilon{\sqrt n}(A \otimes 1_n)^\top, 1^\top A = 0\},\ E_2^\epsilon = \{F = \epsilon z1_N^\top"
        r", A = \sqrt n\,1_Kz^\top\},\ E_3 = \{YF^\top = 0, A = 0\} \text{ have the eigenvalues } "
        r"\tfrac{\epsilon\sqrt n}N,\ \tfrac{\epsilon\sqrt n}N(1-K\beta),\ 0, \text{ and } L_t = "
        r"\tfrac{\sqrt n}N(\Pi_1^+ - \Pi_1^- + (1-K\beta)(\Pi_2^+ - \Pi_2^-))\text{ (read: the spaces are complete)}",
        true,
    ),
    near_misses={
        "eigenvalue √n of the squared error": true._replace(value_1=lambda e, K, n, beta: e * root(n)),
        "1 − β for 1 − Kβ": true._replace(value_2=lambda e, K, n, beta: e * root(n) / (K * n) * (1 - beta)),
        "A = 1zᵀ": true._replace(rows_2=lambda n: n**0),
        "E₁ of all K rows": true._replace(dimensions=lambda K, n: (K, 1, K * n - K)),
        "n for √n in E₁": true._replace(features_1=lambda e, n: e / n),
    },
)


@claim.check("derived", covers="all")
def test_blocks(statement):
    K, n = sp.symbols("K n", positive=True)
    beta = sp.Symbol("beta", real=True)
    N = K * n
    L = strong_collapse.symmetric_operator(K, n, across=(1 / N, -beta / N))
    require_equal(L.common.T - L.common, sp.zeros(2), "not self-adjoint")
    total = [sp.zeros(2), sp.zeros(2)]
    for e in (1, -1):
        # coordinates along (v ⊗ 1)/√n and v, and along 1_N/√N and 1_K/√K
        one = sp.Matrix([statement.features_1(e, n) * sp.sqrt(n), 1])
        two = sp.Matrix([statement.features_2(e, n) * sp.sqrt(N), statement.rows_2(n) * sp.sqrt(K)])
        values = statement.value_1(e, K, n, beta), statement.value_2(e, K, n, beta)
        for i, (block, vector, value) in enumerate(zip((L.classes, L.common), (one, two), values, strict=True)):
            require_equal(
                sp.simplify(block * vector - value * vector), sp.zeros(2, 1), "no eigenvector", e=e, space=i + 1
            )
            total[i] += value * vector * vector.T / (vector.T * vector)[0]
    require_equal(sp.simplify(total[0] - L.classes), sp.zeros(2), "(59) does not give L on E₁")
    require_equal(sp.simplify(total[1] - L.common), sp.zeros(2), "(59) does not give L on E₂")
    require_equal(L.within, 0, "E₃ has another eigenvalue")
    first, second, third = statement.dimensions(K, n)
    # E₁: the vectors v ⊥ 1; E₃: N samples less the class means. Each block of two vectors splits into ε = ±1.
    require_equal(sp.expand(2 * first + 2 * second + third - (N + K)), 0, "not complete")
    require_equal((first - (K - 1), second - 1, sp.expand(third - N + K)), (0, 0, 0), "other dimensions")


@claim.check("exact", covers=Instances("K ≤ 4, n = 1, 4, 9, β = 0, 1/5, 1/K, in rationals"))
def test_matrices(statement):
    # The matrix of L_t for m = 1, applied to a basis of each space; the ranks count the dimensions.
    for K in (2, 3, 4):
        for c in (1, 2, 3):
            n, N = c * c, K * c * c
            Y = np.repeat(np.eye(K, dtype=int), n, axis=1).astype(object) * Fraction(1)
            spanned = 0
            for beta in (Fraction(0), Fraction(1, 5), Fraction(1, K)):
                B = (Y - beta) / N
                where = {"K": K, "n": n, "beta": beta}
                for e in (1, -1):
                    x, value = (
                        as_fraction(s)
                        for s in (
                            statement.features_1(e, sp.Integer(n)),
                            statement.value_1(e, K, sp.Integer(n), as_sympy(beta)),
                        )
                    )
                    for j in range(1, K):
                        a = np.array([Fraction(int(k == 0) - int(k == j)) for k in range(K)], dtype=object)
                        f = x * np.repeat(a, n)
                        require_equal(a.dot(B), value * f, "features of E₁", e=e, **where)
                        require_equal(B.dot(f), value * a, "rows of E₁", e=e, **where)
                    x, y, value = (
                        as_fraction(s)
                        for s in (
                            statement.features_2(e, sp.Integer(n)),
                            statement.rows_2(sp.Integer(n)),
                            statement.value_2(e, K, sp.Integer(n), as_sympy(beta)),
                        )
                    )
                    a, f = y * np.full(K, Fraction(1), dtype=object), x * np.full(N, Fraction(1), dtype=object)
                    require_equal(a.dot(B), value * f, "features of E₂", e=e, **where)
                    require_equal(B.dot(f), value * a, "rows of E₂", e=e, **where)
            spanned = 2 * (K - 1) + 2 + N - K  # no vector of E₁ or E₂ is one of E₃: the eigenvalues differ
            first, second, third = statement.dimensions(K, n)
            require_equal(2 * first + 2 * second + third, spanned, "dimensions", K=K, n=n)
            kernel = (
                N + K - np.linalg.matrix_rank(np.block([[np.zeros((N, N)), Y.T], [Y, np.zeros((K, K))]]).astype(float))
            )
            require_equal(third, kernel, "dimension of E₃", K=K, n=n)


def as_fraction(value):
    value = sp.nsimplify(value)
    return Fraction(int(value.p), int(value.q))


def as_sympy(value):
    return sp.Rational(value.numerator, value.denominator)


@claim.check("property", covers=Instances("K ≤ 5, n ≤ 6, m ≤ 4, random pairs and β, 50 drawn"), blind_to={
    "E₁ of all K rows": "it does not count dimensions"})  # fmt: skip
@given(st.integers(2, 5), st.integers(2, 6), st.integers(1, 4), st.floats(-1, 1), st.integers(0, 2**32 - 1))
def test_random_pairs(statement, K, n, m, beta, seed):
    rng, N = np.random.default_rng(seed), K * n
    A, z, F = rng.normal(size=(K, m)), rng.normal(size=m), rng.normal(size=(m, N))
    A -= A.mean(axis=0)
    F -= np.repeat(F.reshape(m, K, n).mean(axis=2), n, axis=1)
    size = sp.Integer(n)
    spaces = [((np.zeros((K, m)), F), 0.0)]
    for e in (1, -1):
        pair = A, float(statement.features_1(e, size)) * np.repeat(A.T, n, axis=1)
        spaces.append((pair, float(statement.value_1(e, K, size, beta))))
        pair = (
            float(statement.rows_2(size)) * np.outer(np.ones(K), z),
            float(statement.features_2(e, size)) * np.outer(z, np.ones(N)),
        )
        spaces.append((pair, float(statement.value_2(e, K, size, beta))))
    for (a, f), value in spaces:
        found = strong_collapse.linearised_operator(a, f, beta, loss="mse")
        require_close(found[0], value * a, "not an eigenvector", atol=1e-12, K=K, n=n, beta=beta)
        require_close(found[1], value * f, "not an eigenvector", atol=1e-12, K=K, n=n, beta=beta)
