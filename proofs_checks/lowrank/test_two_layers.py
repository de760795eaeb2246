r"""Deep neural collapse with two layers (lowrank, abstract, Sections 1, 2 and 6.1).

The paper takes over that collapse is optimal for L = 2, and reports to have seen it irrespective of other
hyperparameters:

$$
\min_{H_1,W_1,W_2} \mathcal L \;=\; L_{dnc} \;=\; \min_{u\ge0}\; \kappa\sqrt u + \frac1{2(1+u)},
\qquad \kappa = K\sqrt{n\lambda_{H_1}\lambda_{W_1}\lambda_{W_2}K},
$$

with any width from K on. That is false from K = 15 on, for every regularisation with L_dnc < ½: pre-activations of
rank r − 1, made of the cuts of the complete graph into halves, have a smaller loss. Near the threshold there are such
points from K = 4 on, such as the six corners of a hexagon for K = 6. What holds: with M the pre-activations' class
means, the loss is at least L_dnc wherever $\lVert\sigma(M)\rVert_* \le \lVert M\rVert_*$.

Scales are written through the u at which collapse is stationary: κ = √u/(1+u)², and L_dnc = (3u+1)/(2(1+u)²) for u ≥
1, where it is at most ½.
"""

from collections.abc import Callable
from math import comb
from typing import Any, NamedTuple

import cvxpy as cp
import flint
import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import block_diag

from nct.ledger import Claim, Part, Statement, require, require_proved
from theory import coq, schatten, verified
from theory.certificate import ShiftCertificate
from theory.geometry.triangular_graph import spectrum
from theory.ufm import Problem, search, two_layers


class LowerBound(NamedTuple):
    """No point with pre-activations M that the statement is of has a loss below loss(u), and collapse attains it."""

    applies: Callable[[Any], bool]
    loss: Callable[[Any], Any]


def everywhere(M):
    return True


def not_raised(M):
    """‖σ(M)‖_* ≤ ‖M‖_*, up to rounding of the singular values."""
    return schatten.power(np.maximum(M, 0), 1) <= schatten.power(M, 1) * (1 + 1e-9)


def collapsed(u):
    return (3 * u + 1) / (2 * (1 + u) ** 2)


claim = Claim(
    id="lowrank.two-layers",
    title="Collapse with two layers",
    source="lowrank, abstract, Sections 1, 2 and 6.1 (after Tirer and Bruna, its reference [52])",
    verdict="amended",
    printed=Statement(r"L = 2:\ \min\mathcal L = L_{dnc}", LowerBound(everywhere, collapsed)),
    amended=Statement(
        r"L = 2:\ \mathcal L \ge L_{dnc} at every point whose pre-activations' class means M satisfy"
        r" \|\sigma(M)\|_* \le \|M\|_*, with equality for collapse; without that condition \min\mathcal L < "
        r"L_{dnc} whenever"
        r" K \ge 15 and L_{dnc} < 1/2",
        LowerBound(not_raised, collapsed),
    ),
    near_misses={
        "pre-activations of full rank": LowerBound(lambda M: np.linalg.matrix_rank(M) == M.shape[1], collapsed),
        "fewer than 15 classes": LowerBound(lambda M: M.shape[1] < 15, collapsed),
        "fit without the factor ½": LowerBound(not_raised, lambda u: (2 * u + 1) / (1 + u) ** 2),
        "weights at half their cost": LowerBound(not_raised, lambda u: (2 * u + 1) / (2 * (1 + u) ** 2)),
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


#: Pre-activations of rank 2 for four classes, a point of a search with its factors rounded to integers.
FOUR_CLASSES = [[-64, 0, -36, 72], [0, 72, 36, 0], [-32, 36, 0, 36], [72, -1, 40, -81]]


def check_loss(statement, M, u):
    """The least loss at pre-activations proportional to M, against the stated bound."""
    if statement.applies(M):
        loss = two_layers.least_loss(M, log_kappa(u)).loss
        # Losses are of order 1 and computed to a few units of rounding.
        require(loss >= statement.loss(u) - 1e-12, "a smaller loss", K=M.shape[1], rank=np.linalg.matrix_rank(M), u=u)


@claim.check("derived", blind_to={"fewer than 15 classes": "the balanced cuts have at least 15 classes"})
def test_cuts_against_collapse_for_all_r_and_u(statement):
    # Collapse attains the bound: κ√x + 1/(2(1+x)) is stationary at x = u.
    u, x = sp.symbols("u x", positive=True)
    f = sp.sqrt(u) / (1 + u) ** 2 * sp.sqrt(x) + 1 / (2 * (1 + x))
    require(sp.simplify(f.diff(x).subs(x, u)) == 0, "u is not stationary")
    require(sp.simplify(f.subs(x, u) - statement.loss(u)) == 0, "not the loss of collapse")

    # If ‖σ(M)‖_* ≤ ‖M‖_*, each singular value √x of σ(M), in units of √(Kλ), costs at least its share f(x)/K; and
    # f(x) ≥ f(u) for u ≥ 1, as with p = √x, q = √u the difference is (p − q)² (2pq + q² − 1) over something positive.
    p, q = sp.symbols("p q")
    gap = q * p / (1 + q**2) ** 2 + 1 / (2 * (1 + p**2)) - statement.loss(q**2)
    quotient = sp.cancel(gap * 2 * (1 + p**2) * (1 + q**2) ** 2 / (p - q) ** 2)
    terms = sp.Poly(quotient, p, q).terms()
    require(
        ShiftCertificate("2pq + q² − 1 ≥ 0", ("p", "q"), {e: int(c) for e, c in terms}, (0, 1), strict=False).verify(),
        "a singular value could cost less",
    )

    # Cuts of 2m vertices into halves. An edge is inside the first half in a = C(2m−2, m−2) rows, two adjacent edges
    # are in b = C(2m−3, m−3), two disjoint ones in c = C(2m−4, m−4); adjacency's eigenvalues do the rest.
    m = sp.Symbol("m", positive=True)
    b, c = (m - 2) / (2 * m - 2), (m - 2) / (2 * m - 2) * (m - 3) / (2 * m - 3)  # over a
    for k in range(3, 9):
        a = comb(2 * k - 2, k - 2)
        require(a * b.subs(m, k) == comb(2 * k - 3, k - 3), "b is miscounted")
        require(a * c.subs(m, k) == (comb(2 * k - 4, k - 4) if k > 3 else 0), "c is miscounted")
    r, K = 2 * m, m * (2 * m - 1)
    adjacent, disjoint = (2 * (r - 2), r - 4, -2), ((r - 2) * (r - 3) / 2, -(r - 3), 1)
    require(
        all([e.subs(m, k) if e != -2 else e for e in adjacent] == list(spectrum(2 * k).eigenvalues) for k in (3, 5)),
        "adjacency",
    )
    e = [sp.factor(1 + b * s + c * t) for s, t in zip(adjacent, disjoint, strict=True)]
    multiplicities = (1, r - 1, r * (r - 3) / 2)
    # MᵀM has trace 2K (in units of a) and is a multiple of a projection of rank r−1: nuclear norm √(2K(r−1)).
    t = u * K**2 / (2 * K * (r - 1))  # the scale at which the weights cost what those of collapse at u do
    fit = sum(w / (1 + ei * t) for w, ei in zip(multiplicities, e, strict=True)) / K
    numerator, denominator = sp.fraction(sp.factor(1 / (1 + u) - fit))
    certificate = two_layers.balanced_cuts_beat_collapse()
    stated = sum(coefficient * m**i * u**j for (i, j), coefficient in certificate.coefficients.items())
    require(sp.expand(numerator - u * stated) == 0, "not the certificate's polynomial")
    shifted = sp.Poly(sp.expand(denominator.subs({m: m + 3})), m, u)
    require(all(coefficient > 0 for coefficient in shifted.coeffs()), "the denominator changes sign")
    require(certificate.verify(), "not certified")

    # So the statement must not apply to cuts, nor to cuts with full rank at little cost.
    for order in (6, 8):
        M = two_layers.balanced_cuts(order)
        gram = M.T @ M
        require((gram @ gram == np.trace(gram) // (order - 1) * gram).all(), "no multiple of a projection")
        beside = block_diag(np.sqrt(order / 4 * order * (order - 1) / np.trace(gram)) * M, np.eye(2))
        for pre_activations in (M, full_rank(M, 0.01), beside):  # `beside`: two more classes, collapsed
            check_loss(statement, pre_activations, 2.0)


@claim.check(
    "kernel", covers=Part("the polynomials of a singular value and of the balanced cuts, for all scales and orders")
)
def test_certificates_by_the_kernel(statement):
    with verified.verified_certificates() as found:
        test_cuts_against_collapse_for_all_r_and_u(statement)
    require_proved(claim, coq.script(coq.translate_all(found)))


@claim.check("exact")
def test_small_cases_with_algebraic_numbers(statement):
    # (matrix, u, √t): κ/K ‖M‖_* √t + 1/(2K) tr (I + t σ(M)ᵀσ(M))⁻¹, all of it exact.
    cuts = sp.Matrix(two_layers.balanced_cuts(6))
    cases = [(sp.eye(K), sp.Rational(9, 4), sp.Rational(3, 2)) for K in (2, 3, 4)]
    cases += [(sp.Matrix(FOUR_CLASSES), sp.Rational(501, 500) ** 2, sp.Rational(76, 6250))]
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
            require(sp.N(loss - statement.loss(u), 40) >= 0, "a smaller loss", K=K, rank=M.rank(), u=u)
        if M == sp.eye(K):
            require(sp.simplify(loss - statement.loss(u)) == 0, "collapse has another loss", K=K, u=u)


matrices = st.one_of(
    st.tuples(st.integers(2, 6), st.integers(1, 6), st.integers(1, 12), st.integers(0, 2**32 - 1)).map(
        lambda a: (g := np.random.default_rng(a[3])).standard_normal((a[2], a[1])) @ g.standard_normal((a[1], a[0]))
    ),
    st.tuples(st.integers(3, 12), st.sampled_from([0.0, 0.5])).map(lambda a: polygon(*a)),
    st.sampled_from([0.0, 0.01]).map(lambda size: full_rank(two_layers.balanced_cuts(6), size)),
    st.integers(2, 6).map(np.eye),
    st.just(two_layers.hexagon()),
)


@claim.check("property")
@given(matrices, st.one_of(st.floats(1.0, 1.1), st.floats(1.1, 20.0)))
def test_random_and_structured_pre_activations(statement, M, u):
    check_loss(statement, M, u)
    require(two_layers.least_loss(np.eye(3), log_kappa(u)).loss <= statement.loss(u) + 1e-12, "collapse misses it", u=u)
    require(two_layers.least_loss(np.eye(3), log_kappa(u)).loss >= statement.loss(u) - 1e-12, "collapse is below", u=u)
    # The reduction to M: explicit features and weights, put through the objective, have that loss.
    K = M.shape[1]
    lam = np.exp((log_kappa(u) - np.log(K)) * 2 / 3 - np.log(2 * K) / 3)
    problem = Problem.of(K, 2, lam, n=2)
    require(np.isclose(problem.log_kappa, log_kappa(u), rtol=1e-12), "κ")
    require(
        np.isclose(two_layers.solution(M, problem).loss, two_layers.least_loss(M, log_kappa(u)).loss, rtol=1e-10),
        "the matrices have another loss",
    )


@claim.check("optimised", blind_to={"pre-activations of full rank": "the minima found below L_dnc have low rank"})
def test_multi_start_on_the_true_objective(statement):
    # Two inner dimensions are enough for the low-rank points, and a full start keeps collapse in reach.
    for K, u, inner, starts in [(2, 1.5, 2, 5), (3, 1.5, 3, 8), (6, 1.02, 2, 12), (6, 1.02, 6, 4)]:
        lam = np.exp(log_kappa(u) - np.log(K))  # λ_H1 = λ_W1 = κ/K and λ_W2 = 1/K
        problem = Problem.of(K, 2, lams=(lam, lam, 1 / K), width=(inner, 3 * K))
        points = search(problem, starts=starts, seed=K)
        for point in points:
            M = point.weights[0] @ point.features
            if statement.applies(M):
                require(point.loss >= statement.loss(u) - 1e-9, "a smaller loss", K=K, u=u, loss=point.loss)
        if inner == K < 6:
            require(points[0].loss <= statement.loss(u) + 1e-7, "no start comes down to it", K=K, loss=points[0].loss)


@claim.check("optimised", blind_to={"fewer than 15 classes": "the balanced cuts have 15 classes"})
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
        require(np.isclose(schatten.power(pre_activations, 1), least, rtol=1e-5), "another nuclear norm")
        for candidate in (pre_activations, full_rank(pre_activations, 0.01)):
            check_loss(statement, candidate, 2.0)
    identity = two_layers.least_loss(np.eye(4), log_kappa(2.0)).loss
    require(np.isclose(identity, statement.loss(2.0), rtol=1e-12), "collapse has another loss")
