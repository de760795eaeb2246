r"""Deep RFM collapses with imbalanced classes (agop, Section 4 and Figures 3 to 6, SVHN).

The paper reports the same collapse for highly imbalanced classes. Seen here on digits with class sizes that fall from
100 to 10 and on two-level Gaussian clusters: NC1 falls through the AGOP in every layer, and the class means, centred
at *their own* mean, tend to the simplex ETF, the small classes included: no minority collapse. Centred at the mean of
the samples, which is near the large classes, they do not.
"""

import warnings
from functools import cache
from typing import Annotated, Literal, NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from nct.ledger import Claim, Fixed, Statement, require, require_at_most, require_close
from numerics import data
from numerics.deep_rfm import DeepRFM
from numerics.kernels import Gaussian, Laplace, ReLUFeatures, SingularKernelWarning

KERNELS = {"Laplace": Laplace(2.0), "Gaussian": Gaussian(2.0)}


class Collapse(NamedTuple):
    """The stages between which NC1 falls; the point about which means form an ETF; whether small classes coincide."""

    falls: Annotated[tuple[str, str], Fixed] = ("input", "projected")
    centre: Literal["mean of the class means", "mean of the samples"] = "mean of the class means"
    small_classes: Literal["apart", "together"] = "apart"
    between: float = -1.0


claim = Claim(
    id="agop.deep-rfm-imbalanced",
    title="Deep RFM collapses with imbalanced classes",
    source="agop, Section 4 and Figures 3 to 6 (SVHN)",
    verdict="observed",
    printed=Statement(
        r"\text{SVHN, highly imbalanced classes: NC1 falls through } M_l^{1/2} \text{ in every layer, "
        r"centred class means form a simplex ETF: cosines } -1/(K-1)",
        Collapse(),
    ),
    ran=(
        "digits with class sizes from 100 to 10, six layers of 1,024 ReLU features, seed 0; 50 draws of 4–8 Gaussian "
        "clusters of 20 and of 2 samples in twice as many dimensions as samples, 256 features, four layers. Ours are "
        "the data, the sizes and the thresholds: NC1 in the end at most 1 % of NC1 at first, the mean cosine of two "
        "class means within 15 % of −1/(K−1), their errors those of a spread of 1.3 W^(-1/2) (by the χ² law, "
        "at 10⁻⁹), and the two smallest classes together if their cosine is above 0.5."
    ),
    near_misses={
        "through the random features": Collapse(falls=("projected", "features")),
        "an ETF about the mean of the samples": Collapse(centre="mean of the samples"),
        "minority collapse": Collapse(small_classes="together"),
        "cosines −0.6/(K−1)": Collapse(between=-0.6),
        "cosines −1.5/(K−1)": Collapse(between=-1.5),
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


def verify(statement, model, X, y, width, **witness):
    nc1 = [tuple(record.metrics[stage].nc1 for stage in statement.falls) for record in model.records_]
    before, after = np.array(nc1).T
    require_at_most(after, before, "NC1 rises", strict=True, **witness)
    projected, first = model.records_[-1].metrics["projected"].nc1, model.records_[0].metrics["input"].nc1
    require_at_most(projected, 0.01 * first, "NC1 falls by a little only", **witness)
    means, counts = class_means(model, X, y)
    K = len(counts)
    weights = np.full(K, 1 / K) if statement.centre == "mean of the class means" else counts / counts.sum()
    means = means - weights @ means
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    cosines = means @ means.T
    others = cosines[~np.eye(K, dtype=bool)]
    require_close(others.mean() * (K - 1), statement.between, "the cosines' mean", atol=0.15, K=K, **witness)
    error = float(np.sqrt(np.mean((others - statement.between / (K - 1)) ** 2)))
    # Random features turn each cosine by about 1.3 W^(-1/2); of few classes the mean square can be several times that.
    pairs = K * (K - 1) // 2
    typical = 1.3 * width**-0.5
    allowed = typical * float(chi2.isf(1e-9, pairs) / pairs) ** 0.5
    require_at_most(error, allowed, "class means are far from an ETF", K=K, **witness)
    smallest = np.argsort(counts, kind="stable")[:2]
    together = cosines[smallest[0], smallest[1]] > 0.5
    require(together == (statement.small_classes == "together"), "not so the two smallest classes", **witness)


COUNTS = (100, 77, 60, 46, 36, 28, 22, 17, 13, 10)


@cache
def run(kernel):
    dataset = data.digits().with_counts(COUNTS).standardised()
    return fit(dataset.X, dataset.y, kernel, 6), dataset


@claim.check("simulated", resolution=0.15)
def test_digits_from_100_to_10(statement):
    for kernel in KERNELS:
        model, dataset = run(kernel)
        verify(statement, model, dataset.X, dataset.y, 1024, kernel=kernel)


@cache
def clusters(kernel, large, small, seed):
    counts = [20] * large + [2] * small
    drawn = data.gaussian_clusters(counts, 2 * sum(counts), separation=4.0, seed=seed)
    return fit(drawn.X, drawn.y, kernel, 4, 256, seed), drawn


@claim.check("property", resolution=0.15)
@given(st.sampled_from(["Laplace", "Gaussian"]), st.integers(2, 4), st.integers(2, 4), st.integers(0, 10**6))
def test_clusters_of_two_sizes(statement, kernel, large, small, seed):
    # Classes of 20 and of 2, in more dimensions than samples.
    model, drawn = clusters(kernel, large, small, seed)
    verify(statement, model, drawn.X, drawn.y, 256, kernel=kernel, large=large, small=small, seed=seed)
