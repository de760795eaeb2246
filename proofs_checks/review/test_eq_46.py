r"""The spectrum of the drift by residuals (review, equation 46).

With m = K and $M_{ij} = E_{ij}d_jd_j^\top/\|d_j\|^2$, M = LR with $(Rx)_j = ⟨d_j,x_j⟩/\|d_j\|^2$ and
$(Lc)_i = \sum_j E_{ij}c_jd_j$. By Sylvester's identity $\det(x-LR) = x^{K(K-1)}\det(x-RL)$, and RL is K × K with α on
the diagonal and −β/(K−1) off it, for $⟨d_i,d_j⟩ = -1/K$ and $\|d_j\|^2 = 1-1/K$. Its eigenvalues are α − β on 1 and
α + β/(K−1) on what is orthogonal to 1. The printed E ⊗ I_K keeps the diagonals of the blocks only, which is not the B
of equation 42: for that it has to be E ⊗ J.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from sympy.polys.matrices import DomainMatrix

from nct.ledger import Claim, Instances, Statement, require_close, require_equal
from theory import local_elasticity


class Spectrum(NamedTuple):
    """What E is tensored with, and the eigenvalues with multiplicities."""

    partner: Literal["identity", "ones"]
    values: Callable[[Any, Any, Any], tuple[Any, Any, Any]]  # of K, α and β
    multiplicities: Callable[[Any], tuple[Any, Any, Any]]  # of K


def values(K, alpha, beta):
    return alpha - beta, alpha + beta / (K - 1), 0


true = Spectrum("ones", values, lambda K: (1, K - 1, K * (K - 1)))
printed = Spectrum("identity", values, lambda K: (1, K * (K - 1), K - 1))

claim = Claim(
    id="review.eq-46",
    title="The spectrum of the drift by residuals",
    source="review, equation 46",
    verdict="amended",
    printed=Statement(
        r"T_{ij} = \frac{d_jd_j^\top}{\|d_j\|^2},\ d_j = e_j - \tfrac1K 1_m,\ m = K,\ B = \tfrac1K(E \otimes I_K) "
        r"\odot T;\ (E \otimes I_K) \odot T \text{ has the eigenvalues } \{\alpha - \beta, \alpha + \tfrac\beta{K-1}, "
        r"0\} \text{ with multiplicities } \{1, K(K-1), K-1\}",
        printed,
        formulas={r"\alpha + \tfrac\beta{K-1}": lambda s, K, alpha, beta: s.values(K, alpha, beta)[1]},
    ),
    amended=Statement(
        r"\text{with } B = \tfrac1K(E \otimes 1_K1_K^\top) \odot T \text{ (as in (42)): } (E \otimes 1_K1_K^\top) "
        r"\odot T \text{ has the eigenvalues } \{\alpha - \beta, \alpha + \tfrac\beta{K-1}, 0\} \text{ with algebraic "
        r"multiplicities } \{1, K-1, K(K-1)\}",
        true,
        formulas={r"\alpha + \tfrac\beta{K-1}": lambda s, K, alpha, beta: s.values(K, alpha, beta)[1]},
    ),
    near_misses={
        "multiplicities as printed": true._replace(multiplicities=printed.multiplicities),
        "E ⊗ I": true._replace(partner="identity"),
        "α − β/(K−1)": true._replace(values=lambda K, a, b: (a - b, a - b / (K - 1), 0)),
        "eigenvalues of E": true._replace(values=lambda K, a, b: (a + (K - 1) * b, a - b, 0)),
    },
    counterexample_code=r"""
# K = m = 2, α = 1, β = 0: d = ±(1/2, −1/2), dᵀd = 1/2, each block of T is [[1/2, −1/2], [−1/2, 1/2]].
P = [[0.5, -0.5], [-0.5, 0.5]]
blocks = [[P[a % 2][b % 2] if a // 2 == b // 2 else 0 for b in range(4)] for a in range(4)]
diagonals = [[blocks[a][b] if a % 2 == b % 2 else 0 for b in range(4)] for a in range(4)]
printed = [1, 1, 1, 0]  # α − β = 1 once, α + β = 1 twice, 0 once
for name, M in (("E ⊗ I", diagonals), ("E ⊗ J", blocks)):
    trace = sum(M[a][a] for a in range(4))
    print(name, "trace", trace, "printed eigenvalues", printed)
    assert trace == 2 != sum(printed)
""",
)


def trace_of_square(K, a, b, partner):
    """The trace of M², from d_j = e_j − 1/K for a symbol K."""
    norm = (1 - 1 / K) ** 2 + (K - 1) / K**2
    own, other = (1 - 1 / K) ** 2 / norm, 1 / K**2 / norm  # diagonal of a block
    if partner == "identity":
        same, across = own**2 + (K - 1) * other**2, 2 * own * other + (K - 2) * other**2
    else:
        product = 2 * (1 - 1 / K) * (-1 / K) + (K - 2) / K**2
        same, across = 1, (product / norm) ** 2
    return K * a**2 * same + K * (K - 1) * b**2 * across


@claim.check("derived", covers="all")
def test_sylvester(statement):
    K = sp.Symbol("K", positive=True)
    a, b = sp.symbols("alpha beta", real=True)
    found, counts = statement.values(K, a, b), statement.multiplicities(K)
    require_equal(sp.expand(sum(counts) - K**2), 0, "not K² in all")
    power = sum(count * value**2 for count, value in zip(counts, found, strict=True))
    require_equal(sp.simplify(power - trace_of_square(K, a, b, statement.partner)), 0, "another trace of the square")
    # RL: α, and β⟨d_i,d_j⟩/‖d_j‖² off the diagonal
    norm = (1 - 1 / K) ** 2 + (K - 1) / K**2
    off = b * (2 * (1 - 1 / K) * (-1 / K) + (K - 2) / K**2) / norm
    reduced = {(a + (K - 1) * off, 1), (a - off, K - 1), (sp.Integer(0), K**2 - K)}
    simple = {(sp.factor(value), sp.expand(count)) for value, count in reduced}
    stated = {(sp.factor(value), sp.expand(count)) for value, count in zip(found, counts, strict=True)}
    require_equal(stated, simple, "another spectrum")


@claim.check("exact", covers=Instances("K = 2 and 3 for all α, β; K = 4 at six pairs: characteristic polynomials"))
def test_characteristic_polynomials(statement):
    x = sp.Symbol("x")
    a, b = sp.symbols("alpha beta")
    pairs = [(1, 0), (1, -1), (2, 1), (1, 1), (3, -9), (0, 1)]
    for K, alpha, beta in [(2, a, b), (3, a, b), *((4, sp.Integer(p), sp.Integer(q)) for p, q in pairs)]:
        M = matrix(K, alpha, beta, statement.partner)
        found = DomainMatrix.from_Matrix(M).to_field().charpoly()
        polynomial = sum(c.as_expr() * x ** (K * K - i) for i, c in enumerate(map(to_sympy(M), found)))
        stated = 1
        counts = statement.multiplicities(K)
        require_equal(sum(counts), K * K, "not K² in all", K=K)
        for value, count in zip(statement.values(K, alpha, beta), counts, strict=True):
            stated *= (x - value) ** count
        require_equal(sp.expand(stated - polynomial), 0, "another spectrum", K=K, alpha=alpha, beta=beta)


def to_sympy(M):
    return DomainMatrix.from_Matrix(M).to_field().domain.to_sympy


def matrix(K, alpha, beta, partner):
    """(E ⊗ X) ⊙ T entry by entry, X the identity or ones."""
    d = sp.eye(K) - sp.ones(K, K) / K

    def entry(row, column):
        (i, p), (j, q) = divmod(int(row), K), divmod(int(column), K)
        if partner == "identity" and p != q:
            return sp.Integer(0)
        return (alpha if i == j else beta) * d[p, j] * d[q, j] / (1 - sp.Rational(1, K))

    return sp.Matrix(K * K, K * K, entry)


@claim.check("property", covers=Instances("K ≤ 7, α, β in [−2, 2], traces of powers to the third, 50 drawn"))
@given(st.integers(2, 7), st.floats(-2, 2), st.floats(-2, 2))
def test_power_sums(statement, K, alpha, beta):
    E = local_elasticity.impact_matrix(K, alpha, beta)
    M = K * local_elasticity.drift_matrix(E, local_elasticity.transformation(K))
    if statement.partner == "identity":
        M = M * np.tile(np.eye(K), (K, K))
    found, counts = np.array(statement.values(K, alpha, beta)), np.array(statement.multiplicities(K))
    for power in (1, 2, 3):
        trace = np.trace(np.linalg.matrix_power(M, power))
        require_close((counts * found**power).sum(), trace, "another trace", atol=1e-9, K=K, alpha=alpha, beta=beta)
