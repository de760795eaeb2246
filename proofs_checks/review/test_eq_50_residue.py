r"""The residue of the linearised drift of the logits (review, after equation 50).

For logits f of class k with $γ_j = f_k - f_j ≥ γ ≥ 0$, $q = \sum_{j\ne k}σ_j$ and $s = \sum σ_jγ_j$, the residue
$ρ = e_k - σ + (\mathrm{diag}\,σ - σσ^\top)f$ has the entries $ρ_k = q + (1-q)s$ and $ρ_j = σ_j(s - 1 - γ_j)$, so that
$\|ρ\|_1 \le 2(q + s) \le 2\sum_j(1+γ_j)e^{-γ_j} \le 2(K-1)(1+γ)e^{-γ}$, for $σ_j \le e^{-γ_j}$ and (1 + x)e^{−x}
falls. At equal margins the ratio of the two tends to 1. The errors themselves are of order $e^{-γ}$, so that the
residue is larger than the drift by a factor of about γ: it vanishes, but is not small in comparison.
"""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, UpperBound, require_at_most, require_close, require_equal


class Residue(NamedTuple):
    """A bound on the ℓ₁ norm of the residue of a class by the margin γ ≥ 0."""

    bound: Annotated[Callable[[Any, Any], Any], UpperBound]  # of K and γ


true = Residue(lambda K, g: 2 * (K - 1) * (1 + g) * sp.exp(-g))

claim = Claim(
    id="review.eq-50.residue",
    title="The residue vanishes as the margin grows",
    source="review, Section 3.2.4, after equation 50",
    verdict="holds",
    depends_on=["review.eq-50"],
    printed=Statement(
        r"\rho_k = e_k - \sigma(\bar f_k) - \nabla r_k\,\bar f_k \to 0 \text{ around convergence (read: as the margins "
        r"grow; for margins at least } \gamma \ge 0 \text{ it is } \|\rho_k\|_1 \le 2(K-1)(1+\gamma)e^{-\gamma} "
        r"\text{, for equal margins with ratio} \to 1)",
        true,
    ),
    near_misses={
        "without γ": Residue(lambda K, g: 2 * (K - 1) * sp.exp(-g)),
        "half": Residue(lambda K, g: (K - 1) * (1 + g) * sp.exp(-g)),
        "of order e^{−2γ}": Residue(lambda K, g: 2 * (K - 1) * (1 + g) * sp.exp(-2 * g)),
        "without K − 1": Residue(lambda K, g: 2 * (1 + g) * sp.exp(-g)),
    },
)


@claim.check("derived", covers="all")
def test_bound(statement):
    K, g = sp.Symbol("K", integer=True, positive=True), sp.Symbol("gamma", nonnegative=True)
    # One term (1 + x)e^{−x} falls for x ≥ 0, so that all K − 1 are at most their value at γ.
    slope = sp.simplify(sp.diff((1 + g) * sp.exp(-g), g) * sp.exp(g))
    require_equal(slope, -g, "does not fall")
    # With f_k = 0, f_j = −γ_j: ⟨σ, f⟩ = −s. The entries from the definition:
    p, own, s = sp.symbols("p gamma_j s")  # σ of the entry
    require_equal(sp.expand(-p + p * (-own + s) - p * (s - 1 - own)), 0, "another entry of another class")
    require_equal(sp.expand(1 - p + p * (0 + s) - ((1 - p) + (1 - (1 - p)) * s)), 0, "another entry of the class")
    # ‖ρ‖₁ = q + (1−q)s + Σ σ_j|s − 1 − γ_j| ≤ q + (1−q)s + q s + q + s = 2(q + s)
    q, s = sp.symbols("q s")
    require_equal(sp.expand(q + (1 - q) * s + q * s + q + s - 2 * (q + s)), 0, "another sum")
    gap = sp.simplify((statement.bound(K, g) - 2 * (K - 1) * (1 + g) * sp.exp(-g)) * sp.exp(g))
    require_equal(gap, 0, "not the bound")
    # Equal margins: σ_j = e^{−γ}/(1 + (K−1)e^{−γ}), ‖ρ‖₁ = 2(q + (1−q)s), s = qγ, for s < 1 + γ.
    for k in (2, 3, 7):
        q = (k - 1) * sp.exp(-g) / (1 + (k - 1) * sp.exp(-g))
        ratio = 2 * (q + (1 - q) * q * g) / statement.bound(sp.Integer(k), g)
        require_equal(sp.limit(ratio, g, sp.oo), 1, "the ratio tends to another number", K=k)


def residue(f):
    """The residue of class 0, from its definition."""
    p = np.exp(f - f.max())
    p /= p.sum()
    return np.eye(len(f))[0] - p + (np.diag(p) - np.outer(p, p)) @ f


@claim.check("property", covers=Instances("K ≤ 6, margins to 30 above γ ≤ 12, shifted logits, 50 drawn"))
@example(K=3, gamma=12.0, equal=True, seed=0)
@example(K=2, gamma=12.0, equal=True, seed=0)
@given(K=st.integers(2, 6), gamma=st.floats(0, 12), equal=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_logits(statement, K, gamma, equal, seed):
    rng = np.random.default_rng(seed)
    f = -gamma - (0 if equal else 1) * rng.exponential(3, size=K)
    f[0] = 0
    f += rng.normal()
    found, bound = np.abs(residue(f)).sum(), float(statement.bound(sp.Integer(K), sp.Float(gamma)))
    require_at_most(found, bound * (1 + 1e-9) + 1e-13, "above the bound", K=K, gamma=gamma)
    if equal and gamma >= 12:
        require_close(found / bound, 1, "not of this order", rtol=1e-3, K=K, gamma=gamma)
