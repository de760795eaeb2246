r"""How far collapse can fail with ReLU_ε, a continuously differentiable stand-in for the ReLU (lowrank, Theorem 8).

`ReLUEpsilon` is a family of them. Here are the steps of a bound on the distance of two features of a class, for
networks of matrices with ‖W_l‖ ≤ ω_l. Let d_l be the width of layer l.

1. `output_gap`: replacing σ by σ_ε moves an output by at most E = ε Σ_{l=2}^L √d_l ω_l ⋯ ω_L.
2. `fit_gap`: where the residual of either is at most 1, the fits ‖·‖²/(2K) differ by at most δ = E(2+E)/(2K).
3. `minimiser_gap`: if g is m-strongly convex and |f − g| ≤ δ at both minimisers, these are at most 2√(δ/m) apart; so
   any two minimisers of f are within 4√(δ/m).
4. `feature_gap`: on a ray the ReLU network's fit is a convex quadratic, and weight decay on the features adds m =
   nλ_H1; each layer stretches the distance by at most B ω_l, where B bounds σ_ε'.

At a global minimum every term of the regularisation is at most the loss ½ of the zero network, so ω_l = λ_Wl^{−1/2}.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod, sqrt

from theory.arguments import IntegerLike, RealLike, check_instance, check_integer, check_real, check_sequence
from theory.foreign import entries
from theory.overflow import within_floats
from theory.ufm._activations import ReLUEpsilon
from theory.wording import wrong_type

__all__ = ["feature_gap", "fit_gap", "minimiser_gap", "output_gap"]


@within_floats
def output_gap(epsilon: RealLike, widths: Sequence[IntegerLike], norms: Sequence[RealLike]) -> float:
    r"""How far outputs move if σ_ε replaces the ReLU: ε Σ_{l=2}^L √d_l ω_l ⋯ ω_L.

    Parameters
    ----------
    epsilon : float
        Positive. σ_ε is off by at most ε: both it and the ReLU increase from 0 to ε on [0, ε].
    widths : sequence of L−1 ints
        d_2, …, d_L, the sizes of the layers with a non-linearity.
    norms : sequence of L−1 floats
        Bounds of the operator norms of W_2, …, W_L, positive.

    Returns
    -------
    float
        A bound of the Euclidean norm of the difference, for one and the same input.

    Raises
    ------
    ValueError
        If the lengths differ or a value is out of range.
    TypeError
        If a value is of a wrong type.

    Notes
    -----
    With e_l the gap after the non-linearity of layer l, e_2 ≤ ε√d_2 and e_{l+1} ≤ ω_l e_l + ε√d_{l+1}, as the ReLU is
    1-Lipschitz. The output is W_L times that.

    Examples
    --------
    >>> output_gap(0.1, [4, 4], [2.0, 3.0])
    1.8
    """
    epsilon = check_real("epsilon", epsilon, above=0)
    sizes = _widths(widths)
    bounds = check_sequence("norms", norms, lambda name, norm: check_real(name, norm, above=0)) if sizes else []
    if len(sizes) != len(bounds):
        raise ValueError(f"{len(sizes)} widths and {len(bounds)} norms; there must be as many of either")
    gap = 0.0
    for width, norm in zip(sizes, bounds, strict=True):
        gap = norm * (gap + epsilon * sqrt(width))
    return gap


@within_floats
def fit_gap(gap: RealLike, K: IntegerLike) -> float:
    r"""How far the fit moves: E(2+E)/(2K) where the outputs differ by E and either residual is at most 1.

    Parameters
    ----------
    gap : float
        E, non-negative.
    K : int
        Number of classes.

    Returns
    -------
    float
        A bound of |‖a‖² − ‖b‖²|/(2K) if ‖a − b‖ ≤ E and min(‖a‖, ‖b‖) ≤ 1.

    Raises
    ------
    ValueError
        If E is negative or K < 1.
    TypeError
        If a value is of a wrong type.

    Notes
    -----
    The factors are ‖a‖ − ‖b‖ ≤ E and ‖a‖ + ‖b‖ ≤ 2 + E. The square of E alone is no bound.

    Examples
    --------
    >>> fit_gap(1.0, 3)
    0.5
    """
    gap = check_real("gap", gap, at_least=0)
    return gap * (2 + gap) / (2 * check_integer("K", K, at_least=1))


@within_floats
def minimiser_gap(delta: RealLike, convexity: RealLike) -> float:
    r"""How far minimisers of f and g are apart if g is m-strongly convex and |f − g| ≤ δ at both: 2√(δ/m).

    Parameters
    ----------
    delta : float
        δ ≥ 0.
    convexity : float
        m > 0; g'' ≥ m.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If δ is negative or m is not positive.
    TypeError
        If a value is of a wrong type.

    Notes
    -----
    With x and y the minimisers of f and g: (m/2)|x − y|² ≤ g(x) − g(y) ≤ f(x) + δ − f(y) + δ ≤ 2δ.
    Equality for g = mx²/2 and functions like f = max(g − δ, δ): no smaller constant will do.

    Examples
    --------
    >>> minimiser_gap(0.5, 2.0)
    1.0
    """
    delta = check_real("delta", delta, at_least=0)
    return 2 * sqrt(delta / check_real("convexity", convexity, above=0))


def _widths(widths: Sequence[IntegerLike]) -> list[int]:
    several = entries(widths)
    if several is None:
        raise wrong_type("widths", widths, "widths must be a sequence of integers")
    return [check_integer(f"widths[{i}]", width, at_least=1) for i, width in enumerate(several)]


@within_floats
def feature_gap(
    layer: IntegerLike,
    K: IntegerLike,
    lams: Sequence[RealLike],
    widths: Sequence[IntegerLike],
    activation: ReLUEpsilon,
    n: IntegerLike = 1,
) -> float:
    r"""A bound on the distance of two features of the same class at a global minimum of the L-DUFM with σ_ε.

    $$
    \lVert h-h'\rVert
    \le 4\sqrt{\frac{E(2+E)}{2Kn\lambda_{H_1}}}\;\prod_{j=1}^{l-1}\frac{B}{\sqrt{\lambda_{W_j}}},\qquad
    E = \varepsilon\sum_{k=2}^L\sqrt{d_k}\prod_{j=k}^L\lambda_{W_j}^{-1/2}
    $$

    Parameters
    ----------
    layer : int
        l = 1, …, L: the columns of H_l are compared.
    K : int
        Number of classes.
    lams : sequence of L+1 floats
        (λ_H1, λ_W1, …, λ_WL), positive.
    widths : sequence of L−1 ints
        d_2, …, d_L.
    activation : ReLUEpsilon
    n : int
        Samples per class.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If lengths do not fit or a value is out of range.
    TypeError
        If a value is of a wrong type.

    Notes
    -----
    The route of the paper's proof, with the constants kept. Two features h, h' of a class at a global
    minimum lie on one ray, and both minimise the same f on it. The bound is of order √ε, and far from sharp: as σ_ε
    is differentiable, the conditions g hᵀ = g' h'ᵀ and W_1ᵀ g = −nλ_H1 h, which hold for both features and the
    gradients g, g' at W_1h, W_1h', leave h' = ±h only, and h' = −h is impossible. Global minima collapse exactly, in
    all layers.

    References
    ----------
    lowrank, Theorem 8 and its proof (Appendix A.2).

    Examples
    --------
    >>> bounds = [feature_gap(1, 2, [0.1] * 3, [4], ReLUEpsilon(10.0**-k)) for k in (4, 6, 8)]
    >>> [round(bound, 4) for bound in bounds]
    [0.225, 0.0225, 0.0022]
    """
    n = check_integer("n", n, at_least=1)
    decay = check_sequence("lams", lams, lambda name, lam: check_real(name, lam, above=0))
    L = len(decay) - 1
    check_instance("activation", activation, ReLUEpsilon)
    sizes = _widths(widths)
    if L < 1 or len(sizes) != L - 1:
        raise ValueError(f"{len(decay)} lams and {len(sizes)} widths; for L layers there must be L+1 and L−1")
    layer = check_integer("layer", layer, at_least=1, at_most=L)
    norms = [1 / sqrt(lam) for lam in decay[1:]]
    delta = fit_gap(output_gap(activation.epsilon, widths, norms[1:]), K)
    stretch = prod(activation.slope * norm for norm in norms[: layer - 1])
    return 2 * minimiser_gap(delta, n * decay[0]) * stretch
