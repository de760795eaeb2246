r"""A classifier fixed to a simplex ETF prevents minority collapse (review, end of Section 3.2.1, after Yang et al.).

In the unconstrained features model: A has the rows $a_k$ of a simplex ETF of the norm α, in m ≥ K − 1 dimensions, and
only the features are trained, with class sizes $n_k$ of any ratios and (i) $\lVert f\rVert\le R$ for each, or (ii) the
bound of (34) on all of them. It holds in both. At $h=\rho a_k/\alpha$ all wrong classes have one share
$\pi=1/(e^{K\alpha\rho/(K-1)}+K-1)$, and $\sum_{l\ne k}a_l=-a_k$: so the slope of the loss in h is $-K\pi a_k$, a
negative multiple of h. By convexity h is the minimiser in its ball (strictly convex on the span of A), whatever the
class sizes. Under (ii) the norms are left: $\sum_kn_k\varphi(\rho_k)$ under a bound of $\sum_k\rho_k^2$, with
$-\varphi'(\rho)=K\pi\alpha$. As $-\varphi'(\rho)/\rho$ decreases strictly from ∞ to 0, the conditions
$n_k(-\varphi'(\rho_k))=\lambda\rho_k$ have one solution for each λ > 0, with $\rho_k>0$, and larger for larger classes.
So minority features are shorter, and at the same angles to each other as all.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from nct.ledger import Claim, Instances, Search, Statement, require, require_at_most, require_close, require_equal
from theory.geometry import simplex_etf
from theory.ufm import layer_peeled


class Fixed(NamedTuple):
    """Features for a fixed ETF, for all class sizes."""

    cosine: Callable[[Any], Any]  # between features of two classes, of K
    norm: Callable[[Any], Any]  # of each, where each has the bound R
    larger: Literal[1, -1]  # the sign of the change of a feature's norm with its class's size, under the bound of all


true = Fixed(lambda K: -1 / (K - 1), lambda R: R, 1)

claim = Claim(
    id="review.fixed-etf",
    title="A classifier fixed to a simplex ETF prevents minority collapse",
    source="review, end of Section 3.2.1, attributed to Yang et al.",
    verdict="holds",
    depends_on=("review.eq-34",),
    printed=Statement(
        r"\text{Fixing the classifier to a simplex ETF prevents minority collapse (read: the features that minimise "
        r"the cross-entropy, with norms at most } R \text{ or under the bound of (34), are in each class one positive "
        r"multiple of } a_k \text{, for all class sizes, so that their cosines are } \frac{-1}{K - 1} \text{; with "
        r"norms } R \text{ in the first case and larger ones for larger classes in the second)}",
        true,
        formulas={r"\frac{-1}{K - 1}": lambda s, K=(2.0, 3.0, 7.0): s.cosine(K)},
    ),
    near_misses={
        "K for K − 1": true._replace(cosine=lambda K: -1 / K),
        "orthogonal": true._replace(cosine=lambda K: 0 * K),
        "shorter for larger classes": true._replace(larger=-1),
        "a fiftieth shorter": true._replace(norm=lambda R: 0.98 * R),
    },
)


@claim.check("derived", covers="all")
def test_slope_along_the_own_row(statement):
    K, alpha, rho, R = sp.symbols("K alpha rho R", positive=True)
    c = -1 / (K - 1)
    own, other = alpha * rho, alpha * rho * c  # the outputs at h = ρ a_k/α
    total = sp.exp(own) + (K - 1) * sp.exp(other)
    # Σ_l (p_l − δ_lk) a_l = −(1 − p_k) a_k + π Σ_{l≠k} a_l, and the last sum is −a_k.
    share = sp.exp(other) / total
    along = -(1 - sp.exp(own) / total) - share
    require_equal(sp.simplify(along + K * share), 0, "another slope")
    require_equal(sp.simplify(statement.cosine(K) - c), 0, "features along other directions")
    # Strictly decreasing on the ray: the bound of each norm is met.
    require_equal(sp.nsimplify(statement.norm(R)), R, "another norm")
    # −φ'(ρ)/ρ = Kπα/ρ is strictly decreasing: 1/(πρ⁻¹) = ρ(e^{κρ} + K − 1) has a positive slope.
    kappa = K * alpha / (K - 1)
    require_equal(sp.simplify(1 / share - sp.exp(kappa * rho) - K + 1), 0, "another share")
    inverse = rho * (sp.exp(rho * sp.Symbol("kappa", positive=True)) + sp.Symbol("others", positive=True))
    require(sp.diff(inverse, rho).is_positive, "not strictly decreasing")
    require_equal(sp.limit(inverse, rho, 0, "+"), 0, "no solution for small classes")
    # n_k = λ ρ_k(e^{κρ_k} + K − 1)/(Kα): ρ_k increases with n_k
    require_equal(statement.larger, int(sp.sign(sp.diff(inverse, rho))), "another order of the norms")


@claim.check(
    "optimised", covers=Search("K = 3 and 4, class sizes with ratios up to 1,000: SLSQP and L-BFGS, one start")
)
def test_descent_in_the_features(statement):
    for K, sizes, alpha in ((3, (1000, 3, 1), 1.5), (4, (50, 50, 1, 1), 2.0), (2, (20, 1), 1.0)):
        A, n = alpha * simplex_etf.etf(K, K).T, np.array(sizes)

        def loss(H, A=A, n=n):
            Z = A @ H
            P = np.exp(Z - Z.max(axis=0))
            P /= P.sum(axis=0)
            return -np.log(np.diag(P)) @ n / n.sum(), A.T @ (P - np.eye(len(n))) * n / n.sum()

        def value(x, K=K, loss=loss):  # ‖H‖² = K, which is Ω_F = 1
            H, length = x.reshape(K, K), np.linalg.norm(x)
            scale = np.sqrt(K) / length
            height, slope = loss(H * scale)
            return height, scale * (slope - H * (np.sum(slope * H) / length**2)).ravel()

        start = np.random.default_rng(0).normal(size=K * K)
        options = {"ftol": 1e-16, "gtol": 1e-11, "maxiter": 5000}
        H = minimize(value, start, jac=True, method="L-BFGS-B", options=options).x.reshape(K, K)
        norms = np.linalg.norm(H, axis=0)
        cosines = (H.T @ H / np.outer(norms, norms))[np.triu_indices(K, 1)]
        require_close(
            cosines, np.full(len(cosines), float(statement.cosine(K))), "another angle", atol=2e-3, sizes=sizes
        )
        changes = {int(np.sign(norms[i] - norms[j])) for i in range(K) for j in range(K) if n[i] > n[j]}
        require_equal(changes, {statement.larger}, "another order of the norms", sizes=sizes)
        for k in range(K):
            ball = {"type": "ineq", "fun": lambda h: 4 - h @ h}
            h = minimize(
                lambda h, A=A, k=k: np.log(np.exp(A @ h).sum()) - A[k] @ h, start[:K], constraints=ball, tol=1e-12
            ).x
            require_close(np.linalg.norm(h), float(statement.norm(2.0)), "another norm", rtol=1e-5, K=K)
            require_at_most(1 - h @ A[k] / alpha / np.linalg.norm(h), 1e-5, "another direction", K=K)


@claim.check("property", covers=Instances("K ≤ 6, m ≤ K + 2, α and R from 0.1 to 10: optimality, 50 drawn"),
             blind_to={"shorter for larger classes": "each feature has a bound of its own"})  # fmt: skip
@given(st.integers(2, 6), st.integers(-1, 2), st.floats(0.1, 10), st.floats(0.1, 10), st.integers(0, 9999))
def test_features_of_an_etf(statement, K, extra, alpha, R, seed):
    rng, m = np.random.default_rng(seed), max(K + extra, K - 1)
    Q = np.linalg.qr(rng.normal(size=(m, m)))[0]
    A = alpha * (Q @ simplex_etf.etf(K, m)).T
    F = layer_peeled.fixed_classifier_features(A, R)
    where = {"K": K, "m": m, "alpha": alpha, "R": R}
    require_close(np.linalg.norm(F, axis=0), np.full(K, float(statement.norm(R))), "another norm", rtol=1e-9, **where)
    cosines = (F.T @ F / R**2)[np.triu_indices(K, 1)]
    require_close(cosines, np.full(len(cosines), float(statement.cosine(K))), "another angle", atol=1e-9, **where)
    # optimality by its definition: no point of the ball has a smaller loss
    for k in range(K):
        others = np.column_stack([F[:, k] + 0.1 * R * rng.normal(size=m) for _ in range(5)])
        others *= np.minimum(1, R / np.linalg.norm(others, axis=0))
        losses = [layer_peeled.labelled_risk(A, h[:, None], np.array([k])) for h in (F[:, k], *others.T)]
        require_at_most(losses[0], min(losses[1:]) + 1e-15, "a smaller loss", k=k, **where)
