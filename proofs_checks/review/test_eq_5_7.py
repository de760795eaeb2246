r"""The Gram matrix, the cosines and the metric of NC2 say the same (review, equations 5 to 7).

The rows of M have norm 1, so (5) and (6) are the same equations. $I-\frac1KJ$ is a projection of rank K − 1 and has the
norm √(K−1). If the metric is 0, $MM^\top = c(I-\frac1KJ)$ with c > 0, and the unit diagonal makes $c = \frac K{K-1}$.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_close, require_equal


class Simplex(NamedTuple):
    """The Gram matrix diagonal·I + other·J, the cosine, and the norm by which the metric divides, of K."""

    diagonal: Callable[[Any], Any]
    other: Callable[[Any], Any]
    cosine: Callable[[Any], Any]
    norm: Callable[[Any], Any]


true = Simplex(lambda K: K / (K - 1), lambda K: -1 / (K - 1), lambda K: -1 / (K - 1), lambda K: (K - 1) ** 0.5)

claim = Claim(
    id="review.eq-5-7",
    title="NC2: Gram matrix, cosines and metric of a simplex ETF",
    source="review, equations 5, 6 and 7",
    verdict="holds",
    printed=Statement(
        r"M M^\top = \tfrac K{K-1} I_K - \tfrac1{K-1} 1 1^\top \iff \cos(\mu_k - \mu_G, \mu_{k'} - \mu_G) = "
        r"-\tfrac1{K-1} \iff \Big\|\tfrac{M M^\top}{\|M M^\top\|_F} "
        r"- \tfrac1{\sqrt{K-1}}(I_K - \tfrac1K 1 1^\top)\Big\|_F = 0"
        r"\text{ (read: no } \mu_k \text{ is } \mu_G)",
        true,
        formulas={
            r"\tfrac K{K-1}": lambda s, K: s.diagonal(K),
            r"-\tfrac1{K-1}": lambda s, K: s.cosine(K),
            r"\tfrac1{\sqrt{K-1}}": lambda s, K: 1 / s.norm(K),
        },
    ),
    near_misses={
        "cosine −1/K": true._replace(cosine=lambda K: -1 / K),
        "the norm √K": true._replace(norm=lambda K: K**0.5),
        "the Gram matrix K/(K−1) I − J/K": true._replace(other=lambda K: -1 / K),
    },
)


@claim.check("derived", covers="all")
def test_algebra_of_i_and_j(statement):
    K = sp.Symbol("K", positive=True)
    a, b = statement.diagonal(K), statement.other(K)
    require_equal(sp.simplify(a + b), 1, "the rows have another norm")
    require_equal(sp.simplify(b - statement.cosine(K)), 0, "another cosine")
    # ‖p I + q J‖² = K (p + q)² + K (K−1) q²; the metric's two terms, and c from the unit diagonal.
    norm = sp.sqrt(K * (1 - 1 / K) ** 2 + K * (K - 1) / K**2)
    require_equal(sp.simplify(sp.nsimplify(statement.norm(K)) ** 2 - norm**2), 0, "another norm")
    c = sp.Symbol("c", positive=True)
    solved = sp.solve(c * (1 - 1 / K) - 1, c)[0]
    require_equal(sp.simplify(solved - a), 0, "another multiple of I")
    require_equal(sp.simplify(-solved / K - b), 0, "another multiple of J")


@claim.check("property", covers=Instances("2 ≤ K ≤ 9, at simplices and near them, 50 drawn"))
@given(st.integers(2, 9), st.sampled_from([0.0, 0.01, 1.0]), st.integers(0, 2**32 - 1))
def test_means_near_a_simplex(statement, K, spread, seed):
    generator = np.random.default_rng(seed)
    means = np.eye(K) + spread * generator.normal(size=(K, K)) + generator.normal(size=K)
    centred = means - means.mean(axis=0)
    M = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    gram = M @ M.T
    target = statement.diagonal(K) * np.eye(K) + statement.other(K)
    metric = np.linalg.norm(gram / np.linalg.norm(gram) - (np.eye(K) - 1 / K) / statement.norm(K))
    off = gram[~np.eye(K, dtype=bool)]
    small = 1e-9
    zero = {
        "gram": bool(np.abs(gram - target).max() < small),
        "cosine": bool(np.abs(off - statement.cosine(K)).max() < small),
        "metric": bool(metric < small),
    }
    expected = spread == 0 or K == 2
    require_equal(zero, dict.fromkeys(zero, expected), "not the same", K=K, spread=spread, seed=seed)
    require_close(np.trace(gram), K * (statement.diagonal(K) + statement.other(K)), "another diagonal", rtol=1e-12)
