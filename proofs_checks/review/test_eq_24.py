r"""The nuclear norm as the least weight decay of two factors (review, equation 24).

$$ \min_{AF=Z}\frac{\lambda_A}2\lVert A\rVert_F^2+\frac{\lambda_F}2\lVert F\rVert_F^2
= \sqrt{\lambda_A\lambda_F}\min_{AF=Z}\frac{\sqrt{\lambda_A}}{2\sqrt{\lambda_F}}\Bigl(\lVert A\rVert_F^2
+\frac{\lambda_F}{\lambda_A}\lVert F\rVert_F^2\Bigr) = \sqrt{\lambda_A\lambda_F}\,\lVert Z\rVert_* $$

is printed without a condition on the width m. For m below the rank of Z there are no factors. Else it is true: for
$W=UV^\top$ from the singular value decomposition of Z, with $\mu=\sqrt{\lambda_A\lambda_F}$,

$$ \tfrac{\lambda_A}2\lVert A\rVert^2+\tfrac{\lambda_F}2\lVert F\rVert^2-\mu\langle W,AF\rangle
= \tfrac12\lVert\sqrt{\lambda_A}A-\sqrt{\lambda_F}WF^\top\rVert^2+\tfrac{\lambda_F}2\operatorname{tr}F(I-W^\top W)F^\top
\ge 0, $$

and $A=(\lambda_F/\lambda_A)^{1/4}US^{1/2}$, $F=(\lambda_A/\lambda_F)^{1/4}S^{1/2}V^\top$ reach it.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from nct.ledger import Claim, Instances, Search, Statement, require_at_most, require_close, require_equal
from theory.ufm import cross_entropy


class Variational(NamedTuple):
    """The factor before the nuclear norm, that in the middle before ‖A‖² and ‖F‖², and when there are factors."""

    price: Callable[..., Any]  # of λ_A, λ_F
    middle: Callable[..., tuple[Any, Any]]
    exists: Callable[[int, int], bool]  # of the width and the rank of Z


def price(lam_A, lam_F):
    return sp.sqrt(lam_A * lam_F)


def middle(lam_A, lam_F):
    outer = sp.sqrt(lam_A * lam_F) * sp.sqrt(lam_A) / (2 * sp.sqrt(lam_F))
    return outer, outer * lam_F / lam_A


def enough(m, rank):
    return m >= rank


claim = Claim(
    id="review.eq-24",
    title="The nuclear norm as the least weight decay of two factors",
    source="review, equation 24",
    verdict="amended",
    printed=Statement(
        r"\min_{AF=Z} \frac{\lambda_A}2\lVert A\rVert_F^2 + \frac{\lambda_F}2\lVert F\rVert_F^2 = "
        r"\sqrt{\lambda_A\lambda_F} \min_{AF=Z} \frac{\sqrt{\lambda_A}}{2\sqrt{\lambda_F}} \left(\lVert A\rVert_F^2 + "
        r"\frac{\lambda_F}{\lambda_A}\lVert F\rVert_F^2\right) = \sqrt{\lambda_A\lambda_F}\lVert Z\rVert_*",
        Variational(price, middle, lambda m, rank: True),
    ),
    amended=Statement(
        r"\text{The same if and only if } m \ge \operatorname{rank} Z \text{; for smaller } m \text{ there are no } A "
        r"\in \mathbb R^{K\times m}, F \in \mathbb R^{m\times N} \text{ with } AF = Z",
        Variational(price, middle, enough),
    ),
    near_misses={
        "a width above the rank": Variational(price, middle, lambda m, rank: m > rank),
        "a width of one less": Variational(price, middle, lambda m, rank: m >= rank - 1),
        "the arithmetic mean": Variational(lambda lam_A, lam_F: (lam_A + lam_F) / 2, middle, enough),
        "the middle upside down": Variational(price, lambda lam_A, lam_F: middle(lam_A, lam_F)[::-1], enough),
        "half the price": Variational(lambda lam_A, lam_F: price(lam_A, lam_F) / 2, middle, enough),
    },
    counterexample_code=r"""
# Z = I, 2 x 2, m = 1: a product of a column (a, c) and a row (f, g) has determinant (a f)(c g) - (a g)(c f) = 0.
numbers = range(-3, 4)
for a, c, f, g in [(a, c, f, g) for a in numbers for c in numbers for f in numbers for g in numbers]:
    assert (a * f) * (c * g) - (a * g) * (c * f) == 0
determinant = 1 * 1 - 0 * 0
print(f"the determinant of I is {determinant}, that of every product of width 1 is 0: there is no minimum")
assert determinant != 0
""",
)


@claim.check("derived", covers="all")
def test_a_sum_of_squares(statement):
    lam_A, lam_F = sp.symbols("lam_A lam_F", positive=True)
    A, F = sp.Matrix(3, 2, sp.symbols("a:6")), sp.Matrix(2, 3, sp.symbols("f:6"))
    W = sp.Matrix(3, 3, sp.symbols("w:9"))

    def norm2(M):
        return (M.T * M).trace()

    decay = lam_A / 2 * norm2(A) + lam_F / 2 * norm2(F)
    of_A, of_F = statement.middle(lam_A, lam_F)
    middle_form = of_A * norm2(A) + of_F * norm2(F)
    require_equal(sp.simplify(sp.expand(decay - middle_form)), 0, "the middle is something else")
    root = sp.sqrt(lam_A * lam_F)
    square = norm2(sp.sqrt(lam_A) * A - sp.sqrt(lam_F) * W * F.T) / 2
    rest = lam_F / 2 * (F * (sp.eye(3) - W.T * W) * F.T).trace()
    require_equal(sp.expand(decay - root * (W.T * A * F).trace() - square - rest), 0, "no sum of squares")
    # Reached: singular value s, and both terms are equal.
    s = sp.Symbol("s", positive=True)
    a2, f2 = sp.sqrt(lam_F / lam_A) * s, sp.sqrt(lam_A / lam_F) * s
    require_equal(sp.simplify(a2 * f2 - s**2), 0, "not factors of s")
    reached = sp.simplify(lam_A / 2 * a2 + lam_F / 2 * f2 - statement.price(lam_A, lam_F) * s)
    require_equal(reached, 0, "the factors cost something else")
    # A product has at most the rank m, and rank(Z) columns of U and V are enough.
    for rank in range(6):
        for m in range(1, 8):
            require_equal(statement.exists(m, rank), rank <= m, "factors otherwise", m=m, rank=rank)


@claim.check("exact", covers=Instances("diagonal Z with squares, K ≤ 3, λ_A, λ_F fourth powers"))
def test_rational_factors(statement):
    for lam_A, lam_F in ((sp.Integer(1), sp.Integer(16)), (sp.Rational(81), sp.Rational(1, 16))):
        ratio = sp.root(lam_F / lam_A, 4)
        for squares in ((1,), (4,), (4, 1), (9, 4), (0, 4), (1, 4, 9), (0, 0, 1)):
            K, rank = len(squares), sum(x > 0 for x in squares)
            for m in range(1, K + 2):
                kept = [k for k in range(K) if squares[k]][:m]
                A, F = sp.zeros(K, m), sp.zeros(m, K)
                for i, k in enumerate(kept):
                    A[k, i], F[i, k] = ratio * sp.sqrt(squares[k]), sp.sqrt(squares[k]) / ratio
                found = A * F == sp.diag(*squares)
                require_equal(statement.exists(m, rank), found, "factors otherwise", m=m, rank=rank, squares=squares)
                if found:
                    norms = sum(x**2 for x in A), sum(x**2 for x in F)
                    value = lam_A / 2 * norms[0] + lam_F / 2 * norms[1]
                    of_A, of_F = statement.middle(lam_A, lam_F)
                    require_equal(of_A * norms[0] + of_F * norms[1], value, "the middle differs", squares=squares)
                    require_equal(statement.price(lam_A, lam_F) * sum(squares), value, "the price differs")


@cache
def least_decay(K, N, rank, seed):
    """min over invertible A of the decay of A and A⁻¹Z, which attains it or comes close, and the nuclear norm."""
    rng = np.random.default_rng(seed)
    lams = np.exp(rng.normal(size=2))
    Z = rng.normal(size=(K, rank)) @ rng.normal(size=(rank, N))

    def value(x):
        A = x.reshape(K, K)
        F = np.linalg.solve(A, Z)
        slope = lams[0] * A - lams[1] * np.linalg.solve(A.T, F) @ F.T
        return lams[0] / 2 * np.sum(A**2) + lams[1] / 2 * np.sum(F**2), slope.ravel()

    found = minimize(value, np.eye(K).ravel() + 0.1, jac=True, method="BFGS", options={"gtol": 1e-7})
    return found.fun, lams, np.linalg.svd(Z, compute_uv=False).sum(), found.x.reshape(K, K), Z


@claim.check("optimised", covers=Search("BFGS over A with F = A⁻¹Z, K ≤ 4, six Z of full rank"))
def test_descent_over_factors(statement):
    for K, N, seed in ((2, 2, 0), (2, 5, 1), (3, 3, 2), (3, 6, 3), (4, 4, 4)):
        value, lams, nuclear, A, Z = least_decay(K, N, K, seed)
        paid = float(statement.price(*lams)) * nuclear
        require_close(value, paid, "another minimum", rtol=1e-6, K=K, N=N, seed=seed)
        of_A, of_F = (float(x) for x in statement.middle(*lams))
        F = np.linalg.solve(A, Z)
        middle_form = of_A * np.sum(A**2) + of_F * np.sum(F**2)
        require_close(middle_form, value, "the middle differs", rtol=1e-9, K=K, N=N, seed=seed)
        for m in range(1, K + 1):
            # the best approximation of width m
            missed = np.linalg.svd(Z, compute_uv=False)[m:].sum()
            require_equal(statement.exists(m, K), bool(missed < 1e-9), "factors otherwise", m=m, rank=K)


@claim.check("property", covers=Instances("Z up to 5 × 7 of every rank, m ≤ 7, 50 drawn"))
@given(st.integers(1, 5), st.integers(1, 7), st.integers(0, 5), st.integers(1, 7), st.integers(0, 9999))
def test_balanced_factors(statement, K, N, rank, m, seed):
    require_equal(statement.exists(1, 2), False, "a factorisation of I of width 1", m=1, rank=2)
    rng = np.random.default_rng(seed)
    rank = min(rank, K, N)
    lams = [float(x) for x in np.exp(rng.normal(size=2))]
    Z = rng.normal(size=(K, rank)) @ rng.normal(size=(rank, N))
    for width in (m, rank, rank - 1):
        if width < 1:
            continue
        try:
            A, F = cross_entropy.balanced_factors(Z, *lams, m=width)
        except ValueError:
            require_equal(statement.exists(width, rank), False, "no factors", m=width, rank=rank, seed=seed)
            continue
        require_equal(statement.exists(width, rank), True, "factors", m=width, rank=rank, seed=seed)
        require_close(A @ F, Z, "no factors of Z", rtol=1e-9, atol=1e-9, seed=seed)
        value = lams[0] / 2 * np.sum(A**2) + lams[1] / 2 * np.sum(F**2)
        nuclear = np.linalg.svd(Z, compute_uv=False).sum()
        paid = float(statement.price(*lams)) * nuclear
        require_close(value, paid, "another value", rtol=1e-9, atol=1e-12, m=width, rank=rank, seed=seed)
        of_A, of_F = (float(x) for x in statement.middle(*lams))
        turned = np.linalg.qr(rng.normal(size=(width, width)))[0] * np.exp(rng.normal(size=width))
        a, f = A @ turned, np.linalg.solve(turned, F)
        other = of_A * np.sum(a**2) + of_F * np.sum(f**2)
        direct = lams[0] / 2 * np.sum(a**2) + lams[1] / 2 * np.sum(f**2)
        require_close(other, direct, "the middle differs", rtol=1e-9, atol=1e-12, m=width, rank=rank, seed=seed)
        require_at_most(paid * (1 - 1e-9), other, "cheaper factors", m=width, rank=rank, seed=seed)
