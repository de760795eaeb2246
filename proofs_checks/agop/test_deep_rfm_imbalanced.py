r"""Deep RFM collapses with imbalanced classes (agop, Section 4 and Figures 3 to 6, SVHN).

The paper reports the same collapse for highly imbalanced classes. Seen here on digits with class sizes that fall from
100 to 10 and on two-level Gaussian clusters: NC1 falls through the AGOP in every layer, and the class means, centred
at *their own* mean, tend to the simplex ETF, the small classes included: no minority collapse. Centred at the mean of
the samples, which is near the large classes, they do not.
"""

import warnings
from functools import cache
from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Statement, require
from numerics import data
from numerics.deep_rfm import DeepRFM
from numerics.kernels import Gaussian, Laplace, ReLUFeatures, SingularKernelWarning

KERNELS = {"Laplace": Laplace(2.0), "Gaussian": Gaussian(2.0)}


class Collapse(NamedTuple):
    """The stages between which NC1 falls; the point about which means form an ETF; cosine of two small classes."""

    falls: tuple[str, str] = ("input", "projected")
    centre: str = "mean of the class means"
    small_classes: str = "apart"


claim = Claim(
    id="agop.deep-rfm-imbalanced",
    title="Deep RFM collapses with imbalanced classes",
    source="agop, Section 4 and Figures 3 to 6 (SVHN)",
    verdict="observed",
    printed=Statement(
        r"\text{highly imbalanced classes: NC1 falls through } M_l^{1/2}, \; \bar\mu^\top\bar\mu \to \Sigma_{ETF}",
        Collapse(),
    ),
    near_misses={
        "through the random features": Collapse(falls=("projected", "features")),
        "an ETF about the mean of the samples": Collapse(centre="mean of the samples"),
        "minority collapse": Collapse(small_classes="together"),
    },
    depends_on=["agop.deep-rfm-collapse"],
)


def fit(X, y, kernel, depth, width=1024, seed=0):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularKernelWarning)
        return DeepRFM(depth, kernel=KERNELS[kernel], feature_map=ReLUFeatures(width), random_state=seed).fit(X, y)


def class_means(model, X, y):
    """Class means after the last AGOP, and the number of samples of each."""
    points = model.project(X)
    counts = np.bincount(y)
    return np.stack([points[y == c].mean(axis=0) for c in range(len(counts))]), counts


def verify(statement, model, X, y, **witness):
    for record in model.records_:
        start, end = (record.metrics[stage].nc1 for stage in statement.falls)
        require(end < start, "NC1 rises", **witness, layer=record.layer, before=start, after=end)
    # Collapse, not a few per cent less: six layers of digits leave 1 % of NC1, four of the clusters less than 2 %.
    assert model.records_[-1].metrics["projected"].nc1 < 0.02 * model.records_[0].metrics["input"].nc1
    means, counts = class_means(model, X, y)
    K = len(counts)
    weights = np.full(K, 1 / K) if statement.centre == "mean of the class means" else counts / counts.sum()
    means = means - weights @ means
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    cosines = means @ means.T
    etf = np.where(np.eye(K, dtype=bool), 1.0, -1 / (K - 1))
    # In units of the distance of the ETF from an orthonormal frame.
    distance = float(np.linalg.norm(cosines - etf) / np.sqrt(K / (K - 1)))
    require(distance < 0.9, "class means are far from an ETF", **witness, distance=round(distance, 3))
    smallest = np.argsort(counts, kind="stable")[:2]
    together = cosines[smallest[0], smallest[1]] > 0.5
    require(together == (statement.small_classes == "together"), "not so the two smallest classes", **witness)


COUNTS = (100, 77, 60, 46, 36, 28, 22, 17, 13, 10)


@cache
def run(kernel):
    dataset = data.digits().with_counts(COUNTS).standardised()
    return fit(dataset.X, dataset.y, kernel, 6), dataset


@claim.check("simulated")
def test_digits_from_100_to_10(statement):
    for kernel in KERNELS:
        model, dataset = run(kernel)
        verify(statement, model, dataset.X, dataset.y, kernel=kernel)


@claim.check("property")
@given(st.sampled_from(["Laplace", "Gaussian"]), st.integers(2, 4), st.integers(2, 4), st.integers(0, 10**6))
def test_clusters_of_two_sizes(statement, kernel, large, small, seed):
    # Classes of 20 and of 2, in more dimensions than samples.
    counts = [20] * large + [2] * small
    clusters = data.gaussian_clusters(counts, 2 * sum(counts), separation=4.0, seed=seed)
    model = fit(clusters.X, clusters.y, kernel, 4, 256, seed)
    verify(statement, model, clusters.X, clusters.y, kernel=kernel, large=large, small=small, seed=seed)
