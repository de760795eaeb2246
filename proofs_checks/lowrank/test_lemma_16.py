r"""The Gram matrix of the last layer of the SRG solution (lowrank, Lemma 16).

For $M_L = \sigma(\tilde M_L)$ as in Definition 9, $M_L^\top M_L$ has the eigenvalues

$$
\beta \tbinom{r-2}2^2 \ \text{(once)}, \qquad \beta (r-3)^2 \ (r-1 \text{ times}), \qquad
\beta \ \bigl(\tfrac{r(r-3)}2 \text{ times}\bigr), \qquad
\beta = \frac{\alpha_L}{1 + \binom{r-2}2} = \frac{2 \alpha_L}{r^2 - 5r + 8},
$$

with $\alpha_L$ the sum of the squared multiples of each unit row type, as the paper has it, and β that of the
integer rows with entries −1, 0, 1. The proof's matrix is

$$
M_L^\top M_L = \beta \bigl[ \tbinom{r-4}2 J + (r-4) A(\mathcal T_r) + (2r-7) I \bigr].
$$

All eigenvalues are positive: the last layer has the full rank K.
"""

from collections.abc import Callable
from typing import NamedTuple

import networkx as nx
import numpy as np
import sympy as sp
from flint import fmpz_mat
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require, require_close, require_equal
from theory.geometry import edge_sums, triangular_graph


class LastGram(NamedTuple):
    """The statement as functions of r: eigenvalues for β = 1; coefficients of J, A and I; the ratio α_L/β."""

    eigenvalues: Callable = lambda r: (((r - 2) * (r - 3) / 2) ** 2, (r - 3) ** 2, 1)
    coefficients: Callable = lambda r: ((r - 4) * (r - 5) / 2, r - 4, 2 * r - 7)
    unit: Callable = lambda r: (r**2 - 5 * r + 8) / 2
    multiplicities: Callable = lambda r: (1, r - 1, r * (r - 3) / 2)


claim = Claim(
    id="lowrank.lemma-16",
    title="Gram matrix of the last SRG layer",
    source="lowrank, Appendix A.1, Lemma 16",
    verdict="holds",
    printed=Statement(
        r"M_L^\top M_L = \beta \bigl[ \tbinom{r-4}2 J + (r-4) A(\mathcal T_r) + (2r-7) I \bigr] \text{ has the "
        r"eigenvalues }"
        r"\bigl(\beta \tbinom{r-2}2^2\bigr)^{1},\ \bigl(\beta (r-3)^2\bigr)^{r-1},\ \beta^{r(r-3)/2};"
        r"\quad \beta = 2\alpha_L / (r^2-5r+8)",
        LastGram(),
        formulas={
            r"\tbinom{r-4}2": lambda value, r=(4, 5, 6, 9): value.coefficients(r)[0],
            "(r-4)": lambda value, r: value.coefficients(r)[1],
            "(2r-7)": lambda value, r: value.coefficients(r)[2],
            r"\tbinom{r-2}2^2": lambda value, r=(4, 5, 6, 9): value.eigenvalues(r)[0],
            "(r-3)^2": lambda value, r: value.eigenvalues(r)[1],
            "r(r-3)/2": lambda value, r: value.multiplicities(r)[2],
            r"2\alpha_L / (r^2-5r+8)": lambda value, r, alpha_L: alpha_L / value.unit(r),
        },
    ),
    near_misses={
        "before the ReLU": LastGram(
            lambda r: (((r - 1) * (r - 4) / 2) ** 2, (r - 2) ** 2, 0), lambda r: ((r - 4) * (r - 5) / 2, r - 5, r - 2)
        ),
        "r − 2 in place of r − 3": LastGram(lambda r: (((r - 2) * (r - 3) / 2) ** 2, (r - 2) ** 2, 1)),
        "the largest eigenvalue not squared": LastGram(lambda r: ((r - 2) * (r - 3) / 2, (r - 3) ** 2, 1)),
        "the entry −1 left out of the norm": LastGram(unit=lambda r: (r - 2) * (r - 3) / 2),
    },
    depends_on=["lowrank.def-3"],
)


@claim.check("derived", covers="all")
def test_for_all_r_by_counting_row_types(statement):
    r = sp.Symbol("r", positive=True)

    def entry(e):
        """The row types' values at an edge e, as a function of their ends in e: −1, 0, 1."""
        return lambda ends: 1 - len(ends & e)

    def gram(e, f):
        """The entry of the Gram matrix at (e, f), a sum over the K row types."""
        at_e, at_f = entry(e), entry(f)
        return edge_sums.edge_sum(r, e | f, lambda ends: max(at_e(ends), 0) * max(at_f(ends), 0))

    e = frozenset({0, 1})
    equal, sharing, disjoint = gram(e, e), gram(e, {0, 2}), gram(e, {2, 3})
    derived = edge_sums.intersection_matrix_eigenvalues(r, equal, sharing, disjoint)
    for stated, value in zip(statement.eigenvalues(r), derived, strict=True):
        require_equal(sp.factor(stated), sp.factor(value), "an eigenvalue differs")
    ones, adjacency, identity = statement.coefficients(r)
    differences = (ones - disjoint, ones + adjacency - sharing, ones + identity - equal)
    require(all(sp.simplify(d) == 0 for d in differences), "an entry of the Gram matrix differs")
    squared_norm = edge_sums.edge_sum(r, e, lambda ends: entry(e)(ends) ** 2)
    require(sp.simplify(statement.unit(r) - squared_norm) == 0, "the norm of a row type differs", derived=squared_norm)

    # The multiplicities, from the traces of I, of the Gram matrix and of its square.
    pairs, m = r * (r - 1) / 2, sp.symbols("m_1:4")
    squares = equal**2 + 2 * (r - 2) * sharing**2 + (r - 2) * (r - 3) / 2 * disjoint**2
    traces = [pairs, pairs * equal, pairs * squares]
    sums = [sum(n * value**k for n, value in zip(m, derived, strict=True)) - t for k, t in enumerate(traces)]
    solved = sp.solve(sums, m)
    for n, stated in zip(m, statement.multiplicities(r), strict=True):
        require_equal(sp.expand(stated), sp.expand(solved[n]), "a multiplicity differs")


@claim.check("exact", covers=Instances("4 ≤ r ≤ 8, one set of multiples each"))
def test_ranks_of_integer_matrices(statement):
    for r in range(4, 9):
        rows = triangular_graph.last_layer_pre_activations(r)
        multiples = triangular_graph.row_multiples([[2, 3, 6] if i % 2 else [7] for i in range(len(rows))])
        M, beta = np.maximum(multiples @ rows, 0), 49
        gram, identity = M.T @ M, np.eye(len(rows), dtype=int)
        adjacency = nx.to_numpy_array(triangular_graph.triangular_graph(r), dtype=int)
        ones, shared, own = (beta * int(c) for c in statement.coefficients(sp.Integer(r)))
        require(np.array_equal(gram, ones + shared * adjacency + own * identity), "the Gram matrix differs", r=r)
        squared_norms = {int(row @ row) for row in rows}
        require(squared_norms == {statement.unit(sp.Integer(r))}, "the norm of a row type differs", r=r)

        spectrum = dict.fromkeys(statement.eigenvalues(sp.Integer(r)), 0)
        for value, multiplicity in zip(
            statement.eigenvalues(sp.Integer(r)), statement.multiplicities(sp.Integer(r)), strict=True
        ):
            spectrum[value] += multiplicity
        for value, multiplicity in spectrum.items():
            kernel = len(rows) - fmpz_mat((gram - beta * int(value) * identity).tolist()).rank()
            require_equal(multiplicity, kernel, "the spectrum differs", r=r, eigenvalue=value)


@claim.check("property", covers=Instances("4 ≤ r ≤ 8, 50 drawn: exponential multiples, log-normal scales"))
@given(st.integers(4, 8), st.integers(0, 2**32 - 1))
def test_eigenvalue_solver(statement, r, seed):
    rng = np.random.default_rng(seed)
    alpha = rng.lognormal(sigma=2)
    rows = triangular_graph.last_layer_pre_activations(r)
    unit_rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    multiples = [rng.exponential(size=1 + i % 2) for i in range(len(rows))]
    M = np.maximum(triangular_graph.row_multiples(multiples, scale=alpha) @ unit_rows, 0)
    found = np.linalg.eigvalsh(M.T @ M)
    beta = alpha / statement.unit(r)
    stated = beta * np.repeat(statement.eigenvalues(r), [int(m) for m in statement.multiplicities(r)])
    # The solver is backward stable: absolute errors of some ulps of the largest eigenvalue.
    require_close(found, np.sort(stated), "the eigenvalues differ", atol=1e-12 * found[-1], r=r)
