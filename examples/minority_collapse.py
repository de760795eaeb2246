"""Minority collapse: the angle between minority classifiers against the ratio of class sizes (review, equation 34).

    python examples/minority_collapse.py                    # seconds; writes minority_collapse.svg
    python examples/minority_collapse.py --table            # prints the thresholds of docs/minority_collapse.md

Lines are the closed form, `layer_peeled.layer_peeled_optimum`; dots are gradient descent on classifier and features,
which knows nothing of it.
"""

import argparse

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from scipy.optimize import minimize

from theory.ufm import layer_peeled

mpl.rcParams.update({"svg.hashsalt": "neural-collapse-theory", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3})
K_MAJ, K_MIN = 3, 3
BUDGETS = (0.5, 1.0, 2.0)
CLASSES = [(1, 2), (1, 5), (2, 2), (2, 5), (5, 2), (5, 5), (9, 1), (1, 9), (50, 50)]
TABLE = (0.1, 0.5, 1.0, 2.0, 5.0)


def descended(ratio: float, budget: float, seed: int) -> float:
    """The angle between minority classifiers where L-BFGS on (A, F), of fixed norms, comes to rest."""
    K = K_MAJ + K_MIN
    weights = np.repeat([ratio, 1.0], [K_MAJ, K_MIN]) / (ratio * K_MAJ + K_MIN)

    def value(x: np.ndarray) -> tuple[float, np.ndarray]:
        A, F = x.reshape(2, K, K)
        lengths = np.linalg.norm(A), np.linalg.norm(F)
        Z = (scale := K * budget / (lengths[0] * lengths[1])) * A @ F
        shares = np.exp(Z - Z.max(axis=0))
        shares /= shares.sum(axis=0)
        G = (shares - np.eye(K)) * weights
        slope = np.array([scale * G @ F.T - A * (np.sum(G * Z) / lengths[0] ** 2), scale * A.T @ G])
        slope[1] -= F * (np.sum(G * Z) / lengths[1] ** 2)
        return float(-np.log(np.diag(shares)) @ weights), slope.ravel()

    start = np.random.default_rng(seed).normal(size=2 * K * K)
    found = minimize(value, start, jac=True, method="L-BFGS-B", options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-9})
    A = found.x[: K * K].reshape(K, K)[K_MAJ:]
    A /= np.linalg.norm(A, axis=1, keepdims=True)
    cosines = (A @ A.T)[np.triu_indices(K_MIN, 1)]
    return float(np.degrees(np.arccos(np.clip(cosines, -1, 1))).mean())


def angles(ax: Axes) -> None:
    """The angle against the ratio, for three bounds of the norms."""
    for i, budget in enumerate(BUDGETS):
        ratios = np.geomspace(1, 30, 240)
        found = [layer_peeled.layer_peeled_optimum(K_MAJ, K_MIN, r, budget, budget).minority_angle for r in ratios]
        threshold = layer_peeled.minority_collapse_threshold(K_MAJ, K_MIN, budget, budget)
        label = rf"$\sqrt{{\Omega_A\Omega_F}}$ = {budget:g}, $t_0$ = {threshold:.3f}"
        ax.semilogx(ratios, found, color=f"C{i}", label=label)
        ax.axvline(threshold, color=f"C{i}", linestyle=":", linewidth=1)
        for r in [*np.geomspace(1, 0.97 * threshold, 5), 1.2 * threshold]:
            ax.plot(r, descended(r, budget, seed=0), "o", color=f"C{i}", markersize=4)
        vanishing = layer_peeled.minority_vanishing_threshold(K_MAJ, K_MIN, budget, budget)
        if vanishing is not None:
            ax.plot(vanishing, 0, "x", color=f"C{i}", label=f"0 vectors from {vanishing:.3f} on")
    ax.set(xlabel=r"$n_\mathrm{maj}/n_\mathrm{min}$", ylabel="angle between minority classifiers, degrees")
    ax.set_title(f"{K_MAJ} majority and {K_MIN} minority classes", fontsize=9)
    ax.legend(fontsize=7)


def regimes(ax: Axes) -> None:
    """Both thresholds against the bound of the norms."""
    budgets = np.geomspace(0.01, 5, 200)
    for i, (a, b) in enumerate([(1, 3), (3, 3), (5, 5)]):
        low = [layer_peeled.minority_collapse_threshold(a, b, x, x) for x in budgets]
        ax.loglog(budgets, low, color=f"C{i}", label=f"one vector: {a} + {b} classes")
        high = [layer_peeled.minority_vanishing_threshold(a, b, x, x) or np.nan for x in budgets]
        if a > 1:
            ax.loglog(budgets, high, "--", color=f"C{i}", label=f"0: {a} + {b}")
    ax.set(xlabel=r"$\sqrt{\Omega_A\Omega_F}$", ylabel=r"$n_\mathrm{maj}/n_\mathrm{min}$", ylim=(1, 100))
    ax.set_title("from which ratio on minority classifiers are one vector, or 0", fontsize=9)
    ax.legend(fontsize=7)


def table() -> None:
    """Thresholds for some numbers of classes and bounds of the norms, in Markdown."""
    print("| K_maj | K_min | " + " | ".join(f"{x:g}" for x in TABLE) + " |\n" + "|---" * (2 + len(TABLE)) + "|")
    for a, b in CLASSES:
        cells = []
        for x in TABLE:
            low = f"{layer_peeled.minority_collapse_threshold(a, b, x, x):.6g}" if b > 1 else "–"
            high = layer_peeled.minority_vanishing_threshold(a, b, x, x)
            cells.append(low if high is None else f"{low}, {high:.6g}")
        print(f"| {a} | {b} | " + " | ".join(cells) + " |")


def main() -> None:
    """Draw, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="minority_collapse.svg")
    parser.add_argument("--table", action="store_true", help="print the thresholds and draw nothing")
    arguments = parser.parse_args()
    if arguments.table:
        return table()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    angles(left)
    regimes(right)
    figure.savefig(arguments.output, metadata={"Date": None})
    print(arguments.output)


if __name__ == "__main__":
    main()
