r"""The nuclear norm as the least cost of a factorisation (lowrank, Lemma 18).

$$
\min_{AB = X} \frac{\lambda_A}2 \lVert A \rVert_F^2 + \frac{\lambda_B}2 \lVert B \rVert_F^2
= \sqrt{\lambda_A \lambda_B}\, \lVert X \rVert_*,
$$

and the minimisers are $A = \gamma_A U \Sigma^{1/2} R^\top, B = \gamma_B R \Sigma^{1/2} V^\top$ with the singular value
decomposition $X = U \Sigma V^\top$, an orthogonal matrix R, and constants that depend on the λ only,
$\gamma_A = \gamma_B^{-1} = (\lambda_B/\lambda_A)^{1/4}$.

With p columns of A and rows of B, R is p × p and $\Sigma^{1/2}$ is padded or cut to p columns, or rows. The lemma
speaks of a minimum and leaves unsaid that there has to be a factorisation, which takes p ≥ rank X; dropping that is a
near miss. Applied to the first layer, with $n\lambda_{H_1}$ and $\lambda_{W_1}$, to $M_2 = W_1 M_1$.
"""

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import NamedTuple

import cvxpy as cp
import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from nct.ledger import Claim, Instances, Part, Search, Statement, require, require_at_most, require_close, require_equal


class Factorisation(NamedTuple):
    """The statement: least cost from λ_A, λ_B and the singular values; γ_A, γ_B; whether for every inner dimension."""

    least: Callable
    gammas: Callable = lambda lam_A, lam_B: ((lam_B / lam_A) ** QUARTER, (lam_A / lam_B) ** QUARTER)
    any_inner: bool = False

    def factors(self, U, values, V, R, lam_A, lam_B):
        """The stated minimisers, from orthogonal matrices and the non-zero singular values; exact for SymPy numbers."""
        gamma_A, gamma_B = self.gammas(lam_A, lam_B)
        roots = np.array([value**HALF for value in values][: len(R)])
        R = R[:, : len(roots)]
        return gamma_A * U[:, : len(roots)] * roots @ R.T, gamma_B * R * roots @ V[:, : len(roots)].T

    def inner(self, rank, to):
        """Inner dimensions of which the statement speaks."""
        return range(1 if self.any_inner else rank, to + 1)


HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)  # exact powers of SymPy numbers, floats of floats


def least(lam_A, lam_B, values):
    return (lam_A * lam_B) ** HALF * sum(values)


claim = Claim(
    id="lowrank.lemma-18",
    title="Least cost of a factorisation",
    source="lowrank, Appendix A.1, Lemma 18, problem (18)",
    verdict="holds",
    printed=Statement(
        r"\min_{AB = X} \tfrac{\lambda_A}2 \|A\|_F^2 + \tfrac{\lambda_B}2 \|B\|_F^2 = \sqrt{\lambda_A "
        r"\lambda_B} \|X\|_*,"
        r"\text{ at } A = \gamma_A U \Sigma^{1/2} R^\top,\ B = \gamma_B R \Sigma^{1/2} V^\top"
        r"\text{ alone, } X = U \Sigma V^\top,\ R \text{ orthogonal}",
        Factorisation(least),
        formulas={r"\sqrt{\lambda_A \lambda_B}": lambda value, lam_A, lam_B: value.least(lam_A, lam_B, [1])},
    ),
    near_misses={
        "Frobenius norm": Factorisation(lambda a, b, values: (a * b) ** HALF * sum(s**2 for s in values) ** HALF),
        "arithmetic mean of the λ": Factorisation(lambda a, b, values: (a + b) * HALF * sum(values)),
        "γ_A and γ_B exchanged": Factorisation(least, lambda a, b: ((a / b) ** QUARTER, (b / a) ** QUARTER)),
        "any inner dimension": Factorisation(least, any_inner=True),
    },
)


def cost(A, B, lam_A, lam_B):
    return (lam_A * np.sum(A**2) + lam_B * np.sum(B**2)) / 2


def reflection(vector):
    """An orthogonal matrix of fractions."""
    v = sp.Matrix(vector)
    return np.array(sp.eye(len(vector)) - 2 * v * v.T / v.dot(v))


@claim.check(
    "derived",
    covers=Part("the least cost for every size; the minimisers of rank 2 with a rotation R"),
    blind_to={"any inner dimension": "the factors are taken to exist"},
)
def test_completing_the_square(statement):
    # In the bases of the singular vectors, A (2 × p) and B (p × 2) have any entries, and AB = Σ. Entry by entry, so
    # that the sizes do not matter: λ_A a²/2 + λ_B b²/2 − √(λ_A λ_B) ab is a square, and the ab add up to tr AB = ‖X‖_*.
    lam_A, lam_B = sp.symbols("lambda_A lambda_B", positive=True)
    for p in (1, 2, 3):
        A = np.array(sp.symbols(f"a_1:{2 * p + 1}", real=True)).reshape(2, p)
        B = np.array(sp.symbols(f"b_1:{2 * p + 1}", real=True)).reshape(p, 2)
        square = (sp.sqrt(lam_A) * A - sp.sqrt(lam_B) * B.T) ** 2
        excess = cost(A, B, lam_A, lam_B) - statement.least(lam_A, lam_B, list(np.diag(A @ B)))
        require_equal(sp.expand(excess), sp.expand(np.sum(square) / 2), "the cost is not the least plus a square", p=p)

    # The square vanishes just where √λ_A A = √λ_B Bᵀ, and then A Aᵀ = √(λ_B/λ_A) Σ: A = γ_A Σ^{1/2} Rᵀ by the polar
    # decomposition, and so for any size.
    s = sp.symbols("s_1:3", positive=True)
    angle = sp.Symbol("theta", real=True)
    R = np.array([[sp.cos(angle), -sp.sin(angle)], [sp.sin(angle), sp.cos(angle)]])
    A, B = statement.factors(np.eye(2, dtype=int), s, np.eye(2, dtype=int), R, lam_A, lam_B)
    gap = np.concatenate([sp.sqrt(lam_A) * A - sp.sqrt(lam_B) * B.T, A @ B - np.diag(s)])
    require(all(sp.simplify(entry) == 0 for entry in gap.flat), "the stated minimisers leave the square positive")


@claim.check(
    "exact",
    covers=Instances("ranks 1 to 3, inner dimensions up to 4, λ = (16, 81); every elementary shear of the factors"),
)
def test_minimisers_in_fractions(statement):
    values, (lam_A, lam_B) = [sp.Integer(9), sp.Integer(4), sp.Rational(1, 4)], (sp.Integer(16), sp.Integer(81))
    for rank in (1, 2, 3):
        U, V = reflection(range(1, 4)), reflection(range(2, 6))
        X = U[:, :rank] * np.array(values[:rank]) @ V[:, :rank].T
        stated = statement.least(lam_A, lam_B, values[:rank])
        for p in statement.inner(rank, to=4):
            A, B = statement.factors(U, values[:rank], V, reflection(range(3, 3 + p)), lam_A, lam_B)
            require(np.all(A @ B == X), "the stated minimisers are no factors", rank=rank, p=p)
            require_equal(cost(A, B, lam_A, lam_B), stated, "their cost differs", rank=rank, p=p)
            # Other factors of the same product, by matrices with a rational inverse.
            for i, j in product(range(p), repeat=2):
                shear, back = np.eye(p, dtype=int), np.eye(p, dtype=int)
                shear[i, j] += 1
                back = np.array(sp.Matrix(shear).inv())
                other = cost(A @ shear, back @ B, lam_A, lam_B)
                require_at_most(stated, other, "other factors cost less", rank=rank, p=p)


@claim.check(
    "property", covers=Instances("up to 4 × 4 with inner dimension up to 4, 50 drawn: normal factors, log-normal λ")
)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_random_factors(statement, m, n, p, seed):
    rng = np.random.default_rng(seed)
    A, B = rng.standard_normal((m, p)), rng.standard_normal((p, n))
    lam_A, lam_B = map(float, rng.lognormal(size=2))
    X = A @ B
    U, values, Vt = np.linalg.svd(X)
    rank = min(m, n, p)
    stated = statement.least(lam_A, lam_B, values.tolist())
    # Both sides are accurate to some ulps of the cost of the factors.
    slack = 1e-12 * cost(A, B, lam_A, lam_B)
    require_at_most(stated - slack, cost(A, B, lam_A, lam_B), "factors cost less than the least", m=m, n=n, p=p)
    for inner in statement.inner(rank, to=p):
        R = np.linalg.qr(rng.standard_normal((inner, inner)))[0]
        best = statement.factors(U, values[:rank].tolist(), Vt.T, R, lam_A, lam_B)
        require(np.allclose(best[0] @ best[1], X, atol=1e-12 * values[0]), "no factors", m=m, n=n, p=inner)
        require_close(cost(*best, lam_A, lam_B), stated, "the cost differs", atol=slack, m=m, n=n, p=inner)


@claim.check(
    "optimised",
    covers=Search("interior points for three normal matrices; the convex form has the factorisations of every size"),
    blind_to={
        "any inner dimension": "the convex form has no inner dimension",
        "γ_A and γ_B exchanged": "the convex form has no factors",
    },
)
def test_semidefinite_programme(statement):
    # P = A Aᵀ and Q = Bᵀ B with AB = X are the diagonal blocks of a positive semidefinite matrix, and conversely.
    rng = np.random.default_rng(18)
    for m, n, lam_A, lam_B in [(2, 2, 1.0, 0.3), (3, 2, 0.2, 2.0), (3, 4, 0.05, 0.07)]:
        X = rng.standard_normal((m, n))
        block = cp.Variable((m + n, m + n), PSD=True)
        price = lam_A / 2 * cp.trace(block[:m, :m]) + lam_B / 2 * cp.trace(block[m:, m:])
        problem = cp.Problem(cp.Minimize(price), [block[:m, m:] == X])
        problem.solve(solver=cp.CLARABEL)
        # The solver stops at a relative gap of 1e-8.
        stated = statement.least(lam_A, lam_B, np.linalg.svd(X, compute_uv=False).tolist())
        require_close(problem.value, stated, "the least cost differs", rtol=1e-6, m=m, n=n)


@claim.check("optimised", covers=Search("SLSQP over the factors, one 2 × 3 matrix, inner dimensions 2 and 3"))
def test_local_search_over_the_factors(statement):
    rng = np.random.default_rng(18)
    U, values, Vt = np.linalg.svd(rng.standard_normal((2, 3)))
    X, lam_A, lam_B = U * values @ Vt[:2], 1.3, 0.4
    for p in statement.inner(2, to=3):

        def factors(z, p=p):
            return z[: 2 * p].reshape(2, p), z[2 * p :].reshape(p, 3)

        found = minimize(
            lambda z: cost(*factors(z), lam_A, lam_B),
            rng.standard_normal(5 * p),
            constraints={"type": "eq", "fun": lambda z: (np.matmul(*factors(z)) - X).ravel()},
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 500},
        )
        A, B = factors(found.x)
        require(np.allclose(A @ B, X, atol=1e-8), "the search finds no factors", p=p)
        stated = statement.least(lam_A, lam_B, values.tolist())
        # The search takes gradients by differences, with errors of 1e-8; the factors have those times their
        # conditioning.
        require_close(found.fun, stated, "the least cost differs", rtol=1e-7, p=p)
        gamma_A, gamma_B = statement.gammas(lam_A, lam_B)
        rotation = (U.T @ A / (gamma_A * np.sqrt(values))[:, None]).T  # R, from A = γ_A U Σ^{1/2} Rᵀ
        require(np.allclose(rotation.T @ rotation, np.eye(2), atol=1e-5), "R is not orthogonal", p=p)
        require(np.allclose(B, gamma_B * rotation * np.sqrt(values) @ Vt[:2], atol=1e-5), "B is not as stated", p=p)
