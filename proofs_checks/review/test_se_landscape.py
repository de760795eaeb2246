r"""The landscape of the squared error (review, Section 3.1.2, loss landscape).

The source takes from the literature on linear networks, under mild assumptions that it does not name, that critical
points of R_SE are global minima or strict saddles. For R_SE no assumption is needed, with a bias or without, for every
width m.

Let E = AF + b1ᵀ − Y with AᵀE = 0, EFᵀ = 0 (and E1 = 0), F_c = F(I − J/N), Y_c = Y(I − J/N) (without a bias F_c = F,
Y_c = Y). Then $(AF_c)(AF_c)^\top + EE^\top = Y_cY_c^\top = nQ$ with a projection Q of rank K−1 (without a bias K), and
the two summands have the product 0: so EEᵀ is n times a projection, all nonzero singular values of E are √n, and the
risk is (n/2) rank E. Suppose that E ≠ 0 has the singular vectors u, v. If a unit vector w has Aw = 0 or wᵀF_c = 0, then
along dA = τuwᵀ, dF = −swvᵀ, db = −τcu, c = w·μ_G (without a bias 0), the second derivative is
$\tau^2\|w^\top F_c\|^2 + s^2\|Aw\|^2 - 2\tau s\sqrt n$, of which one square is missing: negative for suitable τ, s.
If there is no such w, rank AF_c = m, so that rank E is K−1−m (without a bias K−m), the least that there is.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.optimize import least_squares

from nct.ledger import (
    Claim,
    Instances,
    Search,
    Statement,
    UpperBound,
    require,
    require_at_most,
    require_close,
    require_equal,
)
from theory.ufm import strong_collapse


class Landscape(NamedTuple):
    """Risks of critical points; which are global minima; how negative a curvature the others have.

    There is a curvature of at most curvature(n, x, g) for each unit w with Aw = 0 or wᵀF_c = 0, where
    x = ‖wᵀF_c‖²/g + ‖Aw‖² and g = 1 + (w·μ_G)², without a bias 1.
    """

    risk: Callable[[Any, Any], Any]  # of n and the rank of E
    least: Callable[[int, int, bool], int]  # the rank of E at global minima, of K, m and whether there is a bias
    curvature: Annotated[Callable[[Any, Any, Any], Any], UpperBound]  # of n, x, g
    others: Literal["strict saddles", "none"]


def steepest(n, x, g):
    """The lesser eigenvalue of [[x, −√(n/g)], [−√(n/g), 0]]."""
    return (x - sp.sqrt(x**2 + 4 * n / g)) / 2


true = Landscape(lambda n, rank: n * rank / 2, lambda K, m, bias: max(0, K - bias - m), steepest, "strict saddles")

claim = Claim(
    id="review.se-landscape",
    title="Landscape of the squared error",
    source="review, Section 3.1.2, loss landscape",
    verdict="holds",
    printed=Statement(
        r"\text{every critical point of } R_{SE} \text{ (read: with } b \text{ trained, or absent; for every } m\text{)"
        r" is a global minimum or a strict saddle with a direction of negative curvature}",
        true,
    ),
    near_misses={
        "no saddles": true._replace(others="none"),
        "curvature −√n at every saddle": true._replace(curvature=lambda n, x, g: -sp.sqrt(n)),
        "a bias does not help": true._replace(least=lambda K, m, bias: max(0, K - m)),
        "risks are multiples of n": true._replace(risk=lambda n, rank: n * rank),
    },
    depends_on=["review.eq-18"],
)

NOT_IN_WORDS = {"no saddles": "the algebra is that of saddles"}


@claim.check("derived", covers="all", blind_to=NOT_IN_WORDS)
def test_words(statement):
    # Critical: AᵀE = 0, EF_cᵀ = 0 (EFᵀ = 0 and E1 = 0), in words of A, C = F_c, E; then Y_c = AC − E.
    A, At, C, Ct, E, Et = sp.symbols("A At C Ct E Et", commutative=False)
    rules = {At * E: 0, Et * A: 0, E * Ct: 0, C * Et: 0}
    labels = strong_collapse.reduced((A * C - E) * (Ct * At - Et), rules)
    require_equal(labels, sp.expand(A * C * Ct * At + E * Et), "Y_cY_cᵀ is no sum")
    require_equal(strong_collapse.reduced(A * C * Ct * At * E * Et, rules), 0, "the summands are not orthogonal")
    # Y_cY_cᵀ = n(I − J/K), or nI: eigenvalues n and 0. So those of EEᵀ are n and 0, and the risk is tr EEᵀ/2.
    K, n = sp.symbols("K n", positive=True)
    both = strong_collapse.symmetric_operator(K, n, across=(1, -1 / K))
    squared = both @ both
    require_equal(sp.simplify(squared.classes - n * sp.eye(2)), sp.zeros(2), "other eigenvalues")
    require_equal(sp.simplify(squared.common), sp.zeros(2), "other eigenvalues")
    rank = sp.Symbol("rank", integer=True, positive=True)
    require_equal(sp.simplify(statement.risk(n, rank) - n * rank / 2), 0, "another risk")
    # At rank AF_c = m what is left of rank Q; Q = I − J/K is 0 on 1 and the identity on K−1 dimensions, else Q = I.
    centred = strong_collapse.symmetric_operator(K, n, classes=(1, -1 / K))
    require_equal((centred.common[1, 1], centred.classes[1, 1]), (0, 1), "another rank of Q")
    for classes in range(2, 12):
        for width in range(1, 14):
            left = [max(0, (classes - 1 if bias else classes) - width) for bias in (True, False)]
            stated = [statement.least(classes, width, bias) for bias in (True, False)]
            require_equal(stated, left, "another rank at the minimum", K=classes, m=width)
    # The second derivative on unit vectors (τ√g, s) in the plane, with the square of one side missing.
    x, g = sp.symbols("x g", positive=True)
    off = -sp.sqrt(n / g)
    for diagonal in ((x, 0), (0, x)):  # x = ‖wᵀF_c‖²/g or ‖Aw‖²
        values = sp.Matrix([[diagonal[0], off], [off, diagonal[1]]]).eigenvals()
        least = min(values, key=lambda value: value.subs({x: 1, n: 1, g: 1}))
        require_equal(sp.simplify(least - statement.curvature(n, x, g)), 0, "another curvature")
        product = sp.simplify(sp.prod(values))
        require_equal(product.is_negative, True, "not of two signs")


def hessian(A, F, b, bias):
    """All second derivatives, from the residual's: ½‖E‖² has JᵀJ + Σ E·∂²E, and E = AF + b1ᵀ − Y is bilinear."""
    (K, m), N = A.shape, F.shape[1]
    E = A @ F + b[:, None] - np.repeat(np.eye(K), N // K, axis=1)
    # variables A[k, j], F[j, i], b[k]; J[(k, i), variable]
    J_A = np.einsum("kl,ji->kilj", np.eye(K), F).reshape(K * N, K * m)
    J_F = np.einsum("kj,il->kijl", A, np.eye(N)).reshape(K * N, m * N)
    J_b = np.repeat(np.eye(K), N, axis=0)
    J = np.hstack([J_A, J_F, J_b] if bias else [J_A, J_F])
    H = J.T @ J
    cross = np.einsum("ki,jl->kjli", E, np.eye(m)).reshape(K * m, m * N)
    H[: K * m, K * m : K * m + m * N] += cross
    H[K * m : K * m + m * N, : K * m] += cross.T
    return H, J.T @ E.ravel(), E


def critical(K, n, m, rank, bias, rng, idle):
    """A critical point that fits some of the directions, with idle features of any size."""
    rank = min(rank, m, K - bias)
    basis = np.linalg.svd(np.eye(K) - bias / K)[0][:, : K - bias]
    basis = basis @ np.linalg.qr(rng.normal(size=(K - bias, K - bias)))[0]
    A, F = np.zeros((K, m)), np.zeros((m, K * n))
    A[:, :rank], F[:rank] = basis[:, :rank], np.repeat(basis[:, :rank].T, n, axis=1)
    if rank < m and n > 1:
        # an idle feature: A has nothing there, and its values differ within classes only, so that E Fᵀ = 0
        within = rng.normal(size=(K, n))
        F[rank] = idle * (within - within.mean(axis=1, keepdims=True)).ravel() + idle * bias
    mix = np.eye(m) + 0.3 * rng.normal(size=(m, m)) / m
    b = np.full(K, 1 / K) if bias else np.zeros(K)
    if bias:  # AF_c and b together give AF + b1ᵀ
        b = b - A @ F.mean(axis=1)
    return A @ mix, np.linalg.solve(mix, F), b


@claim.check(
    "property", covers=Instances("K ≤ 4, n ≤ 3, m ≤ 5, critical points of every rank with idle features, 50 drawn")
)
@example(K=3, n=2, m=2, rank=1, bias=True, idle=3.0, seed=0)
@example(K=3, n=2, m=2, rank=2, bias=True, idle=0.0, seed=0)
@given(
    K=st.integers(2, 4), n=st.integers(1, 3), m=st.integers(1, 5), rank=st.integers(0, 4), bias=st.booleans(),
    idle=st.sampled_from([0.0, 0.5, 3.0]), seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_constructed_points(statement, K, n, m, rank, bias, idle, seed):
    A, F, b = critical(K, n, m, rank, bias, np.random.default_rng(seed), idle)
    check_point(statement, A, F, b, bias)


def check_point(statement, A, F, b, bias, accuracy=1e-8):
    (K, m), n = A.shape, F.shape[1] // len(A)
    H, slope, E = hessian(A, F, b, bias)
    where = {"K": K, "n": n, "m": m, "bias": bias}
    require_at_most(np.abs(slope).max() + 1e-300, accuracy, "not critical", **where)
    missed = np.linalg.matrix_rank(E, tol=1e-3)
    risk = (E**2).sum() / 2
    require_close(risk, float(statement.risk(n, int(missed))), "another risk", atol=1e-5, **where)
    truncated = np.linalg.svd(np.repeat(np.eye(K) - bias / K, n, axis=1))[1][m:]  # Eckart–Young: the least risk
    best = (truncated**2).sum() / 2
    minimal = missed == statement.least(K, m, bias)
    require_equal(bool(minimal), bool(risk < best + 1e-3), "not the global minima", missed=int(missed), **where)
    if not minimal:
        require(statement.others == "strict saddles", "a critical point that is no minimum", **where)
        curvature = np.linalg.eigvalsh(H)[0]
        for x, g in idle_features(A, F, bias):
            bound = float(statement.curvature(n, sp.Float(x), sp.Float(g)))
            require_at_most(curvature, bound + 1e-5, "too little curvature", x=x, g=g, **where)


def idle_features(A, F, bias):
    """x and g for unit vectors w with Aw = 0 or wᵀF_c = 0; there is one at each critical point but a global minimum."""
    centre = F.mean(axis=1) if bias else np.zeros(len(F))
    Fc = F - centre[:, None]
    found = []
    for M in (A, Fc.T):
        _, s, V = np.linalg.svd(M)
        for w in V[np.sum(s > 1e-6) :]:
            g = 1 + (w @ centre) ** 2
            found.append((np.sum((w @ Fc) ** 2) / g + np.sum((A @ w) ** 2), g))
    require(bool(found), "no idle feature", A=A, F=F)
    return found


@claim.check("optimised", covers=Search("least squares of the gradient from 6 starts each, three sizes, with a bias"))
def test_zeros_of_the_gradient(statement):
    seen = set()
    for K, n, m, seeds in [(2, 2, 1, 6), (3, 1, 1, 6), (3, 2, 2, 6)]:
        cuts = [K * m, K * m + m * K * n]
        for seed in range(seeds):
            start = np.random.default_rng(seed).normal(size=cuts[1] + K) * (0.3 if seed % 2 else 1.5)

            def parts(x, K=K, m=m, cuts=cuts):
                A, F, b = np.split(x, cuts)
                return A.reshape(K, m), F.reshape(m, -1), b

            found = least_squares(
                lambda x, parts=parts: hessian(*parts(x), True)[1],
                start,
                jac=lambda x, parts=parts: hessian(*parts(x), True)[0],
                xtol=1e-15,
                ftol=1e-15,
                gtol=1e-15,
                max_nfev=200,
            )
            if np.abs(found.fun).max() < 1e-9:
                A, F, b = parts(found.x)
                check_point(statement, A, F, b, True, accuracy=1e-8)
                seen.add((K, strong_collapse.critical_point(A, F, b, tolerance=1e-6).kind))
    require("strict saddle" in {kind for _, kind in seen}, "no saddle was found")
