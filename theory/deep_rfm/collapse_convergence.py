r"""The convergence theorem of the linearised Deep RFM for classes of equal size, with its certificate.

Notation of `theory.deep_rfm.collapse_map`, with n samples in each class and :math:`\kappa = (1+\frac{k}{n+m})^{-2}`; k = λ_k, m = λ_map.

**Theorem.** If :math:`k \le m` and the data's Gram matrix has no eigenvalue below m, then for every layer l ≥ 2

.. math:: \lVert\tilde X_{l+1}^\top\tilde X_{l+1} - Y^\top Y\rVert \le \frac{k}{m}\,\lVert\tilde X_l^\top\tilde X_l - Y^\top Y\rVert .

*Proof.* Divide Gram matrices by n and write x = k/m, c = (m+k)/n, :math:`\vartheta = \frac{x}{1+x+c}`, P for the projection
:math:`Y^\top Y/n`, of rank K. Let H be the Gram matrix of layer l over n: :math:`H = s^{-2} S P S` with S between
:math:`\frac{1}{1+x}` and 1 and :math:`s = \frac{1+x+c}{(1+x)(1+c)}`, so that its rank is K. Let Π project on its range, where its
eigenvalues are 1 + δ, and write E = H − P, e = ‖E‖, σ₀ = ‖(1−Π)P‖.

1. One layer makes of H the matrix :math:`MPM`, :math:`M = 1+\vartheta J`, :math:`J = (1+c)H(H+c)^{-1} - 1`, which is −1 off the range of H and
   :math:`j = \frac{c\delta}{1+c+\delta}` on it. In blocks of Π and 1 − Π, with :math:`\Sigma = \Pi(1-P)\Pi = E_{00} - \delta`,

   .. math::
       MPM - P = \vartheta\begin{pmatrix}
           2j + \vartheta j^2 - j\Sigma - \Sigma j - \vartheta j\Sigma j & (1-(1-\vartheta)j)E_{01} \\
           \cdot & (2-\vartheta)E_{11} \end{pmatrix}.

2. σ₀ ≤ e and σ₀ ≤ σ = x/(2+x), the sine of the largest angle by which a matrix of condition 1 + x turns a vector;
   ‖E₀₁‖ ≤ σ₀, ‖E₁₁‖ = ‖Σ‖ = σ₀². By Weyl |δ| ≤ e, and δ lies between −d₋ and d₊, for
   :math:`1-d_- = (\frac{1+c}{1+c+x})^2`, :math:`1+d_+ = (1+\frac{xc}{1+x+c})^2`. Hence |j| ≤ γ|δ|, γ = c/(1+c−d₋).
3. With t = 2c/(1+c), :math:`\lVert tE + (1-t)(E_{01}+E_{10})\rVert \le e` for t ≤ 1 and :math:`\lVert E + (t-1)E_{00}\rVert \le te` for t ≥ 1, since
   cutting blocks out does not raise the norm. What the matrix of step 1 differs by is at most ϑe times

   .. math::
       \max(T_{00}, T_{11}) + (1-\vartheta)\gamma\sigma, \qquad
       T_{00} = \frac{2cd}{(1+c)(1+c-d_-)} + t\sigma + \vartheta\gamma^2d(1+\sigma^2) + 2\gamma\sigma^2,

   :math:`T_{11} = (2-\vartheta-\min(t,1))\sigma`, d = max(d₋, d₊).
4. So the layer's factor is at most ϑ(max(1, t) + max(T₀₀, T₁₁) + (1−ϑ)γσ), which is at most x for 0 < x ≤ 1 and c > 0: `certificates`.

The constant is best possible: the factor ϑ is attained in the limit of small distances, and tends to x/(1+x) as n → ∞.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

from theory.certificate import ShiftCertificate

__all__ = ["certificates", "layer_factor"]


def layer_factor(x: Any, c: Any, *, many_samples: bool, block: str, d: str = "below") -> Any:
    r"""The bound of step 4 on a layer's factor, over ϑ, from which pieces the caller picks.

    Parameters
    ----------
    x, c : float, Fraction or SymPy expression
        λ_k/λ_map and (λ_map+λ_k)/n.
    many_samples : bool
        Whether c ≤ 1, which decides the larger of 1 and t.
    block : {"range", "rest"}
        Whether T₀₀ or T₁₁ is the larger.
    d : {"below", "above"}
        Whether d₋ or d₊ is the larger; matters for T₀₀ only.

    Examples
    --------
    >>> x, c = Fraction(1, 2), Fraction(1, 4)
    >>> factors = [layer_factor(x, c, many_samples=True, block=block) for block in ("range", "rest")]
    >>> [round(float(factor * x / (1 + x + c)), 3) for factor in factors]  # below x
    [0.408, 0.374]
    """
    theta, t, sigma = x / (1 + x + c), 2 * c / (1 + c), x / (2 + x)
    smallest = ((1 + c) / (1 + c + x)) ** 2
    spread = 1 - smallest if d == "below" else (1 + x * c / (1 + x + c)) ** 2 - 1
    gamma = c / (c + smallest)
    if block == "range":
        own = 2 * c * spread / ((1 + c) * (c + smallest)) + t * sigma
        own += theta * gamma**2 * spread * (1 + sigma**2) + 2 * gamma * sigma**2
    else:
        own = (2 - theta - (t if many_samples else 1)) * sigma
    return (1 if many_samples else t) + own + (1 - theta) * gamma * sigma


@cache
def certificates() -> tuple[ShiftCertificate, ...]:
    r"""That the bound of step 4 is at most x for all 0 < x ≤ 1 and c > 0, as polynomials without a negative coefficient.

    The inequality is :math:`1 + x + c - \text{layer\_factor} \ge 0`. With x = 1/(1+u), and c = v/(1+v) for c ≤ 1, c = 1 + v for c ≥ 1, numerator and
    denominator are polynomials in u, v ≥ 0.

    Returns
    -------
    tuple of ShiftCertificate
        Numerators and denominators, two for each combination of pieces.

    Examples
    --------
    >>> all(certificate.verify() for certificate in certificates())
    True
    """
    import sympy as sp

    u, v = sp.symbols("u v")
    found = []
    for many_samples, c, region in ((True, v / (1 + v), "c ≤ 1"), (False, 1 + v, "c ≥ 1")):
        for block, d in (("range", "below"), ("range", "above"), ("rest", "below")):
            x = 1 / (1 + u)
            slack = 1 + x + c - layer_factor(x, c, many_samples=many_samples, block=block, d=d)
            for name, part in zip(
                ("numerator", "denominator"), sp.fraction(sp.cancel(sp.together(slack))), strict=True
            ):
                terms = sp.Poly(part, u, v).terms()
                coefficients = {powers: Fraction(int(term.p), int(term.q)) for powers, term in terms}
                statement = f"1 + x + c − factor/ϑ ≥ 0, {region}, {block}, d {d}: {name}"
                found.append(ShiftCertificate(statement, ("u", "v"), coefficients, (0, 0)))
    return tuple(found)
