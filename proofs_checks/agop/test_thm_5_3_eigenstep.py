r"""The eigenvalue that the proof of agop, Theorem 5.3 (agop-v1, Theorem 5.4) takes from Lemma C.2.

With $A^* = Y^\top Y + \lambda_\mathrm{map} I$ and n samples in each class the proof uses

$$
Y^\top Y (A^*)^{-1} = (A^*)^{-1} Y^\top Y = (1 + \lambda_\mathrm{map}^{-1})\, Y^\top Y .
$$

The lemma gives $(\lambda_\mathrm{map} + n)^{-1}$ instead, and the printed value is right for no λ_map > 0 and n ≥ 1:
$(1+\lambda^{-1})(\lambda+n) = \lambda + n + 1 + n/\lambda > 1$. It is the factor of
$\lambda_\mathrm{map}^{-1} A^*$, not of its inverse, for n = 1. Everything that follows in the proof, κ included,
carries it. For classes of unequal size the factor is $(\lambda_\mathrm{map}+n_c)^{-1}$ on class c.
"""

from fractions import Fraction

import numpy as np
import sympy as sp
from flint import fmpq, fmpq_mat
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_at_most, require_equal
from theory import labels
from theory.deep_rfm import collapse_map

claim = Claim(
    id="agop.thm-5.3.eigenstep",
    title="Value of YᵀY (A*)⁻¹ in the proof of Theorem 5.3",
    source="agop, Appendix C.1, proof of Theorem 5.3; agop-v1, Appendix A.2",
    verdict="amended",
    printed=Statement(
        r"Y^\top Y (A^*)^{-1} = (1 + \lambda_{\mathrm{map}}^{-1}) Y^\top Y",
        lambda lam, n, K: 1 + 1 / lam,
        formulas={r"(1 + \lambda_{\mathrm{map}}^{-1})": lambda factor, lam_map: factor(lam_map, 2, 3)},
    ),
    amended=Statement(
        r"Y^\top Y (A^*)^{-1} = (\lambda_{\mathrm{map}} + n)^{-1} Y^\top Y",
        lambda lam, n, K: 1 / (lam + n),
        formulas={r"(\lambda_{\mathrm{map}} + n)^{-1}": lambda factor, lam_map, n=(1, 2, 5): factor(lam_map, n, 3)},
    ),
    near_misses={
        "n the number of all samples": lambda lam, n, K: 1 / (lam + n * K),
        "the factor of λ A*": lambda lam, n, K: 1 + n / lam,
        "the inverse's factor within classes": lambda lam, n, K: 1 / lam,
        "one λ too many": lambda lam, n, K: lam / (lam + n),
    },
    depends_on=["agop.lemma-C2"],
    counterexample_code=r"""
from fractions import Fraction

lam, Y = Fraction(1, 8), 1  # one sample of one class, λ_map = 1/8
A = Y * Y + lam  # A* = YᵀY + λ_map I
print(f"YᵀY (A*)⁻¹ = {Y * Y / A}, stated is (1 + 1/λ_map) YᵀY = {(1 + 1 / lam) * Y * Y}")
assert Y * Y / A == 1 / (lam + 1) != 1 + 1 / lam
""",
)


@claim.check("derived", covers="all")
def test_eigenvalue_on_a_class_indicator(statement):
    # YᵀY = ⊕ 1 1ᵀ, whose range is spanned by the class indicators, eigenvectors of A* with eigenvalue n + λ.
    lam, n, K = sp.symbols("lambda n K", positive=True)
    inverse_on_indicator = 1 / lam - n / (lam * (lam + n))  # Lemma C.2, the eigenvalue of YᵀY being n
    share = sp.factor(statement(lam, n, K) / inverse_on_indicator)
    require_equal(share, 1, "another factor, over the right one")


@claim.check("exact", covers=Instances("n, K ≤ 3, rational λ in [1/8, 8], drawn at random"))
@given(st.integers(1, 3), st.integers(1, 3), st.fractions(min_value=Fraction(1, 8), max_value=8, max_denominator=8))
def test_rational_matrices(statement, n, K, lam):
    N = n * K
    gram = fmpq_mat(N, N, [fmpq(i // n == j // n) for i in range(N) for j in range(N)])
    shift = fmpq_mat(N, N, [fmpq(lam.numerator, lam.denominator) * (i == j) for i in range(N) for j in range(N)])
    stated = Fraction(statement(lam, n, K))
    factor = fmpq(stated.numerator, stated.denominator)
    inverse = (gram + shift).inv()
    require_equal(gram * inverse, gram * factor, "YᵀY (A*)⁻¹ differs", n=n, K=K, lam=lam)
    require_equal(inverse * gram, gram * factor, "(A*)⁻¹ YᵀY differs", n=n, K=K, lam=lam)


@claim.check("property", covers=Instances("n ≤ 6, K ≤ 5, λ in [1e-3, 1e3], drawn at random"))
@given(st.integers(1, 6), st.integers(1, 5), st.floats(1e-3, 1e3))
def test_float64_solve(statement, n, K, lam):
    Y = labels.one_hot([n] * K)
    gram = collapse_map.collapsed_gram(Y)
    product = np.linalg.solve(gram + lam * np.eye(n * K), gram)
    # rounding times the condition number of A*
    tolerance = 1e-14 * (1 + n / lam)
    error = np.abs(product - statement(lam, n, K) * gram).max()
    require_at_most(error, tolerance, "(A*)⁻¹ YᵀY differs", n=n, K=K, lam=lam)
