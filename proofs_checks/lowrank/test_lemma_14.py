r"""The weights of the step into the last layer of the SRG solution (lowrank, Lemma 14).

For $M_{L-1}$ and $\tilde M_L$ as in Definition 9,

$$
\min \{ \lVert W_{L-1} \rVert_F^2 : W_{L-1} M_{L-1} = \tilde M_L \}
= \frac{K^2 \alpha_L}{(r^2 - 5r + 8)\,\alpha_{L-1}} = \frac{K^2 \beta}{2\,\alpha_{L-1}}.
$$

Row types of $\tilde M_L$ have one entry −1, $\binom{r-2}2$ entries 1, and zeros. The paper scales them to unit
norm, the entry −1 included, and lets $\alpha_L$ be the sum of squared multiples of the unit rows; $\beta$ is
that of the integer rows, so that $\alpha_L = \bigl(1 + \binom{r-2}2\bigr)\beta = \tfrac{r^2-5r+8}2\,\beta$. Both
forms are checked.

The optimiser is given the layer after the ReLU alone, $\sigma(W_{L-1} M_{L-1}) = M_L$. It finds the same minimum:
the entries −1 and 0 that the definition prescribes are those of the cheapest pre-activation.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import cvxpy as cp
import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Search, Statement, require, require_close, require_equal
from theory.geometry import edge_sums, triangular_graph


class LastStep(NamedTuple):
    """The least squared norm of W_{L-1} from r, K, α_{L-1} and α_L (rows of unit norm), or β (rows of integers)."""

    unit: Callable
    integer: Callable


def norm(r):
    return 1 + (r - 2) * (r - 3) / 2


claim = Claim(
    id="lowrank.lemma-14",
    title="Cost of the step into the last SRG layer",
    source="lowrank, Appendix A.1, Lemma 14, problem (16)–(17)",
    verdict="holds",
    printed=Statement(
        r"\min\{\|W_{L-1}\|_F^2 : W_{L-1} M_{L-1} = \tilde M_L\} = \frac{K^2 \alpha_L}{(r^2-5r+8) \alpha_{L-1}}"
        r"= \frac{K^2 \beta}{2 \alpha_{L-1}}",
        LastStep(
            lambda r, K, before, last: K**2 * last / ((r**2 - 5 * r + 8) * before),
            lambda r, K, before, last: K**2 * last / (2 * before),
        ),
        formulas={
            r"\frac{K^2 \alpha_L}{(r^2-5r+8) \alpha_{L-1}}": lambda value, K, r, alpha_L, alpha_L1: value.unit(
                r, K, alpha_L1, alpha_L
            ),
            r"\frac{K^2 \beta}{2 \alpha_{L-1}}": lambda value, K, r, beta, alpha_L1: value.integer(
                r, K, alpha_L1, beta
            ),
        },
    ),
    near_misses={
        "the entry −1 left out of the norm": LastStep(
            lambda r, K, before, last: K**2 * last / ((r - 2) * (r - 3) * before),
            lambda r, K, before, last: K**2 * last / (2 * before),
        ),
        "no normalisation": LastStep(*[lambda r, K, before, last: K**2 * last / (2 * before)] * 2),
        "one row type, not K": LastStep(
            lambda r, K, before, last: K * last / ((r**2 - 5 * r + 8) * before),
            lambda r, K, before, last: K * last / (2 * before),
        ),
        "a step between intermediate layers": LastStep(
            lambda r, K, before, last: r * last / before,
            lambda r, K, before, last: r * norm(r) * last / before,
        ),
    },
    depends_on=["lowrank.def-3", "lowrank.lemma-12"],
)


@claim.check("derived", covers="all")
def test_for_all_r_from_lemma_12(statement):
    r, before, last = sp.symbols("r alpha beta", positive=True)
    K = r * (r - 1) / 2
    # A row type: the pair {0, 1} has weights −½, the other vertices ½, and an edge the sum of the weights of its ends.
    pair, entry = frozenset({0, 1}), lambda ends: 1 - len(ends & {0, 1})
    squared_norm = edge_sums.edge_sum(r, pair, lambda ends: entry(ends) ** 2)
    # Its products with the rows of T_r: sums over the edges at a vertex of the pair, and at another vertex.
    inside = edge_sums.edge_sum(r, pair, lambda ends: entry(ends) if 0 in ends else 0) / sp.sqrt(r - 1)
    outside = edge_sums.edge_sum(r, pair | {2}, lambda ends: entry(ends) if 2 in ends else 0) / sp.sqrt(r - 1)
    total, squares = 2 * inside + (r - 2) * outside, 2 * inside**2 + (r - 2) * outside**2
    one_row = edge_sums.least_norm_squared(r, total, squares)
    # The least norm is quadratic in the row, inversely so in the layer before; the squared multiples sum to β for each
    # of K row types, or with rows of unit norm to α_L.
    integer = K * one_row * last / before
    require_equal(sp.simplify(statement.integer(r, K, before, last) / integer), 1, "the least norm differs, in β")
    unit = integer / squared_norm
    require_equal(sp.simplify(statement.unit(r, K, before, last) / unit), 1, "the least norm differs, in α_L")


def layers(r, multiples):
    """M_{L-1} and the pre-activations of M_L, of integer rows, with the multiples of as many row types as either."""
    before, last = triangular_graph.incidence_matrix(r), triangular_graph.last_layer_pre_activations(r)
    return multiples(len(before)) @ before, multiples(len(last)) @ last


def compare(statement, r, least, before, last, require_same, number):
    """The statement for rows of integers, against the least norm for M_{L-1} √(r−1), and for rows of unit norm."""
    K, least = number(r * (r - 1) // 2), least * number(r - 1)
    stated = statement.integer(number(r), K, before, last)
    require_same(stated, least, "the least norm differs, in β", r=r)
    row = triangular_graph.last_layer_pre_activations(r)[0]
    stated = statement.unit(number(r), K, before, last * number(int(row @ row)))  # the same layer in the other measure
    require_same(stated, least, "the least norm differs, in α_L", r=r)


def integer_multiples(types):
    """Multiples with one sum of squares for all row types, 49."""
    return triangular_graph.row_multiples([[2, 3, 6] if i % 3 == 1 else [7] for i in range(types)])


@claim.check("exact", covers=Instances("4 ≤ r ≤ 6, one set of multiples"))
def test_pseudoinverse_in_rationals(statement):
    for r in range(4, 7):
        M, output = layers(r, integer_multiples)
        W = sp.Matrix(output) * sp.Matrix(M).pinv()
        require(np.array_equal(np.array(W * M), output), "no W maps M_{L-1} to the pre-activations", r=r)
        compare(statement, r, sum(w**2 for w in W), 49, 49, require_equal, sp.Integer)


@claim.check("property", covers=Instances("4 ≤ r ≤ 7, 50 drawn: exponential multiples, log-normal scales"))
@given(st.integers(4, 7), st.integers(0, 2**32 - 1))
def test_least_squares_solver(statement, r, seed):
    rng = np.random.default_rng(seed)
    before, last = rng.lognormal(sigma=2, size=2)

    def multiples(types):
        return triangular_graph.row_multiples([rng.exponential(size=1 + i % 2) for i in range(types)], scale=1.0)

    M, output = layers(r, multiples)
    # M is of rank r and has, as T_r, non-zero singular values within a factor of 2 of each other.
    W = np.linalg.lstsq(M.T, output.T, rcond=1e-8)[0]
    compare(statement, r, np.sum(W**2) * last / before, before, last, partial(require_close, rtol=1e-11), float)


@claim.check(
    "optimised",
    covers=Search("interior points, r = 4 and 5, one set of multiples; the output after the ReLU alone is given"),
)
def test_conic_solver_with_the_output_after_the_relu(statement):
    for r in (4, 5):
        M, output = layers(r, integer_multiples)
        positive = (output > 0).astype(int)
        W = cp.Variable((len(output), len(M)))
        constraints = [cp.multiply(positive, W @ M - output) == 0, cp.multiply(1 - positive, W @ M) <= 0]
        problem = cp.Problem(cp.Minimize(cp.sum_squares(W)), constraints)
        problem.solve(solver=cp.CLARABEL)
        # The solver stops at a relative gap of 1e-8.
        compare(statement, r, problem.value, 49, 49, partial(require_close, rtol=1e-6), float)
