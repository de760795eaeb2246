"""Strongly regular graph solutions with rational entries, and the loss of rational matrices without rounding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import comb, frexp
from typing import Any, TypeAlias

from flint import fmpq, fmpq_mat

from theory.arguments import IntegerLike, RealLike, check_instance, check_integer, check_sequence
from theory.dufm._constructions import srg
from theory.dufm._problem import SMALLEST_L
from theory.foreign import entries
from theory.geometry import triangular_graph
from theory.ufm import exact_lams

__all__ = ["RationalMatrices", "exact_loss", "rational_srg"]

RationalMatrix: TypeAlias = Any  # flint.fmpq_mat, which has no type information


@dataclass(frozen=True)
class RationalMatrices:
    """Class means of the features and weights of a DNC1-collapsed solution, as python-flint matrices.

    Attributes
    ----------
    class_means : fmpq_mat
        M_1, of shape (d_1, K).
    weights : tuple of fmpq_mat
        W_1, …, W_L.
    """

    class_means: RationalMatrix
    weights: tuple[RationalMatrix, ...]


def exact_loss(matrices: RationalMatrices, lams: Sequence[RealLike], n: IntegerLike = 1) -> Fraction:
    """The objective (1) of lowrank at rational matrices, each class mean repeated n times, without rounding.

    Parameters
    ----------
    matrices : RationalMatrices
    lams : sequence of L+1 Fractions, decimal strings or floats
        (λ_H1, λ_W1, …, λ_WL).
    n : int
        Samples per class.

    Returns
    -------
    Fraction

    Raises
    ------
    ValueError, TypeError
        If a regularisation is negative, there are not L+1 of them, or n < 1.

    References
    ----------
    lowrank, Definition 2, equation (1).

    Examples
    --------
    >>> exact_loss(rational_srg(4, ["1/100"] * 5), ["1/100"] * 5) < Fraction(1, 2)
    True
    """
    n = check_integer("n", n, at_least=1, at_most=10**6)
    exact = exact_lams(len(check_instance("matrices", matrices, RationalMatrices).weights), None, lams)
    repeated = [list(_repeat(row, n)) for row in matrices.class_means.table()]
    features = fmpq_mat(repeated)
    hidden = features
    for l, weight in enumerate(matrices.weights):
        hidden = weight * (hidden if l == 0 else _relu(hidden))
    K = hidden.nrows()
    labels = fmpq_mat([[fmpq(int(j // n == i)) for j in range(K * n)] for i in range(K)])
    total = _square(hidden - labels) / (2 * K * n)
    for lam, matrix in zip(exact, (features, *matrices.weights), strict=True):
        total += fmpq(lam.numerator, lam.denominator) / 2 * _square(matrix)
    return Fraction(int(total.p), int(total.q))


def rational_srg(
    r: IntegerLike, lams: Sequence[RealLike], n: IntegerLike = 1, *, classes: Sequence[IntegerLike] | None = None
) -> RationalMatrices:
    """A strongly regular graph solution whose matrices are rational and whose scales are optimal to about six digits.

    The structure is exact: M_l is a multiple of the incidence matrix for 2 ≤ l ≤ L−1, the last pre-activations are a
    multiple of those of Definition 4, and W_L is the exact ridge solution. Only the scales and the factorisation of
    M_2 are rounded, so that the loss is above the optimum by a relative 1e-11 or so, and never below it.

    Parameters
    ----------
    r : int
        Order of the triangular graph, at least 4; r(r−1)/2 classes.
    lams : sequence of L+1 Fractions, decimal strings or floats
        (λ_H1, λ_W1, …, λ_WL), for which the solution for r(r−1)/2 classes is not the zero solution.
    n : int
        Samples per class.
    classes : sequence of int, optional
        The classes to keep, by their number among `triangular_graph.complete_graph_edges(r)`: Definition 11's second
        construction. All by default.

    Returns
    -------
    RationalMatrices

    Raises
    ------
    ValueError
        If r < 4, another value is out of range, or the zero solution is optimal.
    TypeError
        If a value is of a wrong type.

    References
    ----------
    lowrank, Definitions 4, 9 and 11.

    Examples
    --------
    >>> matrices = rational_srg(5, ["1/1000"] * 5)
    >>> [(w.nrows(), w.ncols(), w.rank()) for w in matrices.weights]
    [(5, 5, 5), (5, 5, 5), (10, 5, 5), (10, 10, 10)]
    """
    r, n = check_integer("r", r, at_least=4, at_most=10**4), check_integer("n", n, at_least=1, at_most=10**6)
    L = check_integer("len(lams) − 1", len(entries(lams) or ()) - 1, at_least=SMALLEST_L)
    exact = exact_lams(L, None, lams, positive=True)
    K = comb(r, 2)
    solution = srg(K, L, lams=exact, n=n)
    if not solution.nontrivial:
        raise ValueError(f"lams = {[str(lam) for lam in exact]}: the zero solution is optimal for K = {K}")
    *squares, last_square = solution.scales[0]
    scales = [_rounded((square / (r - 1)) ** 0.5) for square in squares]
    last_scale = _rounded(last_square**0.5)

    incidence = fmpq_mat(triangular_graph.incidence_matrix(r).tolist())
    ones, identity = fmpq_mat([[1] * r] * r), _identity(r)
    weightings = fmpq_mat([[fmpq(1 - 2 * int(x), 2) for x in column] for column in incidence.transpose().table()])

    balance = float(n * exact[0] / exact[1]) ** 0.25 * float(Fraction(int(scales[0].p), int(scales[0].q))) ** 0.5
    on_rest, on_ones = balance * (r - 2) ** 0.25, balance * (2 * r - 2) ** 0.25
    first = identity * _rounded(on_rest) + ones * _rounded((on_ones - on_rest) / r)
    means = first.inv() * incidence * scales[0]
    middle = [identity * (there / here) for here, there in pairwise(scales)]
    to_last = weightings * (last_scale / scales[-1])
    final = _relu(weightings * incidence) * last_scale
    ridge = final * final.transpose() + _identity(K) * (K * fmpq(exact[L].numerator, exact[L].denominator))
    output = final.transpose() * ridge.inv()
    if classes is not None:
        kept = check_sequence(
            "classes", classes, lambda name, c: check_integer(name, c, at_least=0, at_most=K - 1), entries="integers"
        )
        means = fmpq_mat([[row[c] for c in kept] for row in means.table()])
        output = fmpq_mat([output.table()[c] for c in kept])
    return RationalMatrices(means, (first, *middle, to_last, output))


def _rounded(x: float, bits: int = 20) -> fmpq:
    mantissa, exponent = frexp(x)
    return fmpq(round(mantissa * 2**bits)) * fmpq(2) ** (exponent - bits)


def _identity(size: int) -> RationalMatrix:
    return fmpq_mat([[int(i == j) for j in range(size)] for i in range(size)])


def _relu(matrix: RationalMatrix) -> RationalMatrix:
    return fmpq_mat([[x if x > 0 else fmpq(0) for x in row] for row in matrix.table()])


def _square(matrix: RationalMatrix) -> fmpq:
    return sum((x * x for x in matrix.entries()), fmpq(0))


def _repeat(row: Sequence[fmpq], n: int) -> list[fmpq]:
    return [x for x in row for _ in range(n)]
