r"""The weights between two intermediate layers of the SRG solution (lowrank, Lemma 13).

For $2 \le l \le L-2$ and $M_l, M_{l+1}$ as in Definition 9,

$$
\min \{ \lVert W_l \rVert_F^2 : W_l M_l = M_{l+1} \} = r\,\frac{\alpha_{l+1}}{\alpha_l}.
$$

$M_l = A_l T_r$, where each row of $A_l$ has one entry and its columns have the squared norm
$\alpha_l$. Definition 9 chooses $W_l$ for the layer's input and output, and the output is taken after the
ReLU; the optimiser is therefore given $\sigma(W_l M_l) = M_{l+1}$, which leaves the pre-activation free to be
negative where $M_{l+1}$ is zero. The minimum is the same.
"""

from collections.abc import Callable
from typing import Annotated, NamedTuple

import cvxpy as cp
import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, LowerBound, Search, Statement, require, require_close, require_equal
from theory.geometry import edge_sums, triangular_graph


class Step(NamedTuple):
    """The statement: the least squared norm of W_l from r, α_l and α_{l+1}, and the last l of which it is made."""

    value: Callable
    last: Annotated[Callable, LowerBound] = lambda L: L - 2


claim = Claim(
    id="lowrank.lemma-13",
    title="Cost of a step between intermediate SRG layers",
    source="lowrank, Appendix A.1, Lemma 13, problem (14)–(15)",
    verdict="holds",
    printed=Statement(
        r"\min\{\|W_l\|_F^2 : W_l M_l = M_{l+1}\} = r \alpha_{l+1} / \alpha_l \quad\text{for } 2 \le l \le L-2",
        Step(lambda r, before, after: r * after / before),
        formulas={
            r"r \alpha_{l+1} / \alpha_l": lambda value, r, alpha_l1, alpha_l: value.value(r, alpha_l, alpha_l1),
            "L-2": lambda value, L: value.last(L),
        },
    ),
    near_misses={
        "r − 1 in place of r": Step(lambda r, before, after: (r - 1) * after / before),
        "the number of classes in place of r": Step(lambda r, before, after: r * (r - 1) * after / (2 * before)),
        "scales exchanged": Step(lambda r, before, after: r * before / after),
        "also for the last step, l = L − 1": Step(lambda r, before, after: r * after / before, lambda L: L - 1),
    },
    depends_on=["lowrank.def-3", "lowrank.lemma-12"],
)


@claim.check(
    "derived", covers="all", blind_to={"also for the last step, l = L − 1": "the output is a layer of rows of T_r"}
)
def test_for_all_r_from_lemma_12(statement):
    r, before, after, b = sp.symbols("r alpha_l alpha_m b", positive=True)
    # A row of T_r from the rows of T_r: its moments are its products with them, from the edges two vertices share.
    own = edge_sums.edge_sum(r, {0}, lambda ends: 0 in ends) / (r - 1)
    other = edge_sums.edge_sum(r, {0, 1}, lambda ends: {0, 1} <= ends) / (r - 1)
    squared_norm = edge_sums.least_norm_squared(r, own + (r - 1) * other, own**2 + (r - 1) * other**2)

    # A multiple b of that row, from the multiples a₁, a₂ of it in the layer before, a₁² + a₂² = α_l: the least w is a
    # multiple of a, with the same norm for any number of them.
    a, w = sp.symbols("a_1:3", positive=True), sp.symbols("w_1:3")
    multiplier = sp.Symbol("lambda")
    lagrangian = w[0] ** 2 + w[1] ** 2 - 2 * multiplier * (a[0] * w[0] + a[1] * w[1] - b * sp.sqrt(squared_norm))
    solution = sp.solve([lagrangian.diff(unknown) for unknown in (*w, multiplier)], [*w, multiplier], dict=True)[0]
    one_row = (w[0] ** 2 + w[1] ** 2).subs(solution).subs(a[0], sp.sqrt(before - a[1] ** 2))

    # The b² of a row type sum to α_{l+1}, and there are r types.
    total = r * sp.simplify(one_row) * after / b**2
    require_equal(sp.simplify(statement.value(r, before, after) / total), 1, "the least norm differs")


def rows(r, L, l):
    """The row types of W_{l-1} M_{l-1} as integers, and the square of the factor that makes them unit rows."""
    if l < L:
        return triangular_graph.incidence_matrix(r), sp.Rational(1, r - 1)
    unit = sp.Rational(1, triangular_graph.last_layer_row_norm_squared(r))
    return triangular_graph.last_layer_pre_activations(r), unit


def step(r, L, l, multiples):
    """Layer l and what W_l makes of it, from the multiples of a number of row types; and the factor of ‖W_l‖²."""
    (before, unit_before), (after, unit_after) = rows(r, L, l), rows(r, L, l + 1)
    return multiples(len(before)) @ before, multiples(len(after)) @ after, unit_after / unit_before


def integer_multiples(types):
    """Multiples with one sum of squares for all row types, 49."""
    return triangular_graph.row_multiples([[2, 3, 6] if i % 3 else [7, 0] for i in range(types)])


@claim.check("exact", covers=Instances("4 ≤ r ≤ 6, L ≤ 5, all l, one set of multiples"))
def test_pseudoinverse_in_rationals(statement):
    for r in range(4, 7):
        for L in range(3, 6):
            for l in range(2, statement.last(L) + 1):
                M, output, factor = step(r, L, l, integer_multiples)
                W = sp.Matrix(2 * output) * sp.Matrix(M).pinv()
                require(np.array_equal(np.array(W * M), 2 * output), "no W_l maps M_l to M_{l+1}", r=r, l=l)
                stated = statement.value(sp.Integer(r), 49, 4 * 49)
                require_equal(stated, factor * sum(w**2 for w in W), "the least norm differs", r=r, L=L, l=l)


@claim.check("property", covers=Instances("r ≤ 7, L ≤ 6, 50 drawn: exponential multiples, log-normal scales"))
@given(st.integers(4, 7), st.integers(3, 6), st.integers(0, 2**32 - 1))
def test_least_squares_solver(statement, r, L, seed):
    rng = np.random.default_rng(seed)
    alpha, alpha_next = rng.lognormal(sigma=2, size=2)

    def multiples(types):
        return triangular_graph.row_multiples([rng.exponential(size=1 + i % 2) for i in range(types)], scale=1.0)

    for l in {2, statement.last(L)} & set(range(2, statement.last(L) + 1)):
        M, output, factor = step(r, L, l, multiples)
        # M is of rank r and has, as T_r, non-zero singular values within a factor of 2 of each other.
        W = np.linalg.lstsq(M.T, output.T, rcond=1e-8)[0] * np.sqrt(alpha_next / alpha)
        least, stated = float(factor) * np.sum(W**2), statement.value(r, alpha, alpha_next)
        require_close(least, stated, "the least norm differs", rtol=1e-11, r=r, L=L, l=l)


@claim.check(
    "optimised",
    covers=Search("interior points, r = 4 and 5, one set of multiples; the output after the ReLU alone is given"),
)
def test_conic_solver_with_the_output_after_the_relu(statement):
    for r in (4, 5):
        for l in range(2, statement.last(4) + 1):
            M, output, factor = step(r, 4, l, integer_multiples)
            output = 2 * output[np.any(output != 0, axis=1)]
            positive = (output > 0).astype(int)
            W = cp.Variable((len(output), len(M)))
            constraints = [cp.multiply(positive, W @ M - output) == 0, cp.multiply(1 - positive, W @ M) <= 0]
            problem = cp.Problem(cp.Minimize(cp.sum_squares(W)), constraints)
            problem.solve(solver=cp.CLARABEL)
            # The solver stops at a relative gap of 1e-8.
            least, stated = float(factor) * problem.value, statement.value(r, 49, 4 * 49)
            require_close(least, stated, "the least norm differs", rtol=1e-6, r=r, l=l)
