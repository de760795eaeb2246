"""Vectorised `theory.dufm.loss_ratio` against a loop over points with scipy.optimize.

The points mix K from 6 to 10⁶ (few are triangular numbers, so that most need a block of collapsed classes too), L
from 3 to 60 and λ from 1e-30 to 1. The loop finds each minimum the way one would write it for one point: a scan of
log u on a grid for brackets, Brent's root finder on the derivative in each, then the smallest value. Both are
compared with 50 digits.

Run it with `OMP_NUM_THREADS=1 python benchmarks/loss_ratio.py`; it takes about two minutes on one core.
"""

import sys
from math import comb, exp, log, sqrt
from pathlib import Path

import numpy as np
import record
from scipy.optimize import brentq

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import dufm_reference

from theory import dufm
from theory.geometry.triangular_graph import triangular_order


def points(N, seed):
    rng = np.random.default_rng(seed)
    K = np.exp(rng.uniform(np.log(6), np.log(1e6), N)).astype(int)
    return K, rng.integers(3, 61, N), 10 ** rng.uniform(-30, 0, N)


# The loop: one point at a time, in the logarithm of u = scale/(Kλ).


def minimum(log_kappa, L, terms):
    """min over u ≥ 0 of (L/2) κ u^{1/L} + Σ w/(2(1 + e u)) for (w, e) in terms."""

    def value(s):
        return 0.5 * (L * exp(log_kappa + s / L) + sum(w / (1 + e * exp(s)) for w, e in terms))

    def slope(s):
        return exp(log_kappa + s / L) - sum(w * e * exp(s) / (1 + e * exp(s)) ** 2 for w, e in terms)

    w, e = (np.array(column)[:, None] for column in zip(*terms, strict=True))
    start, stop = -log(max(e)[0]) - 3, max(3.0, L / (L + 1) * (log((w / e).sum()) - log_kappa) + 1)
    grid = np.linspace(start, stop, 200)
    falling = np.exp(log_kappa + grid / L) < (w * e * np.exp(grid) / (1 + e * np.exp(grid)) ** 2).sum(0)
    candidates = [0.5 * float(w.sum())]
    for i in np.flatnonzero(falling[:-1] & ~falling[1:]):
        candidates.append(value(brentq(slope, grid[i], grid[i + 1], xtol=1e-9)))
    return min(candidates)


def ratio(K, L, lam):
    r, _ = triangular_order(K)
    block = comb(r, 2)
    S = sqrt(2) + sqrt((r - 1) * (r - 2))
    log_product = (L + 1) * log(lam) + log(K)
    srg = minimum(
        (log_product + 2 * log(S) + (L - 3) * log(r) + 2 * log(block) - log(2)) / L,
        L,
        [(1 / K, float(comb(r - 2, 2)) ** 2), ((r - 1) / K, (r - 3.0) ** 2), (r * (r - 3) / 2 / K, 1.0)],
    )
    dnc = minimum(log(K) + log_product / L, L, [(1.0, 1.0)])
    return (srg + (K - block) / K * dnc) / dnc


def loop(K, L, lam):
    return np.array([ratio(*point) for point in zip(K.tolist(), L.tolist(), lam.tolist(), strict=True)])


def reference(K, L, lam):
    lams = [[x] * (l + 1) for x, l in zip(lam.tolist(), L.tolist(), strict=True)]
    pairs = list(zip(K.tolist(), L.tolist(), lams, strict=True))
    return np.array([float(dufm_reference.srg_loss(*p) / dufm_reference.dnc_loss(*p)) for p in pairs])


def main():
    arguments = record.parser(__doc__)
    arguments.add_argument("--points", type=int, default=100_000, help="points for the vectorised function")
    arguments.add_argument("--loop-points", type=int, default=2_000, help="of these, points for the loop")
    arguments.add_argument("--reference-points", type=int, default=300, help="of these, points compared with 50 digits")
    arguments.add_argument("--repeats", type=int, default=15)
    options = arguments.parse_args()

    K, L, lam = points(options.points, seed=0)
    few = slice(options.loop_points)
    ours, theirs, ratios = [], [], []
    dufm.loss_ratio(K, L, lam)
    for _ in range(options.repeats):  # side by side, so that both meet the same machine
        ours.append(record.seconds(lambda: dufm.loss_ratio(K, L, lam), 1)["median"] / options.points)
        theirs.append(record.seconds(lambda: loop(K[few], L[few], lam[few]), 1)["median"] / options.loop_points)
        ratios.append(theirs[-1] / ours[-1])
    checked = slice(options.reference_points)
    exact = reference(K[checked], L[checked], lam[checked])

    def error(values):
        return float(np.abs(values[checked] / exact - 1).max())

    results = {
        "points": options.points,
        "points_per_second": {
            "vectorised": record.spread([1 / t for t in ours]),
            "scipy_loop": record.spread([1 / t for t in theirs]),
        },
        "speed_ratio": record.spread(ratios),
        "largest_relative_error": {
            "vectorised": error(dufm.loss_ratio(K, L, lam)),
            "scipy_loop": error(loop(K[few], L[few], lam[few])),
            "points_compared": options.reference_points,
        },
    }
    path = record.write("loss_ratio", results, "numpy", "scipy")
    print(path.read_text())


if __name__ == "__main__":
    main()
