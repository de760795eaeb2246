r"""The least norm of a row of weights that maps the incidence matrix to a given row (lowrank, Lemma 12).

$$
\min \{ \lVert w \rVert^2 : w\,T_r = x \} = x T_r^\top (T_r T_r^\top)^{-2} T_r x^\top, \qquad
(T_r T_r^\top)^{-2} = \Bigl(\frac{r-1}{r-2}\Bigr)^2 \Bigl(I - \frac{3r-4}{4(r-1)^2} J\Bigr),
$$

for a row x in the row space of $T_r$, and J the r × r matrix of ones.

The lemma speaks of the value of the optimal solution and leaves unsaid that there has to be one: for r ≥ 4 the row
space is a proper subspace, and outside it the problem has no solution, while the formula still has a value. Dropping
the condition is a near miss.
"""

from collections.abc import Callable
from typing import NamedTuple

import cvxpy as cp
import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Statement, require
from theory.geometry import triangular_graph

R = sp.Symbol("r", positive=True)


class LeastNorm(NamedTuple):
    """The statement: (T Tᵀ)⁻² = scale · (I − ones · J) as functions of r, and whether it is for rows of any kind."""

    scale: Callable
    ones: Callable
    any_row: bool = False

    def __call__(self, r, moments):
        """The stated minimum from the moments T_r xᵀ; exact for a SymPy r."""
        return self.scale(r) * (moments.dot(moments) - self.ones(r) * sum(moments) ** 2)


def scale(r):
    return ((r - 1) / (r - 2)) ** 2


def ones(r):
    return (3 * r - 4) / (4 * (r - 1) ** 2)


claim = Claim(
    id="lowrank.lemma-12",
    title="Least norm of a map from the incidence matrix",
    source="lowrank, Appendix A.1, Lemma 12, problem (12)–(13)",
    verdict="holds",
    printed=Statement(
        r"\min\{\|w\|^2 : w T_r = x\} = x T_r^\top (T_r T_r^\top)^{-2} T_r x^\top, \quad "
        r"(T_r T_r^\top)^{-2} = \bigl(\tfrac{r-1}{r-2}\bigr)^2 \bigl(I - \tfrac{3r-4}{4(r-1)^2} J\bigr),"
        r"\text{ where there is a solution}",
        LeastNorm(scale, ones),
    ),
    near_misses={
        "the inverse itself, not squared": LeastNorm(lambda r: (r - 1) / (r - 2), lambda r: 1 / (2 * (r - 1))),
        "3r − 3 in place of 3r − 4": LeastNorm(scale, lambda r: (3 * r - 3) / (4 * (r - 1) ** 2)),
        "r in place of r − 1": LeastNorm(lambda r: (r / (r - 2)) ** 2, ones),
        "for every row x": LeastNorm(scale, ones, any_row=True),
    },
    depends_on=["lowrank.def-3"],
)


@claim.check("derived")
def test_for_all_r_by_the_algebra_of_i_and_j(statement):
    # Two vertices share one edge and each is on r−1 of them, so T Tᵀ = ((r−2) I + J)/(r−1), and J² = r J.
    # A matrix a I + b J is determined by its action on the ones and on their complement: eigenvalues a + r b and a.
    on_ones, on_rest = ((R - 2) + R) / (R - 1), (R - 2) / (R - 1)
    scale, ones = statement.scale(R), statement.ones(R)
    require(sp.simplify(scale * (1 - ones * R) - on_ones**-2) == 0, "wrong on the vector of ones")
    require(sp.simplify(scale - on_rest**-2) == 0, "wrong on vectors that sum to zero")
    # Neither eigenvalue vanishes: T has r independent rows, of length r(r−1)/2, which are all rows for r = 3 alone.
    dimensions = R * (R - 1) / 2 - R
    require(
        not statement.any_row or dimensions == 0, "not every row is a combination of those of T", outside=dimensions
    )


def rows(statement, r, w):
    """Rows x of which the statement speaks: w T_r, and a row that is no such product."""
    T = sp.Matrix(triangular_graph.incidence_matrix(r)) / sp.sqrt(r - 1)
    yield T, w * T
    if statement.any_row:
        yield T, sp.eye(T.cols)[0, :]


@claim.check("exact")
def test_least_norm_solution_in_rationals(statement):
    for r in range(4, 8):
        w = sp.Matrix([[3 * i * i - 5 * i + 1 for i in range(r)]])
        for T, x in rows(statement, r, w):
            require(T.rank() == r, "the rows of T_r are dependent", r=r)
            solution = x * T.pinv()
            require((solution * T - x).is_zero_matrix, "no w has w T_r = x", r=r, x=list(x))
            stated = statement(sp.Integer(r), T * x.T)
            require(sp.simplify(stated - solution.dot(solution)) == 0, "the least norm differs", r=r)


@claim.check("property", blind_to={"for every row x": "the rows are drawn from the row space"})
@given(st.integers(4, 24), st.integers(0, 2**32 - 1))
def test_least_squares_solver(statement, r, seed):
    T = triangular_graph.normalised_incidence_matrix(r)
    x = np.random.default_rng(seed).standard_normal(r) @ T
    w = np.linalg.lstsq(T.T, x)[0]
    # T_r has condition number √(2(r−1)/(r−2)) < 2: the solver loses no more than a few digits.
    require(np.isclose(statement(r, T @ x), w @ w, rtol=1e-12), "the least norm differs")


@claim.check("optimised")
def test_conic_solver(statement):
    for r in range(4, 8):
        for T, x in rows(statement, r, sp.Matrix([[(-2) ** i % 7 for i in range(r)]])):
            T, x = np.array(T, dtype=float), np.array(x, dtype=float).ravel()
            w = cp.Variable(r)
            problem = cp.Problem(cp.Minimize(cp.sum_squares(w)), [w @ T == x])
            problem.solve(solver=cp.CLARABEL)
            require(problem.status == cp.OPTIMAL, "the solver finds no solution", r=r, status=problem.status)
            # The solver stops at a relative gap of 1e-8.
            require(np.isclose(statement(r, T @ x), problem.value, rtol=1e-6), "the least norm differs", r=r)
