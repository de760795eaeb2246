r"""Deep RFM and neural collapse, the papers' main theorem (agop, Theorem 5.3; agop-v1, Theorem 5.4).

*As printed.* For the iteration $\tilde X_{l+1}^\top\tilde X_{l+1} = \kappa^{-1} X_l^\top M_l X_l$,
$X_{l+1}^\top X_{l+1} = \tilde X_{l+1}^\top\tilde X_{l+1} + \lambda_\mathrm{map} I$, with
$\kappa = 1 - 2\lambda_k(1+\lambda_\mathrm{map}^{-1})$ and M_l the AGOP of the ridgeless predictor with kernel
$X_l^\top X_l + \lambda_k I$: there is a universal C > 0 such that for 0 < ε ≤ 1,
$\lambda_k \le C\lambda_\mathrm{map}(1-\varepsilon)/(2(1+\lambda_\mathrm{map}^{-1})n)$ and every layer l ≥ 2

$$
\lVert\tilde X_{l+1}^\top\tilde X_{l+1} - Y^\top Y\rVert
\le (1-\varepsilon)\lVert\tilde X_l^\top\tilde X_l - Y^\top Y\rVert + O(\lambda_k^2\lambda_\mathrm{map}^{-2}).
$$

*It is false*, for every C and every constant in the O. The printed κ inherits the wrong eigenvalue of
agop.thm-5.3.eigenstep; the iteration's fixed point is g YᵀY with

$$
g - 1 = 2\lambda_k\bigl(1 + \lambda_\mathrm{map}^{-1} - (n+\lambda_\mathrm{map})^{-1}\bigr) + O(\lambda_k^2),
$$

an error of first order, which no layer shrinks. One sample, one class, X₁ = √2 and λ_map = 1 show it. (Besides, κ ≤ 0
within the printed range once λ_map > n/C.)

*Amended.* With $\kappa = (1 + \lambda_k/(n+\lambda_\mathrm{map}))^{-2}$ the collapsed Gram matrix is a fixed point,
there is no error term, and the range needs neither n nor a constant: for $\lambda_k \le
(1-\varepsilon)\lambda_\mathrm{map}$ and data with $X_1^\top X_1 \succeq \lambda_\mathrm{map} I$, every layer l ≥ 2
shrinks the spectral distance to YᵀY by the factor 1 − ε (the proof is in
docs/deep_rfm_convergence.md, its certificate in `theory.deep_rfm.collapse_convergence`). The range is the best of its form: in the limit of small distances the factor
is $\max\bigl(\frac{\lambda_k n}{(\lambda_k+\lambda_\mathrm{map})(n+\lambda_\mathrm{map})}, \frac{2\lambda_k
n}{(n+\lambda_\mathrm{map})(n+\lambda_\mathrm{map}+\lambda_k)}\bigr)$, so that no $\lambda_k \le
c(1-\varepsilon)\lambda_\mathrm{map}$ with c > 1 will do for all n and ε.

Classes of unequal size, which the papers say are covered, have no κ that fixes YᵀY; the iteration contracts to
$\bigoplus_c g_c 1 1^\top$ instead, by 1 − ε for $\lambda_k \le \frac{1-\varepsilon}2\lambda_\mathrm{map}$ and
$\lambda_k/\lambda_\mathrm{map} \le \min_c g_cn_c/\max_c g_cn_c$ (proof in docs/deep_rfm_convergence.md).

The norm is the spectral one, as in the papers' proof. M is taken as the mean of the gradients' outer products, as the
proof uses it; the sum that it prints would be N times as large.
"""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import sympy as sp
import torch
from hypothesis import assume, example, given
from hypothesis import strategies as st

from nct.ledger import Claim, Statement, require
from theory import labels
from theory.deep_rfm import collapse_convergence, collapse_fixed_point, collapse_map


class Theorem(NamedTuple):
    """What a version of the theorem asserts, with n the size of the largest class.

    ``kappa(n, k, m)`` is the scaling, ``limit(n, m, eps)`` the largest λ_k for classes of equal size, ``order`` the
    exponent of λ_k/λ_map in the error term (None: no error term) with any constant, ``target`` what the Gram matrices
    approach, ``unequal`` whether the classes may differ in size.
    """

    kappa: Callable
    limit: Callable
    order: int | None
    factor: Callable = lambda eps: 1 - eps
    target: str = "collapsed"
    unequal: bool = False


def printed_kappa(n, k, m):
    return 1 - 2 * k * (1 + 1 / m)


def amended_kappa(n, k, m):
    return (1 + k / (n + m)) ** -2


def printed_limit(n, m, eps):
    return m * (1 - eps) / (2 * (1 + 1 / m) * n)  # C = 1; the checks let λ_k tend to zero, so that C does not matter


def amended_limit(n, m, eps):
    return m * (1 - eps)


AMENDED = Theorem(amended_kappa, amended_limit, order=None, target="fixed point", unequal=True)

claim = Claim(
    id="agop.thm-5.3",
    title="Geometric convergence of Deep RFM to the collapsed Gram matrix",
    source="agop, Theorem 5.3; agop-v1, Theorem 5.4",
    verdict="amended",
    printed=Statement(
        r"\|\tilde X_{l+1}^\top\tilde X_{l+1} - Y^\top Y\| \le (1-\varepsilon)\|\tilde X_l^\top\tilde X_l - Y^\top Y\|"
        r" + O(\lambda_k^2\lambda_{\mathrm{map}}^{-2}), \quad \kappa = 1 - "
        r"2\lambda_k(1+\lambda_{\mathrm{map}}^{-1}), \quad "
        r"\lambda_k \le C\lambda_{\mathrm{map}}(1-\varepsilon)/(2(1+\lambda_{\mathrm{map}}^{-1})n)",
        Theorem(printed_kappa, printed_limit, order=2),
    ),
    amended=Statement(
        r"\|\tilde X_{l+1}^\top\tilde X_{l+1} - G^*\| \le (1-\varepsilon)\|\tilde X_l^\top\tilde X_l - G^*\|, \quad "
        r"l \ge 2,\; X_1^\top X_1 \succeq \lambda_{\mathrm{map}} I: \text{ for } n \text{ samples in each class and }"
        r"\kappa = (1+\lambda_k/(n+\lambda_{\mathrm{map}}))^{-2}, \; G^* = Y^\top Y, \; \lambda_k \le "
        r"(1-\varepsilon)\lambda_{\mathrm{map}};"
        r"\text{ for unequal classes } G^* = \bigoplus_c g_c 1 1^\top, \; \lambda_k \le "
        r"(1-\varepsilon)\lambda_{\mathrm{map}}/2,"
        r"\; \lambda_k/\lambda_{\mathrm{map}} \le \min_c g_cn_c/\max_c g_cn_c",
        AMENDED,
    ),
    near_misses={
        "κ = 1 − 2λ_k/(n+λ_map) with no error term": AMENDED._replace(
            kappa=lambda n, k, m: 1 - 2 * k / (n + m), target="collapsed", unequal=False
        ),
        "κ = 1 − 2λ_k/λ_map with a second-order error": Theorem(
            lambda n, k, m: 1 - 2 * k / m, lambda n, m, eps: m * (1 - eps) / 4, order=2
        ),
        "no scaling, with a second-order error": Theorem(lambda n, k, m: 1 + 0 * k, amended_limit, order=2),
        "amended κ, unequal classes, to YᵀY": AMENDED._replace(target="collapsed"),
        "λ_k ≤ 1.1 (1−ε) λ_map": AMENDED._replace(limit=lambda n, m, eps: 11 * m * (1 - eps) / 10),
        "contraction by (1−ε)²": AMENDED._replace(factor=lambda eps: (1 - eps) ** 2),
    },
    depends_on=["agop.lemma-C1", "agop.lemma-C2", "agop.thm-5.3.eigenstep", "agop.linear-one-step"],
)


@claim.check("derived", blind_to={"amended κ, unequal classes, to YᵀY": "the check is of equal classes"})
def test_fixed_point_and_derivative_there(statement):
    n, m, k, g = sp.symbols("n m k g", positive=True)
    kappa = statement.kappa(n, k, m)
    # On multiples g YᵀY the map is g ↦ κ⁻¹ ((gn+m)/(gn+m+k))². Its fixed point is 1 at k = 0; how does it leave?
    fixed = kappa * g * (g * n + m + k) ** 2 - (g * n + m) ** 2
    at_collapse = {g: 1, k: 0}
    drift = sp.factor(-sp.diff(fixed, k).subs(at_collapse) / sp.diff(fixed, g).subs(at_collapse))
    require(drift == 0, "the fixed point leaves YᵀY at first order in λ_k", d_scale_by_d_lam_k=drift)
    if statement.order is None:
        require(sp.simplify(fixed.subs(g, 1)) == 0, "the fixed point is not YᵀY")
    # The derivative in the coordinates of a class indicator, a direction within that class, another class indicator.
    labels_gram = sp.diag(n, 0, n)
    entries = sp.symbols("e:6")
    E = sp.Matrix(
        [
            [entries[0], entries[1], entries[2]],
            [entries[1], entries[3], entries[4]],
            [entries[2], entries[4], entries[5]],
        ]
    )
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
                require(
                    worst <= statement.factor(eps),
                    "near the fixed point a layer shrinks less",
                    **shown,
                    factor=sp.N(worst, 4),
                )
                library = collapse_fixed_point.contraction_factor(
                    [size] * 2, lam_k=float(at[k]), lam_map=float(lam_map), kappa=float(kappa.subs(at))
                )
                seen = [factor for factor in factors if size > 1 or factor is not factors[1]]
                if statement.order is None:
                    expected = float(max(factor.subs(at) for factor in seen))
                    require(abs(library - expected) < 1e-9 * expected, "contraction_factor differs", **shown)


BLIND_EXACTLY = {
    "λ_k ≤ 1.1 (1−ε) λ_map": "the check starts from class-symmetric data",
    "contraction by (1−ε)²": "the check starts from class-symmetric data",
}


@claim.check("exact", blind_to=BLIND_EXACTLY)
def test_rational_trajectories_from_one_sample_on(statement):
    # Data with Gram matrix λ_map I + YᵀY: every later Gram matrix is block-constant, and its distances are rational.
    eps, m = Fraction(1, 2), Fraction(1)
    for sizes in ([1], [1, 1], [2], [1, 2]):
        if len(set(sizes)) > 1 and (not statement.unequal or statement.target == "fixed point"):
            continue  # the fixed point of unequal classes is irrational
        Y, n = labels.one_hot(sizes), max(sizes)
        needed = []
        for k in (Fraction(1, 100), Fraction(1, 1000), Fraction(1, 10_000)):
            kappa = Fraction(statement.kappa(n, k, m))
            gram = [[Fraction(int(entry)) for entry in row] for row in Y.T @ Y]
            errors = []
            for _ in range(4):
                gram = exact(gram, Y, k, m, kappa)
                errors.append(distance(gram, sizes))
            excess = max(after - (1 - eps) * before for before, after in pairwise(errors))
            shown = {
                "sizes": sizes,
                "X1": "√2" if sizes == [1] else "λ_map I + YᵀY",
                "lam_map": m,
                "lam_k": k,
                "eps": eps,
            }
            if statement.order is None:
                require(
                    excess <= 0,
                    "a layer shrinks the distance less",
                    **shown,
                    errors=[f"{float(e):.3g}" for e in errors],
                )
            needed.append(float(excess / (k / m) ** (statement.order or 0)))
        growth = [f"{constant:.3g}" for constant in needed]
        require(
            needed[2] < 20 * max(needed[0], 0) or needed[2] <= 0,
            "the constant of the error term grows without bound as λ_k falls",
            **shown,
            constants=growth,
        )


def exact(gram, Y, k, m, kappa):
    return collapse_map.exact_step(gram, Y, lam_k=k, lam_map=m, kappa=kappa)


def distance(gram, sizes):
    """The spectral distance of a block-constant Gram matrix, zero between classes, from YᵀY."""
    first, scales = 0, []
    for size in sizes:
        scales.append(abs(gram[first][first] - 1) * size)
        first += size
    return max(scales)


def errors_by_layer(statement, sizes, k, m, data_gram, layers):
    """Spectral distances from the target of the Gram matrices of layers 2, 3, …"""
    Y = labels.one_hot(sizes)
    kappa = float(statement.kappa(max(sizes), k, m))
    assume(kappa > 0)
    target = (
        collapse_fixed_point.fixed_point(Y, lam_k=k, lam_map=m, kappa=kappa)
        if statement.target == "fixed point"
        else Y.T @ Y
    )
    grams = collapse_map.iterate(data_gram, Y, lam_k=k, lam_map=m, kappa=kappa, layers=layers)
    return np.array([np.linalg.norm(gram - target, 2) for gram in grams])


def largest_lam_k(statement, sizes, m, eps):
    """The end of the stated range; for unequal classes half of it, cut down until their further condition is met."""
    k = float(statement.limit(max(sizes), m, eps))
    if len(set(sizes)) == 1:
        return k
    k /= 2
    while True:
        kappa = float(statement.kappa(max(sizes), k, m))
        occupied = sizes * collapse_fixed_point.fixed_point_scales(sizes, lam_k=k, lam_map=m, kappa=kappa)
        if k / m <= occupied.min() / occupied.max():
            return k
        k *= 0.9


@claim.check("exact", blind_to={"amended κ, unequal classes, to YᵀY": "the certificate is of equal classes"})
def test_certificate_of_the_range(statement):
    # theory.deep_rfm.collapse_convergence: for κ = (1 + k/(n+m))⁻² and k ≤ m a later layer's factor is at most k/m.
    n, m, k = sp.symbols("n m k", positive=True)
    departure = sp.simplify(statement.kappa(n, k, m) * (1 + k / (n + m)) ** 2 - 1)
    require(departure == 0, "YᵀY is not a fixed point", kappa_over_the_right_one_minus_1=departure)
    for eps in (Fraction(1, 100), Fraction(1, 2), Fraction(99, 100)):
        largest = statement.limit(1, Fraction(1), eps)
        shown = {"eps": eps, "lam_k_over_lam_map": largest, "stated_factor": statement.factor(eps)}
        require(
            largest <= 1 and largest <= statement.factor(eps), "beyond what is certified, and false (near YᵀY)", **shown
        )
    for certificate in collapse_convergence.certificates():
        require(certificate.verify(), "the certificate fails", inequality=certificate.statement)


@claim.check("property")
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.sampled_from([0.9, 0.5, 0.1, 0.99]),
    st.floats(-2, 2),
    st.sampled_from([1.0, 0.3, 0.03]),
    st.integers(0, 2**32 - 1),
)
@example(sizes=[4], eps=0.99, log_lam_map=-2.0, share=1.0, seed=0)  # where the range ends for many samples
def test_random_data(statement, sizes, eps, log_lam_map, share, seed):
    if not statement.unequal:
        sizes = sizes[:1] * len(sizes)
    m, rng, N = 10.0**log_lam_map, np.random.default_rng(seed), sum(sizes)
    features = rng.standard_normal((N, rng.integers(1, N + 1))) * 10 ** rng.uniform(-2, 1)
    data_gram = m * np.eye(N) + features @ features.T
    k, factor = share * largest_lam_k(statement, sizes, m, eps), statement.factor(eps)
    rounding = 1e-13 * (1 + max(sizes)) * (1 + 1 / m)
    if statement.order is None:
        errors = errors_by_layer(statement, sizes, k, m, data_gram, layers=6)
        worst = int(np.argmax(errors[1:] - factor * errors[:-1]))
        require(
            errors[worst + 1] <= factor * errors[worst] + rounding,
            "a layer shrinks the distance less",
            **{
                "sizes": sizes,
                "lam_map": m,
                "lam_k": k,
                "eps": eps,
                "layer": worst + 2,
                "errors": errors[worst : worst + 2],
            },
        )
        return
    needed = []
    for lam_k in (k / 10, k / 1000):
        errors = errors_by_layer(statement, sizes, lam_k, m, data_gram, layers=12)
        needed.append(float(np.max(errors[1:] - factor * errors[:-1]) - rounding) / (lam_k / m) ** statement.order)
    bounded = (
        needed[1] <= 0 or needed[1] < 20 * needed[0]
    )  # of the right order it tends to a limit; of order one it is × 100
    require(
        bounded,
        "the constant of the error term grows without bound as λ_k falls",
        sizes=sizes,
        lam_map=m,
        lam_k=(k / 10, k / 1000),
        eps=eps,
        constants=needed,
    )


@claim.check(
    "simulated",
    blind_to={
        "contraction by (1−ε)²": "at ε = 1/2 this example converges faster",
        "λ_k ≤ 1.1 (1−ε) λ_map": "at ε = 1/2 this example converges faster",
    },
)
def test_layers_built_from_features(statement):
    # The layers themselves: predictor, its Jacobian by automatic differentiation, M^{1/2}, rescaling, and a feature map
    # that adds λ_map I to the Gram matrix. Deterministic but for the data; rounding is far below the margins.
    torch.manual_seed(0)
    sizes, m, eps = ([2, 5, 3] if statement.unequal else [4, 4, 4]), 1.0, 0.5
    Y_array = labels.one_hot(sizes)
    Y = torch.from_numpy(Y_array)
    N = Y.shape[1]
    data = torch.randn(20, N, dtype=torch.float64)
    data = data @ torch.linalg.inv(torch.linalg.cholesky(data.T @ data)).T  # orthonormal columns
    data = data * (1 + torch.rand(N, dtype=torch.float64))  # smallest eigenvalue of the Gram matrix at least 1
    needed = []
    for share in (0.4, 0.004):
        k = share * largest_lam_k(statement, sizes, m, eps)
        kappa = float(statement.kappa(max(sizes), k, m))
        target = Y.T @ Y
        if statement.target == "fixed point":
            target = torch.from_numpy(collapse_fixed_point.fixed_point(Y_array, lam_k=k, lam_map=m, kappa=kappa))
        X, errors = data, []
        for _ in range(10):
            mapped = agop_root(X, Y, k) @ X / kappa**0.5
            errors.append(float(torch.linalg.matrix_norm(mapped.T @ mapped - target, 2)))
            X = torch.cat([mapped, m**0.5 * torch.eye(N, dtype=torch.float64)])
        excess = max(after - statement.factor(eps) * before for before, after in pairwise(errors))
        if statement.order is None:
            require(excess < 1e-12, "a layer shrinks the distance less", lam_k=k, errors=errors)
        needed.append((excess - 1e-12) / (k / m) ** (statement.order or 0))
    require(
        needed[1] <= 0 or needed[1] < 20 * needed[0],
        "the constant of the error term grows as λ_k falls",
        constants=needed,
    )


def agop_root(X, Y, k):
    """The square root of the mean outer product of the predictor's gradients at the samples."""
    coefficients = Y @ torch.linalg.inv(X.T @ X + k * torch.eye(X.shape[1], dtype=X.dtype))

    def predictor(x):
        return coefficients @ (X.T @ x)  # the kernel's linear part; the perturbation acts between equal samples only

    jacobians = torch.func.vmap(torch.func.jacrev(predictor))(X.T)
    M = torch.einsum("icd,ice->de", jacobians, jacobians) / X.shape[1]
    values, vectors = torch.linalg.eigh(M)
    return vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T
