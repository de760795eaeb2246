"""Linear inequalities in fractions, against a solver in floats."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from theory.geometry._inequalities import least_excess


@given(st.integers(1, 4), st.integers(1, 8), st.integers(0, 10**6))
def test_the_least_excess_of_random_inequalities(n, p, seed):
    generator = np.random.default_rng(seed)
    G = [[Fraction(int(v), int(d)) for v, d in zip(*row, strict=True)]
         for row in zip(generator.integers(-5, 6, (p, n)), generator.integers(1, 4, (p, n)), strict=True)]  # fmt: skip
    r = [Fraction(int(v), 3) for v in generator.integers(-9, 10, p)]
    s, x = least_excess(G, r)
    values = [sum((g * t for g, t in zip(row, x, strict=True)), Fraction(0)) for row in G]
    assert s >= 0
    assert all(value - s <= right for value, right in zip(values, r, strict=True))  # it is attained
    rows = np.column_stack([np.array(G, float), -np.ones(p)])
    found = linprog([0] * n + [1], A_ub=rows, b_ub=np.array(r, float), bounds=[(None, None)] * n + [(0, None)])
    assert float(s) == pytest.approx(found.fun, abs=1e-9)  # and least


def test_inequalities_that_contradict_each_other():
    triangle = [[Fraction(-1), Fraction(0)], [Fraction(0), Fraction(-1)], [Fraction(1), Fraction(1)]]
    s, x = least_excess(triangle, [Fraction(-1), Fraction(-1), Fraction(1)])  # x, y ≥ 1 and x + y ≤ 1
    assert s == Fraction(1, 3)
    assert x == [Fraction(2, 3)] * 2
