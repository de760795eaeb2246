r"""Weak and strong test collapse, and what they say about test errors (review, Section 4.1).

With S and w the mean squared distances to the own and to the nearest class mean, e the error of the nearest class mean
and δ, D the least and largest distance of two means: a sample with a wrong nearest mean is at least δ/2 from its own,
and at most D further from it than from the nearest. Hence $e \le 4S/δ^2$ and $\sqrt S \le \sqrt w + D\sqrt e$.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, OneOf, Statement, UpperBound, require_at_most, require_equal
from theory import generalisation


class Collapse(NamedTuple):
    """Both notions as numbers, of the squared distances to the K means and the own class, and what follows."""

    weak: Callable[[list[Any], int], Any]
    strong: Callable[[list[Any], int], Any]
    error: Annotated[Callable[[Any, Any], Any], UpperBound]  # of S and δ
    root: Annotated[Callable[[Any, Any, Any], Any], UpperBound]  # of √S, in √w, √e and D
    one_hot: Literal["trained", "always"]  # when one-hot predictions as features collapse weakly
    all_wrong: Annotated[bool, OneOf(True)]  # whether weak collapse allows the error 1


true = Collapse(
    lambda squares, own: min(squares),
    lambda squares, own: squares[own],
    lambda S, delta: 4 * S / delta**2,
    lambda w, e, D: w + D * e,
    "trained",
    True,
)

claim = Claim(
    id="review.test-collapse",
    title="Weak and strong test collapse",
    source="review, Section 4.1",
    verdict="holds",
    printed=Statement(
        r"\text{weak test-collapse: every test sample collapses to one of the } K \text{ class means, } w = 0 \text{; "
        r"strong: to the mean of its own class, } S = 0 \text{; strong test-collapse needs a classifier without error "
        r"(read: } e \le 4S/\delta^2 \text{, for the training set is perfectly classified, and so the means differ; "
        r"conversely } \sqrt S \le \sqrt w + D\sqrt e \text{); a penultimate layer that is the one-hot prediction "
        r"collapses weakly (with training samples that are perfectly classified), even if all test samples are wrong}",
        true,
        formulas={r"4S/\delta^2": lambda s, S, delta: s.error(S, delta)},
    ),
    near_misses={
        "to the mean of all": true._replace(weak=lambda squares, own: sum(squares) / len(squares)),
        "weak for strong": true._replace(strong=lambda squares, own: min(squares)),
        "e ≤ S/δ²": true._replace(error=lambda S, delta: S / delta**2),
        "e ≤ 2S/δ²": true._replace(error=lambda S, delta: 2 * S / delta**2),
        "√S ≤ √w + De": true._replace(root=lambda w, e, D: w + D * e**2),
        "one-hot features with training errors": true._replace(one_hot="always"),
        "weak collapse excludes that all are wrong": true._replace(all_wrong=False),
    },
)


@claim.check(
    "derived",
    covers="all",
    blind_to={
        "one-hot features with training errors": "distances only",
        "weak collapse excludes that all are wrong": "distances only",
    },
)
def test_one_sample(statement):
    # The own mean at 0, the nearest at (δ, 0), the sample at (x, y), y its distance from the line: x ≥ δ/2.
    x, y, delta = sp.symbols("x y delta", positive=True)
    own, other = x**2 + y**2, (x - delta) ** 2 + y**2
    least = own.subs(x, sp.solve(sp.Eq(own, other), x)[0]).subs(y, 0)
    require_equal(sp.expand(own - other - delta * (2 * x - delta)), 0, "not beyond the middle")
    first, second = sp.Integer(1), sp.Integer(4)
    require_equal(statement.strong([second, first], 0), 4, "another strong collapse")
    require_equal(statement.weak([first, second], 1), 1, "another weak collapse")
    require_equal(statement.weak([second, first, second], 0), 1, "another weak collapse")
    # One-hot predictions: with training samples that are right the means are the e_k, and any e_p is one of them.
    # A share e of such samples: S ≥ e·least, attained at the midpoint.
    e = sp.Symbol("e", positive=True)
    require_equal(sp.simplify(statement.error(e * least, delta) - e), 0, "not what the midpoint gives")
    # ‖f − μ_own‖ ≤ ‖f − μ_near‖ + D where they differ; Minkowski in L²; attained at a wrong mean, w = 0.
    w, D = sp.symbols("w D", positive=True)
    require_equal(sp.expand(statement.root(w, sp.sqrt(e), D) - (w + D * sp.sqrt(e))), 0, "not Minkowski's")


@cache
def one_hot(K, train, test):
    """Squared distances of one-hot predictions from the means of those of the training samples, n a class."""
    n = len(train) // K
    means = [[Fraction(train[k * n : k * n + n].count(i), n) for i in range(K)] for k in range(K)]
    return [[sum((Fraction(i == p) - mean[i]) ** 2 for i in range(K)) for mean in means] for p in test]


@claim.check(
    "exact",
    covers=Instances(
        "one-hot features, K = 2, 3, two training samples a class, at most one wrong, all test predictions"
    ),
)
def test_predictions(statement):
    worst = False
    for K in (2, 3):
        right = tuple(k for k in range(K) for _ in range(2))
        trained = {(*right[:i], k, *right[i + 1 :]) for i in range(2 * K) for k in range(K)}
        for train, test in product(sorted(trained), product(range(K), repeat=K)):
            far = one_hot(K, train, test)
            weak = sum(statement.weak(row, k) for k, row in enumerate(far)) / K
            strong = sum(statement.strong(row, k) for k, row in enumerate(far)) / K
            stated = statement.one_hot == "always" or (statement.one_hot == "trained" and train == right)
            if stated:
                require_equal(weak, 0, "no weak collapse", train=train, test=test)
            if train == right:
                wrong = Fraction(sum(p != k for k, p in enumerate(test)), K)
                require_equal(strong == 0, wrong == 0, "not strong", test=test)
                require_at_most(wrong, statement.error(strong, sp.sqrt(2)), "more errors", test=test)
                root = statement.root(sp.sqrt(weak), sp.sqrt(wrong), sp.sqrt(2))
                require_at_most(float(sp.sqrt(strong)), float(root) + 1e-12, "further", test=test)
                worst |= wrong == 1 and weak == 0
    require_equal(worst, statement.all_wrong, "the error 1")
    # the midpoint: a hair beyond it the nearest mean is the other
    hair = Fraction(1, 1000)
    far = [(Fraction(1, 2) + hair) ** 2, (Fraction(1, 2) - hair) ** 2]
    require_at_most(1, statement.error(statement.strong(far, 0), 1), "more errors")


@claim.check(
    "property",
    covers=Instances("K ≤ 5, m ≤ 4, N ≤ 12, means and samples at random near each other, 50 drawn"),
    blind_to={"one-hot features with training errors": "no one-hot features",
              "weak collapse excludes that all are wrong": "no one-hot features"},
)  # fmt: skip
@example(K=2, m=1, N=1, spread=0.51, seed=1)
@example(K=2, m=1, N=8, spread=0.0, seed=3)
@given(st.integers(2, 5), st.integers(1, 4), st.integers(1, 12), st.floats(0, 2), st.integers(0, 2**32 - 1))
def test_random_samples(statement, K, m, N, spread, seed):
    rng = np.random.default_rng(seed)
    means, y = rng.normal(size=(m, K)), rng.integers(0, K, N)
    at, step = rng.integers(0, K, N), rng.normal(size=(m, N)) * spread
    F = means[:, at] + step
    # and the line from the own mean towards the nearest other one, just beyond the middle
    gaps = np.linalg.norm(means[:, :, None] - means[:, None], axis=0)
    nearest = (gaps + np.diag([np.inf] * K)).argmin(axis=1)
    middle = means[:, y] + 0.5001 * (means[:, nearest[y]] - means[:, y])
    delta, D = (gaps + np.diag([np.inf] * K)).min(), gaps.max()
    for features in (F, middle, means[:, nearest[y]]):
        far = [[float(((f - mean) ** 2).sum()) for mean in means.T] for f in features.T]
        w = np.mean([statement.weak(row, int(k)) for row, k in zip(far, y, strict=True)])
        S = np.mean([statement.strong(row, int(k)) for row, k in zip(far, y, strict=True)])
        found = generalisation.test_collapse(features, means, y)
        unit = np.square(means - means.mean(axis=1, keepdims=True)).sum() / K
        require_at_most(abs(w - found.weak * unit), 1e-9 * (1 + D**2 + S), "another weak collapse", K=K, N=N)
        require_at_most(abs(S - found.strong * unit), 1e-9 * (1 + D**2 + S), "another strong collapse", K=K, N=N)
        require_at_most(found.error, statement.error(S, delta) + 1e-9, "more errors", K=K, N=N)
        root = statement.root(np.sqrt(w), np.sqrt(found.error), D)
        require_at_most(np.sqrt(S), root + 1e-9, "further from the own means", K=K, N=N)
