r"""Operators on samples and classes that treat all classes alike, for every K and n at once, as three small blocks.

The matrices on $\mathbb R^N \oplus \mathbb R^K$ that are made of $I$, $Y^\top Y$, $1_N1_N^\top$ on the samples,
$Y^\top$, $1_N1_K^\top$ between both and $I$, $1_K1_K^\top$ on the classes form an algebra. It acts

* on the span of $1_N/\sqrt N$ and $1_K/\sqrt K$ as a 2 × 2 matrix (once),
* on the span of $(v \otimes 1_n)/\sqrt n$ and v, for each unit vector v ⊥ 1, as one 2 × 2 matrix (K−1 times),
* on each vector of samples that sums to 0 in every class as a number (N−K times),

so that an identity of such matrices, for all K and n, is one of three blocks with K and n as symbols. Identities with
other matrices, such as A and F, are those of words in symbols that do not commute: `reduced`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import sympy as sp

from theory.arguments import IntegerLike, check_integer

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["SymmetricOperator", "reduced", "symmetric_matrix", "symmetric_operator"]

Coefficients = tuple[Any, Any, Any, Any, Any, Any, Any]


class SymmetricOperator(NamedTuple):
    """A symmetric matrix on samples and classes that treats all classes alike, as its three blocks.

    Attributes
    ----------
    common : sympy Matrix, 2 × 2
        On 1_N/√N and 1_K/√K.
    classes : sympy Matrix, 2 × 2
        On (v ⊗ 1)/√n and v, for each unit vector v ⊥ 1.
    within : sympy expression
        On vectors of samples that sum to 0 in every class.
    """

    common: sp.Matrix
    classes: sp.Matrix
    within: sp.Expr

    def __matmul__(self, other: SymmetricOperator) -> SymmetricOperator:
        """The product, block by block."""
        return SymmetricOperator(self.common * other.common, self.classes * other.classes, self.within * other.within)

    def plus(self, other: SymmetricOperator, factor: Any = 1) -> SymmetricOperator:
        """The sum of the operator and a multiple of another."""
        return SymmetricOperator(*(sp.sympify(a + factor * b) for a, b in zip(self, other, strict=True)))

    def simplified(self) -> SymmetricOperator:
        """The same operator with simplified entries."""
        return SymmetricOperator(*(sp.simplify(block) for block in self))


def symmetric_operator(
    K: Any, n: Any, *, samples: tuple[Any, Any, Any] = (0, 0, 0), across: tuple[Any, Any] = (0, 0),
    classes: tuple[Any, Any] = (0, 0),
) -> SymmetricOperator:  # fmt: skip
    """The blocks of a symmetric matrix, from its coefficients.

    Parameters
    ----------
    K, n : sympy expression or int
        Classes, and samples of each.
    samples : tuple of three
        Coefficients of I, YᵀY and 1_N1_Nᵀ.
    across : tuple of two
        Coefficients of Yᵀ and 1_N1_Kᵀ, and of their transposes.
    classes : tuple of two
        Coefficients of I and 1_K1_Kᵀ.

    Returns
    -------
    SymmetricOperator

    Examples
    --------
    The operator of the linearised flow, whose entries across are B = Y − β11ᵀ:

    >>> K, n = sp.symbols("K n", positive=True)
    >>> symmetric_operator(K, n, across=(1, -sp.Symbol("beta"))).classes
    Matrix([
    [      0, sqrt(n)],
    [sqrt(n),       0]])
    """
    K, n = sp.sympify(K), sp.sympify(n)
    p, q, r = map(sp.sympify, samples)
    (s, t), (u, v) = (map(sp.sympify, pair) for pair in (across, classes))
    root = sp.sqrt(n)
    off = root * s + K * root * t
    common = sp.Matrix([[p + n * q + K * n * r, off], [off, u + K * v]])
    return SymmetricOperator(common, sp.Matrix([[p + n * q, root * s], [root * s, u]]), p)


def symmetric_matrix(
    K: IntegerLike, n: IntegerLike, *, samples: tuple[Any, Any, Any] = (0, 0, 0), across: tuple[Any, Any] = (0, 0),
    classes: tuple[Any, Any] = (0, 0),
) -> Float[np.ndarray, "size size"]:  # fmt: skip
    """The matrix on samples and classes itself, for given sizes, with the coefficients of `symmetric_operator`.

    Parameters
    ----------
    K, n : int
        Classes, at least 2, and samples of each.
    samples, across, classes : tuple of numbers
        As for `symmetric_operator`.

    Returns
    -------
    ndarray, shape (N + K, N + K)

    Raises
    ------
    ValueError
        If K is below 2 or n below 1.
    TypeError
        If one is no integer.

    Examples
    --------
    >>> symmetric_matrix(2, 1, across=(1, -0.5))[:2, 2:]
    array([[ 0.5, -0.5],
           [-0.5,  0.5]])
    """
    K, n = check_integer("K", K, at_least=2, at_most=1000), check_integer("n", n, at_least=1, at_most=10_000)
    N = K * n
    Y = np.repeat(np.eye(K), n, axis=1)
    p, q, r = samples
    off = across[0] * Y.T + across[1] * np.ones((N, K))
    top = p * np.eye(N) + q * Y.T @ Y + r * np.ones((N, N))
    return np.block([[top, off], [off.T, classes[0] * np.eye(K) + classes[1] * np.ones((K, K))]])


def reduced(expression: sp.Expr, rules: Mapping[sp.Expr, Any]) -> sp.Expr:
    """A polynomial in symbols that do not commute, expanded, with words replaced until none of them is left.

    Parameters
    ----------
    expression : sympy expression
        Of symbols that stand for matrices of any size.
    rules : mapping of expressions
        What each word equals. They must not lead in a circle.

    Returns
    -------
    sympy expression

    Examples
    --------
    With YYᵀ = nI, the square of I − YᵀY/n is itself:

    >>> Y, Yt = sp.symbols("Y Yt", commutative=False)
    >>> n = sp.Symbol("n", positive=True)
    >>> reduced((1 - Yt * Y / n) ** 2, {Y * Yt: n}) == 1 - Yt * Y / n
    True
    """
    now, last = sp.expand(expression), None
    while now != last:
        last, now = now, sp.expand(now.subs(rules))
    return now
