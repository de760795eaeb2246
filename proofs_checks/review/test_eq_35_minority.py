r"""Whether the push dominates the slope in a minority classifier (review, text after equation 35).

"In the case of minority classes, the push term dominates the gradient": no point is named. Where classifier and
features are a simplex ETF, of any scales, all wrong classes have the share π on each sample, and $1-p=(K-1)\pi$ on its
own ones. So for r = n_maj/n_min, a = K_maj, b = K_min the pull has the norm $n_{min}(K-1)\pi\lVert f\rVert$, the push
$n_{min}\pi\lVert(r-1)\sum_{min}f_l+f_k\rVert$ (the features of all classes sum to 0). Hence the ratio below, which is
1/(K−1) at r = 1, and exceeds 1 from some r on only (all r > 1 if K = 2). At A = 0, all shares are 1/K, and independent
class means with mean 0 and one variance have $E\lVert push\rVert^2/E\lVert pull\rVert^2=(ar^2+b-1)/(K-1)^2$. So the
sentence is true at neither for r near 1 unless K = 2, and true at both for large r.

Along a descent with weight decay from small random values (a = b = 2) the push was larger in norm at 0 %, 1 %, 2 %,
98 % and 98 % of the steps for r = 1.5, 2, 3, 5 and 10; for a = b = 5 at none up to r = 10. A larger push does not move
a minority classifier away from its own features at an ETF: $-\langle push,f_k\rangle>0$. It adds the same vector, along
the sum of the minority features, to all minority classifiers, and so turns them towards each other.
"""

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import sympy as sp

from nct.ledger import Claim, Instances, Statement, require, require_close, require_equal
from theory.ufm import layer_peeled


class Dominance(NamedTuple):
    """The square of push over pull for a minority class, of a, b and r, at an ETF and at A = 0; when it exceeds 1."""

    frame: Callable[[Any, Any, Any], Any]
    start: Callable[[Any, Any, Any], Any]
    dominates: Callable[[Any, Any, Any], bool]  # at an ETF


true = Dominance(
    lambda a, b, r: (1 + a * (r - 1) * (b * (r - 1) + 2) / (a + b - 1)) / (a + b - 1) ** 2,
    lambda a, b, r: (a * r**2 + b - 1) / (a + b - 1) ** 2,
    lambda a, b, r: a * (r - 1) * (b * (r - 1) + 2) > (a + b) * (a + b - 1) * (a + b - 2),
)

claim = Claim(
    id="review.eq-35.minority",
    title="The push dominates in minority classifiers from some ratio of class sizes on",
    source="review, Section 3.2.1, after equation 35",
    verdict="amended",
    depends_on=("review.eq-35",),
    printed=Statement(
        r"\text{In the case of minority classes the push term dominates the gradient (read: its norm is the larger "
        r"one, for every } r > 1 \text{, where classifier and features are a simplex ETF)}",
        true._replace(dominates=lambda a, b, r: r > 1),
    ),
    amended=Statement(
        r"\text{Where classifier and features are a simplex ETF, of any scales, } "
        r"\lVert\text{push}\rVert^2/\lVert\text{pull}\rVert^2 \text{ of a minority class is } "
        r"\frac{1 + a(r - 1)(b(r - 1) + 2)/(a + b - 1)}{(a + b - 1)^2}, \text{ so that the push is larger if and only "
        r"if } a(r - 1)(b(r - 1) + 2) > (a + b)(a + b - 1)(a + b - 2). \text{ At } A = 0, \text{ with independent "
        r"class means of mean 0 and equal covariance, the ratio of the expected squares is } "
        r"\frac{ar^2 + b - 1}{(a + b - 1)^2}",
        true,
        formulas={
            r"\frac{1 + a(r - 1)(b(r - 1) + 2)/(a + b - 1)}{(a + b - 1)^2}": lambda s, a, b, r: s.frame(a, b, r),
            r"\frac{ar^2 + b - 1}{(a + b - 1)^2}": lambda s, a, b, r: s.start(a, b, r),
        },
    ),
    near_misses={
        "r for r − 1": true._replace(frame=lambda a, b, r: (1 + a * r * (b * r + 2) / (a + b - 1)) / (a + b - 1) ** 2),
        "as at A = 0": true._replace(dominates=lambda a, b, r: r > 1 and a * r**2 + b - 1 > (a + b - 1) ** 2),
        "b classes push at the start": true._replace(start=lambda a, b, r: (a * r**2 + b) / (a + b - 1) ** 2),
        "at the threshold": true._replace(
            dominates=lambda a, b, r: a * (r - 1) * (b * (r - 1) + 2) >= (a + b) * (a + b - 1) * (a + b - 2)
        ),
    },
    counterexample_code=r"""
# K_maj = 2, K_min = 1, n = 3, 3, 2, m = 3: A = F = 3 I − J, a simplex ETF times √6. The outputs AF = 9 I − 3 J, so that
# all wrong classes have one share p.
vectors = [[2, -1, -1], [-1, 2, -1], [-1, -1, 2]]
pull = [2 * -2 * x for x in vectors[2]]                       # over p: 2 samples, 1 − share = 2p
push = [3 * (x + y) for x, y in zip(vectors[0], vectors[1])]  # over p
square = lambda v: sum(x * x for x in v)
print("push²", square(push), "pull²", square(pull))
assert square(push) < square(pull)
""",
)


@claim.check("derived", covers="all")
def test_gram_matrix_of_the_frame(statement):
    a, b, r, u = sp.symbols("a b r u", positive=True)
    K, c = a + b, -1 / (a + b - 1)  # the cosine
    # ‖r Σ_maj f + Σ_{min, ≠ k} f‖², by pairs; the pull has the factor (K − 1)π.
    same = r**2 * a + (b - 1)
    pairs = r**2 * a * (a - 1) + (b - 1) * (b - 2) + 2 * r * a * (b - 1)
    square = same + c * pairs
    ratio = square / (K - 1) ** 2
    require_equal(sp.simplify(statement.frame(a, b, r) - ratio), 0, "another ratio")
    # at A = 0: only the squares are left, of the classes that push, with 1/K, and of the own one, with 1 − 1/K
    require_equal(sp.simplify(statement.start(a, b, r) - same / K**2 / (1 - 1 / K) ** 2), 0, "another ratio at A = 0")
    said = statement.dominates(a, b, 1 + u)
    require(isinstance(said, sp.StrictGreaterThan), "no strict inequality", said=said)
    factor = sp.simplify((said.gts - said.lts) / (ratio.subs(r, 1 + u) - 1))
    at = [factor.subs({a: x, b: y, u: z}) for x, y, z in ((1, 2, 1), (2, 1, 3), (3, 3, 5))]
    positive = sp.factor(factor.subs(b, 1 + sp.Symbol("v", nonnegative=True))).is_positive
    require(bool(positive) and all(x > 0 for x in at), "another threshold", factor=factor)


@claim.check("exact", covers=Instances("a, b ≤ 4, rational r ≤ 30: the ETF of vectors K e_k − 1, signs ±1 at A = 0"))
def test_vectors(statement):
    for a, b in product((1, 2, 3, 4), repeat=2):
        K = a + b
        frame = K * np.eye(K, dtype=int) - 1
        tie = None
        for r in (Fraction(21, 20), Fraction(3, 2), Fraction(2), Fraction(3), Fraction(4), Fraction(7), Fraction(30)):
            sizes = np.array([r] * a + [Fraction(1)] * b, dtype=object)
            k = K - 1
            push = sum((sizes[j] * frame[:, j] for j in range(k)), np.zeros(K, dtype=int))
            pull = (K - 1) * frame[:, k]
            ratio = Fraction(push @ push) / Fraction(int(pull @ pull))
            require_equal(statement.frame(a, b, r), ratio, "another ratio", a=a, b=b, r=r)
            require_equal(bool(statement.dominates(a, b, r)), ratio > 1, "another threshold", a=a, b=b, r=r)
            tie = r if ratio == 1 else tie
            if K <= 4:  # the mean over all signs
                signs = [np.array(x) for x in product((-1, 1), repeat=K)]
                squares = [sum(sizes[j] * x[j] for j in range(k)) ** 2 for x in signs]
                mean = sum(squares) / len(squares) / (K - 1) ** 2
                require_equal(statement.start(a, b, r), mean, "another ratio at A = 0", a=a, b=b, r=r)
        require((a, b) != (2, 2) or tie == 3, "(2, 2) has its threshold at 3", tie=tie)


@claim.check("simulated", covers=Instances("a, b ≤ 4, r = 1.2, 1.6, 6: 500 draws of Gaussian features; frames turned"),
             resolution=0.045, blind_to={"at the threshold": "no ratio is at a threshold"})  # fmt: skip
def test_drawn_features(statement):
    rng, m = np.random.default_rng(0), 40
    for a, b in ((1, 1), (2, 1), (1, 3), (4, 4)):
        for r in (1.2, 1.6, 6.0):
            K = a + b
            labels = np.repeat(np.arange(K), np.repeat([round(5 * r), 5], [a, b]))
            squares = []
            for _ in range(500):
                F = rng.normal(size=(m, K))
                pull, push = layer_peeled.pull_push(np.zeros((K, m)), F[:, labels], labels)
                squares.append([np.sum(push[-1] ** 2), np.sum(pull[-1] ** 2)])
            found = np.divide(*np.mean(squares, axis=0))
            # sums of 500 m squares of normal variables have the relative error 1 %: three errors of a ratio of two
            require_close(found, statement.start(a, b, r), "another ratio at A = 0", rtol=0.045, a=a, b=b, r=r)
            frame = np.linalg.qr(rng.normal(size=(m, K)))[0] @ (np.eye(K) - 1 / K)
            scales = rng.uniform(1, 3, size=2)
            pull, push = layer_peeled.pull_push(scales[0] * frame.T, scales[1] * frame[:, labels], labels)
            ratio = np.sum(push[-1] ** 2) / np.sum(pull[-1] ** 2)
            require_close(ratio, statement.frame(a, b, r), "another ratio", rtol=1e-9, a=a, b=b, r=r)
            require_equal(bool(statement.dominates(a, b, r)), bool(ratio > 1), "another threshold", a=a, b=b, r=r)
