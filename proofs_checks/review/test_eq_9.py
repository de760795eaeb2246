r"""NC4 is where classifier and nearest mean differ, not the error of the nearest mean (review, equation 9).

The text calls NC4 the fraction of points that the nearest-class-centre rule misclassifies. At a point that the
classifier gets right the two coincide, so they differ by at most the classifier's error, and agree after zero training
error. Read: each rule names one class, the least index among ties.
"""

from itertools import product
from typing import Literal, NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_equal


class Share(NamedTuple):
    """What must be free of errors for NC4 to be the error of the nearest-mean rule."""

    correct: Literal["nothing", "classifier", "means", "either"]

    def applies(self, classified, nearest, labels):
        right = {"nothing": True, "classifier": classified == labels, "means": nearest == labels}
        right["either"] = right["classifier"] or right["means"]
        return right[self.correct]


claim = Claim(
    id="review.eq-9",
    title="NC4 and the error of the nearest class mean",
    source="review, equation 9 and the sentence after it",
    verdict="amended",
    printed=Statement(
        r"\mathcal{NC}4 \text{ represents the fraction of data points "
        r"that the nearest class center rule misclassifies}",
        Share("nothing"),
    ),
    amended=Statement(
        r"\mathcal{NC}4 \text{ is this fraction if the classifier makes no error on the points}",
        Share("classifier"),
    ),
    near_misses={
        "if the nearest mean makes no error": Share("means"),
        "if one of the rules makes no error": Share("either"),
    },
    counterexample_code=r"""
# K = 2, one dimension, one sample a class: features 1 and -1, classifier outputs (-f, f): it is wrong at both points.
features, labels = [1, -1], [0, 1]
means = features
classified = [max((0, 1), key=lambda c: (-f, f)[c]) for f in features]
nearest = [min((0, 1), key=lambda c: abs(f - means[c])) for f in features]
nc4 = sum(c != d for c, d in zip(classified, nearest)) / 2
error = sum(d != y for d, y in zip(nearest, labels)) / 2
print("NC4 =", nc4, "and the nearest class mean misclassifies", error)
assert nc4 == 1 and error == 0
""",
)


@claim.check("exact", covers="all")
def test_all_decisions_at_two_points(statement):
    # Each number is a mean over points of something that depends on the three classes of a point only up to renaming
    # them, so three classes show every case at a point, and two points what a sum of errors that cancel may do.
    for points in product(product(range(3), repeat=3), repeat=2):
        classified, nearest, labels = (tuple(column) for column in zip(*points, strict=True))
        if statement.applies(classified, nearest, labels):
            nc4 = sum(c != d for c, d in zip(classified, nearest, strict=True))
            error = sum(d != y for d, y in zip(nearest, labels, strict=True))
            require_equal(nc4, error, "another share", classifier=classified, nearest=nearest, labels=labels)


@claim.check("property", covers=Instances("2 ≤ K ≤ 4, n ≤ 4, classifiers and integer features, 50 drawn"))
@given(st.integers(2, 4), st.integers(1, 4), st.integers(1, 3), st.sampled_from([0, 1, 4]), st.integers(0, 2**32 - 1))
def test_random_classifiers(statement, K, n, m, spread, seed):
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(K), n)
    F = 3 * generator.normal(size=(m, K))[:, labels] + spread * generator.normal(size=(m, K * n))
    means = F.reshape(m, K, n).mean(axis=2)
    nearest = ((F[:, None, :] - means[:, :, None]) ** 2).sum(axis=0).argmin(axis=0)
    # A classifier that is right everywhere on a lifted feature, a random one, and one that is wrong everywhere.
    for A, features in (
        (np.eye(K), np.eye(K)[:, labels]),
        (generator.normal(size=(K, m)), F),
        (np.roll(np.eye(K), 1, axis=0), np.eye(K)[:, labels]),
    ):
        classified = (A @ features).argmax(axis=0)
        if statement.applies(tuple(classified), tuple(nearest), tuple(labels)):
            require_equal((classified != nearest).mean(), (nearest != labels).mean(), "another share", K=K, n=n, m=m)
