"""The losses of lowrank's proof of Theorem 5 in 50-digit arithmetic, minimised by brute force: the tests' reference.

It shares nothing with `theory.dufm` but the paper's formulas: regularisation and fit in the scale β itself, every local
minimum found on a fine grid of log β and refined with mpmath.
"""

import mpmath as mp
import numpy as np

from theory.geometry.triangular_graph import triangular_order


def minimum(weight, L, fits):
    """min over β ≥ 0 of weight·β^{1/L} + Σ a/(bβ + d) for (a, b, d) in `fits`, to 50 digits."""
    with mp.workdps(60):

        def f(t):
            return weight * mp.exp(t / L) + sum(a / (b * mp.exp(t) + d) for a, b, d in fits)

        def slope(t):
            fit = sum(a * b * mp.exp(t) / (b * mp.exp(t) + d) ** 2 for a, b, d in fits)
            return weight / L * mp.exp(t / L) - fit

        at_zero = sum(a / d for a, b, d in fits)
        middles = [float(mp.log(d / b)) for a, b, d in fits]
        stop = (
            max(*middles, float(L * mp.log(at_zero / weight))) + 1
        )  # from there the weights alone cost more than f(0)
        grid = np.linspace(min(middles) - 60, stop, 20001)
        values = np.exp(float(mp.log(weight)) + grid / L)
        for a, b, d in fits:
            values += np.exp(float(mp.log(a)) - np.logaddexp(float(mp.log(b)) + grid, float(mp.log(d))))
        low = [i for i in range(1, len(grid) - 1) if values[i] <= min(values[i - 1], values[i + 1])]
        best = at_zero
        for i in low:
            left, right = mp.mpf(grid[i - 1]), mp.mpf(grid[i + 1])
            if values[i] < 1.2 * values[low].min() and slope(left) < 0 < slope(right):
                root = mp.findroot(slope, (left, right), solver="anderson", tol=1e-55, maxsteps=300, verify=False)
                best = min(best, f(root))
        return best


def dnc_loss(K, L, lams, n=1, classes=None):
    """L_dnc, or the part of it that `classes` of the K classes cost."""
    with mp.workdps(60):
        P, last = _products(lams, n)
        m = classes or K
        return minimum(mp.mpf(L) * m / 2 * mp.root(P, L), L, [(last / 2 * m, mp.mpf(1), K * last)])


def srg_loss(K, L, lams, n=1):
    """L_srg by the block construction of Definition 11."""
    with mp.workdps(60):
        P, last = _products(lams, n)
        r, _ = triangular_order(K)
        block = r * (r - 1) // 2
        S = mp.sqrt(2) + mp.sqrt((r - 1) * (r - 2))
        weight = mp.mpf(L) / 2 * mp.root(P * S**2 * mp.mpf(r) ** (L - 3) * mp.mpf(block) ** 2 / 2, L)
        spectrum = [(1, mp.binomial(r - 2, 2) ** 2), (r - 1, mp.mpf(r - 3) ** 2), (mp.mpf(r) * (r - 3) / 2, mp.mpf(1))]
        loss = minimum(weight, L, [(last / 2 * m, e, K * last) for m, e in spectrum])
        return loss + (dnc_loss(K, L, lams, n, K - block) if K > block else 0)


def _products(lams, n):
    P = mp.mpf(n)
    for lam in lams[:-1]:
        P *= mp.mpf(lam)
    return P, mp.mpf(lams[-1])
