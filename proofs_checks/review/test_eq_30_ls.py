r"""The least-squares classifier of centred features (review, Section 3.1.5, before equation 30).

With $YF^\top/N=\frac1KM^\top$ and a free bias, $b=\frac1K-A\mu_G$ for each A, the slope in A is
$A\Sigma_{\tilde F}-\frac1K\tilde M^\top+\lambda_AA$. With b = 0 on centred features it is the same; on the features
themselves $(A\mu_G-\frac1K1)\mu_G^\top$ comes on top. So the printed A is optimal without ridge, with the bias free or
the features centred, and not in the setting that the section names: b = 0 and the *regularised* squared error.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, Literal, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_close, require_equal
from theory.ufm import squared_error, strong_collapse

MODELS = [(bias, centred, ridge) for bias in (False, True) for centred in (False, True) for ridge in (False, True)]


class LeastSquares(NamedTuple):
    """A = share(K) M̃ᵀΣ⁻¹ is optimal, for all features with an invertible Σ, in these models and no other."""

    share: Callable[[Any], Any]
    optimal: Callable[[bool, bool, bool], bool]  # free bias, centred features, ridge
    inverse_of: Literal["covariance", "second moment"] = "covariance"


claim = Claim(
    id="review.eq-30.ls",
    title="The least-squares classifier of centred features",
    source="review, Section 3.1.5, before equation 30",
    verdict="amended",
    printed=Statement(
        r"A_{LS} = \tfrac1K\tilde M^\top\Sigma_{\tilde F}^{-1} \text{ is the least-squares optimal } A, \text{ "
        r"in the regularised squared error setting with } b = 0, \lambda_F = 0 \text{ (read: whether } b = 0 \text{ or "
        r"free, } \lambda_A \ge 0)",
        LeastSquares(lambda K: 1 / K, lambda bias, centred, ridge: True),
    ),
    amended=Statement(
        r"\text{for all } F \text{ with } \Sigma_{\tilde F} \text{ invertible (so } m \le N - 1): A_{LS} = \tfrac1K"
        r"\tilde M^\top\Sigma_{\tilde F}^{-1} \text{ minimises } \tfrac1{2N}\|AF + b1^\top - Y\|_F^2 + "
        r"\tfrac{\lambda_A}2\|A\|_F^2 \text{ if and only if } \lambda_A = 0 \text{ and } b \text{ is free, or } b = 0 "
        r"\text{ and } F \text{ is replaced by } \tilde F \text{ (iff: as a statement for all } F)",
        LeastSquares(lambda K: 1 / K, lambda bias, centred, ridge: (bias or centred) and not ridge),
    ),
    near_misses={
        "b = 0 on any features": LeastSquares(lambda K: 1 / K, lambda bias, centred, ridge: not ridge),
        "centred features only": LeastSquares(lambda K: 1 / K, lambda bias, centred, ridge: centred and not ridge),
        "with ridge": LeastSquares(lambda K: 1 / K, lambda bias, centred, ridge: bias or centred),
        "FFᵀ/N for the covariance": LeastSquares(
            lambda K: 1 / K, lambda bias, centred, ridge: (bias or centred) and not ridge, "second moment"
        ),
    },
    counterexample_code=r"""
from fractions import Fraction as Q

# K = 2, n = 1, m = 1, F = (0, 1): centred (-1/2, 1/2), covariance 1/4, so A_LS = (-1, 1).
# With b = 0 and no ridge at all the rows (0, 1) fit the labels better.
risk = lambda a, c: ((a * 0 - 1) ** 2 + (a * 1 - 0) ** 2 + (c * 0 - 0) ** 2 + (c * 1 - 1) ** 2) / Q(4)
print(risk(-1, 1), risk(0, 1))
assert risk(0, 1) < risk(-1, 1)
""",
)


@claim.check("derived", covers="all")
def test_words(statement):
    # Si = Σ⁻¹ or (Σ + μμᵀ)⁻¹; the slope in A of each model, with YF̃ᵀ/N = M̃ᵀ/K, F̃1 = 0.
    S, Si, Mt, mu, mut, one = sp.symbols("S Si Mt mu mut one", commutative=False)
    K, lam = sp.symbols("K lam", positive=True)
    A = statement.share(K) * Mt * Si
    rule = 1 if statement.inverse_of == "covariance" else 1 - Si * mu * mut
    for bias, centred, ridge in MODELS:
        slope = A * S - Mt / K + (0 if bias or centred else (A * mu - one / K) * mut) + (lam * A if ridge else 0)
        found = strong_collapse.reduced(slope, {Si * S: rule})
        vanishes = sp.expand(found) == 0
        require_equal(statement.optimal(bias, centred, ridge), vanishes, "optimal otherwise", b=bias, centred=centred)


def slope_at(statement, F, K, n, bias, centred, lam):
    """The slope in A at the stated A, in rationals; the bias is the best one if it is free."""
    m, N = F.shape
    mean = F.sum(axis=1) * Fraction(1, N)
    means = F.reshape(m, K, n).sum(axis=2) * Fraction(1, n) - mean[:, None]
    shown = F - mean[:, None]
    used = shown if statement.inverse_of == "covariance" else F
    covariance = sp.Matrix(used.dot(used.T) * Fraction(1, N))
    inverse = np.array(covariance.inv().tolist(), dtype=object)
    A = sp.nsimplify(statement.share(sp.Integer(K))) * means.T.dot(inverse)
    G = shown if centred else F
    E = A.dot(G) - np.repeat(np.eye(K, dtype=int), n, axis=1)
    if bias:
        E = E - E.sum(axis=1)[:, None] * sp.Rational(1, N)
    return sp.Matrix(E.dot(G.T) * sp.Rational(1, N) + lam * A)


@claim.check("exact", covers=Instances("K ≤ 3, n ≤ 3, m ≤ 2, small integers, in rationals, 4 points, 8 models"))
def test_rational_points(statement):
    rng = np.random.default_rng(0)
    for K, n, m in ((2, 1, 1), (2, 2, 1), (3, 1, 2), (3, 3, 2)):
        for _ in range(1):
            F = rng.integers(0, 4, (m, K * n)).astype(object)
            F[:, 0] += [5, 7][:m]
            F[-1, -1] += 9
            for bias, centred, ridge in MODELS:
                left = slope_at(statement, F, K, n, bias, centred, sp.Rational(int(ridge), 3))
                vanishes = left == sp.zeros(K, m)
                where = {"K": K, "n": n, "b": bias, "centred": centred, "ridge": ridge, "F": F.tolist()}
                require_equal(statement.optimal(bias, centred, ridge), vanishes, "optimal otherwise", **where)


@claim.check("property", covers=Instances("K ≤ 5, n ≤ 5, m ≤ 4, 50 drawn, against least squares"))
@given(st.integers(2, 5), st.integers(2, 5), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_least_squares(statement, K, n, m, seed):
    m = min(m, K * n - 2)
    rng, N = np.random.default_rng(seed), K * n
    F = rng.normal(size=(m, N)) + rng.normal(size=(m, 1)) + np.repeat(rng.normal(size=(m, K)), n, axis=1)
    F[0] += 3
    Y, centred = np.repeat(np.eye(K), n, axis=1), F - F.mean(axis=1, keepdims=True)
    used = centred if statement.inverse_of == "covariance" else F
    stated = statement.share(K) * centred.reshape(m, K, n).mean(axis=2).T @ np.linalg.inv(used @ used.T / N)
    solutions = {
        (False, False): np.linalg.lstsq(F.T, Y.T, rcond=None)[0].T,
        (True, False): np.linalg.lstsq(np.vstack([F, np.ones(N)]).T, Y.T, rcond=None)[0][:-1].T,
        (False, True): np.linalg.lstsq(centred.T, Y.T, rcond=None)[0].T,
    }
    for (bias, shown), best in solutions.items():
        same = bool(np.abs(best - stated).max() < 1e-8 * (1 + np.abs(best).max()))
        require_equal(statement.optimal(bias, shown, False), same, "optimal otherwise", K=K, n=n, m=m)
        found = squared_error.ridge_classifier(centred if shown else F, K, 0, bias=bias)[0]
        require_close(found, best, "another classifier", atol=1e-8 * (1 + float(np.abs(best).max())))
        with_ridge = squared_error.ridge_classifier(centred if shown else F, K, 0.5, bias=bias)[0]
        same = bool(np.abs(with_ridge - stated).max() < 1e-8)
        require_equal(statement.optimal(bias, shown, True), same, "optimal with ridge otherwise", K=K, n=n, m=m)
