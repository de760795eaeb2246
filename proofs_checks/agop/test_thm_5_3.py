r"""Deep RFM and neural collapse, the papers' main theorem (agop, Theorem 5.3; agop-v1, Theorem 5.4).

*As printed.* Let the data have dimension at least n (Assumption 5.1) and $X_1^\top X_1 \succeq λ_φ I$ with λ_φ > 0
(Assumption 5.2), no ridge (γ = 0), and the same number of samples in each class. For the iteration
$\tilde X_{l+1}^\top\tilde X_{l+1} = \kappa^{-1} X_l^\top M_l X_l$,
$X_{l+1}^\top X_{l+1} = \tilde X_{l+1}^\top\tilde X_{l+1} + \lambda_\mathrm{map} I$, with
$\kappa = 1 - 2\lambda_k(1+\lambda_\mathrm{map}^{-1})$ and M_l the AGOP of the ridgeless predictor with kernel
$X_l^\top X_l + \lambda_k I$: there is a universal C > 0 such that for every 0 < ε ≤ 1,
$\lambda_k \le C\lambda_\mathrm{map}(1-\varepsilon)/(2(1+\lambda_\mathrm{map}^{-1})n)$ and every layer l in {2, …, L}

$$
\lVert\tilde X_{l+1}^\top\tilde X_{l+1} - Y^\top Y\rVert
\le (1-\varepsilon)\lVert\tilde X_l^\top\tilde X_l - Y^\top Y\rVert + O(\lambda_k^2\lambda_\mathrm{map}^{-2}).
$$

*It is false*, for every C and every constant in the O. The printed κ inherits the wrong eigenvalue of
agop.thm-5.3.eigenstep; the iteration's fixed point is g YᵀY with

$$
g - 1 = 2\lambda_k\bigl(1 + \lambda_\mathrm{map}^{-1} - (n+\lambda_\mathrm{map})^{-1}\bigr) + O(\lambda_k^2),
$$

an error of first order, which no layer shrinks. One sample, one class, X₁ = √2 and λ_map = 1 show it.

*Amended.* With $\kappa = (1 + \lambda_k/(n+\lambda_\mathrm{map}))^{-2}$ the collapsed Gram matrix is a fixed point,
there is no error term, and the range needs neither n nor a constant: for $\lambda_k \le
(1-\varepsilon)\lambda_\mathrm{map}$ and data with $X_1^\top X_1 \succeq \lambda_\mathrm{map} I$, every layer l ≥ 2
shrinks the spectral distance to YᵀY by the factor 1 − ε (proof in docs/deep_rfm_convergence.md, certificate in
`theory.deep_rfm.collapse_convergence`). *The largest range is not known.* Near YᵀY the factor is
$\max\bigl(\frac{\lambda_k n}{(\lambda_k+\lambda_\mathrm{map})(n+\lambda_\mathrm{map})}, \frac{2\lambda_k
n}{(n+\lambda_\mathrm{map})(n+\lambda_\mathrm{map}+\lambda_k)}\bigr)$, whose supremum over n is at least
λ_k/(λ_k+λ_map): a range for all n ends at $\frac{1-\varepsilon}\varepsilon\lambda_\mathrm{map}$ or before. Between
$(1-\varepsilon)\lambda_\mathrm{map}$ and that nothing is proved, but for ε → 1, where the two agree. On
$X_1^\top X_1 \succeq \lambda_\mathrm{map}I$ the proof rests; it is not known to be needed.

The norm is the spectral one, as in the papers' proof. M is taken as the mean of the gradients' outer products, as the
proof uses it; the sum that it prints would be N times as large. Classes of unequal size: agop.thm-5.3.unequal.
"""

import itertools
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import sympy as sp
import torch
from hypothesis import assume, example, given
from hypothesis import strategies as st

from nct.ledger import (
    Claim,
    Fixed,
    Instances,
    LowerBound,
    Part,
    Statement,
    UpperBound,
    require,
    require_at_most,
    require_equal,
    require_proved,
)
from theory import coq, labels, verified
from theory.deep_rfm import collapse_convergence, collapse_fixed_point, collapse_map


class Theorem(NamedTuple):
    """What a version of the theorem asserts for classes of n samples.

    ``kappa(n, k, m)`` is the scaling, ``limit(n, m, eps)`` the largest λ_k, ``order`` the exponent of λ_k/λ_map in the
    error term (None: no error term) with any constant, ``factor`` that of a layer.
    """

    kappa: Callable
    limit: Annotated[Callable, LowerBound]
    order: Annotated[int | None, Fixed]
    factor: Annotated[Callable, UpperBound] = lambda eps: 1 - eps


def printed_kappa(n, k, m):
    return 1 - 2 * k * (1 + 1 / m)


def amended_kappa(n, k, m):
    return (1 + k / (n + m)) ** -2


def printed_limit(n, m, eps):
    return m * (1 - eps) / (2 * (1 + 1 / m) * n)  # C = 1; the checks let λ_k tend to zero, so that C does not matter


def amended_limit(n, m, eps):
    return m * (1 - eps)


AMENDED = Theorem(amended_kappa, amended_limit, order=None)
GROWS = "the constant of the error term grows"

claim = Claim(
    id="agop.thm-5.3",
    title="Geometric convergence of Deep RFM to the collapsed Gram matrix",
    source="agop, Theorem 5.3; agop-v1, Theorem 5.4",
    verdict="amended",
    printed=Statement(
        r"d \ge n, \; X_1^\top X_1 \succeq \lambda_\phi I, \; \lambda_\phi > 0, \; \gamma = 0: \; \exists C > 0 \; "
        r"\forall\, 0 < \varepsilon \le 1, \; l \in \{2, \ldots, L\}: \; "
        r"\|\tilde X_{l+1}^\top\tilde X_{l+1} - Y^\top Y\| \le (1-\varepsilon)\|\tilde X_l^\top\tilde X_l - Y^\top Y\|"
        r" + O(\lambda_k^2\lambda_{\mathrm{map}}^{-2}), \quad \kappa = 1 - "
        r"2\lambda_k(1+\lambda_{\mathrm{map}}^{-1}), \quad "
        r"\lambda_k \le C\lambda_{\mathrm{map}}(1-\varepsilon)/(2(1+\lambda_{\mathrm{map}}^{-1})n)",
        Theorem(printed_kappa, printed_limit, order=2),
        formulas={
            r"1 - 2\lambda_k(1+\lambda_{\mathrm{map}}^{-1})": lambda thm, lam_k, lam_map: thm.kappa(2, lam_k, lam_map),
            r"C\lambda_{\mathrm{map}}(1-\varepsilon)/(2(1+\lambda_{\mathrm{map}}^{-1})n)": (
                lambda thm, lam_map, eps, C=(1,), n=(1, 2, 5): C * thm.limit(n, lam_map, eps)
            ),
            r"(1-\varepsilon)": lambda thm, eps: thm.factor(eps),
        },
    ),
    amended=Statement(
        r"\|\tilde X_{l+1}^\top\tilde X_{l+1} - Y^\top Y\| \le (1-\varepsilon)\|\tilde X_l^\top\tilde X_l - Y^\top Y\|,"
        r"\quad 0 < \varepsilon \le 1, \; l \ge 2,\; X_1^\top X_1 \succeq \lambda_{\mathrm{map}} I, \; n "
        r"\text{ samples in each class}, \; \kappa = (1+\lambda_k/(n+\lambda_{\mathrm{map}}))^{-2}, \; \lambda_k \le "
        r"(1-\varepsilon)\lambda_{\mathrm{map}}",
        AMENDED,
        formulas={
            r"(1+\lambda_k/(n+\lambda_{\mathrm{map}}))^{-2}": (
                lambda thm, lam_k, lam_map, n=(1, 2, 5): thm.kappa(n, lam_k, lam_map)
            ),
            r"(1-\varepsilon)\lambda_{\mathrm{map}}": lambda thm, lam_map, eps: thm.limit(3, lam_map, eps),
            r"(1-\varepsilon)": lambda thm, eps: thm.factor(eps),
        },
    ),
    near_misses={
        "κ = 1 − 2λ_k/(n+λ_map) with no error term": AMENDED._replace(kappa=lambda n, k, m: 1 - 2 * k / (n + m)),
        "κ = 1 − 2λ_k/λ_map with a second-order error": Theorem(
            lambda n, k, m: 1 - 2 * k / m, lambda n, m, eps: m * (1 - eps) / 4, order=2
        ),
        "no scaling, with a second-order error": Theorem(lambda n, k, m: 1 + 0 * k, amended_limit, order=2),
        "λ_k ≤ 1.1 (1−ε) λ_map": AMENDED._replace(limit=lambda n, m, eps: 11 * m * (1 - eps) / 10),
        "contraction by (1−ε)²": AMENDED._replace(factor=lambda eps: (1 - eps) ** 2),
    },
    depends_on=["agop.lemma-C1", "agop.lemma-C2", "agop.thm-5.3.eigenstep", "agop.linear-one-step"],
)


@claim.check(
    "derived", covers=Instances("near YᵀY, for every λ_k; the factor at four ε, n = 1 … 10⁶, λ_map = 0.1, 1, 10")
)
def test_fixed_point_and_derivative_there(statement):
    n, m, k, g = sp.symbols("n m k g", positive=True)
    kappa = statement.kappa(n, k, m)
    # On multiples g YᵀY the map is g ↦ κ⁻¹ ((gn+m)/(gn+m+k))². Its fixed point is 1 at k = 0; how does it leave?
    fixed = kappa * g * (g * n + m + k) ** 2 - (g * n + m) ** 2
    at_collapse = {g: 1, k: 0}
    drift = sp.factor(-sp.diff(fixed, k).subs(at_collapse) / sp.diff(fixed, g).subs(at_collapse))
    require_equal(drift, 0, "the fixed point leaves YᵀY at first order in λ_k")
    if statement.order is None:
        require(sp.simplify(fixed.subs(g, 1)) == 0, "the fixed point is not YᵀY")
    # The derivative in the coordinates of a class indicator, a direction within that class, another class indicator.
    labels_gram = sp.diag(n, 0, n)
    entries = sp.symbols("e:6")
    E = sp.Matrix(3, 3, [entries[i] for i in (0, 1, 2, 1, 3, 4, 2, 4, 5)])
    resolvent = (labels_gram + (m + k) * sp.eye(3)).inv()
    smoother, change = sp.eye(3) - k * resolvent, k * resolvent * E * resolvent
    derivative = (change * labels_gram * smoother + smoother * labels_gram * change) / kappa
    factors = [sp.simplify(derivative[i, j] / E[i, j]) for i, j in ((0, 0), (0, 1), (0, 2))]
    require(sp.simplify(derivative[1, 1]) == 0, "directions within classes are not collapsed in one step")
    for eps in map(sp.Rational, ("1/10", "1/2", "9/10", "99/100")):
        for size in (1, 2, 100, 10**6):
            for lam_map in map(sp.Rational, ("1/10", "1", "10")):
                at = {n: size, m: lam_map, k: statement.limit(sp.Integer(size), lam_map, eps)}
                worst = max(factor.subs(at) for factor in factors)
                shown = {"n": size, "lam_map": lam_map, "lam_k": at[k], "eps": eps}
                message = "near the fixed point a layer shrinks less"
                require_at_most(float(worst), float(statement.factor(eps)), message, **shown)
                library = collapse_fixed_point.contraction_factor(
                    [size] * 2, lam_k=float(at[k]), lam_map=float(lam_map), kappa=float(kappa.subs(at))
                )
                seen = [factor for factor in factors if size > 1 or factor is not factors[1]]
                if statement.order is None:
                    expected = float(max(factor.subs(at) for factor in seen))
                    require(abs(library - expected) < 1e-9 * expected, "contraction_factor differs", **shown)


@claim.check(
    "exact",
    covers=Instances(
        "data λ_map I + g YᵀY, g = 0, 1, 3; up to 2 classes of up to 2 samples; ε = 1/2, 9/10, four layers"
    ),
    blind_to={"λ_k ≤ 1.1 (1−ε) λ_map": "on class-symmetric data only the sizes move, which shrink faster"},
)
def test_rational_trajectories_from_one_sample_on(statement):
    # Data with Gram matrix λ_map I + g YᵀY: every later Gram matrix is block-constant, and its distances are rational.
    m, shares = Fraction(1), (Fraction(1, 100), Fraction(1, 1000), Fraction(1, 10_000))
    for sizes, eps, g in itertools.product(([1], [1, 1], [2]), (Fraction(1, 2), Fraction(9, 10)), (1, 0, 3)):
        shown = {"sizes": sizes, "X1": "√2" if (sizes, g) == ([1], 1) else f"λ_map I + {g} YᵀY", "eps": eps}
        if statement.order is None:
            k = statement.limit(sizes[0], m, eps)
            errors = trajectory(statement, sizes, k, m, g)
            for before, after in pairwise(errors):
                bound = statement.factor(eps) * before
                require_at_most(after, bound, "a layer shrinks the distance less", lam_k=k, lam_map=m, **shown)
            continue
        needed = [
            max(
                after - statement.factor(eps) * before
                for before, after in pairwise(trajectory(statement, sizes, k, m, g))
            )
            / (k / m) ** statement.order
            for k in shares
        ]
        shown |= {"lam_map": m, "lam_k": shares, "constants": [f"{float(constant):.3g}" for constant in needed]}
        require_at_most(needed[2], max(20 * needed[0], 0), f"{GROWS} without bound as λ_k falls", **shown)


def trajectory(statement, sizes, k, m, g):
    """Spectral distances from YᵀY in layers 2 to 5 of the Gram matrices, block-constant and zero between classes."""
    Y, kappa = labels.one_hot(sizes), Fraction(statement.kappa(sizes[0], k, m))
    gram = [[Fraction(int(entry)) * g for entry in row] for row in Y.T @ Y]
    errors = []
    for _ in range(4):
        gram = collapse_map.exact_step(gram, Y, lam_k=k, lam_map=m, kappa=kappa)
        errors.append(abs(gram[0][0] - 1) * sizes[0])
    return errors


def errors_by_layer(statement, sizes, k, m, data_gram, layers):
    """Spectral distances from YᵀY of the Gram matrices from layer 2 on."""
    Y = labels.one_hot(sizes)
    kappa = float(statement.kappa(sizes[0], k, m))
    assume(kappa > 0)
    grams = collapse_map.iterate(data_gram, Y, lam_k=k, lam_map=m, kappa=kappa, layers=layers)
    return np.array([np.linalg.norm(gram - Y.T @ Y, 2) for gram in grams])


@claim.check("exact", covers="all")
def test_certificate_of_the_range(statement):
    # theory.deep_rfm.collapse_convergence: for κ = (1 + k/(n+m))⁻² and k ≤ m a later layer's factor is at most k/m.
    n, m, k = sp.symbols("n m k", positive=True)
    departure = sp.simplify(statement.kappa(n, k, m) * (1 + k / (n + m)) ** 2 - 1)
    require_equal(departure, 0, "YᵀY is not a fixed point: κ over the right one, less 1")
    eps = sp.Symbol("eps", positive=True)
    largest = statement.limit(n, m, eps) / m
    require_equal(sp.expand(largest - statement.factor(eps)), 0, "the factor is not the certified one, λ_k/λ_map")
    require_at_most(largest.subs(eps, 0), 1, "the range ends beyond what is certified, λ_map", strict=False)
    for certificate in collapse_convergence.certificates():
        require(certificate.verify(), "the certificate fails", inequality=certificate.statement)
    require_certificates_of_the_steps()


@cache
def require_certificates_of_the_steps():
    """The certified polynomials are 1 + x + c less the bound of steps 3 and 4 of the proof, over ϑ; written anew here.

    At 121 rational points, ends among them: for c ≤ 1 and c ≥ 1, for either sign of the change d of the eigenvalues,
    and for the block beside them.
    """
    certified = collapse_convergence.certificates()
    points = [Fraction(0), *(Fraction(i, 7) for i in (1, 3, 5, 7, 10, 16, 31, 60, 99, 700))]
    for u, v in itertools.product(points, points):
        x = 1 / (1 + u)
        for c, polynomials in ((v / (1 + v), certified[:6]), (1 + v, certified[6:])):
            for bound, over, under in zip(bounds_of_the_proof(x, c), polynomials[::2], polynomials[1::2], strict=True):
                quotient = over.value(u, v) / under.value(u, v)
                require_equal(quotient, 1 + x + c - bound, "another bound is certified", of=over.statement, x=x, c=c)


def bounds_of_the_proof(x, c):
    """Of step 4, over ϑ: with T₀₀ where eigenvalues fall and where they rise, and with T₁₁."""
    theta, t, sigma = x / (1 + x + c), 2 * c / (1 + c), x / (2 + x)
    falls, rises = 1 - ((1 + c) / (1 + c + x)) ** 2, (1 + x * c / (1 + x + c)) ** 2 - 1
    gamma = c / (1 + c - falls)
    T00 = [
        t * d / (1 + c - falls) + t * sigma + theta * gamma**2 * d * (1 + sigma**2) + 2 * gamma * sigma**2
        for d in (falls, rises)
    ]
    T11 = (2 - theta - min(t, 1)) * sigma
    return [max(1, t) + block + (1 - theta) * gamma * sigma for block in (*T00, T11)]


@claim.check(
    "kernel",
    covers=Part(
        "that the bound on a layer’s factor, with which the proof of docs/deep_rfm_convergence.md ends, is below "
        "λ_k/λ_map, for all n, λ_map and λ_k ≤ λ_map"
    ),
)
def test_bound_on_the_factor_by_the_kernel(statement):
    with verified.verified_certificates() as found:
        test_certificate_of_the_range(statement)
    factor = Path(__file__).with_name("thm_5_3_factor.v")
    require_proved(claim, coq.script([*coq.translate_all(found), factor]))


@claim.check(
    "kernel",
    covers=Part(
        "data λ_map I + g YᵀY, g ≥ 0, for all n, K, λ_map and λ_k ≤ λ_map: the layers’ Gram matrices, their fixed "
        "point YᵀY, and each layer’s factor λ_k/λ_map from the second on"
    ),
)
def test_multiples_of_the_collapsed_matrix_by_the_kernel(statement):
    test_certificate_of_the_range(statement)
    here, certificate = Path(__file__), collapse_convergence.certificate_of_multiples()
    require(certificate.verify(), "not certified", of=certificate.statement)
    files = [here.parents[1] / "sums.v", here.with_name("lemma_C2.v"), here.with_name("thm_5_3_multiples.v")]
    require_proved(claim, coq.script([*coq.translate(certificate, "multiples_certificate"), *files]))


@claim.check(
    "property", covers=Instances("up to 3 classes of up to 4 samples, Gaussian data of any rank, λ_map in [1e-2, 1e2]")
)
@given(
    st.tuples(st.integers(1, 4), st.integers(1, 3)).map(lambda drawn: [drawn[0]] * drawn[1]),
    st.sampled_from([0.9, 0.5, 0.1, 0.99]),
    st.floats(-2, 2),
    st.sampled_from([1.0, 0.3, 0.03]),
    st.integers(0, 2**32 - 1),
)
@example(sizes=[4], eps=0.99, log_lam_map=-2.0, share=1.0, seed=0)  # where the range ends for many samples
def test_random_data(statement, sizes, eps, log_lam_map, share, seed):
    m, rng, N = 10.0**log_lam_map, np.random.default_rng(seed), sum(sizes)
    features = rng.standard_normal((N, rng.integers(1, N + 1))) * 10 ** rng.uniform(-2, 1)
    data_gram = m * np.eye(N) + features @ features.T
    k, factor = share * float(statement.limit(sizes[0], m, eps)), statement.factor(eps)
    rounding = 1e-13 * (1 + max(sizes)) * (1 + 1 / m)
    if statement.order is None:
        errors = errors_by_layer(statement, sizes, k, m, data_gram, layers=6)
        shown = {"sizes": sizes, "lam_map": m, "lam_k": k, "eps": eps}
        require_at_most(errors[1:], factor * errors[:-1] + rounding, "a layer shrinks the distance less", **shown)
        if k <= m:  # and no less than the bound that the proof ends with
            bound = collapse_convergence.layer_factor(k / m, (m + k) / sizes[0])
            require_at_most(errors[1:], bound * errors[:-1] + rounding, "the proof's bound is exceeded", **shown)
        return
    needed = []
    for lam_k in (k / 10, k / 1000):
        errors = errors_by_layer(statement, sizes, lam_k, m, data_gram, layers=12)
        needed.append(float(np.max(errors[1:] - factor * errors[:-1]) - rounding) / (lam_k / m) ** statement.order)
    bounded = needed[1] <= 0 or needed[1] < 20 * needed[0]  # of the right order there is a limit; of order one, × 100
    shown = {"sizes": sizes, "lam_map": m, "lam_k": (k / 10, k / 1000), "eps": eps, "constants": needed}
    require(bounded, f"{GROWS} without bound as λ_k falls", **shown)


@claim.check(
    "simulated",
    covers=Instances("3 classes of 4 samples in 20 dimensions, λ_map = 1, ε = 1/2, ten layers"),
    blind_to={
        "contraction by (1−ε)²": "at ε = 1/2 this example converges faster",
        "λ_k ≤ 1.1 (1−ε) λ_map": "at ε = 1/2 this example converges faster",
    },
)
def test_layers_built_from_features(statement):
    # The layers themselves: predictor, its Jacobian by automatic differentiation, M^{1/2}, rescaling, and a feature map
    # that adds λ_map I to the Gram matrix. Deterministic but for the data; rounding is far below the margins.
    torch.manual_seed(0)
    sizes, m, eps = [4, 4, 4], 1.0, 0.5
    Y = torch.from_numpy(labels.one_hot(sizes))
    N = Y.shape[1]
    data = torch.randn(20, N, dtype=torch.float64)
    data = data @ torch.linalg.inv(torch.linalg.cholesky(data.T @ data)).T  # orthonormal columns
    data = data * (1 + torch.rand(N, dtype=torch.float64))  # smallest eigenvalue of the Gram matrix at least 1
    needed = []
    for share in (0.4, 0.004):
        k = share * float(statement.limit(4, m, eps))
        kappa = float(statement.kappa(4, k, m))
        target = Y.T @ Y
        X, errors = data, []
        for _ in range(10):
            mapped = agop_root(X, Y, k) @ X / kappa**0.5
            errors.append(float(torch.linalg.matrix_norm(mapped.T @ mapped - target, 2)))
            X = torch.cat([mapped, m**0.5 * torch.eye(N, dtype=torch.float64)])
        excess = max(after - statement.factor(eps) * before for before, after in pairwise(errors))
        if statement.order is None:
            bound = statement.factor(eps) * np.array(errors[:-1]) + 1e-12
            require_at_most(np.array(errors[1:]), bound, "a layer shrinks the distance less", lam_k=k)
        needed.append((excess - 1e-12) / (k / m) ** (statement.order or 0))
    require(needed[1] <= 0 or needed[1] < 20 * needed[0], f"{GROWS} as λ_k falls", constants=needed)


def agop_root(X, Y, k):
    """The square root of the mean outer product of the predictor's gradients at the samples."""
    coefficients = Y @ torch.linalg.inv(X.T @ X + k * torch.eye(X.shape[1], dtype=X.dtype))

    def predictor(x):
        return coefficients @ (X.T @ x)  # the kernel's linear part; the perturbation acts between equal samples only

    jacobians = torch.func.vmap(torch.func.jacrev(predictor))(X.T)
    M = torch.einsum("icd,ice->de", jacobians, jacobians) / X.shape[1]
    values, vectors = torch.linalg.eigh(M)
    return vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T
