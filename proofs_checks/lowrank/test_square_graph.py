r"""The solution on the square for four classes (lowrank, Appendix B.1, with Figure 5).

The paper highlights a solution found by gradient descent for K = 4. Its classes are the sides of a square and its
rows the corners: every column of $M_l$ has a positive inner product with exactly two others and is orthogonal to the
fourth, and every row is positive at exactly two columns, $M_l = d_l B$ with the incidence matrix B of the square for
$2\le l\le L-1$. The depth is lost in the text at hand. For every $L\ge4$, every n and every regularisation with
$\mathcal L_{dnc}<\tfrac12$ there is such a solution with lower loss than deep neural collapse. One of our own has a
last layer made of the rows

* ½ at the ends of a side, −½ at the other corners, for each side, twice;
* 1 at a corner, 0 elsewhere, for each corner, once.

B has rank 3, which makes the middle weights cheaper by a factor ¾ a layer; for L = 3 there is no middle weight. The
losses are compared where both solutions pay the same for all weights: $\tfrac4{1+u}$ is then the fit of collapse, and
$\operatorname{tr}(I + F u\,M_L^\top M_L)^{-1}$ that of the square.
"""

from typing import Annotated, NamedTuple

import networkx as nx
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Part, Search, Statement, Stronger, require, require_at_most, require_proved
from numerics.descent import from_solution, train
from theory import coq, dufm, verified
from theory.certificate import ShiftCertificate


class OnGraph(NamedTuple):
    """The statement: the graph, and the least depth from which it beats deep neural collapse."""

    graph: nx.Graph
    least_depth: Annotated[int, Stronger("smaller")]


claim = Claim(
    id="lowrank.square-graph",
    title="The K = 4 solution on the square",
    source="lowrank, Appendix B.1, the paragraphs on few classes and layers, with Figure 5",
    verdict="holds",
    printed=Statement(
        r"\text{For } K = 4 \text{ there is a solution on the square, below DNC: each column of } M_l \text{ has a}"
        r" \text{ positive inner product with two others and is orthogonal to the third, each row has two positive}"
        r" \text{ entries (for every } L \ge 4 \text{, as the printed depth is lost, } 2 \le l \le L - 1 \text{, and}"
        r" \text{ every regularisation with } \mathcal L_{dnc} < \tfrac12 \text{; which solution is this ledger's)}",
        OnGraph(nx.cycle_graph(4), 4),
    ),
    near_misses={
        "from three layers on": OnGraph(nx.cycle_graph(4), 3),
        "on a star": OnGraph(nx.star_graph(4), 4),
        "on a triangle and an edge": OnGraph(nx.disjoint_union(nx.complete_graph(3), nx.path_graph(2)), 4),
        "on four disjoint edges": OnGraph(nx.disjoint_union_all([nx.path_graph(2)] * 4), 4),
    },
    depends_on=["lowrank.lemma-17", "lowrank.lemma-18", "lowrank.thm-5.nontrivial"],
)


def incidence(graph):
    return nx.incidence_matrix(graph, dtype=int).toarray()


def weightings(graph):
    """The rows of X as they are described above, in halves."""
    B = incidence(graph)
    sides = 2 * B.T - 1
    return np.concatenate([sides, sides, 2 * np.eye(len(B), dtype=int)])


def require_square(gram, tolerance=0.0):
    """Every column has a positive inner product with exactly two others and is orthogonal to the third."""
    cosines = gram / np.sqrt(np.outer(gram.diagonal(), gram.diagonal())) - np.eye(len(gram))
    meets = (cosines > tolerance).sum(axis=1)
    require(
        (meets == 2).all(),
        "columns do not meet two others each",
        meets=meets.tolist(),
        cosines=cosines.round(3).tolist(),
    )


def require_structure(statement):
    B = incidence(statement.graph)
    require((B.sum(axis=1) == 2).all(), "rows without exactly two positive entries", rows=B.tolist())
    require_square((B.T @ B).astype(float))


@claim.check("exact", covers="all")
def test_certificate_for_all_regularisations(statement):
    require_structure(statement)
    u = sp.Symbol("u", positive=True)
    L = statement.least_depth
    B = sp.Matrix(incidence(statement.graph).tolist())
    X = sp.Matrix(weightings(statement.graph).tolist()) / 2
    null = B.T.nullspace()  # what the least-norm weights leave out
    rank = B.rows - len(null)
    signs = sp.Matrix.hstack(*null) if null else sp.zeros(B.rows, 1)
    projection = sp.eye(B.rows) - (signs * (signs.T * signs).inv() * signs.T if null else sp.zeros(B.rows))
    cost = ((X * projection).T * (X * projection)).trace()
    nuclear = sum(m * sp.sqrt(value) for value, m in (B.T * B).eigenvals().items()) ** 2
    nuclear_bound = sp.ceiling(10**6 * sp.expand(nuclear)) / 10**6
    last = (X * B).applyfunc(lambda x: max(x, sp.Integer(0)))
    # Collapse pays ‖I‖_*² = 16, 4 for each middle weight and 4 for the last step, and fits with M_LᵀM_L = I.
    factor = sp.Rational(16 * 4 ** (L - 3) * 4) / (nuclear_bound * rank ** (L - 3) * cost)
    fit = sp.cancel((sp.eye(4) + factor * u * last.T * last).inv().trace())
    top, bottom = sp.fraction(sp.cancel(4 / (1 + u) - fit))
    if sp.Poly(bottom, u).LC() < 0:
        top, bottom = -top, -bottom
    assert ShiftCertificate.of("the fits’ common denominator is positive", bottom, {u: 0}).verify()
    # Where collapse is below ½ its optimum has u > L − 1. A larger L only makes the factor larger, as rank < 4.
    proved = rank < 4 and ShiftCertificate.of("the fit is below that of collapse", top, {u: L - 1}).verify()
    require(proved, "its fit is not below that of collapse", L=L, rank=rank, factor=str(factor))


@claim.check("kernel", covers=Part("the polynomial by which the fit is below that of collapse at equal norms"))
def test_certificates_by_the_kernel(statement):
    with verified.verified_certificates() as found:
        test_certificate_for_all_regularisations(statement)
    require_proved(claim, coq.script(coq.translate_all(found)))


@claim.check("property", covers=Instances("L ≤ 8, n ≤ 3, 50 drawn, from the threshold to 10⁻¹⁰ of it"))
@given(st.integers(0, 4), st.integers(1, 3), st.floats(-10, -0.01), st.integers(0, 999))
def test_explicit_matrices_through_the_definition_of_the_loss(statement, deeper, n, exponent, seed):
    L = statement.least_depth + deeper
    lams = 10 ** np.random.default_rng(seed).uniform(-4, 0, L + 1)
    lams[-1] = 10**exponent * (L - 1) ** (L - 1) / (n * 4.0 ** (L + 1) * L ** (2 * L)) / np.prod(lams[:-1])
    rows = weightings(statement.graph) / 2
    solution = dufm.graph_solution(statement.graph, L, lams=lams, n=n, last_layer=rows)
    for l in range(2, L):
        require_square(solution.gram(l))
        positive = (solution.class_means(l) > 0).sum(axis=1)
        require((positive == 2).all(), "rows without exactly two positive entries", positive=positive.tolist())
    loss, collapsed = solution.evaluate(), dufm.dnc(4, L, lams=lams, n=n).evaluate()
    require_at_most(loss, collapsed * (1 - 1e-9), "not below collapse", L=L, n=n)


@claim.check("simulated", covers=Instances("L = 4, λ = 5·10⁻³, n = 1, noise of 0.1 in every entry, 4 seeds"))
def test_gradient_descent_from_a_perturbation_far_above_comes_back_to_the_square(statement):
    L, lam, seeds = statement.least_depth, 5e-3, 4
    rows = weightings(statement.graph) / 2
    solution = dufm.graph_solution(statement.graph, L, lam, last_layer=rows)
    rng = np.random.default_rng(0)
    start = [
        p + 0.1 * p.new_tensor(rng.standard_normal((seeds, *p.shape[1:]))) for p in from_solution(solution).parameters
    ]
    widths = [p.shape[-1] for p in start[1:]]
    runs = train(4, L, lam, width=widths, seeds=seeds, steps=3000, lr=0.3, initial=start, record=2)
    collapsed = dufm.dnc_loss(4, L, lam)
    require_at_most(1.5 * collapsed, runs.history.loss[0].min(), "it does not start far above collapse")
    require_at_most(runs.losses.max(), collapsed, "not below collapse", strict=True)
    for l in range(2, L):
        for gram in runs.gram(l).numpy():
            require_square(gram, tolerance=0.2)


@claim.check(
    "simulated",
    covers=Search("400 descents from random starts at L = 5"),
    blind_to={"from three layers on": "it runs at five layers"},
)
@pytest.mark.ledger_long
def test_gradient_descent_from_random_starts_finds_it(statement):
    # About one run in a hundred ends on the square; most below collapse end on a path.
    L, lam = 5, 5e-3
    runs = random_runs(L, lam)
    below = np.flatnonzero(runs.losses < dufm.dnc_loss(4, L, lam))
    B = incidence(statement.graph)
    pattern = nx.from_numpy_array(B.T @ B - 2 * np.eye(4, dtype=int))
    found = [run for run in below if all(same(pattern, runs.gram(l)[int(run)].numpy()) for l in range(2, L))]
    require(found, "no run below collapse has these inner products", runs=len(below))


_RUNS = {}


def random_runs(L, lam):
    if not _RUNS:
        _RUNS[L, lam] = train(4, L, lam, width=12, seeds=400, steps=10000, lr=0.5, init_scale=0.7)
    return _RUNS[L, lam]


def same(pattern, gram):
    cosines = gram / np.sqrt(np.outer(gram.diagonal(), gram.diagonal())) - np.eye(4)
    clear = ((cosines < 0.1) | (cosines > 0.3)).all()
    return clear and nx.is_isomorphic(pattern, nx.from_numpy_array((cosines > 0.2).astype(int)))
