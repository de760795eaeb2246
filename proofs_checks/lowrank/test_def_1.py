r"""Deep neural collapse (lowrank, Definition 1), and which of its properties the SRG solution has.

DNC1: samples are their class means. DNC2: $M_l^\top M_l = \alpha I$. DNC3: the rows of $W_l$ are zero or collinear
with columns of $M_l$. The SRG solution for K = r(r−1)/2 classes, r ≥ 4, has DNC1 in all layers by its definition. Of
DNC2 the paper says that it conflicts with the low rank, and that the construction is "far from being DNC2-collapsed
in the last layer" (Section 6.3). The latter holds from r = 5 on. At r = 4, six classes, a last row $x_e$ has just one
positive entry, at the edge disjoint from e: $M_L$ is a permuted identity, up to the multiples, and has DNC2 and, with
$W_L$, DNC3.

1. DNC2. On the eigenspaces of the triangular graph $T_r^\top T_r$ has the eigenvalue 0 on one and not on the others,
   so that $M_2, \dots, M_{L-1}$, their pre-activations, and $M_1^\top M_1 \propto (T_r^\top T_r)^{1/2}$ do not have
   it. Neither has $\tilde M_L$. $M_L^\top M_L$ has the three eigenvalues $\binom{r-2}2^2, (r-3)^2, 1$ times β.
2. DNC3 in layer L. $W_L^\top = M_L(G+cI)^{-1}$ with $G = M_L^\top M_L$, $c = K\lambda_{W_L}$, and $M_L$ is injective:
   a row is collinear with a column f if column f of G has no second entry that is not zero. By symmetry no column
   has, or all.
3. DNC3 before. In the coordinates of the vertices a column of $M_l$ is the indicator of two of them. A row of $W_l$
   is that of one for 2 ≤ l ≤ L−2; for l = L−1 it is a weighting by ∓½, and for l = 1, up to an invertible map of
   both, a column of $(T_rT_r^\top)^{1/2} = aI + bJ$ with a, b > 0: these have r entries that are not zero.
"""

from math import comb
from typing import NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require, require_equal
from theory import dufm
from theory.geometry import edge_sums, triangular_graph


class Collapsed(NamedTuple):
    """The statement: the orders r ≥ 4 at which a layer has a property."""

    dnc2: tuple[int, ...] = (4,)  # layer L
    dnc3: tuple[int, ...] = (4,)
    dnc2_before: tuple[int, ...] = ()  # layer L before its ReLU
    dnc2_earlier: tuple[int, ...] = ()  # the layers before, before or after their ReLU
    dnc3_earlier: tuple[int, ...] = ()


claim = Claim(
    id="lowrank.def-1",
    title="Which of DNC1–3 the SRG solution has",
    source="lowrank, Section 3, Definition 1; of the SRG solution, Sections 5 and 6.3",
    verdict="amended",
    printed=Statement(
        r"\text{the SRG solution for } K = r(r-1)/2 \text{, } r \ge 4 \text{, has DNC1 in all layers and DNC2 in none:}"
        r"\text{ it is far from being DNC2-collapsed in the last layer (after the ReLU) as well}",
        Collapsed(dnc2=()),
    ),
    amended=Statement(
        r"\text{where it is not zero it has DNC1 in all layers, and neither DNC2, before or after the ReLU, nor DNC3}"
        r"\text{ in any, except that for } r = 4 \text{ (} K = 6 \text{) layer L has both after its ReLU}",
        Collapsed(),
    ),
    near_misses={
        "layer L at r = 5 too": Collapsed(dnc2=(4, 5)),
        "DNC3 in no layer": Collapsed(dnc3=()),
        "before the last ReLU too, at r = 4": Collapsed(dnc2_before=(4,)),
        "DNC2 in the layers before, at r = 4": Collapsed(dnc2_earlier=(4,)),
        "DNC3 in the layers before, at r = 4": Collapsed(dnc3_earlier=(4,)),
    },
    depends_on=["lowrank.def-3", "lowrank.def-4", "lowrank.lemma-12", "lowrank.lemma-17", "lowrank.lemma-18"],
    counterexample_code="""\
edges = [(i, j) for j in range(4) for i in range(j)]
rows = [[1 - len({*e} & {*f}) for f in edges] for e in edges]
last = [[max(value, 0) for value in row] for row in rows]  # after the ReLU
gram = [[sum(row[i] * row[j] for row in last) for j in range(6)] for i in range(6)]
print(gram)
assert gram == [[int(i == j) for j in range(6)] for i in range(6)]  # DNC2
""",
)

R = sp.Symbol("r", positive=True)


def orders(*differences):
    """The integers r ≥ 4 at which all of these rational functions vanish."""
    numerators = [sp.Poly(sp.numer(sp.cancel(difference)), R) for difference in differences]
    common = set.intersection(*(set(numerator.ground_roots()) for numerator in numerators))
    return tuple(sorted(int(root) for root in common if root.is_integer and root >= 4))


@claim.check("derived", covers="all")
def test_eigenvalues_and_weightings_for_all_r(statement):
    def gram(value):
        """Of the layer whose row e has a value that depends on the common ends: entries on, sharing, disjoint."""
        e = frozenset({0, 1})
        return tuple(
            edge_sums.edge_sum(R, e | f, lambda ends, f=f: value(len(ends & e)) * value(len(ends & f)))
            for f in (e, {0, 2}, {2, 3})
        )

    before, after = gram(lambda common: 1 - common), gram(lambda common: max(1 - common, 0))
    for entries, stated in (
        (after, statement.dnc2),
        (before, statement.dnc2_before),
        ((2, 1, 0), statement.dnc2_earlier),
    ):
        one, two, three = edge_sums.intersection_matrix_eigenvalues(R, *map(sp.sympify, entries))
        require_equal(orders(one - two, two - three), stated, "DNC2 at other orders", entries=entries)
    _, *second = map(sp.sympify, after)
    require_equal(orders(*second), statement.dnc3, "DNC3 in layer L at other orders", entries=second)
    # Of (T Tᵀ)^(1/2) = aI + bJ: r b = √2 − a with a² = (r−2)/(r−1) < 2. Not zero: 2 − a² is not.
    require(orders(2 - (R - 2) / (R - 1)) == (), "a weighting without r entries")
    for weights in (sp.Integer(1), R):  # how many vertices have a weight
        require_equal(orders(weights - 2), statement.dnc3_earlier, "DNC3 before layer L", weights=weights)


def collinear(rows, columns):
    """Whether each row is collinear with some column, of integers."""
    return all(any((np.outer(u, v) == np.outer(v, u)).all() for v in columns.T) for u in rows)


def multiple_of_identity(gram):
    return bool((gram == gram[0, 0] * np.eye(len(gram), dtype=int)).all())


@claim.check("exact", covers=Instances("4 ≤ r ≤ 6; with λ_WL = 0 in the last layer"))
def test_integer_matrices(statement):
    for r in (4, 5, 6):
        incidence, last = triangular_graph.incidence_matrix(r), triangular_graph.last_layer_pre_activations(r)
        after = np.maximum(last, 0)
        weightings = 1 - 2 * incidence.T
        inverse = sp.Matrix(after.T @ after).inv() * sp.Matrix(after).T  # W_L = M_L⁺
        weights = np.array(inverse * sp.ilcm(*[value.q for value in inverse])).astype(int)
        found = {
            "dnc2": multiple_of_identity(after.T @ after),
            "dnc3": collinear(weights, after),
            "dnc2_before": multiple_of_identity(last.T @ last),
            "dnc2_earlier": multiple_of_identity(incidence.T @ incidence),
            "dnc3_earlier": collinear(np.eye(r, dtype=int), incidence) or collinear(weightings, incidence),
        }
        for name, stated in statement._asdict().items():
            require_equal(found[name], r in stated, "another property", of=name, r=r)


def orthogonal(means):
    """DNC2, up to rounding errors."""
    gram = means.T @ means
    return bool(np.abs(gram / gram[0, 0] - np.eye(len(gram))).max() < 1e-8)


def aligned(weights, means):
    """DNC3, up to rounding errors."""
    sizes = np.outer(np.linalg.norm(weights, axis=1), np.linalg.norm(means, axis=0))
    return bool((np.abs(weights @ means) > (1 - 1e-10) * sizes).any(axis=1).all())


@claim.check("property", covers=Instances("4 ≤ r ≤ 7, 3 ≤ L ≤ 6, log-uniform λ from 10⁻⁶ to 10⁻⁴, 50 drawn"))
@given(st.integers(4, 7), st.integers(3, 6), st.integers(0, 2**32 - 1))
def test_matrices_of_the_solution(statement, r, L, seed):
    lams = (10 ** np.random.default_rng(seed).uniform(-6, -4, L + 1)).tolist()
    solution = dufm.srg(comb(r, 2), L, lams=lams)
    require(solution.nontrivial, "the zero solution", r=r, L=L)
    means = [solution.class_means(l) for l in range(1, L + 1)]
    before = [solution.pre_activations(l) for l in range(2, L + 1)]
    threes = [aligned(solution.weights(l), solution.class_means(l)) for l in range(1, L + 1)]
    stated = statement._asdict()
    for name, layers in (
        ("dnc2", [orthogonal(means[-1])]),
        ("dnc3", threes[-1:]),
        ("dnc2_before", [orthogonal(before[-1])]),
        ("dnc2_earlier", [orthogonal(layer) for layer in (*means[:-1], *before[:-1])]),
        ("dnc3_earlier", threes[:-1]),
    ):
        require_equal(layers, [r in stated[name]] * len(layers), "another property", of=name, r=r, L=L)
