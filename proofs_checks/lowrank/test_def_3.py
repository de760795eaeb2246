r"""The triangular graph of order r and its normalised incidence matrix (lowrank, Definition 3).

$\mathcal T_r$ is the line graph of the complete graph on r vertices. It is strongly regular with parameters
$\bigl(\tfrac{r(r-1)}2, 2(r-2), r-2, 4\bigr)$ and has the adjacency eigenvalues $2(r-2)$ once, $r-4$ with
multiplicity $r-1$, and $-2$ with multiplicity $\tfrac{r(r-3)}2$. For $T_r$, which has the entry
$1/\sqrt{r-1}$ where a vertex is an end of an edge and 0 elsewhere,

$$
T_r T_r^\top = \frac{(r-2) I + J}{r-1}, \qquad T_r^\top T_r = \frac{2 I + A(\mathcal T_r)}{r-1}.
$$

It is stated for r ≥ 4, where the paper's constructions take it. Below that no two edges of the complete graph are
disjoint: the triangular graph is complete, which leaves the fourth parameter without a meaning, so that a complete
graph does not count as strongly regular; and at r = 2 a multiplicity is −1. Both are near misses.
"""

from itertools import combinations
from pathlib import Path
from typing import Annotated, NamedTuple

import networkx as nx
import numpy as np
import sympy as sp
from flint import fmpz_mat

from nct.ledger import (
    Claim,
    Instances,
    Part,
    Statement,
    Stronger,
    require,
    require_disproved,
    require_equal,
    require_proved,
)
from theory import coq, verified
from theory.certificate import ShiftCertificate
from theory.geometry import edge_sums

R = sp.Symbol("r", positive=True)


class TriangularGraph(NamedTuple):
    """The statement: where it is made, and its formulas as functions of r."""

    least_order: Annotated[int, Stronger("smaller")]
    parameters: tuple = (R * (R - 1) / 2, 2 * (R - 2), R - 2, 4)
    eigenvalues: tuple = (2 * (R - 2), R - 4, -2)
    multiplicities: tuple = (1, R - 1, R * (R - 3) / 2)
    rows: tuple = ((R - 2) / (R - 1), 1 / (R - 1))  # T Tᵀ: coefficients of I and J
    columns: tuple = (2 / (R - 1), 1 / (R - 1))  # Tᵀ T: coefficients of I and A

    def at(self, r):
        """The formulas at an order, as integers and fractions."""
        return [tuple(sp.sympify(value).subs(R, r) for value in formulas) for formulas in self[1:]]


TEXT = (
    r"\mathcal T_r \text{ is strongly regular with parameters } \bigl(\tfrac{r(r-1)}2, 2(r-2), r-2, 4\bigr)"
    r"\text{ and spectrum } 2(r-2)^{1},\ (r-4)^{r-1},\ (-2)^{r(r-3)/2};\quad "
    r"T_r T_r^\top = \tfrac{(r-2) I + J}{r-1},\ T_r^\top T_r = \tfrac{2 I + A(\mathcal T_r)}{r-1}\quad (r \ge 4)"
)

claim = Claim(
    id="lowrank.def-3",
    title="Triangular graph: parameters, spectrum, incidence matrix",
    source="lowrank, Section 4, Definition 3",
    verdict="holds",
    printed=Statement(
        TEXT,
        TriangularGraph(4),
        formulas={
            r"\tfrac{r(r-1)}2": lambda graph, r: graph.at(r)[0][0],
            "2(r-2)": lambda graph, r: graph.at(r)[0][1],
            "r-2": lambda graph, r: graph.at(r)[0][2],
            "(r-4)": lambda graph, r: graph.at(r)[1][1],
            "r-1": lambda graph, r: graph.at(r)[2][1],
            "r(r-3)/2": lambda graph, r: graph.at(r)[2][2],
        },
    ),
    near_misses={
        "from r = 2 on": TriangularGraph(2),
        "from r = 3 on": TriangularGraph(3),
        "non-adjacent vertices with 3 common neighbours": TriangularGraph(
            4, parameters=(R * (R - 1) / 2, 2 * (R - 2), R - 2, 3)
        ),
        "r − 3 in place of r − 4": TriangularGraph(4, eigenvalues=(2 * (R - 2), R - 3, -2)),
        "multiplicities of r − 4 and −2 exchanged": TriangularGraph(4, multiplicities=(1, R * (R - 3) / 2, R - 1)),
        "incidence matrix scaled by 1/√r": TriangularGraph(4, rows=((R - 2) / R, 1 / R), columns=(2 / R, 1 / R)),
    },
)


def expanded(*expressions):
    """Rational functions of r, each in its one normal form."""
    return tuple(sp.cancel(expression) for expression in expressions)


@claim.check("derived", covers="all")
def test_for_all_r_by_counting_edges(statement):
    count, joined = edge_sums.edge_sum, lambda e, f: len(e & f) == 1
    e, sharing, disjoint = {0, 1}, {0, 2}, {2, 3}
    # Strongly regular: neither complete nor empty. The edges disjoint from a given one have to be there at the least
    # order, and are more at each further one.
    apart = sp.expand(count(R, e, lambda ends: not ends & e).subs(R, statement.least_order + R))
    some = ShiftCertificate.of("there are edges that share no end with a given one", apart, {R: 0})
    require(some.verify(), "the graph is complete", r=statement.least_order, apart=apart)

    counted = (
        count(R, {}, lambda ends: True),
        count(R, e, lambda ends: joined(ends, e)),
        count(R, e | sharing, lambda ends: joined(ends, e) and joined(ends, sharing)),
        count(R, e | disjoint, lambda ends: joined(ends, e) and joined(ends, disjoint)),
    )
    for stated, found in zip(statement.parameters, counted, strict=True):
        require_equal(sp.expand(stated), sp.expand(found), "the parameters differ")

    # A² = k I + λ A + μ (J − I − A): on the complement of the ones the eigenvalues solve a quadratic equation, and
    # the traces of I and A give their multiplicities.
    v, k, adjacent, other = counted
    theta, m, n = sp.symbols("theta m n")
    roots = sp.solve(sp.Eq(theta**2, k + adjacent * theta + other * (-1 - theta)), theta)
    require_equal(
        {sp.factor(t) for t in roots}, set(map(sp.sympify, statement.eigenvalues[1:])), "the eigenvalues differ"
    )
    solved = sp.solve([1 + m + n - v, k + m * statement.eigenvalues[1] + n * statement.eigenvalues[2]], [m, n])
    stated = statement.multiplicities
    require_equal(expanded(statement.eigenvalues[0], stated[0]), expanded(k, 1), "the largest eigenvalue differs")
    require_equal(expanded(*stated[1:]), expanded(solved[m], solved[n]), "the multiplicities differ")

    # (T Tᵀ)ᵤᵥ (r−1) counts the edges with both ends in {u, v}; (Tᵀ T)ₑ𝒻 (r−1) counts their common ends.
    on, off = count(R, {0}, lambda ends: 0 in ends), count(R, {0, 1}, lambda ends: {0, 1} <= ends)
    scale = 1 / (R - 1)
    require_equal(expanded(*statement.rows), expanded(scale * (on - off), scale * off), "T Tᵀ differs")
    columns = expanded(scale * len(e), scale * len(e & sharing))
    require_equal(expanded(*statement.columns), columns, "Tᵀ T differs")


#: What the kernel has proved the theorems of, in the order of the statement's formulas.
PROVED = (
    ("over_edges r (fun _ _ => 1)", "2 * (INR r - 2)", "INR r - 2", "4"),
    tuple(f"eigenvalue r {i}" for i in range(3)),
    tuple(f"multiplicity r {i}" for i in range(3)),
    ("(INR r - 2) / (INR r - 1)", "1 / (INR r - 1)"),
    ("2 / (INR r - 1)", "1 / (INR r - 1)"),
)
HOLDS = """\
intros r order; apply le_INR in order; simpl INR in order.
  rewrite number_of_edges; unfold eigenvalue, multiplicity; repeat split; field; lra."""
FAILS = """\
intro claimed; specialize (claimed 7%nat ltac:(lia)); rewrite number_of_edges in claimed.
  unfold eigenvalue, multiplicity in claimed; simpl INR in claimed; lra."""


@claim.check(
    "kernel",
    covers=Part("parameters, eigenvalues with multiplicities, T Tᵀ and Tᵀ T, for all r ≥ 4"),
    refutes=[
        "non-adjacent vertices with 3 common neighbours",
        "r − 3 in place of r − 4",
        "multiplicities of r − 4 and −2 exchanged",
        "incidence matrix scaled by 1/√r",
    ],
)
def test_spectrum_by_the_kernel(statement):
    here = Path(__file__)
    equations = [
        f"{proved} = {coq.expression(stated, {R: 'INR r'})}"
        for proofs, formulas in zip(PROVED, statement[1:], strict=True)
        for proved, stated in zip(proofs, formulas, strict=True)
    ]
    claimed = " /\\\n  ".join(equations)
    holds = statement[1:] == TriangularGraph(4)[1:]
    stated = f"(forall r : nat, (4 <= r)%nat ->\n  {claimed})"
    theorem = f"Theorem {f'as_stated : {stated}' if holds else f'refuted : ~ {stated}'}."
    instance = f"(* The formulas of the statement *)\n\n{theorem}\nProof.\n  {HOLDS if holds else FAILS}\nQed."
    graph = [here.parents[1] / "sums.v", here.with_name("def_3_graph.v")]
    if not holds:
        require_disproved(claim, coq.script([*graph, instance]), "another formula", r=7)
    with verified.verified_certificates() as found:
        test_for_all_r_by_counting_edges(statement)
    theorems = [*coq.translate_all(found), *graph, here.with_name("def_3_spectrum.v"), instance]
    require_proved(claim, coq.script(theorems))


@claim.check("exact", covers=Instances("4 ≤ r ≤ 12, all"))
def test_graphs_up_to_order_12(statement):
    for r in range(statement.least_order, 13):
        stated, eigenvalues, multiplicities, rows, columns = statement.at(r)
        edges = list(combinations(range(r), 2))
        graph = nx.line_graph(nx.complete_graph(r))
        adjacency = nx.to_numpy_array(graph, nodelist=edges, dtype=int)
        spectrum = dict.fromkeys(eigenvalues, 0)
        for value, multiplicity in zip(eigenvalues, multiplicities, strict=True):
            require(multiplicity >= 0, "a multiplicity is negative", r=r, eigenvalue=value, multiplicity=multiplicity)
            spectrum[value] += multiplicity
        for value, multiplicity in spectrum.items():
            shifted = adjacency - int(value) * np.eye(len(edges), dtype=int)
            kernel = len(edges) - fmpz_mat(shifted.tolist()).rank()
            require_equal(multiplicity, kernel, "the spectrum differs", r=r, eigenvalue=value)
        require(nx.is_strongly_regular(graph), "the graph is complete, not strongly regular", r=r)

        # Counted in the graph: vertices, degrees, common neighbours of the adjacent and of the others.
        common = adjacency @ adjacency
        joined, apart = adjacency == 1, adjacency + np.eye(len(edges)) == 0
        counted = [{len(edges)}, set(np.diag(common)), set(common[joined]), set(common[apart])]
        require_equal(counted, [{p} for p in stated], "the parameters differ", r=r)

        incidence = nx.incidence_matrix(nx.complete_graph(r), edgelist=edges).toarray().astype(int)
        by_rows = (r - 1) * (rows[0] * np.eye(r, dtype=int) + rows[1])
        require_equal((incidence @ incidence.T).tolist(), by_rows.tolist(), "T Tᵀ differs", r=r)
        identity = np.eye(len(edges), dtype=int)
        by_columns = (r - 1) * (columns[0] * identity + columns[1] * adjacency)
        require_equal((incidence.T @ incidence).tolist(), by_columns.tolist(), "Tᵀ T differs", r=r)
