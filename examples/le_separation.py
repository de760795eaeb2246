"""When locally elastic features separate: the probability against c in α − β = c/t (review, before equation 44).

    python examples/le_separation.py                        # seconds; writes le_separation.svg

Lines are exact, `local_elasticity.separation_probability` of the gap over the noise; dots are paths of the stochastic
equation, `local_elasticity.simulate_le_sde`, which know nothing of it.
"""

import argparse

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from theory import local_elasticity

mpl.rcParams.update({"svg.hashsalt": "neural-collapse-theory", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3})
K, SAMPLES, PATHS = 2, 10, 400
TIMES = (1e2, 1e4, 1e8, 1e16)
SIMULATED = TIMES[:3]


def exact(c: float, time: float) -> float:
    """The probability along the gap, which starts as 2, with noise of variance t − 1."""
    return local_elasticity.separation_probability(2 * time ** (c / K) / np.sqrt(time - 1), SAMPLES)


def simulated(c: float, time: float) -> float:
    """The share of paths on which all samples of the first class are beyond all of the second."""
    F = local_elasticity.simulate_le_sde(
        np.repeat([[1.0, -1.0]], SAMPLES, axis=1),
        K,
        lambda t: c / (2 * t),
        lambda t: -c / (2 * t),
        1.0,
        np.geomspace(1, time, 400),
        paths=PATHS,
        seed=0,
        means="expected",
    )[:, 0]
    return float(np.mean(F[:, :SAMPLES].min(axis=1) > F[:, SAMPLES:].max(axis=1)))


def probabilities(ax: Axes) -> None:
    """The probability against c over its threshold, at several times."""
    threshold = local_elasticity.separation_threshold(K)
    ratios = np.linspace(0.5, 2, 151)
    for i, time in enumerate(TIMES):
        label = f"t = $10^{{{round(np.log10(time))}}}$"
        ax.plot(ratios, [exact(r * threshold, time) for r in ratios], color=f"C{i}", label=label)
        if time in SIMULATED:
            dots = ratios[::15]
            ax.plot(dots, [simulated(r * threshold, time) for r in dots], "o", color=f"C{i}", markersize=3)
    ax.axvline(1, color="black", linestyle=":", linewidth=1)
    ax.set(xlabel="c over the threshold K/2", ylabel="probability of separation")
    ax.legend()


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="le_separation.svg")
    arguments = parser.parse_args()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    probabilities(figure.subplots())
    figure.savefig(arguments.output, metadata={"Date": None})
    print(arguments.output)


if __name__ == "__main__":
    main()
