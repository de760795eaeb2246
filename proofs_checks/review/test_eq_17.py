r"""Strong neural collapse and the minimisers of the squared error without regularisation (review, equation 17).

The source calls SNC1–3 properties of the minimisers, found by descent from starts near 0, and concludes on the
subspace S (equation 20) that points with SNC are indeed the minimisers. Read as it stands, for every width m: the
global minimisers of R_SE are the points with SNC1–3. They are minimisers, of risk 0; but 2A and F/2 fit as well. And
AAᵀ has rank K−1, so that no such point exists for m < K−1.

What singles them out: they are the global minimisers in S, and, in the whole space, those of least ‖A‖² + ‖F‖².
For the latter, a minimiser for m ≥ K−1 has AF = Y − b1ᵀ, and ‖A‖² + ‖F‖² ≥ 2‖AF‖_* with equality exactly for
balanced factors. With c = (1 − Kb)/√K the matrix I − b1ᵀ is P + c1ᵀ/√K, P = I − J/K; with c = pe + q1/√K, e ⊥ 1 a
unit vector, its nuclear norm is $K - 2 + \sqrt{(1+|q|)^2 + p^2}$, least for c = 0 only. Then b = 1/K, AF = PY, and
the balanced factors have $AA^\top = \sqrt n P$ and $F = A^+PY = A^\top Y/\sqrt n$: SNC. To be balanced, AᵀA = FFᵀ, is
not enough: b may differ.
"""

from collections.abc import Callable
from typing import Annotated, Literal, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.optimize import minimize

from nct.ledger import Claim, Instances, Search, Statement, require, require_at_most, require_close, require_equal
from theory.ufm import strong_collapse

Domain = Literal["everywhere", "S", "least norm", "balanced", "bias 1/K"]


class Minimisers(NamedTuple):
    """AAᵀ = gram·(I − J/K), F = features·(A ⊗ 1)ᵀ, b = bias·1: exactly the global minimisers among some points."""

    gram: Callable[[sp.Expr], sp.Expr]  # of n
    features: Callable[[sp.Expr], sp.Expr]
    bias: Callable[[sp.Expr], sp.Expr]  # of K
    exists: Callable[[int, int], bool]  # of K and m
    among: tuple[Annotated[Domain, "the minimisers"], ...]

    def point(self, K, n, m):
        """The point, as far as the width allows."""
        size = float(self.gram(sp.Integer(n)))
        A = np.sqrt(size) * np.linalg.svd(np.eye(K) - 1 / K)[0][:, : K - 1] @ np.eye(K - 1, m)
        F = float(self.features(sp.Integer(n))) * np.repeat(A.T, n, axis=1)
        return A, F, np.full(K, float(self.bias(sp.Integer(K))))

    def has(self, A, F, b):
        """Whether a point has the three properties."""
        K, n = len(A), F.shape[1] // len(A)
        size, scale, bias = (
            float(x) for x in (self.gram(sp.Integer(n)), self.features(sp.Integer(n)), self.bias(sp.Integer(K)))
        )
        errors = A @ A.T - size * (np.eye(K) - 1 / K), F - scale * np.repeat(A.T, n, axis=1), b - bias
        return max(np.abs(error).max() for error in errors) < 1e-9


true = Minimisers(
    lambda n: sp.sqrt(n), lambda n: 1 / sp.sqrt(n), lambda K: 1 / K, lambda K, m: m >= K - 1, ("S", "least norm")
)

claim = Claim(
    id="review.eq-17",
    title="Strong neural collapse and global minimisers",
    source="review, equation 17 and after equation 20",
    verdict="amended",
    printed=Statement(
        r"\text{the global minimisers of } R_{SE} \text{ are the points with } AA^\top = \sqrt n(I_K - \tfrac1K J),\ "
        r"F = \tfrac1{\sqrt n}(A \otimes 1_n)^\top,\ b = \tfrac1K 1_K \text{ (read: for every width)}",
        true._replace(exists=lambda K, m: m >= 1, among=("everywhere",)),
    ),
    amended=Statement(
        r"\text{such points exist exactly for } m \ge K-1\text{; then they are global minimisers, of risk 0, and "
        r"they are all global minimisers in } S \text{ and all those of least } \|A\|_F^2 + \|F\|_F^2",
        true,
    ),
    depends_on=["review.eq-20"],
    near_misses={
        "all balanced minimisers": true._replace(among=("S", "least norm", "balanced")),
        "all minimisers with b = 1/K": true._replace(among=("S", "least norm", "bias 1/K")),
        "from width K on": true._replace(exists=lambda K, m: m >= K),
        "n for √n in SNC1": true._replace(gram=lambda n: n),
        "means equal to rows of A": true._replace(features=lambda n: sp.Integer(1)),
        "no bias": true._replace(bias=lambda K: sp.Integer(0)),
    },
    counterexample_code=r"""
K, n = 2, 4  # Y has the columns e1 (four times) and e2 (four times)
A, F, b = [2, -2], [0.25] * 4 + [-0.25] * 4, 0.5
risk = sum((A[k] * F[i] + b - (i // n == k)) ** 2 for k in range(K) for i in range(K * n)) / 2
print("risk", risk, "AAᵀ", [[x * y for x in A] for y in A], "instead of", [[1, -1], [-1, 1]])
assert risk == 0 and A[0] * A[0] != n**0.5 * (1 - 1 / K)
""",
)


@claim.check("derived", covers="all")
def test_algebra(statement):
    K, n = sp.symbols("K n", positive=True)
    p, q = sp.symbols("p q", real=True)
    # Sufficient: AF + b1ᵀ − Y = gram·features·(Y − 11ᵀ/K) + bias·11ᵀ − Y vanishes on all blocks.
    fit = statement.gram(n) * statement.features(n)
    residual = strong_collapse.symmetric_operator(K, n, across=(fit - 1, statement.bias(K) - fit / K))
    require_equal(sp.simplify(residual.common[0, 1]), 0, "risk is not zero", n=n, K=K)
    require_equal(sp.simplify(residual.classes[0, 1]), 0, "risk is not zero", n=n, K=K)
    # AAᵀ has the eigenvalue 0 on 1, and gram on the K−1 dimensions of v ⊥ 1: its rank is K−1, and A has m columns.
    image = strong_collapse.symmetric_operator(K, n, classes=(1, -1 / K))
    require_equal((image.common[1, 1], image.classes[1, 1]), (0, 1), "another rank")
    m = sp.Symbol("m", positive=True)
    require_equal(statement.exists(K, m), m >= K - 1, "existence", K=K)
    # Least norm: of P + c1ᵀ/√K in the plane of e and 1/√K, whose other K−2 singular values are 1.
    plane = sp.Matrix([[1, p], [0, q]])
    squared = sp.expand((plane * plane.T).trace() + 2 * sp.sqrt((plane * plane.T).det()))
    require_equal(sp.expand(squared - (1 + sp.Abs(q)) ** 2 - p**2).replace(sp.Abs(q) ** 2, q**2), 0, "another norm")
    least = 2 * sp.sqrt(n) * (K - 1)
    trace = statement.gram(n) * (K - 1) * (1 + n * statement.features(n) ** 2)  # ‖A‖² + ‖F‖²
    require_equal(sp.simplify(trace - least), 0, "not of least norm")
    # Minimisers cA, F/c with c = (1 − Kb)/√K of parts p, q = ±t: what each domain asks of them. On S, F/c is
    # (cA ⊗ 1)ᵀ/√n, and 1ᵀA = 0 leaves 1ᵀb = 1 of b ∈ span(1). Of least norm: c² + 1/c² and t(t + 2) + p² are least.
    c, t = sp.symbols("c t", nonnegative=True)
    asked = {
        "everywhere": [],
        "S": [c**2 - 1, t, p],
        "least norm": [sp.together(sp.diff(c**2 + 1 / c**2, c)), t * (t + 2), p**2],
        "balanced": [c**2 - 1],
        "bias 1/K": [t, p],
    }
    for domain in statement.among:
        remaining = [s for s in sp.solve([*asked[domain], t * 0], [c, t, p], dict=True) if s.get(c) != 0]
        require_equal(remaining, [{c: 1, t: 0, p: 0}], "other minimisers", domain=domain)


OTHERS = ["all balanced minimisers", "all minimisers with b = 1/K", "n for √n in SNC1", "means equal to rows of A"]
OTHERS += ["no bias"]


@claim.check("exact", covers=Instances("K ≤ 8, m ≤ 8"), blind_to=dict.fromkeys(OTHERS, "it is about the rank of AAᵀ"))
def test_rank(statement):
    # A K × m matrix with AAᵀ ∝ KI − J exists if and only if the rank is at most m; and LDLᵀ gives one.
    for K in range(2, 9):
        rank = (K * sp.eye(K) - sp.ones(K)).rank()
        for m in range(1, 9):
            require_equal(statement.exists(K, m), rank <= m, "existence", K=K, m=m)


def minimiser(K, n, m, rng, *, balanced=False, bias=None):
    """A point of risk 0: AF = Y − b1ᵀ, factored by the singular value decomposition and a random matrix."""
    b = np.full(K, 1 / K)
    if bias is None and m >= K:
        b += rng.normal(size=K)
    Z = np.repeat(np.eye(K) - b[:, None], n, axis=1)
    U, s, V = np.linalg.svd(Z, full_matrices=False)
    s[s < 1e-12] = 0  # of rounding, whose roots would be seen
    r = min(K, m)
    mix = np.linalg.qr(rng.normal(size=(m, m)))[0][:r]
    root = np.sqrt(s[:r])
    A, F = U[:, :r] * root @ mix, mix.T * root @ V[:r]
    if not balanced:
        T = np.eye(m) + rng.normal(size=(m, m)) / (2 * m)
        A, F = A @ T, np.linalg.solve(T, F)
    return A, F, b


def domains(A, F, b):
    K = len(A)
    size = (A**2).sum() + (F**2).sum()
    return {
        "everywhere": True,
        "S": strong_collapse.distance_from_collapse_subspace(A, F, b) < 1e-9,
        "least norm": size < 2 * (K - 1) * (F.shape[1] / K) ** 0.5 + 1e-9,
        "balanced": np.abs(A.T @ A - F @ F.T).max() < 1e-9,
        "bias 1/K": np.abs(b - 1 / K).max() < 1e-9,
    }


@claim.check(
    "property",
    covers=Instances("K ≤ 5, n ≤ 4, K − 1 ≤ m ≤ K + 2, random minimisers, 50 drawn"),
    blind_to={"from width K on": "widths in which there are points"},
)
@example(K=2, n=2, extra=0, seed=0)
@given(K=st.integers(2, 5), n=st.integers(2, 4), extra=st.integers(-1, 2), seed=st.integers(0, 2**32 - 1))
def test_random_minimisers(statement, K, n, extra, seed):
    m, rng = K + extra, np.random.default_rng(seed)
    point = statement.point(K, n, m)
    require_close(loss(*point), 0, "risk of the point", atol=1e-20, K=K, n=n)
    # the three properties do not mean more than they say: rotated points have them, and minimise
    turn = np.linalg.qr(rng.normal(size=(m, m)))[0]
    rotated = point[0] @ turn, turn.T @ point[1], point[2]
    require(statement.has(*rotated), "not invariant")
    starts = [
        rotated,
        minimiser(K, n, m, rng),
        minimiser(K, n, m, rng, bias=1),
        minimiser(K, n, max(m, K), rng, balanced=True),
    ]
    for A, F, b in [*starts, minimiser(K, n, m, rng, balanced=True, bias=1)]:
        require_close(loss(A, F, b), 0, "not a minimiser", atol=1e-18)
        inside = domains(A, F, b)
        for domain in statement.among:
            require(not inside[domain] or statement.has(A, F, b), "a minimiser without SNC", domain=domain, K=K, n=n)
            require(inside[domain] or not statement.has(A, F, b), "SNC outside", domain=domain, K=K, n=n)


def loss(A, F, b):
    K, n = len(A), F.shape[1] // len(A)
    return ((A @ F + b[:, None] - np.repeat(np.eye(K), n, axis=1)) ** 2).sum() / 2


@claim.check(
    "optimised",
    covers=Search("penalised risk, λ = 1e-6, L-BFGS from 3 random starts, three sizes"),
    blind_to={
        "all balanced minimisers": "it finds minimisers of least norm",
        "all minimisers with b = 1/K": "it finds minimisers of least norm",
        "from width K on": "widths in which there are points",
    },
)
def test_minimisers_of_least_norm(statement):
    # As the penalty λ(‖A‖² + ‖F‖²)/2 goes to 0 its minima go to minimisers of least norm, at distance O(λ).
    for K, n, m, seed in [(2, 2, 1, 0), (3, 2, 2, 1), (3, 3, 4, 2)]:
        for lam in (1e-6, 0.0) if "everywhere" in statement.among else (1e-6,):
            A, F, b = descend(K, n, m, lam, seed)
            aim = statement.point(K, n, m)
            scale = float(statement.features(sp.Integer(n)))
            errors = A @ A.T - aim[0] @ aim[0].T, F - scale * np.repeat(A.T, n, axis=1), b - aim[2]
            off = max(np.abs(error).max() for error in errors)
            require_at_most(off, 1e-3, "a minimiser without SNC", K=K, n=n, m=m, lam=lam)


def descend(K, n, m, lam, seed):
    cuts, Y = [K * m, K * m + m * K * n], np.repeat(np.eye(K), n, axis=1)

    def unpack(x):
        A, F, b = np.split(x, cuts)
        return A.reshape(K, m), F.reshape(m, K * n), b

    def objective(x):
        A, F, b = unpack(x)
        E = A @ F + b[:, None] - Y
        slope = np.concatenate([(E @ F.T + lam * A).ravel(), (A.T @ E + lam * F).ravel(), E.sum(axis=1)])
        return (E**2).sum() / 2 + lam * ((A**2).sum() + (F**2).sum()) / 2, slope

    start = np.random.default_rng(seed).normal(size=cuts[1] + K)
    options = {"maxiter": 20_000, "maxfun": 40_000, "ftol": 0, "gtol": 1e-11, "maxcor": 30}
    return unpack(minimize(objective, start, jac=True, method="L-BFGS-B", options=options).x)
