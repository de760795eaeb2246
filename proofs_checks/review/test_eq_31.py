r"""The flow of renormalised features on the central path (review, equation 31).

With N = M̃Y + W and singular values σ of M̃, w of W/√N along the same directions, the risk of the best classifier is a
constant less $\frac1{2K^2}\sum\frac{\sigma^2}{w^2+\sigma^2/K+\lambda}$, and the metric is $n\,d\sigma^2+N\,dw^2$. The
printed flow goes *up* the risk, so that s = σ/w falls to 0; the sign has to be turned. Then, with κ = K(1 + λ),

- Σ_W = I, projected on the tangent space (w = 1): $s'=\frac{(1+\lambda)s}{n(\kappa+s^2)^2}$,
- Σ_W = I, renormalised by Σ_W^{-1/2} after each step: $s'=\frac{s}{N(\kappa+s^2)}$,
- Σ = I (w² + σ²/K = 1), projected: $s'=\frac s{N\kappa}$.

In the first two $\Phi(s_i)-\Phi(s_j)$ is conserved for $\Phi=\int ds/s'$ with Φ' → ∞: s → ∞ and $s_i-s_j\to0$, so that
ratios tend to 1 as well. In the third s → ∞ but all ratios stay: the identity has to be that of the covariance within
classes.
"""

from typing import Annotated, Literal, NamedTuple

import numpy as np
import sympy as sp
from scipy.integrate import solve_ivp

from nct.ledger import Claim, Instances, OneOf, Statement, require_close, require_equal
from theory.ufm import squared_error

Covariance = Literal["within classes", "total"]


class Flow(NamedTuple):
    """dN/dt = sign Π(slope) keeps a covariance at I; the non-zero singular values s → ∞, equal in the limit."""

    sign: Annotated[int, OneOf(1)]
    identity: Covariance
    equal: Annotated[bool, OneOf(False)] = True


claim = Claim(
    id="review.eq-31",
    title="Renormalised singular values grow and approach equality",
    source="review, equation 31 and the text after it",
    verdict="amended",
    depends_on=(
        "review.eq-29.decomposition",
        "review.eq-30",
    ),
    printed=Statement(
        r"\tfrac d{dt}N = \Pi_{T_NI}(\nabla_NR_{MSEr-LS}(N)) \text{ on features with identity covariance: as } t \to "
        r"\infty \text{ the non-zero singular values of } \Sigma_W^{-1/2}\tilde M \text{ tend to infinity while "
        r"approaching equality (read: within classes, the sign as printed)}",
        Flow(1, "within classes"),
    ),
    amended=Statement(
        r"\tfrac d{dt}N = -\Pi_{T_NI}(\nabla_NR_{MSEr-LS}(N)), \Sigma_W = I, \lambda_A \ge 0: s' = "
        r"\frac{(1 + \lambda_A)s}{n(K(1 + \lambda_A) + s^2)^2} \text{ for the non-zero singular values } s \text{ of } "
        r"\tilde M \text{ (renormalised by } \Sigma_W^{-1/2} \text{ after each step instead: } s' = \frac s{N(K(1 + "
        r"\lambda_A) + s^2)}); \text{ they tend to infinity and their differences to 0}",
        Flow(-1, "within classes"),
    ),
    near_misses={
        "total covariance": Flow(-1, "total"),
        "upwards with the total covariance": Flow(1, "total"),
        "unequal in the limit": Flow(-1, "within classes", False),
    },
    counterexample_code=r"""
# K = 2, n = 2, m = 1, N = (s + 1, s - 1, -s + 1, -s - 1): class means ±s, variance 1 within classes.
# The best classifier's risk (1 - s²/(1 + s²))/4 falls in s, so the printed flow, up the risk, makes s smaller.
risk = lambda s: (1 - s * s / (1 + s * s)) / 4
print([risk(s) for s in (1, 2, 4)])
assert risk(1) > risk(2) > risk(4)
""",
)

K, n, s = sp.symbols("K n s", positive=True)
lam = sp.Symbol("lam", nonnegative=True)


def speeds(identity):
    """The speeds of s = σ/w down the risk, projected and (within classes) renormalised after each step."""
    x, w = sp.symbols("sigma w", positive=True)
    N = K * n
    risk = -(x**2) / (w**2 + x**2 / K + lam) / (2 * K**2)
    dx, dw = -sp.diff(risk, x) / n, -sp.diff(risk, w) / N
    if identity == "within classes":
        at = {x: s, w: 1}
        # renormalising divides by w: the normal part goes into s
        return [sp.simplify(rate.subs(at)) for rate in (dx, dx - s * dw)]
    along = {x: sp.sqrt(K) * s / sp.sqrt(K + s**2), w: sp.sqrt(K) / sp.sqrt(K + s**2)}
    # the normal of w² + σ²/K = 1 in the metric is (σ, w), of squared length N
    normal = (n * x * dx + N * w * dw) / N
    dx, dw = dx - normal * x, dw - normal * w
    return [sp.simplify(((dx * w - x * dw) / w**2).subs(along))]


@claim.check("derived", covers="all")
def test_speeds(statement):
    found = speeds(statement.identity)
    kappa = K * (1 + lam)
    if statement.identity == "within classes":
        stated = [(1 + lam) * s / (n * (kappa + s**2) ** 2), s / (K * n * (kappa + s**2))]
        for rate, formula in zip(found, stated, strict=True):
            require_equal(sp.simplify(rate - formula), 0, "another speed")
    for rate in found:
        # up the risk s falls; down it is positive with no zero, so that s grows beyond any bound
        grows = bool(sp.factor(-statement.sign * rate).is_positive)  # for all positive K, n and s, λ ≥ 0
        require_equal(sp.fraction(sp.together(rate))[0].subs(s, 0), 0, "0 does not stay")
        require_equal(grows, True, "the singular values fall")
        apart = sp.limit(1 / rate, s, sp.oo)
        require_equal(apart == sp.oo, statement.equal, "the differences do not tend to 0")


@claim.check("property", covers=Instances("K = 3, n = 3, m = 2, λ = 0 and 1/2: the flow of all features integrated"))
def test_integrated(statement):
    rng, K, n, m = np.random.default_rng(0), 3, 3, 2
    N = K * n
    Y = np.repeat(np.eye(K), n, axis=1)

    def parts(F):
        means = F.reshape(m, K, n).mean(axis=2)
        W = F - np.repeat(means, n, axis=1)
        return means - means.mean(axis=1, keepdims=True), W

    def ratios(F):
        means, W = parts(F)
        values, vectors = np.linalg.eigh(W @ W.T / N)
        return np.linalg.svd((vectors / np.sqrt(values)) @ vectors.T @ means, compute_uv=False)

    def slope(F, lam):
        # minus the best classifier's residual: R = ½‖AF + b − Y‖²/N + λ/2‖A‖² at the least over A, b
        c = F - F.mean(axis=1, keepdims=True)
        A = Y @ c.T / N @ np.linalg.inv(c @ c.T / N + lam * np.eye(m))
        E = A @ c - (Y - 1 / K)
        return A.T @ (E - E.mean(axis=1, keepdims=True)) / N

    for lam in (0.0, 0.5):
        start = squared_error.central_path(rng.normal(size=(m, N)), 0.0, K=K)
        if statement.identity == "total":
            values, vectors = np.linalg.eigh(start @ start.T / N)
            start = (vectors / np.sqrt(values)) @ vectors.T @ start

        def move(_, x, lam=lam):
            F = x.reshape(m, N)
            D = slope(F, lam)
            X = parts(F)[1] if statement.identity == "within classes" else F
            normal = D @ X.T / N  # the normal space is S X with symmetric S, XXᵀ/N = I
            return statement.sign * (D - (normal + normal.T) / 2 @ X).ravel()

        run = solve_ivp(move, (0, 3000.0), start.ravel(), rtol=1e-8, atol=1e-9)
        first, last = ratios(start), ratios(run.y[:, -1].reshape(m, N))
        where = {"lam": lam, "first": first, "last": last}
        require_equal(bool((last > first).all()), True, "the singular values fall", **where)
        closer = bool(last[0] - last[1] < 0.5 * (first[0] - first[1]))
        require_equal(closer, statement.equal, "the differences do not fall", **where)
        stated = squared_error.renormalised_flow(first, 3000.0, K=K, n=n, lam=lam)
        if statement.identity == "within classes":
            require_close(last, stated, "other singular values", rtol=1e-5, **where)
