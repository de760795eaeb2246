r"""The ranks of the SRG solution's features and weights, against those of DNC (lowrank, Definitions 4 and 9).

The intermediate features and weights of the SRG solution have only r linearly independent rows, where
$K = r(r-1)/2$, so that their rank is of the order $\sqrt K$; the features after the last ReLU, and with them
$W_L$, have the full rank K; in the DNC solution all ranks are K.

That is an upper bound of the rank of the weights. Checked is more, the exact ranks: r for all of them but $W_{L-1}$ of
the smallest case, r = 4 and K = 6, where the weightings of the vertices that
$\tilde M_L$ is made of, −½ at two and ½ at r−2, sum to zero, so that $W_{L-1}$ and
$\tilde M_L$ have rank 3. The ReLU raises the rank from r (or 3) to K.
"""

from collections.abc import Callable
from math import comb
from typing import NamedTuple

import numpy as np
import sympy as sp
from flint import fmpq, fmpq_mat
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_equal
from theory import dufm
from theory.geometry import edge_sums, triangular_graph


class Ranks(NamedTuple):
    """The statement: the ranks as functions of r and K."""

    intermediate: Callable = lambda r, K: r  # M_1, …, M_{L−1} and W_1, …, W_{L−2}
    last_step: Callable = lambda r, K: r  # W_{L−1}, and its output before the ReLU
    last: Callable = lambda r, K: K  # M_L and W_L
    collapsed: Callable = lambda r, K: K  # all matrices of DNC


def exception(r, K):
    return sp.Piecewise((3, sp.Eq(r, 4)), (r, True))


claim = Claim(
    id="lowrank.def-9.rank",
    title="Ranks of the SRG and DNC solutions",
    source="lowrank, Section 4 after Definition 4; Definitions 9 and 10",
    verdict="holds",
    printed=Statement(
        r"\text{SRG: } \operatorname{rank} M_l, \operatorname{rank} W_l \le r \sim \sqrt{2K} \text{ for } l < L,\ "
        r"\operatorname{rank} M_L = \operatorname{rank} W_L = K; \text{ DNC: all ranks are } K"
        r" \text{ (checked is more: the ranks for } l < L \text{ are } r \text{, but } \operatorname{rank} W_{L-1} = 3"
        r" \text{ if } r = 4\text{)}",
        Ranks(last_step=exception),
    ),
    near_misses={
        "rank r − 1": Ranks(intermediate=lambda r, K: r - 1, last_step=exception),
        "rank r into the last layer at r = 4 too": Ranks(),
        "rank r − 1 into the last layer": Ranks(last_step=lambda r, K: r - 1),
        "full rank before the last ReLU": Ranks(last_step=lambda r, K: K),
        "rank K − 1 after the last ReLU": Ranks(last_step=exception, last=lambda r, K: K - 1),
    },
    depends_on=["lowrank.def-3", "lowrank.lemma-15", "lowrank.lemma-16", "lowrank.lemma-18"],
)


@claim.check("derived", covers="all")
def test_for_all_r_by_the_eigenvalues_that_vanish(statement):
    r = sp.Symbol("r", positive=True)
    multiplicities = (sp.Integer(1), r - 1, r * (r - 3) / 2)

    def eigenvalues(value):
        """Of the Gram matrix of the layer whose row types {i, j} have a value that depends on their ends in an edge."""
        e = frozenset({0, 1})
        entries = (
            edge_sums.edge_sum(r, e | f, lambda ends, f=f: value(ends & e) * value(ends & f))
            for f in (e, {0, 2}, {2, 3})
        )
        return edge_sums.intersection_matrix_eigenvalues(r, *entries)

    incidence = edge_sums.intersection_matrix_eigenvalues(r, 2, 1, 0)  # of the row types of T_r, its vertices
    before, after = eigenvalues(lambda ends: 1 - len(ends)), eigenvalues(lambda ends: max(1 - len(ends), 0))
    # W_l is the least map from M_l to its output, so that it has the output's rank; W_L is M_Lᵀ times an invertible
    # matrix.
    grams = {"intermediate": incidence, "last_step": before, "last": after}
    roots = {root for spectrum in grams.values() for value in spectrum for root in sp.roots(sp.sympify(value), r)}
    regular = max([root for root in roots if root.is_integer and root >= 4], default=3) + 1
    for order in [*range(4, regular), regular + sp.Symbol("s", integer=True, nonnegative=True)]:
        for name, spectrum in grams.items():
            pairs = [(sp.sympify(value).subs(r, order), m) for value, m in zip(spectrum, multiplicities, strict=True)]
            rank = sum(m.subs(r, order) for value, m in pairs if sp.simplify(value) != 0)
            stated = getattr(statement, name)(order, order * (order - 1) / sp.Integer(2))
            require_equal(sp.expand(rank), sp.expand(stated), f"the rank differs: {name}", r=order)


def exact_rank(matrix):
    entries = [[fmpq(int(entry.p), int(entry.q)) for entry in map(sp.Rational, row)] for row in np.array(matrix)]
    return fmpq_mat(entries).rank()


@claim.check("exact", covers=Instances("4 ≤ r ≤ 7"))
def test_integer_matrices(statement):
    for r in range(4, 8):
        K = comb(r, 2)
        stated = {name: int(getattr(statement, name)(r, K)) for name in ("intermediate", "last_step", "last")}
        incidence, pre_activations = (
            triangular_graph.incidence_matrix(r),
            triangular_graph.last_layer_pre_activations(r),
        )
        M = triangular_graph.row_multiples([[2, 3, 6] if i % 3 == 1 else [7] for i in range(r)]) @ incidence
        weights = {
            "intermediate": sp.Matrix(incidence) * sp.Matrix(M).pinv(),
            "last_step": sp.Matrix(pre_activations) * sp.Matrix(M).pinv(),
        }
        outputs = {"intermediate": M, "last_step": pre_activations, "last": np.maximum(pre_activations, 0)}
        for matrices, kind in ((weights, "weights"), (outputs, "output")):
            for name, matrix in matrices.items():
                rank = exact_rank(matrix)
                require_equal(rank, stated[name], f"the rank differs: {name} {kind}", r=r, K=K)


@claim.check("property", covers=Instances("4 ≤ r ≤ 8, 3 ≤ L ≤ 7, λ = 10⁻⁴"))
@given(st.integers(4, 8), st.integers(3, 7))
def test_matrices_of_both_solutions(statement, r, L):
    K = comb(r, 2)
    intermediate, last_step, last, collapsed = (int(rank(r, K)) for rank in statement)
    for solution, features, weights in (
        (dufm.srg(K, L, "1e-4"), [intermediate] * (L - 1) + [last], [intermediate] * (L - 2) + [last_step, last]),
        (dufm.dnc(K, L, "1e-4"), [collapsed] * L, [collapsed] * L),
    ):
        for l in range(1, L + 1):
            for matrix, rank in ((solution.class_means(l), features[l - 1]), (solution.weights(l), weights[l - 1])):
                found = np.linalg.matrix_rank(matrix, rtol=1e-9)
                require_equal(found, rank, "the rank differs", solution=solution, l=l)
