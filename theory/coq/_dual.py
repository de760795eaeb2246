"""Optimal kernel matrices: the multipliers of a dual certificate as a Coq proof."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np

from theory.coq._script import Lemma
from theory.coq._terms import comment, number, polynomial, wrapped
from theory.deep_rfm.kernel_certificate import Certificate


def optimum(certificate: Certificate, name: str) -> list[Lemma]:
    """Return the theorem that the cost's slope at a kernel matrix points down towards no feasible one.

    The theorem is of the entries above the diagonal, of which every feasible kernel matrix has ones; the cost is
    convex, so that the kernel matrix is optimal.

    Parameters
    ----------
    certificate : Certificate
        With exact multipliers.
    name : str
        The theorem's name.

    Returns
    -------
    list of Lemma

    Raises
    ------
    ValueError
        If the multipliers are floats, or S is not positive semi-definite.
    """
    if certificate.psd.dtype != object:
        raise ValueError("certificate has float multipliers; certificate must have exact ones")
    size = len(certificate.psd)
    pairs = list(combinations(range(size), 2))
    entries = [f"k_{i + 1}_{j + 1}" for i, j in pairs]
    slopes = [2 * (certificate.psd[pair] + certificate.entries[pair]) for pair in pairs]
    at_optimum = sum((s * certificate.kernel[pair] for s, pair in zip(slopes, pairs, strict=True)), Fraction(0))
    units = {tuple(int(k == i) for k in range(len(pairs))): s for i, s in enumerate(slopes)}
    difference = polynomial({**units, (0,) * len(pairs): -at_optimum}, entries)
    squares = _sum_of_squares(certificate.psd)
    text = [
        comment("k_i_j: the entries of any kernel matrix; the last line: how the cost begins to change towards it"),
        f"Theorem {name} : forall",
        f"    {wrapped(' '.join(entries), 4)} : R,",
        f"  (forall {' '.join(f'x_{i + 1}' for i in range(size))} : R,",
        f"    0 <= {wrapped(_form(size), 6)}) ->",
        f"  {wrapped(' '.join(f'0 <= {entry} ->' for entry in entries), 2)}",
        f"  0 <= {wrapped(difference, 4)}.",
        "Proof.",
        f"  intros {wrapped(' '.join(entries), 4)} psd.",
        f"  intros {wrapped(' '.join(f'sign_{entry[2:]}' for entry in entries), 4)}.",
        *(f"  pose proof (psd {wrapped(' '.join(map(number, vector)), 4)})." for vector in squares),
        "  lra.",
        "Qed.",
    ]
    return [Lemma(name, "\n".join(text))]


def _form(size: int) -> str:
    squares = [f"x_{i + 1} ^ 2" for i in range(size)]
    mixed = [f"2 * k_{i + 1}_{j + 1} * x_{i + 1} * x_{j + 1}" for i, j in combinations(range(size), 2)]
    return " + ".join([*squares, *mixed])


def _sum_of_squares(matrix: Any) -> Iterator[list[Fraction]]:
    """Vectors whose outer products, with positive factors, add up to a positive semi-definite matrix."""
    rest = np.array([[Fraction(x) for x in row] for row in matrix], dtype=object)
    for i in range(len(rest)):
        pivot = rest[i, i]
        if pivot < 0 or (not pivot and any(rest[i])):
            raise ValueError("certificate has an S that is not positive semi-definite")
        if pivot:
            vector = rest[i] / pivot
            rest = rest - pivot * np.outer(vector, vector)
            yield list(vector)
