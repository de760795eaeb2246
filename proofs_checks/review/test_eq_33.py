r"""A lower bound of the supervised contrastive loss (review, Section 3.1.6, equation 33).

An anchor a has the loss $\log\sum_be^{z_{ab}}-\bar u_a$, $z_{ab}=⟨f_a,f_b⟩/\tau$, with the mean $\bar u_a$ of its
products with its class, itself included, and $\bar v_a$ with the others. The mean of an exponential is at least that
of the mean, so the loss is at least $φ(\bar v_a-\bar u_a)$, $φ(d)=\log n+\log(1+(K-1)e^d)$. φ is convex, so the mean
over the anchors is at least φ(D), and every tangent of φ at D; D is the mean of $\bar v_a-\bar u_a$, that is
$\frac1{(K-1)\tau}(\frac1K\|\sum_kμ_k\|^2-\sum_k\|μ_k\|^2)\ge-\frac{KΩ}{(K-1)\tau}$, and φ rises. The printed bound is
the tangent at $\log\frac{c_2}{(K-1)c_1}$: it holds for all positive c₁, c₂, so for those printed with any Ω_A.
"""

import math
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from nct.ledger import Claim, Instances, LowerBound, Search, Statement, require_at_most, require_close, require_equal
from theory.contrastive import supcon_bound, supcon_loss


class Bound(NamedTuple):
    """The loss of K classes of n samples of mean square Omega is at least value(c1, c2, K, n, tau, Omega, log)."""

    value: Annotated[Callable[..., Any], LowerBound]


def bound(c1, c2, K, n, tau, Omega, log=math.log):
    c3 = c1 / (c1 + c2) * log((c1 + c2) / c1) + c2 / (c1 + c2) * log((c1 + c2) * (K - 1) / c2)
    return -c2 * K * Omega / ((c1 + c2) * (K - 1) * tau) + c3 + log(n)


def apart(change):
    """The bound with a term, of the share q = c₂/(c₁ + c₂) and the other numbers, on top."""
    return Bound(
        lambda c1, c2, K, n, tau, Omega, log=math.log: (
            bound(c1, c2, K, n, tau, Omega, log) + change(c2 / (c1 + c2), K, n, Omega / tau, log)
        )
    )


FIRST = r"-\frac{c_2K\Omega_F}{(c_1+c_2)(K-1)\tau} + c_3 + \log n"

claim = Claim(
    id="review.eq-33",
    title="A lower bound of the supervised contrastive loss",
    source="review, Section 3.1.6, equation 33",
    verdict="holds",
    printed=Statement(
        r"\widehat{\mathcal R}_{CL}(F) \ge -\frac{c_2K\Omega_F}{(c_1+c_2)(K-1)\tau} + c_3 + \log n \text{ for "
        r"} \tfrac1{Kn}\sum_{k,i}\|f_{k,i}\|_2^2 \le \Omega_F,\; c_1 = e^{\sqrt{\Omega_A\Omega_F}},\; c_2 = (K-1)"
        r"e^{-\sqrt{\Omega_A\Omega_F}},\; c_3 = \tfrac{c_1}{c_1+c_2}\log\tfrac{c_1+c_2}{c_1} + \tfrac{c_2}{c_1+c_2}"
        r"\log\tfrac{(c_1+c_2)(K-1)}{c_2} \text{ (read: for } K \ge 2, \tau > 0 \text{ and any } \Omega_A \ge 0\text{; "
        r"there is no A in (32), and no more is used of } c_1, c_2 \text{ than that they are positive)}",
        Bound(bound),
        formulas={
            FIRST: lambda value, c_1, c_2, Omega_F, tau, c_3, K=(2, 3, 5, 7), n=(1, 2, 4, 6): (
                value.value(c_1, c_2, K, n, tau, Omega_F) - value.value(c_1, c_2, K, 1, 1, 0) + c_3
            ),
            r"\tfrac{c_1}{c_1+c_2}\log\tfrac{c_1+c_2}{c_1} + \tfrac{c_2}{c_1+c_2}\log\tfrac{(c_1+c_2)(K-1)}{c_2}": (
                lambda value, c_1, c_2, K=(2, 3, 5, 7): value.value(c_1, c_2, K, 1, 1, 0)
            ),
        },
    ),
    near_misses={
        "Ω_F without K/(K−1)": apart(lambda q, K, n, x, log: q * x / (K - 1)),
        "(K−1)/K for K/(K−1)": apart(lambda q, K, n, x, log: q * x * (K / (K - 1) - (K - 1) / K)),
        "c₃ with K for K−1": apart(lambda q, K, n, x, log: q * log(K) - q * log(K - 1)),
        "log(n + 1)": apart(lambda q, K, n, x, log: log(n + 1) - log(n)),
        "c₁ for c₂ in the first term": apart(lambda q, K, n, x, log: (2 * q - 1) * x * K / (K - 1)),
    },
)


@claim.check("derived", covers="all")
def test_tangents(statement):
    n, tau, omega, c1, c2, k = sp.symbols("n tau Omega c1 c2 k", positive=True)
    d, total, squares = sp.symbols("d total squares", real=True)
    K = k + 1
    phi = sp.log(n) + sp.log(1 + (K - 1) * sp.exp(d))
    # From the loss with n products u of the own class and (K − 1)n products u + d of the others:
    u = sp.symbols("u", real=True)
    loss = sp.log(n * sp.exp(u) + (K - 1) * n * sp.exp(u + d)) - u
    require_equal(sp.simplify(sp.expand_log(sp.exp(loss) - sp.exp(phi))), 0, "another loss of equal products")
    rise, bend = sp.diff(phi, d), sp.simplify(sp.diff(phi, d, 2))
    require_equal(sp.simplify(bend - rise * (1 - rise)), 0, "another curvature")  # φ rises by less than 1, so positive
    # Σ_a ū_a/N and Σ_a v̄_a/N by Σ‖μ_k‖² and ‖Σμ_k‖²; the difference falls in the first and rises in the second.
    mean = (total - squares) / (K * (K - 1) * tau) - squares / (K * tau)
    require_equal(sp.simplify(sp.diff(mean, squares) + 1 / (k * tau)), 0, "another slope")
    require_equal(sp.simplify(sp.diff(mean, total) - 1 / (K * k * tau)), 0, "another slope")
    least = sp.simplify(mean.subs({total: 0, squares: K * omega}))
    # The tangent of φ at log(c₂/((K − 1)c₁)).
    at = {sp.exp(d): c2 / ((K - 1) * c1)}
    tangent = phi.subs(at) + rise.subs(at) * (least - sp.log(c2 / ((K - 1) * c1)))
    stated = statement.value(c1, c2, K, n, tau, omega, sp.log)
    require_equal(sp.simplify(sp.expand_log(sp.expand(tangent - stated), force=True)), 0, "not the tangent")


def looped(F, K, n, tau):
    """Equation 32, word for word, for features in class order."""
    z = F.T @ F / tau
    total = 0.0
    for a in range(K * n):
        below = sum(math.exp(z[a, b]) for b in range(K * n))
        total -= sum(math.log(math.exp(z[a, a // n * n + j]) / below) for j in range(n)) / n
    return total / (K * n)


@claim.check("property", covers=Instances("K ≤ 5, n ≤ 3, m ≤ 4, 50 drawn: anywhere, or by the minimum"))
@given(st.integers(2, 5), st.integers(1, 3), st.integers(1, 4), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_random_features(statement, K, n, m, spread, seed):
    rng = np.random.default_rng(seed)
    tau, odds = rng.uniform(0.3, 2), np.exp(rng.normal(size=5))
    # The vertices of a simplex, moved by the spread; at 0 the bound is attained for one ratio of the constants.
    F = np.repeat(np.vstack([np.eye(K) - 1 / K, np.zeros((m, K))]), n, axis=1)
    F += spread**3 * rng.normal(size=F.shape)
    omega = float((F**2).sum() / (K * n))
    loss = looped(F, K, n, tau)
    require_close(supcon_loss(F, np.repeat(np.arange(K), n), tau), loss, "another loss", rtol=1e-11, atol=1e-12)
    touching = math.exp(K * omega / ((K - 1) * tau)) / (K - 1)
    for ratio in (touching, *odds):
        stated = statement.value(ratio, 1.0, K, n, tau, omega)
        require_at_most(stated, loss + 1e-11, "the loss is below the bound", K=K, n=n, ratio=ratio)
        ours = supcon_bound(K, n, tau, omega, share=1 / (1 + ratio)).value
        require_close(ours, stated, "theory has another bound", rtol=1e-9, atol=1e-11, K=K, n=n)


@claim.check("optimised", covers=Search("L-BFGS over F, K ≤ 4, n ≤ 2, 3 starts each, at 4 ratios c₁/c₂"))
def test_least_loss(statement):
    rng = np.random.default_rng(0)
    for K, n, m, tau, omega in ((2, 1, 1, 1.0, 0.5), (3, 2, 2, 0.5, 0.75), (4, 1, 3, 1.0, 2.0)):
        y = np.repeat(np.arange(K), n)
        own = (y[:, None] == y) / n

        def loss(x, m=m, N=K * n, own=own, tau=tau, omega=omega):
            F = x.reshape(m, N)
            size = (F**2).sum()
            z = F.T @ F * (N * omega / size) / tau
            top = z.max(axis=1, keepdims=True)
            e = np.exp(z - top)
            slope = (e / e.sum(axis=1, keepdims=True) - own) / N
            slope = F @ (slope + slope.T) * (N * omega / size) / tau
            value = (np.log(e.sum(axis=1)) + top[:, 0] - (z * own).sum(axis=1)).mean()
            return value, (slope - F * ((slope * F).sum() / size)).ravel()

        least = min(minimize(loss, rng.normal(size=m * K * n), jac=True).fun for _ in range(3))
        best = math.exp(K * omega / ((K - 1) * tau)) / (K - 1)
        for ratio in (best / 2, best, 2 * best, 0.25):
            stated = statement.value(ratio, 1.0, K, n, tau, omega)
            require_at_most(stated, least + 1e-9, "a lower loss was found", K=K, n=n, ratio=ratio)
