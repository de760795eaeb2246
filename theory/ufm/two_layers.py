r"""Two layers: pre-activations that cost less than deep neural collapse.

In the 2-DUFM the ReLU stands between one factorisation and one ridge regression. Pre-activations M = W₁H₁ (class
means, d × K) cost √(nλ_H1 λ_W1) ‖M‖_*, and the singular values of σ(M) decide the rest. Collapse is M = I. Where
‖σ(M)‖_* ≤ ‖M‖_*, for instance where M is non-negative, every singular value of σ(M) is paid for and nothing beats
collapse. But a ReLU can raise the nuclear norm, and these M of low rank gain from it:

* `balanced_cuts`: classes are the edges of the complete graph on r = 2m vertices. Each row splits the vertices into
  halves and is 1 on the edges inside one half, −1 inside the other and 0 across. The rank is r − 1. With a rows of
  which are 1 at a given edge, MᵀM is a r times a projection, and σ(M)ᵀσ(M) has the eigenvalues

  $$ a\,\frac{m(m-1)}2 \;(\text{once}),\qquad a\,\frac m2 \;(r-1),\qquad a\,\frac m{2(2m-3)} \;(r(r-3)/2). $$

  From r = 6, K = 15 on they beat collapse for every regularisation at which collapse beats the zero solution
  (`balanced_cuts_beat_collapse`).
* `hexagon`: six classes at the corners of a regular hexagon, rank 2. It beats collapse for regularisation near the
  threshold.
* `few_classes`: for 4 to 14 classes, the best that is known of the regularisations at which collapse is beaten. Beside
  further collapsed classes each of these beats collapse as well, so that from K = 4 on collapse is not optimal for all
  regularisations. For K = 3 searches have found nothing.

>>> import numpy as np
>>> log_kappa = np.log(np.sqrt(2) / 9)  # at κ = √u/(1+u)² collapse has the scale u
>>> [round(least_loss(M, log_kappa).loss, 4) for M in (np.eye(15), balanced_cuts(6))]
[0.3889, 0.3751]
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from theory.arguments import IntegerLike, RealLike, check_array, check_instance, check_integer, check_real
from theory.certificate import ShiftCertificate
from theory.geometry.triangular_graph import complete_graph_edges
from theory.overflow import within_floats
from theory.ridge import minimiser
from theory.schatten import minimal_factors, power
from theory.ufm._few_classes import DESCENTS
from theory.ufm._point import Point
from theory.ufm._problem import Problem
from theory.ufm._scale import ScaleMinimum, least_over_scale

if TYPE_CHECKING:
    from jaxtyping import Float, Int, Real

__all__ = ["balanced_cuts", "balanced_cuts_beat_collapse", "few_classes", "hexagon", "least_loss", "solution"]


def hexagon() -> Int[np.ndarray, "6 6"]:
    """The circulant matrix of (1, 1, 0, −1, −1, 0), six classes at the corners of a regular hexagon.

    Up to a factor its entries are the cosines of the angles between the corners, the columns, and the midpoints of the
    sides, the rows.

    Returns
    -------
    ndarray of int, shape (6, 6)

    Examples
    --------
    >>> [int(np.linalg.matrix_rank(M)) for M in (hexagon(), np.maximum(hexagon(), 0))]
    [2, 5]
    """
    return np.array([np.roll([1, 1, 0, -1, -1, 0], shift) for shift in range(6)])


def balanced_cuts(r: IntegerLike) -> Int[np.ndarray, "cuts K"]:
    """The rows for all splits of r vertices into halves, each with either sign.

    Parameters
    ----------
    r : int
        Even, at least 4.

    Returns
    -------
    ndarray of int, shape (binom(r, r/2), r(r−1)/2)
        Entries −1, 0, 1; columns in the order of `theory.geometry.triangular_graph.complete_graph_edges`.

    Raises
    ------
    ValueError
        If r is odd or below 4.
    TypeError
        If r is no integer.

    Examples
    --------
    >>> balanced_cuts(4)[:2]
    array([[ 1,  0,  0,  0,  0, -1],
           [ 0,  1,  0,  0, -1,  0]])
    """
    r = check_integer("r", r, at_least=4, at_most=24)  # 2.7 million cuts of 276 edges
    if r % 2:
        raise ValueError(f"r = {r}; r must be even, so that the vertices split into halves")
    halves = list(combinations(range(r), r // 2))
    sides = np.full((len(halves), r), -1)
    for row, half in zip(sides, halves, strict=True):
        row[list(half)] = 1
    ends = np.array(complete_graph_edges(r))
    rows: Int[np.ndarray, "cuts K"] = (sides[:, ends[:, 0]] + sides[:, ends[:, 1]]) // 2
    return rows


#: Edges that are left out of the complete graph on six vertices, and the scale of collapse up to which the cuts without
#: them have a smaller loss.
_WITHOUT_EDGES = {13: ("2", ((0, 1), (2, 3))), 14: ("20", ((0, 1),))}


def few_classes(K: IntegerLike) -> tuple[Int[np.ndarray, "d K"], Fraction]:
    """Pre-activations of 4 to 14 classes that beat collapse with two layers, and up to which scale of collapse.

    For 13 and 14 classes they are `balanced_cuts` of six vertices without two disjoint edges and without one, for six
    classes the `hexagon`, else minima of descents rounded to integers.

    Parameters
    ----------
    K : int
        Number of classes, 4 to 14.

    Returns
    -------
    ndarray of int, shape (d, K)
        The class means of W₁H₁ up to a factor.
    Fraction
        A scale u of collapse at which they have a smaller loss than collapse, as they do closer to the threshold u = 1.

    Raises
    ------
    ValueError, TypeError
        If K is no integer from 4 to 14.

    Examples
    --------
    >>> M, u = few_classes(14)
    >>> M.shape, u
    ((20, 14), Fraction(20, 1))
    """
    K = check_integer("K", K, at_least=4, at_most=14)
    if K == 6:
        return hexagon(), Fraction("1.2")
    if K in _WITHOUT_EDGES:
        u, absent = _WITHOUT_EDGES[K]
        kept = [edge not in absent for edge in complete_graph_edges(6)]
        return balanced_cuts(6)[:, kept], Fraction(u)
    u, rows = DESCENTS[K]
    return np.array([[int(entry) for entry in row.split()] for row in rows]), Fraction(u)


@within_floats
def least_loss(pre_activations: Real[np.ndarray, "d K"], log_kappa: RealLike) -> ScaleMinimum:
    """The least loss of the 2-DUFM with pre-activations proportional to a given matrix.

    Parameters
    ----------
    pre_activations : ndarray, shape (d, K)
        The class means of W₁H₁ up to a factor.
    log_kappa : float
        log κ, with κ = K √(n λ_H1 λ_W1 λ_W2 K) (`Problem.log_kappa`).

    Returns
    -------
    ScaleMinimum
        The loss, and the square of the factor over Kλ_W2.

    Raises
    ------
    ValueError
        If the matrix is zero or not finite.
    TypeError
        If it is no array of numbers, or a masked array.

    Notes
    -----
    Weights and features are the balanced factors, whose cost is the nuclear norm, and W₂ is the ridge solution.

    Examples
    --------
    >>> bool(least_loss(np.eye(6), -1.4).loss > least_loss(hexagon(), -1.4).loss)
    True
    """
    M, exponent = _of_moderate_size(pre_activations)
    log_kappa = check_real("log_kappa", log_kappa)
    nuclear = power(M, 1)
    eigenvalues = np.zeros(M.shape[1])
    values = np.linalg.svd(np.maximum(M, 0), compute_uv=False)
    eigenvalues[: len(values)] = np.where(values > 1e-12 * nuclear, values, 0.0) ** 2
    least = least_over_scale(2, log_kappa + float(np.log(nuclear / M.shape[1])), eigenvalues)
    return least._replace(u=float(np.ldexp(least.u, -2 * exponent)))


@within_floats
def solution(pre_activations: Real[np.ndarray, "d K"], problem: Problem) -> Point:
    """Features and weights with pre-activations proportional to a given matrix, at their least loss.

    Parameters
    ----------
    pre_activations : ndarray, shape (d, K)
        The class means of W₁H₁ up to a factor.
    problem : Problem
        With two layers and the ReLU. Its widths do not matter; the point's are K and d.

    Returns
    -------
    Point
        Of a problem with these widths.

    Raises
    ------
    ValueError
        If the problem has not two layers, or another number of classes, or the matrix is zero or not finite.
    TypeError
        If the matrix is no array of numbers, or a masked array.

    Examples
    --------
    >>> problem = Problem.of(6, 2, lams=(0.04, 0.04, 0.17), n=2)
    >>> point = solution(hexagon(), problem)
    >>> bool(abs(point.loss - least_loss(hexagon(), problem.log_kappa).loss) < 1e-12)
    True
    """
    check_instance("problem", problem, Problem)
    M, _ = _of_moderate_size(pre_activations)
    if problem.L != 2 or M.shape[1] != problem.K:
        raise ValueError(
            f"pre_activations has {M.shape[1]} classes for a problem with K = {problem.K}, L = {problem.L}; there must "
            "be as many as in the problem, which must have two layers"
        )
    decay, lam = (problem.lams[1], problem.n * problem.lams[0]), problem.lams[2]
    M = M * np.sqrt(least_loss(M, problem.log_kappa).u * problem.K * lam)
    weight, means = minimal_factors(M, decay, width=max(M.shape[1], 1))
    wide = replace(problem, widths=(M.shape[1], M.shape[0]))
    features = np.repeat(means, problem.n, axis=1)
    return Point(wide, features, [weight, minimiser(np.maximum(M, 0), lam)])


def balanced_cuts_beat_collapse(m_from: IntegerLike = 3) -> ShiftCertificate:
    r"""The certificate that balanced cuts beat collapse for all r = 2m ≥ 2 m_from and all regularisations.

    Let u > 0 be any scale of collapse, and give the cuts the scale at which their weights and features cost the same,
    a t = ur/4. Then the rest of the loss is smaller:

    $$ \frac1K\sum_i\frac{1}{1+e_it} < \frac1{1+u}. $$

    The difference, over u and times positive factors, is the certificate's polynomial. Where K is no such triangular
    number, a block of balanced cuts beside collapsed classes does it, as losses of blocks add.

    Parameters
    ----------
    m_from : int
        Half the least number of vertices. At 2, where r = 4 and K = 6, the two losses are equal and the certificate
        does not verify.

    Returns
    -------
    ShiftCertificate

    Raises
    ------
    ValueError, TypeError
        If `m_from` is no integer that is at least 1.

    Examples
    --------
    >>> balanced_cuts_beat_collapse().verify(), balanced_cuts_beat_collapse(2).verify()
    (True, False)
    """
    m_from = check_integer("m_from", m_from, at_least=1)
    # (m − 2) times Σ_j u^j p_j(m), each p_j from the constant coefficient up
    by_power_of_u = {0: (192, -224, 64), 1: (0, -96, 48, 56, -52, 12), 2: (0, 0, 0, 8, -32, 28, -9, 1)}
    coefficients: dict[tuple[int, ...], int | Fraction] = {
        (i, j): c for j, column in by_power_of_u.items() for i, c in enumerate(column) if c
    }
    return ShiftCertificate("Σ w_i/(1 + e_i t) < 1/(1+u) at equal weight cost", ("m", "u"), coefficients, (m_from, 0))


def _of_moderate_size(pre_activations: Real[np.ndarray, "d K"]) -> tuple[Float[np.ndarray, "d K"], int]:
    """A matrix over a power of two, and the exponent: 0 unless squares of the entries may be out of range."""
    M = check_array("pre_activations", pre_activations, ndim=2)
    largest = np.abs(M).max(initial=0.0)
    if largest == 0:
        raise ValueError("pre_activations are zero; they must not be, for no scale makes zeros a solution")
    exponent = 0 if 1e-40 < largest < 1e40 else int(np.frexp(largest)[1])
    return np.ldexp(M, -exponent), exponent
