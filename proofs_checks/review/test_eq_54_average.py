r"""The average CDNV of the source classes (review, Section 4.3, before equation 54).

The sum over i and i' ≠ i has s(s − 1) terms, each pair of classes twice: an average is $\frac1{s(s-1)}$ of it, or
$\frac2{s(s-1)}$ of the sum over i < i'. The printed number is twice the average.
"""

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations, permutations
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_close, require_equal
from theory.generalisation import cdnv


class Average(NamedTuple):
    """The average is factor(s) times the sum over i and over all i' ≠ i."""

    factor: Callable[[Any], Any]


claim = Claim(
    id="review.eq-54.average",
    title="The average CDNV of the source classes",
    source="review, Section 4.3, before equation 54",
    verdict="amended",
    depends_on=["review.eq-51"],
    printed=Statement(
        r"\text{the average CDNV of the sources, } \frac2{s(s-1)}\sum_{i=1}^s\sum_{i'\ne i}^s V_f(\tilde P_{C_i},"
        r"\tilde P_{C_{i'}})",
        Average(lambda s: 2 / (s * (s - 1))),
        formulas={r"\frac2{s(s-1)}": lambda average, s: average.factor(s)},
    ),
    amended=Statement(
        r"\text{the average over pairs of different classes is } \frac1{s(s-1)}\sum_{i=1}^s\sum_{i'\ne i} "
        r"V_f(\tilde P_{C_i}, \tilde P_{C_{i'}}) = \frac2{s(s-1)}\sum_{i<i'} V_f(\tilde P_{C_i}, \tilde P_{C_{i'}})",
        Average(lambda s: 1 / (s * (s - 1))),
        formulas={r"\frac1{s(s-1)}": lambda average, s: average.factor(s)},
    ),
    near_misses={
        "all s² pairs": Average(lambda s: 1 / s**2),
        "a sum over s − 1 classes": Average(lambda s: 1 / (s - 1) ** 2),
        "s + 1 for s − 1": Average(lambda s: 1 / (s * (s + 1))),
    },
    counterexample_code=r"""
# Two source classes with V(1, 2) = V(2, 1) = 1: the printed average is 2.
V, s = {(1, 2): 1, (2, 1): 1}, 2
printed = 2 / (s * (s - 1)) * sum(V[i, j] for i in (1, 2) for j in (1, 2) if i != j)
print("average of 1 and 1:", printed)
assert printed == 2
""",
)


@claim.check("derived", covers="all")
def test_a_constant(statement):
    # The average of a constant is the constant; a factor that depends on s alone is fixed by that.
    s, i = sp.symbols("s i", integer=True, positive=True)
    terms = sp.summation(sp.summation(1, (sp.Symbol("j"), 1, s)) - 1, (i, 1, s))
    require_equal(sp.simplify(statement.factor(s) * terms), 1, "the average of ones is not one")


@claim.check("exact", covers=Instances("s ≤ 7, V = 1/(i + j), in rationals"))
def test_pairs(statement):
    for s in range(2, 8):
        V = {(i, j): Fraction(1, i + j) for i, j in permutations(range(1, s + 1), 2)}
        pairs = [V[pair] for pair in combinations(range(1, s + 1), 2)]
        stated = sp.Rational(sum(V.values())) * statement.factor(sp.Integer(s))
        require_equal(stated, sp.Rational(sum(pairs), len(pairs)), "another average", s=s)


@claim.check("property", covers=Instances("s ≤ 6, classes in 3 dimensions, 50 drawn"))
@given(st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_random_classes(statement, s, seed):
    rng = np.random.default_rng(seed)
    V = cdnv(rng.normal(size=(3, s)), rng.random(s))
    average = np.mean([V[i, j] for i, j in combinations(range(s), 2)])
    require_close(statement.factor(s) * V.sum(), average, "another average", rtol=1e-12, s=s)
