r"""Which critical points of the cross-entropy with weight decay are global minima (review, equation 25).

At a critical point (F, A, b) let G be the gradient in Z = AF, and $\mu=\sqrt{\lambda_A\lambda_F}$. It is said that
$\lVert G\rVert_2\le\mu$ makes it a global minimum. For every (F', A', b'), by convexity of g and
$\langle G1,b'-b\rangle=-\lambda_b\langle b,b'-b\rangle$,

$$ g(A'F',b')+\tfrac{\lambda_b}2\lVert b'\rVert^2
\ge g(AF,b)+\tfrac{\lambda_b}2\lVert b\rVert^2+\langle G,A'F'-AF\rangle; $$

$-\langle G,A'F'\rangle\le\mu\lVert A'F'\rVert_*\le\frac{\lambda_A}2\lVert A'\rVert^2+\frac{\lambda_F}2\lVert
F'\rVert^2$ (eq-24), and $-\langle G,AF\rangle=\lambda_A\lVert A\rVert^2=\lambda_F\lVert F\rVert^2$, as
$GF^\top=-\lambda_AA$, $A^\top G=-\lambda_FF$. So it is true.

Reading: $\lVert\cdot\rVert_2$ is the spectral norm. With the Frobenius norm it is true as well, being the larger, but
not met by the collapsed global minima for K ≥ 3: all K − 1 singular values of G are μ there. With the spectral norm the
condition is necessary too, if $m\ge K-1$ or $nK^2\lambda_A\lambda_F\ge1$; below no point meets it (eq-23).
"""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Annotated, Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from nct.ledger import (
    Claim,
    Instances,
    LowerBound,
    OneOf,
    Search,
    Statement,
    require,
    require_at_most,
    require_close,
    require_equal,
)
from theory.ufm import cross_entropy


class Sufficient(NamedTuple):
    """Up to which norm of the gradient a point is a global minimum, and whether it has to be critical."""

    threshold: Annotated[Callable[[Any, Any], Any], LowerBound]  # of λ_A, λ_F
    critical: Annotated[bool, OneOf(True, False)]


def root(lam_A, lam_F):
    return (lam_A * lam_F) ** 0.5


claim = Claim(
    id="review.eq-25",
    title="Critical points with a small gradient in the outputs are global minima",
    source="review, equation 25",
    verdict="holds",
    printed=Statement(
        r"\nabla R_{CEr}(F, A, b) = 0,\ \left\lVert \nabla_{Z=AF} \frac1N \sum_{k,i} \ell_{CE}(A f_{k,i} + b, e_k) "
        r"\right\rVert_2 \le \sqrt{\lambda_A\lambda_F} \implies (F, A, b) \text{ is a global minimiser of } R_{CEr}",
        Sufficient(root, True),
    ),
    near_misses={
        "a fiftieth more": Sufficient(lambda lam_A, lam_F: 1.02 * root(lam_A, lam_F), True),
        "the arithmetic mean": Sufficient(lambda lam_A, lam_F: (lam_A + lam_F) / 2, True),
        "the larger decay": Sufficient(lambda lam_A, lam_F: max(lam_A, lam_F), True),
        "points that are not critical": Sufficient(root, False),
    },
    depends_on=["review.eq-24"],
)


@claim.check("derived", covers="all")
def test_convexity_and_duality(statement):
    # The steps of the docstring. Convexity of CE: the Hessian diag(p) − ppᵀ is a variance.
    p, d = sp.symbols("p0:3", positive=True), sp.symbols("d0:3", real=True)
    H = sp.Matrix(3, 3, lambda i, j: p[i] * int(i == j) - p[i] * p[j])
    square = sum(p[i] * p[j] * (d[i] - d[j]) ** 2 for i in range(3) for j in range(i))
    form = (sp.Matrix(d).T * H * sp.Matrix(d))[0].subs(p[0], 1 - p[1] - p[2])
    require_equal(sp.expand(form - square.subs(p[0], 1 - p[1] - p[2])), 0, "no variance")
    # A critical point has −⟨G, AF⟩ = λ_A‖A‖² = λ_F‖F‖² = the whole decay: one singular value, −G = μ there.
    lam_A, lam_F, s = sp.symbols("lam_A lam_F s", positive=True)
    mu = sp.sqrt(lam_A * lam_F)
    a2, f2 = sp.sqrt(lam_F / lam_A) * s, sp.sqrt(lam_A / lam_F) * s
    require_equal(sp.simplify(lam_A * a2 / 2 + lam_F * f2 / 2 - mu * s), 0, "the decay is not −⟨G, AF⟩")
    # −⟨G, Z'⟩ is at most the decay for all Z' exactly if ‖G‖ ≤ μ: along a singular direction of G the decay is μ.
    for x, y in ((1, 4), (4, 1), (9, 4), (1, 1)):
        value = sp.nsimplify(statement.threshold(sp.Integer(x), sp.Integer(y)))
        require_at_most(float(value), float(mu.subs({lam_A: x, lam_F: y})), "not dual", lam_A=x, lam_F=y)
    require_equal(statement.critical, True, "nothing is known of other points")


@claim.check(
    "exact",
    covers=Instances("the origin, 2 ≤ K ≤ 5, n = 1, 4, 9, decay just below and above 1/(nK²) and far from it"),
    blind_to={"points that are not critical": "the origin is critical"},
)
def test_the_origin(statement):
    # −G = (I − J/K) ⊗ 1ᵀ/N has the norm 1/(K√n). Along uvᵀ of G the risk grows by (μ − ‖G‖)ε² + O(ε⁴).
    for K in range(2, 6):
        for n, root_n in ((1, 1), (4, 2), (9, 3)):
            norm = Fraction(1, K * root_n)
            for factor in (Fraction(1), Fraction(999_999, 10**6), Fraction(101, 100), Fraction(1, 2)):
                for ratio in (Fraction(1), Fraction(1, 9), Fraction(16)):
                    mu = factor * norm
                    lam_A = mu * ratio
                    lam_F = mu / ratio
                    met = float(norm) <= statement.threshold(float(lam_A), float(lam_F)) * (1 + 1e-12)
                    require(not met or norm <= mu, "not global", K=K, n=n, lam_A=lam_A, lam_F=lam_F)
                    ours = cross_entropy.is_global(
                        np.zeros((K, K)), np.zeros((K, K * n)), lams=[lam_A, lam_F, 1], tolerance=1e-9
                    )
                    require_equal(bool(ours), norm <= mu, "decided otherwise", K=K, n=n)


@cache
def descended(K, n, m, factor, seed):
    """A critical point where L-BFGS comes to rest, from a random start, with its decay."""
    rng = np.random.default_rng(seed)
    ratio = float(np.exp(rng.normal()))
    mu = factor / (K * n**0.5)
    lams = [mu * ratio, mu / ratio, 0.2]

    def parts(x):
        return x[: K * m].reshape(K, m), x[K * m : -K].reshape(m, K * n), x[-K:]

    def value(x):
        slopes = cross_entropy.regularised_gradient(*parts(x), lams=lams)
        return cross_entropy.regularised_risk(*parts(x), lams=lams), np.concatenate([g.ravel() for g in slopes])

    found = minimize(
        value,
        rng.normal(size=K * m + m * K * n + K),
        jac=True,
        method="L-BFGS-B",
        options={"ftol": 1e-16, "gtol": 1e-10, "maxiter": 3000},
    )
    return parts(found.x), lams


@claim.check(
    "optimised",
    covers=Search("L-BFGS from seven starts, K ≤ 4, m ≤ 4, and the lower minima in wider spaces"),
    blind_to={"points that are not critical": "critical points only"},
)
def test_where_descent_comes_to_rest(statement):
    for K, n, m, factor in (
        (2, 1, 1, 0.3),
        (2, 2, 3, 0.5),
        (3, 1, 2, 0.3),
        (3, 2, 3, 0.6),
        (4, 1, 4, 0.3),
        (3, 1, 1, 0.3),
    ):
        (A, F, b), lams = descended(K, n, m, factor, K + m)
        for wide in (0, 2):
            a, f = np.pad(A, ((0, 0), (0, wide))), np.pad(F, ((0, wide), (0, 0)))
            norm = np.linalg.norm(cross_entropy.output_gradient(a @ f + b[:, None]), 2)
            gap = cross_entropy.regularised_risk(a, f, b, lams=lams) - cross_entropy.ce_optimum(K, n, *lams[:2]).loss
            if norm <= statement.threshold(*lams[:2]) * (1 + 1e-5):
                require_at_most(gap, 1e-7, "not global", K=K, n=n, m=m + wide, norm=norm)
            # necessary from m = K − 1 on, and met by no others
            is_met = norm <= root(*lams[:2]) * (1 + 1e-5)
            require_equal(bool(gap < 1e-7), bool(is_met), "not necessary", K=K, n=n, m=m + wide)
        origin = np.zeros((K, m)), np.zeros((m, K * n))
        norm = np.linalg.norm(cross_entropy.output_gradient(origin[0] @ origin[1]), 2)
        mu = norm / 1.005
        for ratio in (1.0, 0.1, 7.0):
            if norm <= statement.threshold(mu * ratio, mu / ratio):
                least = cross_entropy.ce_optimum(K, n, mu * ratio, mu / ratio).loss
                require_at_most(np.log(K), least, "not global", K=K, n=n, ratio=ratio)


@claim.check(
    "property",
    covers=Instances("2 ≤ K ≤ 4, n ≤ 2, m ≤ 5: global minima, points near them, and the origin, 50 drawn"),
)
@given(st.integers(2, 4), st.integers(1, 2), st.integers(0, 2), st.sampled_from([0.1, 0.5, 0.99]), st.integers(0, 9999))
def test_certificate(statement, K, n, extra, factor, seed):
    rng = np.random.default_rng(seed)
    ratio, m = float(np.exp(rng.normal())), K - 1 + extra
    mu = factor / (K * n**0.5)
    lams = [mu * ratio, mu / ratio, 0.1]
    optimum = cross_entropy.ce_optimum(K, n, *lams[:2], m=m)
    A, F, b = optimum.A, optimum.F, optimum.b
    singular = np.linalg.svd(cross_entropy.output_gradient(A @ F), compute_uv=False)
    require_close(singular[: K - 1], np.full(K - 1, mu), "other singular values", rtol=1e-9, K=K)
    require_at_most(cross_entropy.is_global(A, F, b, lams=lams).gap, 1e-12 + 0 * mu, "a gap", K=K)
    for size in (0.1, 1.0):
        step = [size * rng.normal(size=x.shape) for x in (A, F, b)]
        risk = cross_entropy.regularised_risk(A + step[0], F + step[1], b + step[2], lams=lams)
        require_at_most(optimum.loss, risk + 1e-12, "a smaller risk", K=K, n=n, m=m)
    origin = np.zeros_like(A), np.zeros_like(F)
    norm = np.linalg.norm(cross_entropy.output_gradient(origin[0] @ origin[1]), 2)
    if factor == 0.99 or ratio != 1:
        met = norm <= statement.threshold(*lams[:2])
        require(not met, "the origin is not global", K=K, n=n, lams=lams)
    if not statement.critical:
        large = A * 3, F * 3
        norm = np.linalg.norm(cross_entropy.output_gradient(large[0] @ large[1]), 2)
        risk = cross_entropy.regularised_risk(*large, b, lams=lams)
        require(norm > statement.threshold(*lams[:2]) or risk <= optimum.loss, "not global", K=K, n=n, lams=lams)
