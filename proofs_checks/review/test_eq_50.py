r"""The linearised drift of the logits (review, equation 50).

With $D(F) = Gr(F)$, $r_k = e_k - σ(f_k)$ and G constant, the first line is Taylor's formula, of error
$O(\|\tilde F-\bar F\|^2)$, with $\nabla D = G\nabla r$ and $\nabla r$ of blocks $σσ^\top - \mathrm{diag}\,σ$. The
second line applies G once more to ∇D: for the same slope it needs ∇r in its place, unless G²∇r = G∇r.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_close, require_equal


class Linear(NamedTuple):
    """G(slope F̃ + r(F̄) − slope F̄), the slope in terms of G and ∇r, and the entries of ∇r."""

    slope: Callable[[Any, Any], Any]
    entry: Callable[[Any, Any, Any], Any]  # of σ_i, σ_j and δ_ij


true = Linear(lambda G, R: R, lambda p, q, same: p * q - same * p)

claim = Claim(
    id="review.eq-50",
    title="The linearised drift of the logits",
    source="review, equation 50",
    verdict="amended",
    depends_on=["review.eq-48"],
    printed=Statement(
        r"D(\tilde F) \approx D(\bar F) + \nabla D(\bar F)(\tilde F - \bar F) \approx G(\nabla D(\bar F)\tilde F + "
        r"[e_k - \sigma(\bar f_k)]_k - \nabla D(\bar F)\bar F) \text{ (read: to first order, } \nabla D \text{ the "
        r"Jacobian of the drift)}",
        true._replace(slope=lambda G, R: G @ R),
    ),
    amended=Statement(
        r"\text{with } r = [e_k - \sigma(f_k)]_k,\ \nabla r = \operatorname{diag}_k(\sigma\sigma^\top - "
        r"\operatorname{diag}\sigma) \text{ and } G \text{ constant: } D(\tilde F) = D(\bar F) + "
        r"G\nabla r(\bar F)(\tilde F - \bar F) + O(\|\tilde F - \bar F\|^2) = G(\nabla r\,\tilde F + r(\bar F) - "
        r"\nabla r\,\bar F) + O(\|\tilde F - \bar F\|^2)",
        true,
    ),
    near_misses={
        "the other sign": true._replace(slope=lambda G, R: -R),
        "half the slope": true._replace(slope=lambda G, R: R / 2),
        "without σσᵀ": true._replace(entry=lambda p, q, same: -same * p),
        "the variances alone": true._replace(entry=lambda p, q, same: same * (p * q - p)),
    },
    counterexample_code=r"""
# K = 2, G = 2I, at logits 0: σ' = 1/4 along (1, −1), so that D = 2(½, −½) moves by 2·(−½) for f_1 → f_1 + (1, −1)ε.
slope_of_r = -0.25 - 0.25
true, printed = 2 * slope_of_r, 2 * (2 * slope_of_r)
print("slope of D", true, "slope of the second line", printed)
assert true == -1.0 != printed
""",
)


@claim.check("derived", covers="all")
def test_words(statement):
    n = sp.Symbol("n", integer=True, positive=True)
    G, R = sp.MatrixSymbol("G", n, n), sp.MatrixSymbol("R", n, n)
    gap = sp.expand(G @ statement.slope(G, R) - G @ R).doit()
    require_equal(gap == sp.ZeroMatrix(n, n), True, "another slope", gap=gap)
    # σ_i = e^x/(e^x + e^y + rest): its derivatives in its own and in another logit
    x, y = sp.symbols("x y", real=True)
    rest = sp.Symbol("rest", nonnegative=True)
    total = sp.exp(x) + sp.exp(y) + rest
    p, q = sp.exp(x) / total, sp.exp(y) / total
    for stated, found in ((statement.entry(p, p, 1), -p.diff(x)), (statement.entry(p, q, 0), -p.diff(y))):
        require_equal(sp.simplify(stated - found), 0, "another Jacobian")


@claim.check("property", covers=Instances("K ≤ 4, random G and means, differences in a random direction, 50 drawn"))
@given(st.integers(2, 4), st.integers(0, 2**32 - 1))
def test_differences(statement, K, seed):
    rng = np.random.default_rng(seed)
    G, F, V = rng.normal(size=(K * K, K * K)), rng.normal(size=(K, K)), rng.normal(size=(K, K))

    def drift(F):
        P = np.exp(F) / np.exp(F).sum(axis=0)
        return G @ (np.eye(K) - P).T.ravel()

    near, far = ((drift(F + h * V) - drift(F - h * V)) / (2 * h) for h in (1e-3, 2e-3))
    found = (4 * near - far) / 3
    P, R = np.exp(F) / np.exp(F).sum(axis=0), np.zeros((K * K, K * K))
    for k, i, j in np.ndindex(K, K, K):
        R[k * K + i, k * K + j] = statement.entry(P[i, k], P[j, k], int(i == j))
    require_close(G @ statement.slope(G, R) @ V.T.ravel(), found, "another slope", rtol=1e-6, atol=1e-7, K=K)
