r"""The class-distance normalised variance (review, Section 4.1, equation 51).

$V_{ij}=(\mathrm{Var}_i+\mathrm{Var}_j)/(2\|μ_i-μ_j\|^2)$ is not defined where the two means are equal. Where they are
not: $E\|f(x)-f(x')\|^2=(1+2V_{ij})\|μ_i-μ_j\|^2$ for independent x of class i, x' of class j; it is 0 just for classes
of a point each; translations, rotations and scalings leave it, a linear map need not. For means at equal distances the
average over pairs is $\frac{K-1}{2K}$ of $\mathrm{tr}\,Σ_W/\mathrm{tr}\,Σ_B$; for equal variances it is at least that.
"""

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np
import pytest
import sympy as sp
import torch
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_at_most, require_close, require_equal
from numerics import metrics
from theory.generalisation import cdnv


class Cdnv(NamedTuple):
    """V from both variances and the squared distance of the means, for which of the distances it is defined."""

    value: Callable[[Any, Any, Any], Any]
    defined: Callable[[Any], bool]


true = Cdnv(lambda v, w, square: (v + w) / (2 * square), lambda square: square > 0)

claim = Claim(
    id="review.eq-51",
    title="The class-distance normalised variance",
    source="review, Section 4.1, equation 51",
    verdict="amended",
    printed=Statement(
        r"\text{a metric over class conditional distributions: } V_f(P_i,P_j) = \frac{\mathrm{Var}_f(P_i) + "
        r"\mathrm{Var}_f(P_j)}{2\|\mu_f(P_i) - \mu_f(P_j)\|_2^2} \text{ with } \mu_f(P) = E\,f(x)\text{, } "
        r"\mathrm{Var}_f(P) = E\|f(x) - \mu_f(P)\|_2^2",
        true._replace(defined=lambda square: True),
    ),
    amended=Statement(
        r"\text{the same for } \mu_f(P_i) \ne \mu_f(P_j)\text{: then } E\|f(x) - f(x')\|^2 = (1 + 2V_f)\|\mu_f(P_i) - "
        r"\mu_f(P_j)\|^2 \text{ for independent } x \sim P_i, x' \sim P_j\text{; for K classes with means at equal "
        r"distances the average of } V_f \text{ over the pairs is } \tfrac{K-1}{2K}\operatorname{tr}\Sigma_W/"
        r"\operatorname{tr}\Sigma_B",
        true,
    ),
    near_misses={
        "without the 2": true._replace(value=lambda v, w, square: (v + w) / square),
        "the distance, not squared": true._replace(value=lambda v, w, square: (v + w) / (2 * square**0.5)),
        "the geometric mean": true._replace(value=lambda v, w, square: (v * w) ** 0.5 / square),
        "the larger variance": true._replace(value=lambda v, w, square: sp.Max(v, w) / square),
        "for distances above 1": true._replace(defined=lambda square: square > 1),
    },
    counterexample_code=r"""
from fractions import Fraction as Q

# Two classes with the features -1 and 1, and -2 and 2: both means are 0.
a, b = (-1, 1), (-2, 2)
mean = lambda x: Q(sum(x), len(x))
variance = lambda x: mean([(v - mean(x)) ** 2 for v in x])
denominator = 2 * (mean(a) - mean(b)) ** 2
print("V is", variance(a) + variance(b), "over", denominator)
assert denominator == 0
""",
)


@claim.check("derived", covers="all")
def test_pairs_of_samples(statement):
    # E‖f − f'‖² in one dimension, with E f = a, E f² = v + a²; dimensions add up on both sides.
    v, w = sp.symbols("v w", positive=True)
    a, b = sp.symbols("a b", real=True)
    apart = sp.expand((v + a**2) - 2 * a * b + (w + b**2))
    square = (a - b) ** 2
    stated = (1 + 2 * statement.value(v, w, square)) * square
    require_equal(sp.simplify(apart - stated), 0, "another squared distance of two samples")
    # Means at equal distances: Σ_B's trace is (K−1)/(2K) of the squared distance, as the sum of squares over all
    # ordered pairs is 2K·Σ_k‖μ_k − μ_G‖². The average of V over pairs has each variance in K − 1 of K(K−1)/2.
    K, distance, total = sp.symbols("K distance total", positive=True)
    between = K * (K - 1) * distance / (2 * K) / K
    average = (K - 1) * statement.value(total, 0, distance) / (K * (K - 1) / 2)
    require_equal(sp.simplify(average - (K - 1) / (2 * K) * (total / K) / between), 0, "another average")
    for d in (0, sp.Rational(1, 9), 1, 4):
        require_equal(statement.defined(d), d != 0, "defined otherwise", square=d)


def moments(points):
    mean = [sum(x) / Fraction(len(x)) for x in zip(*points, strict=True)]
    return mean, sum(sum((a - b) ** 2 for a, b in zip(p, mean, strict=True)) for p in points) / Fraction(len(points))


SETS = [
    [(0, 0), (2, 0)],
    [(5, 1), (5, -1), (8, 0)],
    [(1, 0)],
    [(-1, 1), (3, -1)],
    [(0, 4), (1, 4), (2, -8)],
    [(1, 0), (2, 1)],
]


@claim.check("exact", covers=Instances("pairs of six sets of at most three points of the plane, in rationals"))
def test_rational_samples(statement):
    for a, b in combinations(SETS, 2):
        (mean, v), (other, w) = moments(a), moments(b)
        square = sum((x - y) ** 2 for x, y in zip(mean, other, strict=True))
        require_equal(statement.defined(square), square != 0, "defined otherwise", a=a, b=b)
        if not square:
            continue
        pairs = [sum((x - y) ** 2 for x, y in zip(p, q, strict=True)) for p, q in product(a, b)]
        expected = Fraction(sum(pairs), len(pairs)) / square
        stated = 1 + 2 * sp.nsimplify(statement.value(sp.Rational(v), sp.Rational(w), sp.Rational(square)))
        require_equal(stated, sp.Rational(expected), "another number", a=a, b=b)


@claim.check("property", covers=Instances("K ≤ 5, m ≤ 4, samples in floats, 50 drawn; one similarity and one stretch"))
@given(st.integers(2, 5), st.integers(1, 4), st.just(0.0) | st.floats(1e-3, 3), st.integers(0, 2**32 - 1))
def test_similarities(statement, K, m, spread, seed):
    rng = np.random.default_rng(seed)
    means = 3 * rng.normal(size=(K, m)) * (rng.random((K, 1)) < 0.8)
    y = np.repeat(np.arange(K), 4)
    noise = rng.normal(size=(K, 4, m)) * rng.random((K, 1, 1))
    X = (means[:, None] + spread * (noise - noise.mean(axis=1, keepdims=True))).reshape(-1, m)
    turn = np.linalg.qr(rng.normal(size=(m, m)))[0]
    scale = float(rng.choice([0.125, 2.0, 4.0]))
    for F in (X, scale * X @ turn + 1):
        own = F.reshape(K, 4, m)
        centres, variances = own.mean(axis=1), own.var(axis=1).sum(axis=1)
        statistics = metrics.class_statistics(torch.tensor(F), torch.tensor(y), K)
        for i, j in combinations(range(K), 2):
            square = float(((centres[i] - centres[j]) ** 2).sum())
            apart = bool((means[i] != means[j]).any())
            require_equal(statement.defined(square if square > 1e-18 else 0.0), apart, "defined otherwise")
            if apart:
                between = ((own[i][:, None] - own[j]) ** 2).sum(axis=-1).mean() / square
                stated = float(statement.value(variances[i], variances[j], square))
                # relative to means of size 3 that are as near as `square`
                rtol = 1e-11 * (1 + 30 / square)
                require_close(1 + 2 * stated, between, "another number", rtol=rtol, K=K, m=m)
        if all((means[i] != means[j]).any() for i, j in combinations(range(K), 2)):
            found = cdnv(centres.T, variances)
            require_close(found, metrics.cdnv(statistics).numpy(), "numerics has others", rtol=1e-6, atol=1e-9)
            average, common = found.sum() / (K * (K - 1)), float(variances.mean())
            trace = ((centres - centres.mean(axis=0)) ** 2).sum(axis=1).mean()
            least = (K - 1) / (2 * K) * common / trace
            equal = cdnv(centres.T, np.full(K, common)).sum() / (K * (K - 1))
            require_at_most(least * (1 - 1e-9), equal, "the average is below that of equal distances", K=K)
            require_close(average, found[np.triu_indices(K, 1)].mean(), "another average", rtol=1e-12, atol=1e-300)
        else:
            with pytest.raises((metrics.UndefinedMeasure, ValueError)):
                metrics.cdnv(statistics)
