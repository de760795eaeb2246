r"""The least norm of a row of weights that maps the incidence matrix to a given row (lowrank, Lemma 12).

.. math::
    \min \{ \lVert w \rVert^2 : w\,T_r = x \} = x T_r^\top (T_r T_r^\top)^{-2} T_r x^\top, \qquad
    (T_r T_r^\top)^{-2} = \Bigl(\frac{r-1}{r-2}\Bigr)^2 \Bigl(I - \frac{3r-4}{4(r-1)^2} J\Bigr),

for a row x in the row space of :math:`T_r`, and J the r × r matrix of ones.
"""

import networkx as nx
import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from theory import triangular_graph
from theory.ledger import Claim, Statement, require

R = sp.Symbol("r", positive=True)


def inverse_squared(scale, ones):
    """The statement's value: the two coefficients of scale · (I − ones · J), as functions of r."""
    return sp.sympify(scale), sp.sympify(ones)


claim = Claim(
    id="lowrank.lemma-12",
    title="Least norm of a map from the incidence matrix",
    source="lowrank, Appendix A.1, Lemma 12, problem (12)–(13)",
    verdict="holds",
    printed=Statement(
        r"\min\{\|w\|^2 : w T_r = x\} = x T_r^\top (T_r T_r^\top)^{-2} T_r x^\top, \quad"
        r"(T_r T_r^\top)^{-2} = \bigl(\tfrac{r-1}{r-2}\bigr)^2 \bigl(I - \tfrac{3r-4}{4(r-1)^2} J\bigr)",
        inverse_squared(((R - 1) / (R - 2)) ** 2, (3 * R - 4) / (4 * (R - 1) ** 2)),
    ),
    near_misses={
        "the inverse itself, not squared": inverse_squared((R - 1) / (R - 2), 1 / (2 * (R - 1))),
        "3r − 3 in place of 3r − 4": inverse_squared(((R - 1) / (R - 2)) ** 2, (3 * R - 3) / (4 * (R - 1) ** 2)),
        "r in place of r − 1": inverse_squared((R / (R - 2)) ** 2, (3 * R - 4) / (4 * (R - 1) ** 2)),
    },
    depends_on=["lowrank.def-3"],
)


def value(statement, r, moments):
    """The stated minimum, from the moments T_r xᵀ."""
    scale, ones = (float(coefficient.subs(R, r)) for coefficient in statement)
    return scale * (moments @ moments - ones * moments.sum() ** 2)


@claim.check("derived")
def test_for_all_r_by_the_algebra_of_i_and_j(statement):
    # Two vertices share one edge and each is on r−1 of them, so T Tᵀ = ((r−2) I + J)/(r−1), and J² = r J.
    # A matrix a I + b J is determined by its action on the ones and on their complement: eigenvalues a + r b and a.
    on_ones, on_rest = ((R - 2) + R) / (R - 1), (R - 2) / (R - 1)
    scale, ones = statement
    require(sp.simplify(scale * (1 - ones * R) - on_ones**-2) == 0, "wrong on the vector of ones")
    require(sp.simplify(scale - on_rest**-2) == 0, "wrong on vectors that sum to zero")


@claim.check("exact")
def test_least_norm_solution_in_rationals(statement):
    for r in range(4, 8):
        incidence = nx.incidence_matrix(nx.complete_graph(r)).toarray().astype(int)
        T = sp.Matrix(incidence) / sp.sqrt(r - 1)
        w = sp.Matrix(
            [[3 * i * i - 5 * i + 1 for i in range(r)]]
        )  # T has full row rank: w is the only solution for x = w T
        require(T.rank() == r, "the rows of T_r are dependent", r=r)
        moments = T * (w * T).T
        scale, ones = (coefficient.subs(R, r) for coefficient in statement)
        stated = scale * (moments.dot(moments) - ones * sum(moments) ** 2)
        require(sp.simplify(stated - w.dot(w)) == 0, "the least norm differs", r=r)


@claim.check("property")
@given(st.integers(4, 24), st.integers(0, 2**32 - 1))
def test_least_squares_solver(statement, r, seed):
    T = triangular_graph.normalised_incidence_matrix(r)
    x = np.random.default_rng(seed).standard_normal(r) @ T
    w = np.linalg.lstsq(T.T, x)[0]
    # T_r has condition number √(2(r−1)/(r−2)) < 2: the solver loses no more than a few digits.
    require(np.isclose(value(statement, r, T @ x), w @ w, rtol=1e-12), "the least norm differs")
