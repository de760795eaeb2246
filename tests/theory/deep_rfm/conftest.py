"""The moments of ReLU features that SymPy integrates, to compare closed forms with at any precision."""

import pytest
import sympy as sp

from theory.deep_rfm import relu_kernel

THETA = sp.Symbol("theta")


@pytest.fixture(scope="session")
def moments():
    """The moments that SymPy integrates, as mpmath functions of θ."""
    pairs = {(1, 1), (2, 2), (3, 1)}
    return {pair: sp.lambdify(THETA, relu_kernel.derive_moment(*pair), "mpmath") for pair in pairs}
