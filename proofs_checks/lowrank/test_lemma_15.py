r"""The Gram matrices of the intermediate layers of the SRG solution (lowrank, Lemma 15).

For $2 \le l \le L-1$ and $M_l$ as in Definition 9: $\tilde M_l = M_l$, and $M_l^\top M_l$ has the
eigenvalues

$$
2\alpha_l \ \text{(once)}, \qquad \frac{r-2}{r-1}\,\alpha_l \ (r-1 \text{ times}), \qquad
0 \ \bigl(\tfrac{r(r-3)}2 \text{ times}\bigr).
$$

Definition 4 makes the rows of $M_l$ non-negative multiples of rows of $T_r$; the wording of Definition 9 that
the lemma refers to says multiples. With multiples of either sign the first half of the lemma is false, and after the
ReLU the second half too: that reading is a near miss.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import sympy as sp
from flint import fmpz_mat
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require, require_close, require_equal
from theory.geometry import edge_sums, triangular_graph


class GramSpectrum(NamedTuple):
    """The statement: eigenvalues for α_l = 1 and their multiplicities from r, and whether multiples may be negative."""

    eigenvalues: Callable
    multiplicities: Callable = lambda r: (1, r - 1, r * (r - 3) / 2)
    signed: bool = False


def eigenvalues(r):
    return 2, (r - 2) / (r - 1), 0


claim = Claim(
    id="lowrank.lemma-15",
    title="Gram matrices of the intermediate SRG layers",
    source="lowrank, Appendix A.1, Lemma 15",
    verdict="holds",
    printed=Statement(
        r"\tilde M_l = M_l \text{ and } M_l^\top M_l \text{ has the eigenvalues } (2\alpha_l)^{1},\ "
        r"\bigl(\tfrac{r-2}{r-1} \alpha_l\bigr)^{r-1},\ 0^{r(r-3)/2} \quad\text{for } 2 \le l \le L-1",
        GramSpectrum(eigenvalues),
        formulas={
            r"\tfrac{r-2}{r-1}": lambda value, r: value.eigenvalues(r)[1],
            "r-1": lambda value, r: value.multiplicities(r)[1],
            "r(r-3)/2": lambda value, r: value.multiplicities(r)[2],
        },
    ),
    near_misses={
        "r − 3 in place of r − 2": GramSpectrum(lambda r: (2, (r - 3) / (r - 1), 0)),
        "α_l in place of 2α_l": GramSpectrum(lambda r: (1, (r - 2) / (r - 1), 0)),
        "multiplicity r of the middle eigenvalue": GramSpectrum(eigenvalues, lambda r: (1, r, r * (r - 3) / 2 - 1)),
        "multiples of either sign": GramSpectrum(eigenvalues, signed=True),
    },
    depends_on=["lowrank.def-3"],
)


@claim.check("derived", covers="all", blind_to={"multiples of either sign": "the layer is taken to be non-negative"})
def test_for_all_r_by_counting_common_ends(statement):
    r = sp.Symbol("r", positive=True)
    # The squared multiples of vertex v sum to α_l = 1, so that the entry at (e, f) is Σ_v T_ve T_vf = |e ∩ f|/(r−1).
    equal, sharing, disjoint = 2 / (r - 1), 1 / (r - 1), sp.Integer(0)
    derived = edge_sums.intersection_matrix_eigenvalues(r, equal, sharing, disjoint)
    for stated, value in zip(statement.eigenvalues(r), derived, strict=True):
        require_equal(sp.factor(stated), sp.factor(value), "an eigenvalue differs")

    # The multiplicities, from the traces of I, of the Gram matrix and of its square.
    pairs, m = r * (r - 1) / 2, sp.symbols("m_1:4")
    squares = equal**2 + 2 * (r - 2) * sharing**2 + (r - 2) * (r - 3) / 2 * disjoint**2
    traces = [pairs, pairs * equal, pairs * squares]
    sums = [sum(n * value**k for n, value in zip(m, derived, strict=True)) - t for k, t in enumerate(traces)]
    solved = sp.solve(sums, m)
    for n, stated in zip(m, statement.multiplicities(r), strict=True):
        require_equal(sp.expand(stated), sp.expand(solved[n]), "a multiplicity differs")


def layer(statement, T, multiples):
    """M_l, from multiples whose squares sum to one number a row type, after a check that its ReLU changes nothing."""
    before = triangular_graph.row_multiples(multiples) @ T
    if statement.signed:
        before[::2] *= -1
    require(np.all(before >= 0), "the ReLU changes the layer", r=len(T))
    return before


@claim.check("exact", covers=Instances("4 ≤ r ≤ 9, one set of multiples each"))
def test_ranks_of_integer_matrices(statement):
    for r in range(4, 10):
        M = layer(statement, triangular_graph.incidence_matrix(r), [[2, 3, 6] if i % 2 else [7] for i in range(r)])
        gram, alpha = M.T @ M, 49 * (r - 1)  # of T_r times √(r−1)
        spectrum = zip(statement.eigenvalues(sp.Integer(r)), statement.multiplicities(r), strict=True)
        for value, multiplicity in spectrum:
            scaled = sp.Integer(alpha) * value
            require(scaled.is_integer, "not an eigenvalue: an integer matrix with a fraction", r=r, eigenvalue=value)
            shifted = gram - int(scaled) * np.eye(len(gram), dtype=int)
            kernel = len(gram) - fmpz_mat(shifted.tolist()).rank()
            require_equal(multiplicity, kernel, "the spectrum differs", r=r, eigenvalue=value)


@claim.check(
    "property",
    covers=Instances("4 ≤ r ≤ 8, 50 drawn: one to three exponential multiples a row type, log-normal scales"),
)
@given(st.integers(4, 8), st.integers(0, 2**32 - 1))
def test_eigenvalue_solver(statement, r, seed):
    rng = np.random.default_rng(seed)
    scale, groups = rng.lognormal(sigma=2), [rng.exponential(size=rng.integers(1, 4)) for _ in range(r)]
    multiples = [np.sqrt(scale) * group / np.linalg.norm(group) for group in groups]
    M = layer(statement, triangular_graph.normalised_incidence_matrix(r), multiples)
    found = np.linalg.eigvalsh(M.T @ M)
    stated = np.repeat(statement.eigenvalues(r), [int(m) for m in statement.multiplicities(r)]) * scale
    require(len(found) == len(stated), "the multiplicities do not add up")
    # The solver is backward stable: absolute errors of some ulps of the largest eigenvalue, 2 α_l.
    require_close(found, np.sort(stated), "the eigenvalues differ", atol=1e-12 * scale, r=r)
