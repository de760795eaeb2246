r"""The least cost of the last layer: ridge regression of the labels on the class means (lowrank, Lemma 17).

For features $H_L = M_L \otimes 1_n^\top$ (DNC1), labels $Y = I_K \otimes 1_n^\top$, N = Kn, and
$s_1, \dots, s_K$ the singular values of $M_L$,

$$
\min_W \frac1{2N} \lVert W H_L - Y \rVert_F^2 + \frac\lambda2 \lVert W \rVert_F^2
= \frac\lambda2 \sum_{i=1}^K \frac1{s_i^2 + K\lambda}.
$$

The sum has K terms whatever the width: a matrix of fewer than K rows has $s_i = 0$ for the rest, and each of these
costs 1/(2K). Leaving them out is a near miss.
"""

import cvxpy as cp
import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Part, Search, Statement, require, require_at_most, require_close, require_equal
from theory import ridge


def cost(ridge_of=lambda K, lam: K * lam, power=2, divisor=2, padded=True):
    """The statement: the minimum from the singular values that a d × K matrix has, K and λ."""

    def minimum(values, K, lam):
        values = list(values) + [0] * (K - len(values) if padded else 0)
        return sum(lam / (value**power + ridge_of(K, lam)) for value in values) / divisor

    return minimum


claim = Claim(
    id="lowrank.lemma-17",
    title="Least cost of the last layer",
    source="lowrank, Appendix A.1, Lemma 17",
    verdict="holds",
    printed=Statement(
        r"\min_W \tfrac1{2N} \|W H_L - Y\|_F^2 + \tfrac\lambda2 \|W\|_F^2"
        r"= \tfrac\lambda2 \sum_{i=1}^K \tfrac1{s_i^2 + K\lambda}",
        cost(),
        formulas={
            r"\tfrac1{s_i^2 + K\lambda}": lambda value, s_i, lam, K=(1, 2, 5): (
                2 * value([s_i] * int(K), K, lam) / lam / K
            )
        },
    ),
    near_misses={
        "λ in place of Kλ": cost(ridge_of=lambda K, lam: lam),
        "without the factor ½": cost(divisor=1),
        "singular values not squared": cost(power=1),
        "only min(d, K) singular values": cost(padded=False),
    },
)


@claim.check("derived", covers="all")
def test_from_the_gradient(statement):
    lam = sp.Symbol("lambda", positive=True)
    # The n equal columns of a class make n/(2N) = 1/(2K) of the fit's factor. In the bases of the singular vectors the
    # problem falls apart into one for each entry of W; off the diagonal it is 0.
    w, s, k = sp.symbols("w s k", positive=True)
    entry = (w * s - 1) ** 2 / (2 * k) + lam * w**2 / 2
    best = sp.simplify(entry.subs(w, sp.solve(entry.diff(w), w)[0]))
    # ‖WΣ − I‖² is a sum over the entries of W, in which each stands with the singular value of its column only: off
    # the diagonal and in the columns of a vanishing value the least is at 0, whatever the sizes are.
    x = sp.Symbol("x", real=True)
    for value in (s, 0):
        off = (x * value) ** 2 / (2 * k) + lam * x**2 / 2
        require_equal(sp.solve(off.diff(x), x), [0], "an entry off the diagonal is not 0", value=value)
    for d, K in [(1, 1), (2, 2), (1, 3), (3, 4)]:
        values = sp.symbols(f"s_1:{d + 1}", positive=True)
        total = sum(best.subs({s: value, k: K}) for value in values) + (K - d) * entry.subs({w: 0, k: K})
        require_equal(sp.simplify(statement(values, K, lam) / total), 1, "the minimum differs", d=d, K=K)


@claim.check(
    "derived", covers=Part("2 × 2 matrices"), blind_to={"only min(d, K) singular values": "the matrix is square"}
)
def test_without_the_decomposition(statement):
    # The same without a change of basis, for every real 2 × 2 matrix.
    lam = sp.Symbol("lambda", positive=True)
    M, W = sp.Matrix(2, 2, sp.symbols("a b c d", real=True)), sp.Matrix(2, 2, sp.symbols("w_1:5", real=True))
    objective = sum(x**2 for x in W * M - sp.eye(2)) / 4 + lam / 2 * sum(x**2 for x in W)
    minimum = sp.cancel(objective.subs(sp.solve([objective.diff(x) for x in W], list(W))))
    trace, det = sp.symbols(
        "t delta", positive=True
    )  # of MᵀM, whose eigenvalues are the squares of the singular values
    values = [sp.sqrt((trace + sign * sp.sqrt(trace**2 - 4 * det)) / 2) for sign in (1, -1)]
    stated = sp.simplify(statement(values, 2, lam)).subs({trace: sum(x**2 for x in M), det: M.det() ** 2})
    difference = sp.together(minimum - stated).as_numer_denom()[0]
    require(sp.expand(difference) == 0, "the minimum differs for a 2 × 2 matrix")


def reflection(vector):
    """A rational orthogonal matrix."""
    v = sp.Matrix(vector)
    return sp.eye(len(vector)) - 2 * v * v.T / v.dot(v)


@claim.check("exact", covers=Instances("d ≤ 4, K ≤ 3, n ≤ 2, six matrices, λ = 2/7"))
def test_normal_equations_in_rationals(statement):
    lam = sp.Rational(2, 7)
    for d, K, n in [(1, 1, 1), (2, 2, 1), (1, 2, 1), (2, 3, 2), (3, 2, 2), (4, 3, 1)]:
        values = [sp.Rational(i + 2, 2) for i in range(min(d, K))]
        sigma = sp.Matrix(d, K, lambda i, j: values[i] if i == j else 0)  # noqa: B023
        M = reflection(range(1, d + 1)) * sigma * reflection(range(2, K + 2))
        H, Y = (sp.kronecker_product(matrix, sp.ones(1, n)) for matrix in (M, sp.eye(K)))
        W = (H * H.T + K * n * lam * sp.eye(d)).LUsolve(H * Y.T).T
        minimum = sum(x**2 for x in W * H - Y) / (2 * K * n) + lam / 2 * sum(x**2 for x in W)
        require_equal(statement(values, K, lam), minimum, "the minimum differs", d=d, K=K, n=n)


@claim.check(
    "property", covers=Instances("d, K ≤ 6, n = 1, 50 drawn: normal matrices, log-normal λ; two random neighbours each")
)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_minimiser_and_its_neighbours(statement, d, K, seed):
    rng = np.random.default_rng(seed)
    M, lam = rng.standard_normal((d, K)), float(rng.lognormal(mean=-1))
    stated = statement(np.linalg.svd(M, compute_uv=False), K, lam)
    W = ridge.minimiser(M, lam)
    require_close(ridge.objective(W, M, lam), stated, "the minimum differs", rtol=1e-12, d=d, K=K, lam=lam)
    for size in (1e-3, 1.0):
        other = ridge.objective(W + size * rng.standard_normal(W.shape), M, lam)
        require_at_most(stated * (1 - 1e-12), other, "not the minimum", d=d, K=K, lam=lam)


@claim.check("optimised", covers=Search("interior points, three normal matrices, K ≤ 4, n ≤ 3"))
def test_conic_solver(statement):
    rng = np.random.default_rng(17)
    for d, K, n, lam in [(3, 3, 1, 0.1), (5, 3, 2, 0.02), (2, 4, 3, 0.3)]:
        M = rng.standard_normal((d, K))
        H, Y, W = np.kron(M, np.ones(n)), np.kron(np.eye(K), np.ones(n)), cp.Variable((K, d))
        objective = cp.sum_squares(W @ H - Y) / (2 * K * n) + lam / 2 * cp.sum_squares(W)
        problem = cp.Problem(cp.Minimize(objective))
        problem.solve(solver=cp.CLARABEL)
        # The solver stops at a relative gap of 1e-8.
        stated = statement(np.linalg.svd(M, compute_uv=False), K, lam)
        require_close(problem.value, stated, "the minimum differs", rtol=1e-6, d=d, K=K, n=n, lam=lam)
