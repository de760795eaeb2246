r"""A metric that sharpens clusters (agop-v1, after Theorem 5.5).

Of samples with $\lVert x_{ci}-x_{cj}\rVert^2 \le A^2$ within and $\ge R^3A^2$ between clusters, A > 0, R > 1, the text
states that $M = \frac1{AR}I$ makes distances at most $R^{-2}$ within and at least R between clusters, hence
$k_M \ge e^{-R^{-2}}$ and $k_M \le e^{-R}$ for $k_M = e^{-\lVert x-y\rVert_M^2}$, and that for large R the ratio of
squared distances between and within clusters rises from at least R³ to at least R⁴.

*As printed it is false*: $\lVert v\rVert_M^2 = v^\top M v$ scales squared distances by $(AR)^{-1}$, to A/R and R²A.
What is meant is $M = (AR)^{-2}I$, that is, data divided by AR. The rise to R⁴ then holds for the distances of the
rows of the kernel matrix, and from which R on is computed here; in the kernel's feature space the ratio falls
instead, to about R².
"""

from typing import Annotated, Literal, NamedTuple

import flint
import numpy as np
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, LowerBound, Statement, Stronger, require_at_most
from theory.deep_rfm import mahalanobis


class Sharpening(NamedTuple):
    """M = (AR)^-power I; the clusters' ratio before, R^before, and after, R^after, between rows or in feature space."""

    power: int = 2
    before: Annotated[int, Stronger("smaller")] = 3
    after: Annotated[int, LowerBound] = 4
    space: Literal["rows", "features"] = "rows"


claim = Claim(
    id="agop-v1.clusters",
    title="A metric that sharpens clusters from R³ to R⁴",
    source="agop-v1, Section 5.4, after Theorem 5.5",
    verdict="amended",
    printed=Statement(
        r"M = \tfrac{1}{AR} I: \quad \|x-y\|_M^2 \le R^{-2} \text{ within}, \; \ge R \text{ between}; \quad "
        r"k_M \ge e^{-R^{-2}}, \; \le e^{-R}; \quad R^3 \to R^4",
        Sharpening(power=1),
        formulas={
            r"\tfrac{1}{AR}": lambda said, A, R: (A * R) ** -said.power,
            "R^3": lambda said, R: R**said.before,
            "R^4": lambda said, R: R**said.after,
        },
    ),
    amended=Statement(
        r"M = \tfrac{1}{(AR)^2} I: \quad \|x-y\|_M^2 \le R^{-2} \text{ within}, \; \ge R \text{ between}; \quad "
        r"k_M \ge e^{-R^{-2}}, \; \le e^{-R}; \quad "
        r"R^3 \to R^4 \text{ for the rows of } k_M, \; R \ge R_0(K), \text{ the least R in steps of 0.1 with } "
        r"2(e^{-R^{-2}} - e^{-R})^2 \ge 1 + (K-1)R^4e^{-2R}",
        Sharpening(),
        formulas={
            r"\tfrac{1}{(AR)^2}": lambda said, A, R: (A * R) ** -said.power,
            "R^3": lambda said, R: R**said.before,
            "R^4": lambda said, R: R**said.after,
        },
    ),
    near_misses={
        "M = (AR)^-3 I": Sharpening(power=3),
        "clusters R² apart": Sharpening(before=2),
        "rising to R⁵": Sharpening(after=5),
        "in the kernel's feature space": Sharpening(space="features"),
    },
)

BLIND_TO_RATIO = {name: "the check is of M's distances" for name in ("rising to R⁵", "in the kernel's feature space")}


@claim.check("exact", covers=Instances("four R in [1.1, 10], four A in [0.1, 3]"), blind_to=BLIND_TO_RATIO)
def test_extreme_distances(statement):
    from fractions import Fraction

    for R in (Fraction(2), Fraction(3), Fraction(10), Fraction(11, 10)):
        for A in (Fraction(1), Fraction(3), Fraction(1, 2), Fraction(1, 10)):
            scale = (A * R) ** -statement.power
            within, between = A**2 * scale, R**statement.before * A**2 * scale
            require_at_most(within, R**-2, "squared distances within clusters above R⁻²", A=A, R=R)
            require_at_most(R, between, "squared distances between clusters below R", A=A, R=R)


def large_enough(K):
    """An R₀ with 2 (e^(-R⁻²) − e^(-R))² ≥ 1 + (K−1) R⁴ e^(-2R) for every R ≥ R₀, to one decimal.

    The left side increases with R and, for R ≥ 2, the right side decreases: one R that satisfies it is an R₀.
    """
    for R in np.arange(2.0, 50.0, 0.1):
        if 2 * (np.exp(-(R**-2)) - np.exp(-R)) ** 2 >= 1 + (K - 1) * R**4 * np.exp(-2 * R) + 1e-9:
            return float(R)
    raise ArithmeticError("no R below 50")


@claim.check(
    "enclosed",
    covers=Instances("K = 2, 3, 10, 100; R = R₀(K), R₀(K) + 1, 10, 40; all data"),
    blind_to={
        "clusters R² apart": "the check is of the bounds on the kernel",
        "M = (AR)^-3 I": "the check is of the bounds on the kernel",
    },
)
def test_worst_kernel_entries(statement):
    # Entries within differ from 1 by at most 1 − e^(−w), entries between are at most e^(−b), for squared distances w
    # and b. Rows of one cluster differ in each of n entries by at most 1 − e^(−w), in each of the N − n others by at
    # most e^(−b); rows of two clusters differ by at least e^(−w) − e^(−b) in 2n. In feature space squared distances
    # are 2 − 2k.
    with flint.ctx.workdps(40):
        for K in (2, 3, 10, 100):
            for R in (arb(large_enough(K)), arb(large_enough(K)) + 1, arb(10), arb(40)):
                if statement.power == 1:  # A = 1
                    w, b = 1 / R, R**2
                else:
                    w, b = R**-2, R
                if statement.space == "rows":
                    far = 2 * ((-w).exp() - (-b).exp()) ** 2
                    near = (1 - (-w).exp()) ** 2 + (K - 1) * (-2 * b).exp()
                else:
                    far, near = 1 - (-b).exp(), 1 - (-w).exp()
                ratio = float((far / near).lower())
                require_at_most(float((R**statement.after).upper()), ratio, "the ratio is below", K=K, R=R, A=1)


@claim.check("property", covers=Instances("2–5 clusters of 2–4 points at the allowed extremes, R in [R₀, R₀ + 4]"))
@given(
    st.integers(2, 5),
    st.integers(2, 4),
    st.sampled_from([1.0, 0.1, 3.0]),
    st.floats(0, 4),
    st.integers(0, 2**32 - 1),
)
def test_random_clusters(statement, K, n, A, more, seed):
    R, rng = large_enough(K) + more, np.random.default_rng(seed)
    directions = rng.standard_normal((K, K * n))
    # one pair of each cluster at the distance A; the clusters' centres at the corners of a simplex as near as is
    # allowed
    offsets = directions / np.linalg.norm(directions, axis=0) * A / 2
    offsets[:, 1::n] = -offsets[:, ::n]
    X = np.vstack([offsets, np.kron(np.eye(K), np.ones(n)) * A * R ** (statement.before / 2) / np.sqrt(2)])
    k = mahalanobis.mahalanobis_kernel(
        X, (A * R) ** -statement.power * np.eye(len(X)), lambda distance: np.exp(-(distance**2))
    )
    same = np.kron(np.eye(K), np.ones((n, n))) == 1
    shown = {"K": K, "n": n, "A": A, "R": R}
    require_at_most(np.exp(-(R**-2)), k[same].min() + 1e-12, "an entry within a cluster below e^(−R⁻²)", **shown)
    require_at_most(k[~same].max(), np.exp(-R) + 1e-12, "an entry between clusters above e^(−R)", **shown)
    squared = 2 - 2 * k if statement.space == "features" else np.square(k[:, :, None] - k[:, None, :]).sum(axis=0)
    ratio = squared[~same].min() / squared[same & ~np.eye(K * n, dtype=bool)].max()
    require_at_most(R**statement.after * (1 - 1e-9), ratio, f"the ratio is below R^{statement.after}", **shown)
