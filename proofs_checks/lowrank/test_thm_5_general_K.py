r"""The strongly regular graph solution where K is no triangular number (lowrank, Definition 11, proof of Theorem 5).

1. *Block.* The largest $K_1=r(r-1)/2\le K$ classes form a strongly regular graph, the others collapse, with scales
   that are best for the problem of K classes. The losses add, and

   $$
   \mathcal L_{block}(K;\Pi) = \tfrac{K_1}{K}\,\mathcal L_{srg}\bigl(K_1;(K/K_1)^{L+1}\,\Pi\bigr)
   + \tfrac{K-K_1}{K}\,\mathcal L_{dnc}(K;\Pi), \qquad \Pi = n\lambda_{H_1}\cdots\lambda_{W_L},
   $$

   so that it is below $\mathcal L_{dnc}(K;\Pi)$ as for $K_1$ classes.
2. *Drop.* From the solution for the smallest $K'=r(r-1)/2\ge K$ the classes with the highest fit loss are removed.
   With the same regularisation $\mathcal L_{drop}(K)\le\mathcal L_{srg}(K')$. All classes have the same fit loss, so
   any may go.

The second is what the asymptotic part of Theorem 5 is proved with; it does not beat DNC for every K of the theorem:
not for K = 7, L = 4 at most regularisations, and not for K = 11, L = 3 at any.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import comb, prod
from typing import Annotated

import networkx as nx
import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import (
    Claim,
    Instances,
    Part,
    Statement,
    UpperBound,
    require,
    require_at_most,
    require_close,
    require_equal,
    require_proved,
)
from theory import certificate, coq, dufm, verified
from theory.geometry import triangular_graph


@dataclass(frozen=True)
class Constructions:
    """The statement's value.

    `regularisation`: the factor on Π in the problem of K₁ classes, as a function of (K, K₁, L). `bound`: L_drop(K) is
    at most this multiple of L_srg(K'), as a function of (K, K'). `beat_dnc`: the constructions that are below L_dnc
    wherever either is below ½.
    """

    regularisation: Callable
    bound: Annotated[Callable, UpperBound]
    beat_dnc: tuple[str, ...]


def factor(K, K1, L):
    return (K / K1) ** (L + 1)


def one(K, whole):
    return 1


claim = Claim(
    id="lowrank.thm-5.general-K",
    title="SRG for any number of classes",
    source="lowrank, Definition 11, and the proof of Theorem 5 for general K (Appendix A.1)",
    verdict="holds",
    printed=Statement(
        r"\text{Block: the losses of the two blocks add, the collapsed block attains its share of } \mathcal "
        r"L_{dnc}, \text{ and the"
        r" other is below its share as for } K_1 \text{ classes. Drop: } \mathcal L_{drop}(K) \le \mathcal L_{srg}(K')"
        r" \text{ with the same regularisation.}",
        Constructions(factor, one, ("block",)),
    ),
    near_misses={
        "K₁λ in place of Kλ in the block": Constructions(lambda K, K1, L: 1, one, ("block",)),
        "L_drop(K) ≤ (K/K') L_srg(K')": Constructions(factor, lambda K, whole: Fraction(K, whole), ("block",)),
        "drop beats DNC too": Constructions(factor, one, ("block", "drop")),
    },
    depends_on=["lowrank.thm-5", "lowrank.lemma-17", "lowrank.lemma-18"],
)


@claim.check("derived", covers="all", blind_to={"drop beats DNC too": "Theorem 5 is about the first construction"})
def test_both_constructions_from_the_pieces(statement):
    # Fit and W_L of one singular value s, min over w of (ws − 1)²/(2K) + λw²/2: at the scale s² = e·uKλ it is 1/(2K(1
    # + eu)), so that a block's fit is its share of the classes times that of a problem of its own at the same u.
    K, e, u, w, lam = sp.symbols("K e u w lambda", positive=True)
    cost = (w * sp.sqrt(e * u * K * lam) - 1) ** 2 / (2 * K) + lam * w**2 / 2
    (best,) = sp.solve(sp.diff(cost, w), w)
    require_equal(sp.simplify(cost.subs(w, best) * 2 * K * (1 + e * u)), 1, "the fit is not a share of the classes")
    # Its weights and features cost Lt whatever N is, t^L being linear in Π: with the stated factor on Π, and at the
    # same u, the block's t is that share too.
    power, r, scale, L = dufm.symbolic_power("srg")
    K1 = r * (r - 1) / 2
    block, own = power.subs(scale, u * K), power.subs(scale, u * K1) * statement.regularisation(K, K1, L)
    share = sp.expand_log(sp.log(block / own / (K1 / K) ** L), force=True)
    require_equal(sp.simplify(share), 0, "the norms differ")
    require("block" in statement.beat_dnc, "the block does not beat DNC")
    assert certificate.strongly_regular_beats_collapse().verify()  # whatever κ is, so also for the block's

    # Dropping: with q = K/K' of the classes, features and W_L keep the share q of their cost, t and x, as every class
    # has as much of each; it has as much of the error as well, so that the mean error stays. What is lost from
    # Lt + x + fit is (1 − q)(t + x), and nothing less than 1 can bound the rest for the fit's sake as q → 1.
    classes_share_equally()
    for K, whole in ((5, 6), (7, 10), (9, 10), (11, 15), (14, 15), (990, 1035)):
        q, bound = sp.Rational(K, whole), sp.sympify(statement.bound(K, whole))
        for of, before, after in (("norms", 3, 2 + q), ("W_L", 1, q), ("fit", 1, 1)):  # at L = 3
            require_at_most(after, bound * before, "the loss without some classes is higher", K=K, of=of)


def classes_share_equally():
    """Columns of H_1, rows of W_L and columns of the errors are of one length each, for every r and every scale.

    H_1ᵀH_1 is a multiple of √(TᵀT), and with the last features √s D (D of disjoint edges) and R = (1 + sD²)⁻¹ the
    errors are −R, and W_L is a multiple of DR. All of these are a + bA + cJ with the adjacency matrix A of the
    triangular graph and the matrix J of ones, and so are their products: the diagonal is the same throughout.
    """
    r, s, a, b, c = sp.symbols("r s a b c", positive=True)
    degree, adjacent, apart = 2 * (r - 2), r - 2, 4
    for order in range(4, 9):  # that these are its parameters is lowrank.def-3
        expected = [parameter.subs(r, order) for parameter in (degree, adjacent)]
        require_equal(list(triangular_graph.parameters(order)[1:]), [*expected, apart], "the parameters", r=order)

    def times(x, y):  # of (a, b, c) for a + bA + cJ; A² = degree + adjacent A + apart (J − 1 − A), AJ = degree J
        square, ones = x[1] * y[1], r * (r - 1) / 2 * x[2] * y[2] + x[0] * y[2] + x[2] * y[0]
        product = (
            x[0] * y[0] + (degree - apart) * square,
            x[0] * y[1] + x[1] * y[0] + (adjacent - apart) * square,
            ones + degree * (x[1] * y[2] + x[2] * y[1]) + apart * square,
        )
        return tuple(sp.factor(part) for part in product)

    for order in (4, 5, 7):  # the table itself, on matrices
        A = sp.Matrix(nx.to_numpy_array(triangular_graph.triangular_graph(order), dtype=int))
        matrix = lambda x, A=A: x[0] * sp.eye(A.rows) + x[1] * A + x[2] * sp.ones(A.rows)  # noqa: E731
        table = matrix([part.subs(r, order) for part in times((2, 3, 5), (7, -1, 4))])
        require_equal(matrix((2, 3, 5)) * matrix((7, -1, 4)), table, "the products", r=order)
    # TᵀT = (2 + A)/(r − 1), and √(TᵀT) = x TᵀT + y J with the eigenvalues √2 on the ones and √((r−2)/(r−1)) beside them
    gram, x = (2 / (r - 1), 1 / (r - 1), sp.Integer(0)), sp.sqrt((r - 1) / (r - 2))
    root = (x * gram[0], x * gram[1], (sp.sqrt(2) - 2 * x) * 2 / (r * (r - 1)))
    difference = [sp.simplify(u - v) for u, v in zip(times(root, root), gram, strict=True)]
    require_equal(difference, [0, 0, 0], "not the square root")
    # D = J − 1 − A; R solves a linear system of three equations.
    disjoint = (-1, -1, 1)
    square = times(disjoint, disjoint)
    system = (1 + s * square[0], s * square[1], s * square[2])
    (inverse,) = sp.solve(
        [u - v for u, v in zip(times(system, (a, b, c)), (1, 0, 0), strict=True)], (a, b, c), dict=True
    )
    at = {r: 5, s: sp.Rational(2, 3)}
    A = sp.Matrix(nx.to_numpy_array(triangular_graph.triangular_graph(5), dtype=int))
    D = sp.ones(10) - sp.eye(10) - A
    found = [inverse[part].subs(at) for part in (a, b, c)]
    R = (sp.eye(10) + at[s] * D * D).inv()
    require_equal(found[0] * sp.eye(10) + found[1] * A + found[2] * sp.ones(10), R, "another inverse")
    require_equal({*(R * R).diagonal(), *(D * R * R * D).diagonal()}, {(R * R)[0, 0], (D * R * R * D)[0, 0]}, "unequal")


@claim.check("kernel", covers=Part("the six polynomial inequalities of Theorem 5’s certificate"))
def test_certificates_by_the_kernel(statement):
    with verified.verified_certificates() as found:
        test_both_constructions_from_the_pieces(statement)
    require_proved(claim, coq.script(coq.translate_all(found)))


@claim.check(
    "exact",
    covers=Instances("r ≤ 6, L ≤ 6, five (r, L), every K between, three sets of classes kept, DNC's scale 3L and 1000"),
    blind_to={"K₁λ in place of Kλ in the block": "about the second construction only"},
)
def test_second_construction_by_rational_matrices(statement):
    for r, L in ((4, 4), (4, 6), (5, 3), (5, 4), (6, 4)):
        whole = comb(r, 2)
        for K in range(max(comb(r - 1, 2) + 1, 5), whole):
            for u in (Fraction(3 * L), Fraction(1000)):
                lams = collapsed_at(u, whole, L)
                before = dufm.exact_loss(dufm.rational_srg(r, lams), lams)
                scattered = sorted(range(whole), key=lambda edge: (edge * 7 + 3) % whole)[:K]
                for kept in (range(whole - K, whole), range(K), scattered):
                    after = dufm.exact_loss(dufm.rational_srg(r, lams, classes=list(kept)), lams)
                    bound = statement.bound(K, whole) * before
                    require_at_most(after, bound, "the loss without some classes is higher", K=K, L=L, kept=list(kept))
                if "drop" in statement.beat_dnc and K >= (10 if L == 3 else 6):
                    lams = collapsed_at(u, K, L)
                    loss = dufm.exact_loss(dufm.rational_srg(r, lams, classes=range(whole - K, whole)), lams)
                    dnc = ((L + 1) * u + 1) / (2 * (1 + u) ** 2)
                    require(loss < dnc, "the second construction does not beat DNC", K=K, L=L, u=u)


def collapsed_at(u, K, L):
    """Regularisations for which DNC's best scale is u."""
    product = u ** (L - 1) / (1 + u) ** (2 * L) / K ** (L + 1)
    first = [Fraction(1, 40)] * L
    return [*first, product / prod(first)]


@claim.check(
    "property",
    covers=Instances(
        "7 ≤ K ≤ 27, 3 ≤ L ≤ 6, n ≤ 3, 50 drawn: log-uniform λ, eight decades below DNC's threshold to 1.6 times it"
    ),
)
@given(st.integers(7, 27), st.integers(3, 6), st.integers(-80, 2), st.integers(1, 3), st.integers(0, 99))
def test_float_matrices_through_the_definition_of_the_loss(statement, K, L, tenths, n, seed):
    below, above = triangular_graph.triangular_order(K)
    if below == above:
        return
    rng = np.random.default_rng(seed)
    lams = 10.0 ** rng.uniform(-2, 0, L + 1)
    threshold = (L - 1.0) ** (L - 1) / float(K) ** (L + 1) / float(L) ** (2 * L) / n
    lams[-1] = threshold * 10 ** (tenths / 10) / np.prod(lams[:-1])

    K1, whole = comb(below, 2), comb(above, 2)
    dnc = dufm.dnc_loss(K, L, lams=lams, n=n)
    block = dufm.srg(K, L, lams=lams, n=n)
    changed = [*lams[:-1], lams[-1] * float(statement.regularisation(K, K1, L))]
    parts = K1 / K * dufm.srg_loss(K1, L, lams=changed, n=n), (K - K1) / K * dnc
    require_close(block.evaluate(), sum(parts), "the losses do not add up", rtol=1e-11, K=K, L=L, lams=lams, n=n)
    if K >= (10 if L == 3 else 6) and block.nontrivial:
        require(block.evaluate() < dnc, "the block does not beat DNC", K=K, L=L, lams=lams, n=n)
        drop = dufm.srg(K, L, lams=lams, n=n, construction="drop").evaluate()
        require("drop" not in statement.beat_dnc or drop < dnc, "drop does not beat DNC", K=K, L=L, lams=lams, n=n)

    full = dufm.srg(whole, L, lams=lams, n=n)
    weights = [full.weights(l) for l in range(1, L + 1)]
    errors = weights[-1] @ full.class_means(L) - np.eye(whole)
    fits = (errors**2).sum(axis=0)
    require(np.allclose(fits, fits[0], rtol=1e-9), "some classes fit better than others", whole=whole, L=L)
    kept = np.sort(rng.permutation(whole)[:K])
    loss = dufm.evaluate_loss(
        np.repeat(full.class_means(1)[:, kept], n, axis=1), [*weights[:-1], weights[-1][kept]], lams, n
    )
    bound = float(statement.bound(K, whole)) * full.evaluate() * (1 + 1e-12)
    require_at_most(loss, bound, "the loss without some classes is higher", K=K, L=L, kept=kept.tolist())
