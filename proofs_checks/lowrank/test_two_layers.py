r"""Deep neural collapse with two layers (lowrank, abstract, Sections 1, 2 and 6.1).

The paper takes over that collapse is optimal for L = 2, and reports to have seen it irrespective of other
hyperparameters:

$$
\min_{H_1,W_1,W_2} \mathcal L \;=\; L_{dnc} \;=\; \min_{u\ge0}\; \kappa\sqrt u + \frac1{2(1+u)},
\qquad \kappa = K\sqrt{n\lambda_{H_1}\lambda_{W_1}\lambda_{W_2}K},
$$

with any width from K on. That is false from K = 15 on, for every regularisation with L_dnc < ½: pre-activations of
rank r − 1, made of the cuts of the complete graph into halves, have a smaller loss. For K from 4 to 14 there are such
points at some regularisations, and mostly the fewer classes the closer to the threshold. Found by descents of our own
(`theory.ufm.two_layers.few_classes` has the matrices), from the threshold down to this share of its product of
regularisations, $16u/(1+u)^4$:

| K | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
| u | 1.004 | 1.1 | 1.2 | 1.2 | 1.3 | 1.3 | 1.5 | 3 | 2.5 | 2 | 20 |
| share | 99.99 % | 90 % | 82 % | 82 % | 74 % | 74 % | 61 % | 19 % | 27 % | 40 % | 0.16 % |

Whether collapse is optimal at other regularisations is not known. For K = 3 no search found anything, and K = 2 is
`lowrank.two-classes`.

What holds: with M the pre-activations' class means, the loss is at least L_dnc wherever $\lVert\sigma(M)\rVert_* \le
\lVert M\rVert_*$. The constant 1 cannot be raised: cuts beside many collapsed classes beat collapse, and raise the
norm by as little as one likes. It is no necessary condition: a hexagon at small regularisation violates it, and loses.

Scales are written through the u at which collapse is stationary: κ = √u/(1+u)², and L_dnc = (3u+1)/(2(1+u)²) for u ≥
1, where it is at most ½.
"""

from collections.abc import Callable
from functools import cache
from math import comb, inf
from typing import Annotated, Any, NamedTuple

import cvxpy as cp
import flint
import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import block_diag

from nct.ledger import (
    Claim,
    Condition,
    Instances,
    Part,
    Search,
    Statement,
    Stronger,
    require,
    require_at_most,
    require_close,
    require_equal,
    require_proved,
)
from theory import coq, schatten, verified
from theory.certificate import ShiftCertificate
from theory.geometry.triangular_graph import spectrum
from theory.ufm import Problem, search, two_layers

#: Singular values are known to some units of rounding.
ROUNDING = 1e-9


class Bound(NamedTuple):
    """No point with pre-activations M that the statement is of has a loss below loss(u), and collapse attains it.

    Other points have, for `always` classes or more at every regularisation with loss(u) < ½, that is u > 1, and for
    `sometimes` classes or more at some.
    """

    applies: Annotated[Callable[[Any], bool], Condition]
    loss: Callable[[Any], Any]
    always: Annotated[float, Stronger("smaller")] = 15
    sometimes: Annotated[float, Stronger("smaller")] = 4


def everywhere(M):
    return True


def raised_at_most(factor, order=1):
    """‖σ(M)‖ ≤ factor · ‖M‖ in a Schatten norm, up to rounding."""
    return lambda M: norm(np.maximum(M, 0), order) <= norm(M, order) * factor * (1 + ROUNDING)


def norm(M, order):
    return np.linalg.norm(np.linalg.svd(M, compute_uv=False), order)


def same_rank(M):
    return np.linalg.matrix_rank(np.maximum(M, 0)) <= np.linalg.matrix_rank(M)


def collapsed(u):
    return (3 * u + 1) / (2 * (1 + u) ** 2)


claim = Claim(
    id="lowrank.two-layers",
    title="Collapse with two layers",
    source="lowrank, abstract, Sections 1, 2 and 6.1 (after Tirer and Bruna, its reference [52])",
    verdict="amended",
    printed=Statement(
        r"L = 2:\ \min\mathcal L = L_{dnc} \text{, irrespective of other hyperparameters}",
        Bound(everywhere, collapsed, inf, inf),
    ),
    amended=Statement(
        r"L = 2:\ \mathcal L \ge L_{dnc} \text{ at every point whose pre-activations' class means M satisfy }"
        r" \|\sigma(M)\|_* \le \|M\|_* \text{, with equality for collapse. Without that condition } \min\mathcal L <"
        r" L_{dnc} \text{ for every } K \ge 15 \text{ whenever } L_{dnc} < 1/2 \text{, and for every } K \ge 4"
        r" \text{ at some regularisations with } L_{dnc} < 1/2",
        Bound(raised_at_most(1), collapsed),
        parts=["lower bound", "15 classes or more", "4 classes or more"],
    ),
    near_misses={
        "pre-activations of full rank": Bound(lambda M: np.linalg.matrix_rank(M) == M.shape[1], collapsed),
        "fewer than 15 classes": Bound(lambda M: M.shape[1] < 15, collapsed),
        "norm raised by 1 %": Bound(raised_at_most(1.01), collapsed),
        "the Frobenius norm": Bound(raised_at_most(1, 2), collapsed),
        "the operator norm": Bound(raised_at_most(1, inf), collapsed),
        "rank not raised": Bound(same_rank, collapsed),
        "14 classes at every regularisation": Bound(raised_at_most(1), collapsed, always=14),
        "three classes at some": Bound(raised_at_most(1), collapsed, sometimes=3),
        "fit without the factor ½": Bound(raised_at_most(1), lambda u: (2 * u + 1) / (1 + u) ** 2),
    },
    depends_on=["lowrank.lemma-17", "lowrank.lemma-18"],
)


def log_kappa(u):
    return np.log(u) / 2 - 2 * np.log1p(u)


def polygon(K, offset):
    """Cosines between the corners of a regular K-gon and directions turned by a part of the angle between them."""
    i = np.arange(K)
    return np.cos(2 * np.pi * (i[:, None] - i + offset) / K)


def full_rank(M, size):
    """Further rows that make M of full rank, at little cost."""
    return np.vstack([M, size * np.eye(M.shape[1])])


EXISTENCE = ("14 classes at every regularisation", "three classes at some")


def blind(*more, reason="the points tried do not tell"):
    return dict.fromkeys(EXISTENCE, "the check is of the lower bound") | dict.fromkeys(more, reason)


def check_loss(statement, M, u):
    """The least loss at pre-activations proportional to M, against the stated bound."""
    if statement.applies(M):
        loss = two_layers.least_loss(M, log_kappa(u)).loss
        # Losses are of order 1 and computed to a few units of rounding.
        require_at_most(statement.loss(u) - 1e-12, loss, "a smaller loss", K=M.shape[1], u=u)


@claim.check(
    "derived",
    covers=[Part("lower bound"), Part("15 classes or more"), Part("4 classes or more")],
    blind_to={"fewer than 15 classes": "the balanced cuts have at least 15 classes"},
)
def test_the_bound_and_the_cuts_for_all_r_and_u(statement):
    collapse_attains_the_bound(statement)
    no_singular_value_costs_less(statement)
    cuts_beat_collapse()
    # Losses of blocks add, so that collapsed classes beside a block that beats collapse change nothing.
    for K in range(int(min(statement.always, 15)), 18):
        for u in (1.001, 2.0, 1e3, 1e6):
            M, _ = two_layers.few_classes(K) if K < 15 else (two_layers.balanced_cuts(6), None)
            require_at_most(beside(M, K, u), statement.loss(u), "no smaller loss", strict=True, K=K, u=u)
    for K in range(int(min(statement.sometimes, 4)), 15):
        require(K > 3, "searches find nothing below collapse for three classes", K=K)
        M, u = two_layers.few_classes(K)
        require_at_most(beside(M, K, float(u)), statement.loss(float(u)), "no smaller loss", strict=True, K=K, u=u)
    # So the statement must not apply to cuts, nor to cuts with full rank at little cost, nor beside collapsed classes.
    for order in (6, 8):
        M = two_layers.balanced_cuts(order)
        gram = M.T @ M
        require_equal(gram @ gram, np.trace(gram) // (order - 1) * gram, "no multiple of a projection", order=order)
        for classes in (2, 400) if order == 6 else (2,):
            scale = np.sqrt(order / 4 * order * (order - 1) / np.trace(gram))
            check_loss(statement, block_diag(scale * M, np.eye(classes)), 2.0)
        for pre_activations in (M, full_rank(M, 0.01)):
            check_loss(statement, pre_activations, 2.0)


def beside(M, K, u):
    """The least loss of pre-activations and further collapsed classes, K in all: losses of blocks add."""
    own = M.shape[1]
    alone = two_layers.least_loss(M, log_kappa(u)).loss
    return (own * alone + (K - own) * collapsed(u)) / K


def collapse_attains_the_bound(statement):
    """κ√x + 1/(2(1+x)) is stationary at x = u, with the value loss(u)."""
    u, x = sp.symbols("u x", positive=True)
    f = sp.sqrt(u) / (1 + u) ** 2 * sp.sqrt(x) + 1 / (2 * (1 + x))
    require_equal(sp.simplify(f.diff(x).subs(x, u)), 0, "u is not stationary")
    require_equal(sp.simplify(f.subs(x, u) - statement.loss(u)), 0, "not the loss of collapse")


def no_singular_value_costs_less(statement):
    """Each singular value √x of σ(M), in units of √(Kλ), costs at least its share f(x)/K if the norm is not raised.

    And f(x) ≥ f(u) for u ≥ 1: with p = √x, q = √u the difference is (p − q)² (2pq + q² − 1) over something positive.
    """
    p, q = sp.symbols("p q")
    gap = q * p / (1 + q**2) ** 2 + 1 / (2 * (1 + p**2)) - statement.loss(q**2)
    quotient = sp.cancel(gap * 2 * (1 + p**2) * (1 + q**2) ** 2 / (p - q) ** 2)
    certificate = ShiftCertificate.of("2pq + q² − 1 ≥ 0", quotient, {p: 0, q: 1}, strict=False)
    require(certificate.verify(), "a singular value could cost less")


def cuts_beat_collapse():
    """For all r = 2m ≥ 6 and u: counts of the cuts, eigenvalues, and the certificate of the difference of the fits.

    An edge is inside the first half in a = C(2m−2, m−2) rows, two adjacent edges are in ab = C(2m−3, m−3), two disjoint
    ones in ac = C(2m−4, m−4); adjacency's eigenvalues do the rest.
    """
    m, u = sp.symbols("m u", positive=True)
    b, c = (m - 2) / (2 * m - 2), (m - 2) / (2 * m - 2) * (m - 3) / (2 * m - 3)
    for k in range(3, 9):
        a = comb(2 * k - 2, k - 2)
        require_equal(a * b.subs(m, k), comb(2 * k - 3, k - 3), "b is miscounted", m=k)
        require_equal(a * c.subs(m, k), comb(2 * k - 4, k - 4) if k > 3 else 0, "c is miscounted", m=k)
    r, K = 2 * m, m * (2 * m - 1)
    adjacent, disjoint = (2 * (r - 2), r - 4, sp.Integer(-2)), ((r - 2) * (r - 3) / 2, -(r - 3), 1)
    for k in (3, 5):
        require_equal([e.subs(m, k) for e in adjacent], list(spectrum(2 * k).eigenvalues), "adjacency", m=k)
    e = [sp.factor(1 + b * s + c * t) for s, t in zip(adjacent, disjoint, strict=True)]
    # MᵀM has trace 2K (in units of a) and is a multiple of a projection of rank r−1: nuclear norm √(2K(r−1)).
    t = u * K**2 / (2 * K * (r - 1))  # the scale at which the weights cost what those of collapse at u do
    fit = sum(w / (1 + ei * t) for w, ei in zip((1, r - 1, r * (r - 3) / 2), e, strict=True)) / K
    numerator, denominator = sp.fraction(sp.factor(1 / (1 + u) - fit))
    certificate = two_layers.balanced_cuts_beat_collapse()
    stated = sum(coefficient * m**i * u**j for (i, j), coefficient in certificate.coefficients.items())
    require(sp.expand(numerator - u * stated) == 0, "not the certificate's polynomial")
    positive = ShiftCertificate.of("the fits’ common denominator is positive", denominator, {m: 3, u: 0})
    require(positive.verify(), "the denominator changes sign")
    require(certificate.verify(), "not certified")


@claim.check(
    "kernel",
    covers=Part("the polynomials of a singular value and of the balanced cuts, for all scales and orders"),
    blind_to={"fewer than 15 classes": "the balanced cuts have at least 15 classes"},
)
def test_certificates_by_the_kernel(statement):
    with verified.verified_certificates() as found:
        test_the_bound_and_the_cuts_for_all_r_and_u(statement)
    require_proved(claim, coq.script(coq.translate_all(found)))


@claim.check(
    "exact",
    covers=Instances("collapse for K = 2, 3, 4, and matrices for 4, 6 and 15 classes, at one regularisation each"),
    blind_to=blind("norm raised by 1 %"),
)
def test_small_cases_with_algebraic_numbers(statement):
    # (matrix, u, √t): κ/K ‖M‖_* √t + 1/(2K) tr (I + t σ(M)ᵀσ(M))⁻¹, all of it exact.
    cuts = sp.Matrix(two_layers.balanced_cuts(6))
    cases = [(sp.eye(K), sp.Rational(9, 4), sp.Rational(3, 2)) for K in (2, 3, 4)]
    cases += [(sp.Matrix(two_layers.few_classes(4)[0]), sp.Rational(501, 500) ** 2, sp.Rational(76, 6250))]
    cases += [(sp.Matrix(two_layers.hexagon()), sp.Rational(121, 100), sp.Rational(7, 10))]
    cases += [(cuts, sp.Integer(4), sp.Rational(12, 10))]
    cases += [(cuts.col_join(sp.eye(15) / 50), sp.Integer(4), sp.Rational(12, 10))]
    for M, u, root in cases:
        K = M.shape[1]
        kappa = sp.sqrt(u) / (1 + u) ** 2
        nuclear = sum(k * sp.sqrt(value) for value, k in (M.T * M).eigenvals().items())
        Z = M.applyfunc(lambda x: max(x, 0))
        system = sp.eye(K) + root**2 * (Z.T * Z)
        inverse = flint.fmpq_mat(K, K, [flint.fmpq(int(x.p), int(x.q)) for x in system]).inv()
        fit = sum((sp.Rational(int(inverse[i, i].p), int(inverse[i, i].q)) for i in range(K)), sp.Integer(0))
        loss = kappa / K * nuclear * root + fit / (2 * K)
        if statement.applies(np.array(M.tolist(), float)):
            require_at_most(sp.N(statement.loss(u), 40), sp.N(loss, 40), "a smaller loss", K=K, u=u)
        if M == sp.eye(K):
            require_equal(sp.simplify(loss - statement.loss(u)), 0, "collapse has another loss", K=K, u=u)


matrices = st.one_of(
    st.tuples(st.integers(2, 6), st.integers(1, 6), st.integers(1, 12), st.integers(0, 2**32 - 1)).map(
        lambda a: (g := np.random.default_rng(a[3])).standard_normal((a[2], a[1])) @ g.standard_normal((a[1], a[0]))
    ),
    st.tuples(st.integers(3, 12), st.sampled_from([0.0, 0.5])).map(lambda a: polygon(*a)),
    st.sampled_from([0.0, 0.01]).map(lambda size: full_rank(two_layers.balanced_cuts(6), size)),
    st.integers(2, 6).map(np.eye),
    st.just(two_layers.hexagon()),
)


@claim.check(
    "property",
    covers=Instances("random matrices, polygons, cuts and hexagons, K ≤ 15, 50 drawn, 1 ≤ u ≤ 20"),
    blind_to=blind("norm raised by 1 %"),
)
@given(matrices, st.one_of(st.floats(1.0, 1.1), st.floats(1.1, 20.0)))
def test_random_and_structured_pre_activations(statement, M, u):
    check_loss(statement, M, u)
    identity = two_layers.least_loss(np.eye(3), log_kappa(u)).loss
    require_close(identity, statement.loss(u), "collapse has another loss", atol=1e-12, u=u)
    # The reduction to M: explicit features and weights, put through the objective, have that loss.
    K = M.shape[1]
    lam = np.exp((log_kappa(u) - np.log(K)) * 2 / 3 - np.log(2 * K) / 3)
    problem = Problem.of(K, 2, lam, n=2)
    require_close(problem.log_kappa, log_kappa(u), "κ", rtol=1e-12, K=K, u=u)
    least, through = two_layers.least_loss(M, log_kappa(u)).loss, two_layers.solution(M, problem).loss
    require_close(through, least, "the matrices have another loss", rtol=1e-10, K=K, u=u)


@cache
def found(problem, starts, seed):
    return search(problem, starts=starts, seed=seed)


@claim.check(
    "optimised",
    covers=Search("L-BFGS from 4 to 12 starts, K = 2, 3 and 6, one regularisation each"),
    blind_to=blind(
        "pre-activations of full rank",
        "rank not raised",
        "norm raised by 1 %",
        reason="the minima found below L_dnc have low rank, a ReLU of higher rank, and a norm raised by more",
    ),
)
def test_multi_start_on_the_true_objective(statement):
    # Two inner dimensions are enough for the low-rank points, and a full start keeps collapse in reach.
    for K, u, inner, starts in [(2, 1.5, 2, 5), (3, 1.5, 3, 8), (6, 1.02, 2, 12), (6, 1.02, 6, 4)]:
        lam = np.exp(log_kappa(u) - np.log(K))  # λ_H1 = λ_W1 = κ/K and λ_W2 = 1/K
        problem = Problem.of(K, 2, lams=(lam, lam, 1 / K), width=(inner, 3 * K))
        points = found(problem, starts, K)
        for point in points:
            M = point.weights[0] @ point.features
            if statement.applies(M):
                require_at_most(statement.loss(u) - 1e-9, point.loss, "a smaller loss", K=K, u=u)
        if inner == K < 6:
            require_at_most(points[0].loss, statement.loss(u) + 1e-7, "no start comes down to it", K=K)


@claim.check(
    "optimised",
    covers=Instances("post-activations of cuts, collapse and a positive matrix"),
    blind_to=blind("fewer than 15 classes", "norm raised by 1 %", reason="the cuts have 15 classes and raise it more"),
)
def test_convex_completion_of_the_post_activations(statement):
    # Given Z = σ(M), the cheapest pre-activations solve a convex problem: least nuclear norm with M = Z where Z > 0
    # and M ≤ 0 elsewhere. Collapse gains nothing from negative entries; the cuts do, and the solver finds them from
    # their Z alone.
    cuts = two_layers.balanced_cuts(6)[:10]  # one of each pair of halves; the others are their negatives
    for Z in (np.eye(4), np.maximum(np.vstack([cuts, -cuts]), 0), np.ones((2, 3)) + np.eye(2, 3)):
        M = cp.Variable(Z.shape)
        inside = (Z > 0).astype(float)
        constraints = [cp.multiply(inside, M) == Z, cp.multiply(1 - inside, M) <= 0]
        problem = cp.Problem(cp.Minimize(cp.normNuc(M)), constraints)
        least = problem.solve(solver=cp.CLARABEL)
        require(problem.status == cp.OPTIMAL, "the solver failed", status=problem.status)
        pre_activations = np.where(Z > 0, Z, np.minimum(M.value, 0))
        require_close(schatten.power(pre_activations, 1), least, "another nuclear norm", rtol=1e-5)
        for candidate in (pre_activations, full_rank(pre_activations, 0.01)):
            check_loss(statement, candidate, 2.0)
    identity = two_layers.least_loss(np.eye(4), log_kappa(2.0)).loss
    require_close(identity, statement.loss(2.0), "collapse has another loss", rtol=1e-12)
