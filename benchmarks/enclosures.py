"""Enclosures of L_srg / L_dnc against mpmath's minimisation at the same precision, and the time to verify certificates.

mpmath has no global minimiser. Its side is what one writes with it: `findroot` on the derivatives of both losses, given
in closed form, from the float64 minimisers of `scipy.optimize` (found before the clock starts), and the losses there.
That is accurate to the working precision and proves nothing: not the error, and not that the minimum is the global
one. Ours finds the minima from scratch and proves both. The digits on which the two agree are recorded.

Run it with `OMP_NUM_THREADS=1 python benchmarks/enclosures.py`; it takes about half a minute on one core.
"""

import time
from decimal import Decimal
from fractions import Fraction
from functools import partial
from math import exp

import mpmath as mp
import numpy as np
import record
from scipy.optimize import minimize_scalar

from theory import certificate, dufm

PROBLEMS = {"K = 10, L = 4, λ = 5e-4": (10, 4, "5e-4"), "K = 1035, L = 8, λ = 1e-6": (1035, 8, "1e-6")}


class ByMpmath:
    """Both losses of a triangular number of classes as functions of the scale's logarithm, with their derivatives."""

    def __init__(self, K, L, lam):
        self.K, self.L, self.lam = K, L, lam
        r = int((1 + (1 + 8 * K) ** 0.5) / 2)
        self.r = r
        self.spectrum = [(((r - 2) * (r - 3) // 2) ** 2, 1), ((r - 3) ** 2, r - 1), (1, r * (r - 3) // 2)]
        self.starts = [self._start(relative, spectrum) for relative, spectrum in self.sides()]

    def sides(self):
        """(κ, [(e_i, w_i)]) of the strongly regular graph and of the collapsed solution, at the working precision."""
        K, L, r = self.K, self.L, self.r
        kappa = K * mp.root(mp.mpf(self.lam) ** (L + 1) * K, L)
        nuclear = mp.sqrt(2) + mp.sqrt((r - 1) * (r - 2))
        relative = mp.root(nuclear**2 * mp.mpf(r) ** (L - 3) / (2 * mp.mpf(K) ** (L - 2)), L)
        return [
            (kappa * relative, [(e, mp.mpf(m) / K) for e, m in self.spectrum]),
            (kappa, [(1, mp.mpf(1))]),
        ]

    def _start(self, kappa, spectrum):
        kappa, terms = float(kappa), [(float(e), float(w)) for e, w in spectrum]

        def f(x):
            return self.L / 2 * kappa * exp(x / self.L) + sum(w / (1 + e * exp(x)) for e, w in terms) / 2

        grid = np.linspace(-10, 60, 300)
        best = grid[np.argmin([f(x) for x in grid])]
        return minimize_scalar(f, bounds=(best - 1, best + 1), method="bounded", options={"xatol": 1e-12}).x

    def ratio(self, digits):
        with mp.workdps(digits + 5):
            losses = []
            for start, (kappa, spectrum) in zip(self.starts, self.sides(), strict=True):

                def slope(x, kappa=kappa, spectrum=spectrum):
                    u = mp.exp(x)
                    return kappa * mp.exp(x / self.L) - sum(w * e * u / (1 + e * u) ** 2 for e, w in spectrum)

                x = mp.findroot(slope, start, tol=mp.mpf(10) ** (-2 * digits))
                u = mp.exp(x)
                fit = sum(w / (1 + e * u) for e, w in spectrum) / 2
                losses.append(mp.mpf(self.L) / 2 * kappa * mp.exp(x / self.L) + fit)
            return losses[0] / losses[1]


def agreement(bounds, value, digits):
    """Digits to which mpmath's value agrees with the proved bounds."""
    with mp.workdps(digits + 10):
        error = abs(mp.mpf(str(bounds.lower)) / value - 1)
        return digits if error == 0 else min(digits, int(-mp.log10(error)))


def wall(function, repeats):
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return times


def enclosures(repeats):
    results = {}
    for name, (K, L, lam) in PROBLEMS.items():
        peer = ByMpmath(K, L, lam)
        results[name] = {}
        for digits in (30, 100, 1000):
            ours, theirs = [], []
            for _ in range(repeats):  # side by side, so that both meet the same machine
                ours += wall(partial(dufm.enclose_ratio, K, L, lam, digits=digits), 1)
                theirs += wall(partial(peer.ratio, digits), 1)
            results[name][f"{digits} digits"] = {
                "enclosure_seconds": record.spread(ours),
                "mpmath_seconds": record.spread(theirs),
                "mpmath_over_enclosure": record.spread([b / a for a, b in zip(ours, theirs, strict=True)]),
                "digits_of_agreement": agreement(
                    dufm.enclose_ratio(K, L, lam, digits=digits), peer.ratio(digits), digits
                ),
            }
    return results


def single_loss(repeats):
    times = wall(lambda: dufm.enclose_loss("srg", 10, 4, Fraction(1, 2000), digits=30), repeats)
    assert dufm.enclose_loss("srg", 10, 4, Fraction(1, 2000), digits=30).width < Decimal("1e-30")
    return {"enclose_loss('srg', 10, 4, 1/2000, digits=30)": record.spread(times)}


def boxes(repeats):
    results = {}
    for K, L, lam, width in (
        (10, 4, ("1e-6", "1e-1"), "1e-2"),
        (10, 4, ("1e-6", "1e-1"), "1e-3"),
        (10, 4, ("1e-6", "1e-1"), "1e-4"),
        (range(6, 29), range(3, 9), ("1e-6", "1e-1"), "1e-2"),
    ):
        name = f"K = {K}, L = {L}, λ from {lam[0]} to {lam[1]}, width {width}"
        bounds = dufm.enclose_ratio_over(K, L, lam, width=width)
        times = wall(partial(dufm.enclose_ratio_over, K, L, lam, width=width), repeats)
        results[name] = {"seconds": record.spread(times), "lower": float(bounds.lower), "upper": float(bounds.upper)}
    return results


def certificates(repeats):
    proof = certificate.strongly_regular_beats_collapse()
    assert proof.verify()
    times = {"Theorem 5, all r, L and regularisations": record.spread(wall(proof.verify, repeats))}
    for step in proof.steps:
        times[f"step: {step.statement}"] = record.spread(wall(step.verify, repeats))
    for r, L in ((4, 4), (5, 3), (6, 5), (6, 8)):
        K = r * (r - 1) // 2
        weights = [Fraction(m, K) for m in (1, r - 1, r * (r - 3) // 2)]
        eigenvalues = [((r - 2) * (r - 3) // 2) ** 2, (r - 3) ** 2, 1]
        sturm = certificate.zero_is_optimal(L, Fraction(1), weights, eigenvalues)
        assert sturm.verify()
        degree = len(sturm.coefficients) - 1
        times[f"Sturm: zero is optimal for SRG, K = {K}, L = {L}, κ ≥ 1 (degree {degree})"] = record.spread(
            wall(sturm.verify, max(3, repeats // 10))
        )
    return times


def main():
    arguments = record.parser(__doc__)
    arguments.add_argument("--repeats", type=int, default=31)
    options = arguments.parse_args()
    results = {
        "clock": "wall clock, seconds",
        "mpmath_backend": mp.libmp.BACKEND,
        "single_loss": single_loss(options.repeats),
        "ratio": enclosures(options.repeats),
        "boxes": boxes(3),
        "certificates": certificates(options.repeats),
    }
    path = record.write("enclosures", results, "python-flint", "mpmath", "numpy", "scipy")
    print(path.read_text())


if __name__ == "__main__":
    main()
