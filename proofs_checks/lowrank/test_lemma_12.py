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

from nct.ledger import Claim, Instances, Search, Statement, require, require_close, require_equal
from theory.geometry import edge_sums, triangular_graph

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
        formulas={
            r"\bigl(\tfrac{r-1}{r-2}\bigr)^2": lambda value, r: value.scale(r),
            r"\tfrac{3r-4}{4(r-1)^2}": lambda value, r: value.ones(r),
        },
    ),
    near_misses={
        "the inverse itself, not squared": LeastNorm(lambda r: (r - 1) / (r - 2), lambda r: 1 / (2 * (r - 1))),
        "3r − 3 in place of 3r − 4": LeastNorm(scale, lambda r: (3 * r - 3) / (4 * (r - 1) ** 2)),
        "r in place of r − 1": LeastNorm(lambda r: (r / (r - 2)) ** 2, ones),
        "for every row x": LeastNorm(scale, ones, any_row=True),
    },
    depends_on=["lowrank.def-3"],
)


@claim.check("derived", covers="all", blind_to={"for every row x": "the algebra is of T Tᵀ alone, and no row enters"})
def test_for_all_r_by_the_algebra_of_i_and_j(statement):
    # T has independent rows, so that x = wT has one solution, w = x Tᵀ(T Tᵀ)⁻¹. T Tᵀ counts, over r−1, the edges at
    # one vertex on the diagonal and those that two vertices share off it: a I + b J, which is determined by its action
    # on the ones and on their complement, with eigenvalues a + r b and a. Neither vanishes for r ≥ 3.
    edge = edge_sums.edge_sum(R, {0, 1}, lambda ends: {0, 1} <= ends) / (R - 1)
    own = edge_sums.edge_sum(R, {0}, lambda ends: 0 in ends) / (R - 1)
    on_ones, on_rest = own + (R - 1) * edge, own - edge
    scale, ones = statement.scale(R), statement.ones(R)
    require_equal(sp.simplify(scale * (1 - ones * R) - on_ones**-2), 0, "wrong on the vector of ones")
    require_equal(sp.simplify(scale - on_rest**-2), 0, "wrong on vectors that sum to zero")


def rows(statement, r, w):
    """Rows x of which the statement speaks: w T_r, and a row that is no such product."""
    T = sp.Matrix(triangular_graph.incidence_matrix(r)) / sp.sqrt(r - 1)
    yield T, w * T
    if statement.any_row:
        yield T, sp.eye(T.cols)[0, :]


@claim.check("exact", covers=Instances("4 ≤ r ≤ 7, one row of integers each"))
def test_least_norm_solution_in_rationals(statement):
    for r in range(4, 8):
        w = sp.Matrix([[3 * i * i - 5 * i + 1 for i in range(r)]])
        for T, x in rows(statement, r, w):
            require(T.rank() == r, "the rows of T_r are dependent", r=r)
            solution = x * T.pinv()
            require((solution * T - x).is_zero_matrix, "no w has w T_r = x", r=r, x=list(x))
            stated = statement(sp.Integer(r), T * x.T)
            require_equal(sp.simplify(stated), sp.simplify(solution.dot(solution)), "the least norm differs", r=r)


@claim.check(
    "property",
    covers=Instances("4 ≤ r ≤ 24, 50 rows x = wT drawn, w normal"),
    blind_to={"for every row x": "the rows are drawn from the row space"},
)
@given(st.integers(4, 24), st.integers(0, 2**32 - 1))
def test_least_squares_solver(statement, r, seed):
    T = triangular_graph.normalised_incidence_matrix(r)
    x = np.random.default_rng(seed).standard_normal(r) @ T
    w = np.linalg.lstsq(T.T, x)[0]
    # T_r has condition number √(2(r−1)/(r−2)) < 2: the solver loses no more than a few digits.
    require_close(statement(r, T @ x), w @ w, "the least norm differs", rtol=1e-12, r=r)


@claim.check("optimised", covers=Search("interior points, one row for each of 4 ≤ r ≤ 7"))
def test_conic_solver(statement):
    for r in range(4, 8):
        for T, x in rows(statement, r, sp.Matrix([[(-2) ** i % 7 for i in range(r)]])):
            T, x = np.array(T, dtype=float), np.array(x, dtype=float).ravel()
            w = cp.Variable(r)
            problem = cp.Problem(cp.Minimize(cp.sum_squares(w)), [w @ T == x])
            problem.solve(solver=cp.CLARABEL)
            require(problem.status == cp.OPTIMAL, "the solver finds no solution", r=r, status=problem.status)
            # The solver stops at a relative gap of 1e-8.
            require_close(statement(r, T @ x), problem.value, "the least norm differs", rtol=1e-6, r=r)
