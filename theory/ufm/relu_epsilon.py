r"""ReLU_ε: continuously differentiable stand-ins for the ReLU, and how far collapse can fail with them (lowrank, Theorem 8).

`ReLUEpsilon` is a family of them, one for every exponent p ≥ 2, of which p = 2 is the cubic:

.. math::
    \sigma_\varepsilon(x) = \varepsilon\,u^p\,(p - (p-1)u), \qquad u = x/\varepsilon \in [0, 1],

with the ReLU itself outside [0, ε]. Large p come as far from the ReLU as the definition allows, up to ε.

The rest are the steps of a bound on the distance of two features of a class, for networks of matrices with
:math:`\lVert W_l\rVert \le \omega_l`. Let :math:`d_l` be the width of layer l.

1. `output_gap`: replacing σ by σ_ε moves an output by at most
   :math:`E = \varepsilon\sum_{l=2}^L\sqrt{d_l}\,\omega_l\cdots\omega_L`.
2. `fit_gap`: where the residual of either is at most 1, the fits :math:`\frac1{2K}\lVert\cdot\rVert^2` differ by at most
   :math:`\delta = E(2+E)/(2K)`.
3. `minimiser_gap`: if g is m-strongly convex and :math:`|f-g|\le\delta` at both minimisers, these are at most
   :math:`2\sqrt{\delta/m}` apart; so any two minimisers of f are within :math:`4\sqrt{\delta/m}`.
4. `feature_gap`: on a ray the ReLU network's fit is a convex quadratic, and weight decay on the features adds
   :math:`m = n\lambda_{H_1}`; each layer stretches the distance by at most :math:`B\,\omega_l`, where B bounds σ_ε'.

At a global minimum every term of the regularisation is at most the loss ½ of the zero network, so
:math:`\omega_l = \lambda_{W_l}^{-1/2}`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod, sqrt

from theory.arguments import check_integer, check_real
from theory.ufm._activations import ReLUEpsilon

__all__ = ["feature_gap", "fit_gap", "minimiser_gap", "output_gap"]


def output_gap(epsilon: float, widths: Sequence[int], norms: Sequence[float]) -> float:
    r"""How far outputs move if σ_ε replaces the ReLU: :math:`\varepsilon\sum_{l=2}^L\sqrt{d_l}\,\omega_l\cdots\omega_L`.

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

    Notes
    -----
    With e_l the gap after the non-linearity of layer l, :math:`e_2 \le \varepsilon\sqrt{d_2}` and
    :math:`e_{l+1} \le \omega_l e_l + \varepsilon\sqrt{d_{l+1}}`, as the ReLU is 1-Lipschitz. The output is W_L times that.

    Examples
    --------
    >>> output_gap(0.1, [4, 4], [2.0, 3.0])
    1.8
    """
    check_real("epsilon", epsilon, above=0)
    if len(widths) != len(norms):
        raise ValueError(f"{len(widths)} widths and {len(norms)} norms; there must be as many of either")
    gap = 0.0
    for width, norm in zip(widths, norms, strict=True):
        check_integer("widths", width, at_least=1)
        check_real("norms", norm, above=0)
        gap = norm * (gap + epsilon * sqrt(width))
    return gap


def fit_gap(gap: float, K: int) -> float:
    r"""How far the fit moves: :math:`E(2+E)/(2K)` where the outputs differ by E and either residual is at most 1.

    Parameters
    ----------
    gap : float
        E, non-negative.
    K : int
        Number of classes.

    Returns
    -------
    float
        A bound of :math:`\frac1{2K}\bigl|\lVert a\rVert^2-\lVert b\rVert^2\bigr|` if :math:`\lVert a-b\rVert\le E` and
        :math:`\min(\lVert a\rVert,\lVert b\rVert)\le1`.

    Raises
    ------
    ValueError
        If E is negative or K < 1.

    Notes
    -----
    The factors are :math:`\lVert a\rVert-\lVert b\rVert \le E` and :math:`\lVert a\rVert+\lVert b\rVert \le 2+E`. The square of E
    alone is no bound.

    Examples
    --------
    >>> fit_gap(1.0, 3)
    0.5
    """
    check_real("gap", gap, at_least=0)
    return gap * (2 + gap) / (2 * check_integer("K", K, at_least=1))


def minimiser_gap(delta: float, convexity: float) -> float:
    r"""How far minimisers of f and g are apart if g is strongly convex and :math:`|f-g|\le\delta` there: :math:`2\sqrt{\delta/m}`.

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

    Notes
    -----
    With x and y the minimisers of f and g: :math:`\frac m2|x-y|^2 \le g(x)-g(y) \le f(x)+\delta-f(y)+\delta \le 2\delta`. Equality for
    :math:`g = \frac m2 x^2` and :math:`f = \max(g-\delta, \delta)`-like functions: no smaller constant will do.

    Examples
    --------
    >>> minimiser_gap(0.5, 2.0)
    1.0
    """
    check_real("delta", delta, at_least=0)
    check_real("convexity", convexity, above=0)
    return 2 * sqrt(delta / convexity)


def feature_gap(
    layer: int, K: int, lams: Sequence[float], widths: Sequence[int], activation: ReLUEpsilon, n: int = 1
) -> float:
    r"""A bound on the distance of two features of the same class at a global minimum of the L-DUFM with σ_ε.

    .. math::
        \lVert h-h'\rVert \le 4\sqrt{\frac{E(2+E)}{2Kn\lambda_{H_1}}}\;\prod_{j=1}^{l-1}\frac{B}{\sqrt{\lambda_{W_j}}},\qquad
        E = \varepsilon\sum_{k=2}^L\sqrt{d_k}\prod_{j=k}^L\lambda_{W_j}^{-1/2}

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

    Notes
    -----
    The route of the paper's proof, with the constants kept. Two features h, h' of a class at a global minimum lie on one ray,
    and both minimise the same f on it. The bound is of order √ε, and far from sharp: as σ_ε is differentiable, the conditions
    :math:`gh^\top = g'h'^\top` and :math:`W_1^\top g = -n\lambda_{H_1}h`, which hold for both features and the gradients g, g' at
    :math:`W_1h, W_1h'`, leave h' = ±h only, and h' = −h is impossible. Global minima collapse exactly, in all layers.

    References
    ----------
    lowrank, Theorem 8 and its proof (Appendix A.2).

    Examples
    --------
    >>> bounds = [feature_gap(1, 2, [0.1] * 3, [4], ReLUEpsilon(10.0**-k)) for k in (4, 6, 8)]
    >>> [round(bound, 4) for bound in bounds]
    [0.225, 0.0225, 0.0022]
    """
    L = len(lams) - 1
    n = check_integer("n", n, at_least=1)
    if len(widths) != L - 1 or L < 1:
        raise ValueError(f"{len(lams)} lams and {len(widths)} widths; for L layers there must be L+1 and L−1")
    for index, lam in enumerate(lams):
        check_real(f"lams[{index}]", lam, above=0)
    if check_integer("layer", layer, at_least=1) > L:
        raise ValueError(f"layer = {layer}; layer must be at most L = {L}")
    norms = [1 / sqrt(lam) for lam in lams[1:]]
    delta = fit_gap(output_gap(activation.epsilon, widths, norms[1:]), K)
    stretch = prod(activation.slope * norm for norm in norms[: layer - 1])
    return 2 * minimiser_gap(delta, n * lams[0]) * stretch
