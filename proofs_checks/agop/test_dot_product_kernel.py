r"""Dot-product kernels with the AGOP of an interpolating linear classifier (agop, end of Section 5.2; agop-v1, 5.4).

"Choosing k to be a dot product kernel and M to be the AGOP of an interpolating linear classifier implies that
$k_M = k^*$", the collapsed kernel
$I_K\otimes 1_n1_n^\top$. A dot-product kernel is $k_M(x,y) = h(x^\top My)$ for
$h(t) = \sum_i a_it^i$ with $a_i\ge0$ (those that are kernels in every dimension). *As printed it is false:*
$h = e^t$ gives e
within classes and 1 between them. *Amended:* it holds if and only if h(0) = 0 and h(1) = 1, that is $a_0 = 0$ and
$\sum_ia_i = 1$, for two or more classes. *Proof.* $M = \beta\beta^\top$ with $\beta^\top X = Y$, so that
$X^\top MX = Y^\top Y$, with entries one within classes and zero between.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_equal
from theory import labels
from theory.deep_rfm import kernel_ridge


class DotProduct(NamedTuple):
    """The kernels that are said to give the collapsed one, from the coefficients of h and their sum."""

    applies: Callable = lambda constant, total: constant == 0 and total == 1


claim = Claim(
    id="agop.dot-product-kernel",
    title="Which dot-product kernels collapse with the AGOP of a linear classifier",
    source="agop, end of Section 5.2; agop-v1, end of Section 5.4",
    verdict="amended",
    depends_on=["agop.linear-one-step"],
    printed=Statement(
        r"\beta^\top X = Y,\; M = \beta\beta^\top,\; k_M(x, y) = h(x^\top M y) \;\Rightarrow\; "
        r"k_M(X, X) = I_K \otimes 1_n1_n^\top \text{ for every dot-product kernel } h",
        DotProduct(applies=lambda constant, total: True),
    ),
    amended=Statement(
        r"\text{the same if and only if } h(0) = 0 \text{ and } h(1) = 1",
        DotProduct(),
    ),
    near_misses={
        "h(0) = 0 only": DotProduct(applies=lambda constant, total: constant == 0),
        "h(1) = 1 only": DotProduct(applies=lambda constant, total: total == 1),
        "the linear kernel's h(1) ≥ 1": DotProduct(applies=lambda constant, total: constant == 0 and total >= 1),
        "never": DotProduct(applies=lambda constant, total: False),
    },
    counterexample_code=r"""
# Two classes of one sample, X = I: β = I interpolates Y = I, M = I. The dot-product kernel (1 + xᵀMy)²:
X = [(1, 0), (0, 1)]
k = [[(1 + sum(a * b for a, b in zip(x, y))) ** 2 for y in X] for x in X]
print(f"the kernel matrix is {k}")
assert k != [[1, 0], [0, 1]]
""",
)


@claim.check("derived", covers="all")
def test_entries_of_the_kernel(statement):
    # Xᵀ M X = Xᵀβ βᵀX = YᵀY, whose entry for classes c and d is the inner product of unit vectors.
    a0, rest, t = sp.symbols("a0 rest t", nonnegative=True)
    within, between = (sp.Matrix([1, 0]).dot(sp.Matrix(v)) for v in ((1, 0), (0, 1)))
    h = a0 + rest * t  # at t = 0 and 1 a series takes the values of this one, rest being the sum of a_1, a_2, …
    solutions = sp.solve([h.subs(t, between), h.subs(t, within) - 1], [a0, rest], dict=True)
    require_equal(solutions, [{a0: 0, rest: 1}], "other kernels collapse")
    for constant, others in (
        (0, 1),
        (0, 2),
        (0, sp.Rational(1, 2)),
        (1, 0),
        (1, 1),
        (sp.Rational(1, 2), sp.Rational(1, 2)),
    ):
        collapsed = {a0: constant, rest: others} in solutions
        stated = statement.applies(constant, constant + others)
        require_equal(bool(stated), collapsed, "collapsed or not", a0=constant, rest=others)


@claim.check("exact", covers=Instances("polynomials of degree up to 3 with coefficients 0, ½, 1; 2 + 1 samples in Z⁴"))
def test_rational_samples(statement):
    X = sp.Matrix([[1, 2, 0], [0, 1, -1], [1, 0, 2], [0, 0, 1]])
    Y = sp.Matrix([[1, 1, 0], [0, 0, 1]])
    beta = X * (X.T * X).inv() * Y.T
    products = X.T * beta * beta.T * X
    collapsed = sp.Matrix([[1, 1, 0], [1, 1, 0], [0, 0, 1]])
    half = Fraction(1, 2)
    for a in (
        (a0, a1, a2, a3) for a0 in (0, half, 1) for a1 in (0, half, 1) for a2 in (0, half, 1) for a3 in (0, half)
    ):
        if not any(a):
            continue
        coefficients = [sp.Rational(c) for c in a]
        k = products.applyfunc(lambda t, c=coefficients: sum(c[i] * t**i for i in range(4)))
        require_equal(bool(statement.applies(a[0], sum(a))), k == collapsed, "collapsed or not", a=a)


@claim.check(
    "property", covers=Instances("2–4 classes of up to 3 samples, degree up to 4, in eighths, drawn at random")
)
@given(
    st.lists(st.integers(1, 3), min_size=2, max_size=4),
    st.lists(st.integers(0, 4), min_size=5, max_size=5),
    st.booleans(),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_least_squares(statement, sizes, eighths, vanishing, normalised, seed):
    Y = labels.one_hot(sizes)
    X = np.linalg.qr(np.random.default_rng(seed).standard_normal((Y.shape[1] + 2, Y.shape[1])))[0]
    X = X * np.linspace(1, 3, Y.shape[1])
    M = np.linalg.lstsq(X.T, Y.T, rcond=None)[0]
    M = M @ M.T
    a = [Fraction(e, 8) for e in eighths]
    a[0] *= not vanishing
    if normalised:
        a[-1] = max(1 - sum(a[:-1]), Fraction(0))
    products = X.T @ M @ X
    k = sum(float(c) * products**i for i, c in enumerate(a))
    # coefficients are in eighths: another kernel is an eighth away from the collapsed one
    collapsed = bool(np.abs(k - kernel_ridge.collapsed_kernel(Y)).max() < 1e-9)
    require_equal(bool(statement.applies(a[0], sum(a))), collapsed, "collapsed or not", a=a, sizes=sizes)
