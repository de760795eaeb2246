r"""The collapsed kernel is the unique optimum of parametrised kernel ridge regression (agop, Theorem 5.4).

Problem (7) of the paper: over coefficients A and positive semi-definite, entrywise non-negative k with ones on the
diagonal,

$$
\inf_{A,k}\; \operatorname{tr}\bigl((Y-Ak)(Y-Ak)^\top\bigr) + \mu\operatorname{tr}(kA^\top A),
\qquad Y = I_K\otimes 1_n^\top .
$$

The theorem: the unique optimal k is $I_K\otimes(1_n1_n^\top) = Y^\top Y$. It holds for every μ > 0, for classes of
unequal size too, and even without the non-negativity: by Jensen's inequality for the concave $g(t) = t/(t+\mu)$ on
the spectral measure of k at the unit indicator $u_c$, $u_c^\top g(k)u_c \le g(u_c^\top k u_c) \le g(n_c)$, with
equality in both only if $k u_c = n_c u_c$ and k is one within the class. The checks rest on the dual certificate of
`theory.deep_rfm.kernel_ridge`,

$$
S = \bigoplus_c \tfrac{\mu}{(n_c+\mu)^2}(n_c I - 1 1^\top), \qquad \Lambda = 0 .
$$

What is needed: μ > 0 (at μ = 0 every positive definite k costs nothing; the paper's experiments use μ = 0), the
diagonal, the semi-definiteness, one-hot labels. With labels ±1, one row a class, which the experiments use, the
optimum is another kernel from K = 5 classes on. (The printed proof calls the concave g convex, and takes the
strictness from a simple leading eigenvalue, which a non-negative k need not have.)
"""

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import sympy as sp
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from nct.ledger import Claim, Statement, require
from theory import labels
from theory.deep_rfm import kernel_certificate, kernel_ridge


class Problem(NamedTuple):
    """The constraints, the labels that go with one-hot ones, and the kernel matrix said to be the only optimum."""

    psd: bool = True
    nonnegative: bool = True
    unit_diagonal: bool = True
    ridge: bool = True
    relabel: Callable = lambda Y: Y
    optimum: Callable = kernel_ridge.collapsed_kernel
    sizes: tuple = ((1, 1), (2, 2), (2, 2, 2), (1, 3), (3, 1, 2))


PRINTED = Problem()
claim = Claim(
    id="agop.thm-5.4",
    title="The collapsed kernel is the unique optimum of parametrised kernel ridge regression",
    source="agop, Theorem 5.4 and problem (7)",
    verdict="holds",
    printed=Statement(
        r"\operatorname*{argmin}_{k} \min_A \operatorname{tr}((Y-Ak)(Y-Ak)^\top) + \mu\operatorname{tr}(kA^\top A)"
        r" = \{I_K\otimes 1_n1_n^\top\}, \quad k \succeq 0,\; k \ge 0,\; k_{ii} = 1,\; \mu > 0",
        PRINTED,
    ),
    near_misses={
        "diagonal up to ten": PRINTED._replace(unit_diagonal=False),
        "semi-definiteness dropped": PRINTED._replace(psd=False),
        "no ridge": PRINTED._replace(ridge=False),
        "labels ±1, five classes": PRINTED._replace(relabel=lambda Y: 2 * Y - 1, sizes=((1,) * 5, (2,) * 5, (1,) * 6)),
        "the identity": PRINTED._replace(optimum=lambda Y: np.eye(Y.shape[1])),
        "the all-ones kernel": PRINTED._replace(optimum=lambda Y: np.ones((Y.shape[1], Y.shape[1]))),
    },
)


@claim.check(
    "derived",
    blind_to={
        name: "the check is of the elimination and of Jensen's step" for name in claim.near_misses if name != "no ridge"
    },
)
def test_elimination_and_jensen(statement):
    # One row of A at an eigenvector of k: (y − aλ)² + μλa², least at a = y/(λ+μ), leaves y² μ/(λ+μ) = y² (1 − g(λ)).
    y, a, size, mu = sp.symbols("y a lambda mu", positive=True)
    if not statement.ridge:
        mu = sp.Integer(0)
    cost = (y - a * size) ** 2 + mu * size * a**2
    best = sp.solve(sp.diff(cost, a), a)[0]
    left = sp.simplify(cost.subs(a, best) / y**2)
    g = sp.simplify(1 - left)
    require(sp.simplify(g - size / (size + mu)) == 0, "the eliminated cost", g=g)
    # g is strictly increasing and strictly concave, so that equality in Jensen leaves one eigenvalue, the largest
    # possible.
    require(sp.simplify(sp.diff(g, size)).is_positive, "g does not increase strictly: other kernels cost the same", g=g)
    require(sp.simplify(sp.diff(g, size, 2)).is_negative, "g is not strictly concave", g=g)


@claim.check("exact")
def test_rational_certificate(statement):
    for sizes in statement.sizes:
        Y = statement.relabel(labels.one_hot(sizes))
        kernel = statement.optimum(labels.one_hot(sizes))
        for mu in (Fraction(1, 100), Fraction(1), Fraction(7, 2)):
            if not statement.ridge:
                free = kernel_ridge.objective(Y, np.eye(Y.shape[1]), Y, 0)
                require(
                    free > 0 or np.array_equal(kernel, np.eye(len(kernel))),
                    "the identity costs nothing either",
                    sizes=sizes,
                    mu=0,
                )
                continue
            certificate = kernel_certificate.dual_certificate(kernel, Y, mu)
            faults = certificate.faults(
                psd=statement.psd, nonnegative=statement.nonnegative, unit_diagonal=statement.unit_diagonal
            )
            require(not faults, "not optimal", sizes=sizes, mu=mu, faults=faults)
            unique(certificate, kernel, Y, sizes, mu)


def unique(certificate, kernel, Y, sizes, mu):
    """Among kernels of no greater cost: S fixes the entries within classes, the strictly convex cost those between.

    <S, k> = 0 makes k constant on blocks of classes, with ones inside; along H = k − k₀ the second derivative of the
    cost is 2μ tr Z H (k₀+μ)⁻¹ H Zᵀ, Z = Y (k₀+μ)⁻¹, zero only if H Yᵀ = 0. The map from blocks to H Yᵀ has to be one
    to one.
    """
    first = np.unique(np.argmax(kernel, axis=0))
    within = [
        certificate.psd[i, j] for i in range(len(kernel)) for j in range(len(kernel)) if i != j and kernel[i, j] == 1
    ]
    require(all(entry < 0 for entry in within), "entries within a class are free", sizes=sizes, mu=mu)
    reduced = sp.Matrix([[int(Y[c, i]) for i in first] for c in range(len(Y))]) * sp.diag(*sizes)
    if reduced.rank() < len(
        first
    ):  # not one to one by itself: then the multipliers of the entries between have to be positive
        between = [certificate.entries[i, j] for i in first for j in first if i != j]
        require(all(entry > 0 for entry in between), "entries between classes are free", sizes=sizes, mu=mu)


def competitors(statement, Y, rng):
    """Kernel matrices within the statement's constraints."""
    N = Y.shape[1]
    features = np.abs(rng.standard_normal((rng.integers(1, N + 2), N))) * (rng.random((1, N)) < 0.9) + 1e-3
    k = features / np.linalg.norm(features, axis=0)
    k = k.T @ k
    yield k
    collapsed = kernel_ridge.collapsed_kernel(Y)
    yield 0.99 * collapsed + 0.01 * k
    yield np.eye(N)
    yield collapsed
    yield 0.99 * collapsed + 0.01
    if not statement.unit_diagonal:
        yield 10 * collapsed


@claim.check("property")
@given(st.lists(st.integers(1, 4), min_size=2, max_size=4), st.floats(-3, 2), st.integers(0, 2**32 - 1))
def test_random_competitors(statement, sizes, log_mu, seed):
    if statement.relabel is not PRINTED.relabel:
        sizes = sizes + [1] * (5 - len(sizes))
    Y, mu, rng = labels.one_hot(sizes), 10.0**log_mu, np.random.default_rng(seed)
    kernel, Y_used = statement.optimum(Y), statement.relabel(Y)
    if not statement.ridge:
        require(
            np.array_equal(kernel, np.eye(len(kernel)))
            or kernel_ridge.objective(Y_used, np.eye(len(kernel)), Y_used, 0) > 0,
            "the identity costs nothing either",
            sizes=sizes,
        )
        return
    best = kernel_ridge.reduced_objective(kernel, Y_used, mu)
    shown = {"sizes": sizes, "mu": mu}
    certificate = kernel_certificate.dual_certificate(kernel, Y_used, mu)
    for k in competitors(statement, Y, rng):
        cost = kernel_ridge.reduced_objective(k, Y_used, mu)
        rounding = 1e-12 * len(k) * (1 + len(k) / mu) * max(mu, 1)
        if np.abs(k - kernel).max() > 1e-4:
            require(cost > best - rounding, "another kernel costs less", **shown, cost=cost, stated=best)
        require(cost - best >= certificate.gap(k) - rounding, "the certificate's gap is no lower bound", **shown)
        library = kernel_ridge.objective(kernel_ridge.optimal_coefficients(k, Y_used, mu), k, Y_used, mu)
        require(abs(library - cost) < rounding * 10, "elimination of A", **shown)
    if not statement.psd:  # two samples with k₁₂ = 1 + t have the eigenvalue −t: coefficients along it pay
        k = kernel.copy()
        k[0, 1] = k[1, 0] = 1 + min(mu, 1) / 2
        vectors = np.linalg.eigh(k)[1]
        A = np.zeros_like(Y_used)
        A[0] = 1e6 * vectors[:, 0]
        require(kernel_ridge.objective(A, k, Y_used, mu) > best, "another kernel costs less", **shown, k12=k[0, 1])


@claim.check(
    "optimised",
    blind_to={
        "semi-definiteness dropped": "the eliminated problem presupposes it",
        "no ridge": "the programme presupposes it",
    },
)
@settings(max_examples=5, deadline=None, phases=(Phase.generate,))  # each example is a conic programme
@given(st.sampled_from(range(3)), st.floats(-1, 1))
def test_conic_solver(statement, which, log_mu):
    sizes, mu = statement.sizes[which], 10.0**log_mu
    Y = labels.one_hot(sizes)
    kernel, Y = statement.optimum(Y), statement.relabel(Y)
    found = kernel_ridge.solve(
        Y, mu, nonnegative=statement.nonnegative, largest_diagonal=None if statement.unit_diagonal else 10.0
    )
    stated = kernel_ridge.reduced_objective(kernel, Y, mu)
    # Clarabel stops at a relative gap of 1e-8; the optimum is strict, with curvature of order μ/(n+μ)³ in k
    require(
        abs(found.value - stated) < 1e-6 * max(1, stated),
        "another value",
        sizes=sizes,
        mu=mu,
        found=found.value,
        stated=stated,
    )
    require(
        np.abs(found.kernel - kernel).max() < 2e-2,
        "another kernel",
        sizes=sizes,
        mu=mu,
        found=found.kernel.round(3).tolist(),
    )
