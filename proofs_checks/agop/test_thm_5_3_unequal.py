r"""Deep RFM and neural collapse with classes of unequal size (agop, Theorem 5.3 with Section 3.1).

Section 3.1 says that the asymptotic theory holds for classes of unequal size too. Read: Theorem 5.3 as printed, with n
the size of the largest class and YᵀY the block-diagonal matrix of ones. *It is false*, as it is for equal sizes, and no
κ repairs it: on $\bigoplus_c g_c 1 1^\top$ a layer acts class by class, $g_c \mapsto
\kappa^{-1}\bigl(\frac{g_cn_c+\lambda_\mathrm{map}}{g_cn_c+\lambda_\mathrm{map}+\lambda_k}\bigr)^2$, and g = 1 is
a fixed point for one size only.

*Amended.* Let $g_c > 0$ be the largest solution of $\kappa g_c =
\bigl(\frac{g_cn_c+\lambda_\mathrm{map}}{g_cn_c+\lambda_\mathrm{map}+\lambda_k}\bigr)^2$ for each class c of $n_c$
samples, for any κ > 0 (tried: $(1+\lambda_k/(n+\lambda_\mathrm{map}))^{-2}$ with n = max n_c), and $G^* = \bigoplus_c
g_c 1 1^\top$. If $\lambda_k \le \frac{1-\varepsilon}2\lambda_\mathrm{map}$, $\lambda_k/\lambda_\mathrm{map} \le \min_c
g_cn_c/\max_c g_cn_c$ and $X_1^\top X_1 \succeq \lambda_\mathrm{map}I$, every layer l ≥ 2 shrinks the spectral distance
to G* by 1 − ε. So classes collapse, to orthogonal means of different norms.

Both conditions on λ_k are of the proof (docs/deep_rfm_convergence.md), whose bound they keep below 1 − ε; searches find
no violation without them, up to λ_k = λ_map. What is known: they suffice; nothing else is proved.
"""

from collections.abc import Callable
from typing import Annotated, Literal, NamedTuple

import numpy as np
import sympy as sp
import torch
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Fixed, Instances, Statement, UpperBound, require_at_most, require_close, require_equal
from numerics.agop import model_agop
from theory import labels
from theory.deep_rfm import collapse_fixed_point, collapse_map


class Theorem(NamedTuple):
    """The scaling ``kappa(n, k, m)``, the target, the factor of a layer and the first condition, λ_k ≤ range · λ_map.

    ``order`` is the exponent of λ_k/λ_map in the error term, with any constant (None: there is no error term).
    """

    kappa: Annotated[Callable, Fixed] = lambda n, k, m: (1 + k / (n + m)) ** -2  # any κ > 0 has its G*
    target: Literal["fixed point", "collapsed", "scaled to the mean"] = "fixed point"
    factor: Annotated[Callable, UpperBound] = lambda eps: 1 - eps
    order: Annotated[int | None, Fixed] = None


claim = Claim(
    id="agop.thm-5.3.unequal",
    title="Geometric convergence of Deep RFM with classes of unequal size",
    source="agop, Section 3.1 and Theorem 5.3",
    verdict="amended",
    printed=Statement(
        r"\text{Theorem 5.3 for classes of unequal size } n_c: \; \|\tilde X_{l+1}^\top\tilde X_{l+1} - Y^\top Y\| \le "
        r"(1-\varepsilon)\|\tilde X_l^\top\tilde X_l - Y^\top Y\| + O(\lambda_k^2\lambda_{\mathrm{map}}^{-2}), \quad "
        r"\kappa = 1 - 2\lambda_k(1+\lambda_{\mathrm{map}}^{-1})",
        Theorem(kappa=lambda n, k, m: 1 - 2 * k * (1 + 1 / m), target="collapsed", order=2),
        formulas={
            r"1 - 2\lambda_k(1+\lambda_{\mathrm{map}}^{-1})": lambda thm, lam_k, lam_map: thm.kappa(2, lam_k, lam_map),
            r"(1-\varepsilon)": lambda thm, eps: thm.factor(eps),
        },
    ),
    amended=Statement(
        r"\|\tilde X_{l+1}^\top\tilde X_{l+1} - G^*\| \le (1-\varepsilon)\|\tilde X_l^\top\tilde X_l - G^*\|, \; l \ge "
        r"2, \quad G^* = \bigoplus_c g_c 1_{n_c} 1_{n_c}^\top, \; \kappa g_c = "
        r"\Bigl(\frac{g_cn_c+\lambda_{\mathrm{map}}}{g_cn_c+\lambda_{\mathrm{map}}+\lambda_k}\Bigr)^2, "
        r"\; g_c \text{ the largest solution}, \; \text{for any } \kappa > 0; \text{ if } X_1^\top X_1 \succeq "
        r"\lambda_{\mathrm{map}} I, \; \lambda_k \le \tfrac{1-\varepsilon}2\lambda_{\mathrm{map}}, \; "
        r"\lambda_k/\lambda_{\mathrm{map}} \le \min_c g_cn_c/\max_c g_cn_c",
        Theorem(),
        formulas={r"(1-\varepsilon)": lambda thm, eps: thm.factor(eps)},
    ),
    near_misses={
        "to YᵀY": Theorem(target="collapsed"),
        "to YᵀY, with a second-order error": Theorem(target="collapsed", order=2),
        "one scale for all classes": Theorem(target="scaled to the mean"),
        "contraction by (1−ε)³": Theorem(factor=lambda eps: (1 - eps) ** 3),
    },
    depends_on=["agop.thm-5.3"],
)

ABOUT_THE_TARGET = {"contraction by (1−ε)³": "the check is of what a layer leaves as it is"}


def scales(statement, sizes, k, m):
    """The stated g_c, in float64."""
    kappa = float(statement.kappa(max(sizes), k, m))
    fixed = collapse_fixed_point.fixed_point_scales(sizes, lam_k=k, lam_map=m, kappa=kappa)
    if statement.target == "fixed point":
        return fixed
    return np.full(len(sizes), 1.0 if statement.target == "collapsed" else fixed.mean())


def largest_lam_k(sizes, m, eps):
    """The end of the range: half of (1−ε) λ_map, cut down until the further condition is met."""
    k = (1 - eps) * m / 2
    while True:
        kappa = collapse_map.exact_kappa(max(sizes), k, m)
        occupied = sizes * collapse_fixed_point.fixed_point_scales(sizes, lam_k=k, lam_map=m, kappa=kappa)
        if k / m <= occupied.min() / occupied.max():
            return k
        k *= 0.9


@claim.check("derived", covers=Instances("the drift at λ_k = 0, for all sizes and λ_map"), blind_to=ABOUT_THE_TARGET
    | {"one scale for all classes": "the mean of the scales is a number"})  # fmt: skip
def test_one_layer_on_collapsed_data(statement):
    # From the matrix of one layer on ⊕ g_c 1 1ᵀ, sizes 1 and 2: the block of class c, and the drift of its scale.
    m, k, size, other, g = sp.symbols("m k n n_2 g", positive=True)
    Y, gram = sp.Matrix([[1, 0, 0], [0, 1, 1]]), sp.diag(g, g * sp.ones(2, 2))
    smoother = (gram + m * sp.eye(3)) * (gram + (m + k) * sp.eye(3)).inv()
    layer = (smoother * Y.T * Y * smoother).applyfunc(sp.simplify)
    for index, n in ((0, 1), (1, 2)):
        step = ((g * n + m) / (g * n + m + k)) ** 2
        require_equal(sp.simplify(layer[index, index] / step), 1, "κ times a layer's scale", n=n)
    kappa = statement.kappa(size + other, k, m)  # the largest class
    for n in (size, size + other):
        fixed = kappa * g - ((g * n + m) / (g * n + m + k)) ** 2
        drift = sp.simplify(-sp.diff(fixed, k).subs({g: 1, k: 0}) / sp.diff(fixed, g).subs({g: 1, k: 0}))
        stated = drift if statement.target == "fixed point" else sp.Integer(0)
        require_equal(sp.simplify(drift - stated), 0, "the fixed point leaves the target at first order", n=n)


@claim.check(
    "property", covers=Instances("2–4 classes of up to 9 samples, λ_map in [1e-2, 1e2], drawn at random; all data")
)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=4), st.sampled_from([0.9, 0.5, 0.1]), st.floats(-2, 2))
def test_bound_for_all_data(statement, sizes, eps, log_m):
    # The target is fixed, and the proof's bound of a layer, linear + quadratic · e, at the largest distance e that the
    # first layer leaves of any data with a Gram matrix above λ_map I.
    m = 10.0**log_m
    k = largest_lam_k(sizes, m, eps) if statement.order is None else 1e-4 * m
    kappa, g = float(statement.kappa(max(sizes), k, m)), scales(statement, sizes, k, m)
    shown = {"sizes": sizes, "lam_map": m, "lam_k": k, "eps": eps}
    a = g * sizes
    after = ((a + m) / (a + m + k)) ** 2 / kappa
    slack = 1e-10 if statement.order is None else 20 * (k / m) ** statement.order
    require_close(after, g, "a layer moves the target", rtol=slack, **shown)
    bound = collapse_fixed_point.contraction_bound(sizes, lam_k=k, lam_map=m, kappa=kappa)
    largest = a.max() * ((1 + k / m) ** 2 - 1)
    require_at_most(bound.linear / 2, statement.factor(eps), "near the fixed point", **shown)
    require_at_most(bound.linear + bound.quadratic * largest, 1 - eps, "the proof's bound", **shown)


@claim.check("property", covers=Instances("2–4 classes of up to 4 samples, Gaussian data of any rank, six layers"))
@given(
    st.lists(st.integers(1, 4), min_size=2, max_size=4).filter(lambda sizes: len(set(sizes)) > 1),
    st.sampled_from([0.9, 0.5, 0.1]), st.floats(-2, 2), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_random_data(statement, sizes, eps, log_m, seed):
    m, rng, N = 10.0**log_m, np.random.default_rng(seed), sum(sizes)
    features = rng.standard_normal((N, rng.integers(1, N + 1))) * 10 ** rng.uniform(-2, 1)
    k = largest_lam_k(sizes, m, eps) if statement.order is None else 1e-4 * m
    errors = distances(statement, sizes, k, m, m * np.eye(N) + features @ features.T)
    rounding = 1e-13 * (1 + max(sizes)) * (1 + 1 / m)
    slack = rounding + (0 if statement.order is None else 20 * max(sizes) * (k / m) ** statement.order)
    bound = statement.factor(eps) * errors[:-1] + slack
    require_at_most(errors[1:], bound, "a layer shrinks the distance less", sizes=sizes, lam_map=m, lam_k=k, eps=eps)


def distances(statement, sizes, k, m, data_gram):
    """Spectral distances from the target of the Gram matrices of layers 2 to 7."""
    Y, kappa = labels.one_hot(sizes), float(statement.kappa(max(sizes), k, m))
    target = Y.T @ np.diag(scales(statement, sizes, k, m)) @ Y
    if kappa <= 0:
        return np.full(6, np.inf)
    grams = collapse_map.iterate(data_gram, Y, lam_k=k, lam_map=m, kappa=kappa, layers=6)
    return np.array([np.linalg.norm(gram - target, 2) for gram in grams])


@claim.check("simulated", covers=Instances("classes of 2, 5 and 3 samples in 20 dimensions, λ_map = 1, ε = 1/2, 0.9"))
def test_layers_built_from_features(statement):
    # The layers themselves: predictor, its AGOP by automatic differentiation, M^(1/2), scaling, and a feature map that
    # adds λ_map I to the Gram matrix.
    generator, sizes, m = torch.Generator().manual_seed(0), [2, 5, 3], 1.0
    Y = torch.from_numpy(labels.one_hot(sizes))
    data = torch.linalg.qr(torch.randn(20, 10, generator=generator, dtype=torch.float64)).Q * 1.4
    for eps in (0.5, 0.9):
        k = largest_lam_k(sizes, m, eps) if statement.order is None else 1e-4
        kappa = float(statement.kappa(5, k, m))
        target = Y.T @ torch.diag(torch.from_numpy(scales(statement, sizes, k, m))) @ Y
        X, errors = data, []
        for _ in range(10):
            predictor = torch.nn.Linear(len(X), 3, bias=False, dtype=torch.float64)
            with torch.no_grad():
                predictor.weight.copy_(Y @ torch.linalg.inv(X.T @ X + k * torch.eye(10, dtype=X.dtype)) @ X.T)
            values, vectors = torch.linalg.eigh(model_agop(predictor, X.T).detach())
            mapped = vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T @ X / kappa**0.5
            errors.append(float(torch.linalg.matrix_norm(mapped.T @ mapped - target, 2)))
            X = torch.cat([mapped, m**0.5 * torch.eye(10, dtype=torch.float64)])
        slack = 1e-12 + (0 if statement.order is None else 100 * k**statement.order)
        bound = statement.factor(eps) * np.array(errors[:-1]) + slack
        require_at_most(np.array(errors[1:]), bound, "a layer shrinks the distance less", lam_k=k, eps=eps)
