r"""The last layer of the SRG solution in the two definitions of it (lowrank, Definitions 4 and 9).

For a pair of vertices e let $x_e$ be the row that a weighting by −½ at its ends and ½ elsewhere makes of the edges:
−1 at e, 0 at the edges that share an end with e, 1 at those disjoint from it. Definition 4 takes as rows of
$\tilde M_L$ non-negative multiples of the $x_e$, with the same sum of squared norms for each e. Definition 9 scales the
$x_e$ to unit norm and takes multiples of them, with the same sum $\alpha_L$ of squared multiples for each e; it says no
more of them.

With multiples of either sign the definitions differ: $-x_e$ has its ReLU at e and not at the edges disjoint from it. No
$x_f$ is a positive multiple of it, save at r = 4, where $-x_e = x_f$ for the edge f that is disjoint from e, but f then
has more than its share. With non-negative multiples they agree: all $x_e$ have the squared norm
$1 + \binom{r-2}2 = \tfrac{r^2-5r+8}2$, so that Definition 9's layers are Definition 4's, with squared multiples of the
$x_e$ that add up to $\beta = 2\alpha_L/(r^2-5r+8)$. In the layers before it the signs are no question, as they are
outputs of a ReLU.
"""

from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations
from typing import Any, Literal, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require, require_close, require_equal
from theory.geometry import edge_sums, triangular_graph

#: Signs that the first and the second multiple of a row type can have.
SIGNS = {"non-negative": [(1, 1)], "any": [(1, 1), (1, -1), (-1, -1)], "one a type": [(1, 1), (-1, -1)]}


class LastLayers(NamedTuple):
    """The statement: the signs of Definition 9's multiples, and β for an α_L."""

    signs: Literal["non-negative", "any", "one a type"]
    scale: Callable[[Any, Any], Any] = lambda alpha, r: 2 * alpha / (r**2 - 5 * r + 8)


FORMULA = {r"2\alpha_L / (r^2 - 5r + 8)": lambda value, alpha_L, r=(4, 5, 7): value.scale(alpha_L, r)}
claim = Claim(
    id="lowrank.def-4",
    title="Two definitions of the last SRG layer",
    source="lowrank, Section 4, Definition 4, and Appendix A.1, Definition 9",
    verdict="amended",
    printed=Statement(
        r"\text{Definitions 4 and 9 describe the same } \tilde M_L \text{: rows that are non-negative multiples of }"
        r" x_e \text{, with equal sums of squared norms for each e; and } A_L \text{ times the rows } x_e / \|x_e\|"
        r"\text{, with one multiple (of any sign) in each row of } A_L \text{, whose squares add up to } \alpha_L"
        r"\text{ for each e. Squared multiples of the } x_e \text{ add up to } 2\alpha_L / (r^2 - 5r + 8)",
        LastLayers("any"),
        formulas=FORMULA,
    ),
    amended=Statement(
        r"\text{they do if the multiples of Definition 9 are non-negative too; squared multiples of the } x_e"
        r"\text{ add up to } 2\alpha_L / (r^2 - 5r + 8)",
        LastLayers("non-negative"),
        formulas=FORMULA,
    ),
    near_misses={
        "one sign for each row type": LastLayers("one a type"),
        "rows that are not scaled": LastLayers("non-negative", lambda alpha, r: alpha),
        "without the entry −1 in the norm": LastLayers("non-negative", lambda alpha, r: 2 * alpha / (r**2 - 5 * r + 6)),
        "half of the scale": LastLayers("non-negative", lambda alpha, r: alpha / (r**2 - 5 * r + 8)),
    },
    depends_on=["lowrank.def-3"],
    counterexample_code="""\
edges = [(i, j) for j in range(5) for i in range(j)]
x = {e: [1 - len({*e} & {*f}) for f in edges] for e in edges}
row = [-value for value in x[0, 1]]  # a multiple, by -1: allowed by Definition 9
print("row", row, "after the ReLU", [max(value, 0) for value in row])
# A positive multiple of x_e has one negative entry; this row has three.
assert all(sum(value < 0 for value in x[e]) == 1 for e in edges)
assert sum(value < 0 for value in row) == 3
""",
)


@claim.check("derived", covers="all")
def test_counting_entries_for_all_r(statement):
    # A row of Definition 9 is a positive multiple of some x_f only if it has as many negative entries, one. At r = 4
    # −x_e has one too; the next check has that order. Multiples of x_e are those of x_e/‖x_e‖ divided by ‖x_e‖.
    r, alpha = sp.Symbol("r", positive=True), sp.Symbol("alpha", positive=True)
    e = frozenset({0, 1})

    def entries(fits):
        return sp.expand(edge_sums.edge_sum(r, e, lambda ends: fits(1 - len(ends))))

    for sign in {sign for pair in SIGNS[statement.signs] for sign in pair}:
        negative = entries(lambda value, sign=sign: sign * value < 0)
        require_equal(negative, 1, "rows with another number of negative entries than x_f", sign=sign)
    beta = alpha / entries(lambda value: value**2)
    require_equal(sp.cancel(statement.scale(alpha, r) - beta), 0, "another scale", beta=beta)


def rows(r):
    """The x_e, from the weightings of the vertices; in halves, to stay with integers."""
    edges = list(combinations(range(r), 2))
    weighting = {e: [-1 if v in e else 1 for v in range(r)] for e in edges}
    return {e: tuple((weighting[e][a] + weighting[e][b]) // 2 for a, b in edges) for e in edges}


def shares(layer, r):
    """Definition 4, put to a layer: for each e the sum of the squared multiples of x_e; None if a row is no such."""
    found, ray = Counter(), {x: e for e, x in rows(r).items()}
    for row in layer:
        multiple = max(map(abs, row))
        e = ray.get(tuple(value // multiple for value in row))
        if e is None:
            return None
        found[e] += multiple**2
    return found


@claim.check("exact", covers=Instances("r = 4, 5, 6; each row type with the others' multiples 5, and its own ±3, ±4"))
def test_layers_of_definition_9_by_definition_4(statement):
    for r in (4, 5, 6):
        x = rows(r)
        norm = sum(value**2 for value in x[0, 1])
        for chosen in x:
            for signs in SIGNS[statement.signs]:
                multiples = {e: (3 * signs[0], 4 * signs[1]) if e == chosen else (5,) for e in x}
                # ‖x_e‖ times a layer of Definition 9 with α_L = 25, whose own squared multiples add up to 25/‖x_e‖².
                layer = [[a * value for value in x[e]] for e in x for a in multiples[e]]
                found = shares(layer, r)
                require(found is not None, "no layer of Definition 4", r=r, multiples=multiples[chosen])
                beta = statement.scale(Fraction(25), r)
                stated = dict.fromkeys(x, beta * norm)
                require_equal(dict(found), stated, "another share of a row type", r=r, multiples=multiples[chosen])


@claim.check("property", covers=Instances("4 ≤ r ≤ 8, log-normal α_L, 1 to 3 random multiples a row type, 50 drawn"))
@given(st.integers(4, 8), st.integers(0, 2**32 - 1))
def test_gram_matrices_after_the_relu(statement, r, seed):
    # What the loss sees of a layer of Definition 4 is M_LᵀM_L, which its scale decides alone.
    rng = np.random.default_rng(seed)
    x = triangular_graph.last_layer_pre_activations(r)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    alpha = rng.lognormal()
    expected = float(statement.scale(alpha, r)) * np.maximum(x, 0).T @ np.maximum(x, 0)
    for first, second in SIGNS[statement.signs]:
        layer = []
        for e, row in enumerate(unit):
            multiples = rng.uniform(0.1, 1, rng.integers(1, 4))
            multiples *= np.sqrt(alpha) / np.linalg.norm(multiples)
            if e == 0:  # signs of one row type
                multiples[0] *= first
                multiples[1:] *= second
                if first != second:
                    multiples = np.sqrt(alpha / 2) * np.array([first, second])
            layer.append(np.outer(multiples, row))
        last = np.maximum(np.concatenate(layer), 0)
        require_close(last.T @ last, expected, "another Gram matrix", rtol=1e-10, atol=1e-10 * alpha, r=r)
