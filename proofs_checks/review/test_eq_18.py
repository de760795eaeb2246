r"""The gradients of the squared error in features, classifier and bias (review, equation 18).

With E = AF + b1ᵀ − Y the change of E along (dF, dA, db) is A dF + dA F + db 1ᵀ to first order, and
$\langle E, A\,dF\rangle = \langle A^\top E, dF\rangle$ and so on.
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


class Gradients(NamedTuple):
    """The three gradients, from A, F, the residual E = AF + b1ᵀ − Y, and the vector of ones."""

    features: Callable[[Any, Any, Any, Any], Any]
    classifier: Callable[[Any, Any, Any, Any], Any]
    bias: Callable[[Any, Any, Any, Any], Any]


true = Gradients(
    lambda A, F, E, one: A.T @ E,
    lambda A, F, E, one: E @ F.T,
    lambda A, F, E, one: E @ one,
)

claim = Claim(
    id="review.eq-18",
    title="Gradients of the squared error",
    source="review, equation 18",
    verdict="holds",
    printed=Statement(
        r"\nabla_F R_{SE} = A^\top(AF + b1_N^\top - Y),\quad \nabla_A R_{SE} = (AF + b1_N^\top - Y)F^\top,\quad "
        r"\nabla_b R_{SE} = (AF + b1_N^\top - Y)1_N",
        true,
    ),
    near_misses={
        "without the ½ in the risk": Gradients(*(lambda *x, part=part: 2 * part(*x) for part in true)),
        "mean over samples in b": true._replace(bias=lambda A, F, E, one: E @ one / len(one)),
        "half of it in A": true._replace(classifier=lambda A, F, E, one: E @ F.T / 2),
        "descent in F": true._replace(features=lambda A, F, E, one: -A.T @ E),
    },
)


def objects(matrix):
    return np.array(matrix, dtype=object)


@claim.check("derived", covers="all")
def test_first_variation(statement):
    # R along a line, for sizes that are symbols: the coefficient of s in ½ tr EᵀE, against ⟨gradient, direction⟩.
    K, m, N = sp.symbols("K m N", integer=True, positive=True)
    A, dA, F, dF = (sp.MatrixSymbol(name, *size) for name, size in zip(
        ("A", "dA", "F", "dF"), ((K, m), (K, m), (m, N), (m, N)), strict=True))  # fmt: skip
    b, db, one, Y = (sp.MatrixSymbol(*spec) for spec in (("b", K, 1), ("db", K, 1), ("o", N, 1), ("Y", K, N)))
    E = A * F + b * one.T - Y
    for gradient, d, change in (
        (statement.features, dF, A * dF),
        (statement.classifier, dA, dA * F),
        (statement.bias, db, db * one.T),
    ):
        # d/ds ½‖E + s change‖² = tr(Eᵀ change); both sides are expanded into words, up to transposition and rotation
        first = words(sp.Trace(E.T * change))
        inner = words(sp.Trace(gradient(A, F, E, Ones(one)).T * d))
        require_equal(inner, first, "another first variation")


class Ones:
    """The vector of ones, with the length that means divide by."""

    __array_ufunc__ = None

    def __init__(self, vector):
        self.vector = vector

    def __rmatmul__(self, other):
        return other * self.vector

    def __len__(self):
        return 2  # any number of samples but one


def words(trace):
    """A trace as a sum of traces of words: each word in its least form under rotation and transposition."""
    total = {}
    for term in sp.Add.make_args(sp.expand(trace.arg.doit(), deep=True).expand()):
        coefficient, factors = 1, []
        for factor in sp.MatMul.make_args(term):
            if factor.is_Matrix:
                factors.append(factor)
            else:
                coefficient *= factor
        names = [(str(f.arg), "t") if isinstance(f, sp.Transpose) else (str(f), "") for f in factors]
        turned = [(name, "" if t else "t") for name, t in reversed(names)]
        forms = [tuple(w[i:] + w[:i]) for w in (names, turned) for i in range(len(w))]
        total[min(forms)] = total.get(min(forms), 0) + coefficient
    return {word: value for word, value in total.items() if value != 0}


entries = st.integers(-5, 5)


@claim.check("exact", covers=Instances("K ≤ 4, n ≤ 3, m ≤ 4, integer points and directions, 50 drawn"))
@given(st.integers(2, 4), st.integers(1, 3), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_slope_of_a_quartic(statement, K, n, m, seed):
    # Along a line the risk is a polynomial of degree 4: p'(0) = (8(p(1) − p(−1)) − (p(2) − p(−2)))/12 exactly.
    rng, N = np.random.default_rng(seed), K * n
    shapes = (K, m), (m, N), (K, 1)
    point, line = ([objects(rng.integers(-4, 5, shape)) for shape in shapes] for _ in range(2))
    Y, one = objects(np.repeat(np.eye(K, dtype=int), n, axis=1)), objects(np.ones((N, 1), int))

    def residual(A, F, b):
        return A.dot(F) + b.dot(one.T) - Y

    for part, gradient in ((1, statement.features), (0, statement.classifier), (2, statement.bias)):

        def p(s, part=part):
            moved = [x + s * d if i == part else x for i, (x, d) in enumerate(zip(point, line, strict=True))]
            return Fraction(int((residual(*moved) ** 2).sum()), 2)

        slope = (8 * (p(1) - p(-1)) - (p(2) - p(-2))) / 12
        found = gradient(point[0], point[1], residual(*point), one)
        require_equal(Fraction((found * line[part]).sum()), slope, "another slope", K=K, n=n, m=m, part=part)


@claim.check("property", covers=Instances("K = 3, n = 2, m = 4, 50 random points"))
@given(st.integers(0, 2**32 - 1))
def test_the_function_of_the_library(statement, seed):
    rng = np.random.default_rng(seed)
    A, F, b = rng.normal(size=(3, 4)), rng.normal(size=(4, 6)), rng.normal(size=3)
    E = A @ F + b[:, None] - np.repeat(np.eye(3), 2, axis=1)
    parts = (x(A, F, E, np.ones(6)) for x in (statement.classifier, statement.features, statement.bias))
    for mine, other in zip(parts, strong_collapse.gradient(A, F, b), strict=True):
        require_close(mine, other, "another gradient", rtol=1e-11, atol=1e-11)
