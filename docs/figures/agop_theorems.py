"""Draws the pictures of docs/agop_theorems.md: ``python docs/figures/agop_theorems.py [folder]``."""

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("svg")
mpl.rcParams.update({"svg.hashsalt": "neural-collapse-theory", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3})
from matplotlib import pyplot as plt  # noqa: E402

from theory import labels  # noqa: E402
from theory.deep_rfm import collapse_map, relu_distance  # noqa: E402

N_PER_CLASS, CLASSES, LAM_MAP = 4, 3, 1.0


def collapse_per_layer() -> plt.Figure:
    """Distance from the collapsed Gram matrix per layer, and its limit as a function of λ_k, for three κ."""
    Y = labels.one_hot([N_PER_CLASS] * CLASSES)
    N = Y.shape[1]
    features = np.random.default_rng(0).standard_normal((N, N))
    data_gram = LAM_MAP * np.eye(N) + features @ features.T

    def errors(lam_k: float, kappa: float, layers: int) -> np.ndarray:
        grams = collapse_map.iterate(data_gram, Y, lam_k=lam_k, lam_map=LAM_MAP, kappa=kappa, layers=layers)
        return np.array([np.linalg.norm(gram - Y.T @ Y, 2) for gram in grams])

    def first_order(lam_k: float) -> float:
        return 1 - 2 * lam_k / (N_PER_CLASS + LAM_MAP)

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for lam_k, colour in ((0.1, "C0"), (0.01, "C1"), (0.001, "C2")):
        printed = errors(lam_k, collapse_map.printed_kappa(lam_k, LAM_MAP), 9)
        amended = errors(lam_k, collapse_map.exact_kappa(N_PER_CLASS, lam_k, LAM_MAP), 9)
        left.semilogy(
            range(2, 11), printed, f"{colour}o-", markersize=3, label=rf"printed $\kappa$, $\lambda_k$ = {lam_k}"
        )
        left.semilogy(range(2, 11), np.maximum(amended, 1e-16), f"{colour}s--", markersize=3, label=r"amended $\kappa$")
        left.axhline(lam_k**2 / LAM_MAP**2, color=colour, linestyle=":", linewidth=1)
    left.set(xlabel="layer $l$", ylim=(1e-16, 10))
    left.set_ylabel(r"$\|\tilde X_l^\top\tilde X_l - Y^\top Y\|$")
    left.set_title(r"per layer (dotted: $\lambda_k^2/\lambda_\mathrm{map}^2$)", fontsize=9)
    left.legend(fontsize=7)

    lam_ks = np.logspace(-4, -1, 13)
    printed = [errors(k, collapse_map.printed_kappa(k, LAM_MAP), 40)[-1] for k in lam_ks]
    repaired = [errors(k, first_order(k), 40)[-1] for k in lam_ks]
    slope = 2 * N_PER_CLASS * (1 + 1 / LAM_MAP - 1 / (N_PER_CLASS + LAM_MAP))
    right.loglog(
        lam_ks, printed, "C3o-", markersize=3, label=r"$\kappa = 1-2\lambda_k(1+\lambda_\mathrm{map}^{-1})$, printed"
    )
    right.loglog(
        lam_ks,
        slope * lam_ks,
        "k:",
        linewidth=1,
        label=r"$2n\lambda_k(1+\lambda_\mathrm{map}^{-1}-(n+\lambda_\mathrm{map})^{-1})$",
    )
    right.loglog(lam_ks, repaired, "C4o-", markersize=3, label=r"$\kappa = 1-2\lambda_k/(n+\lambda_\mathrm{map})$")
    right.loglog(lam_ks, lam_ks**2 / LAM_MAP**2, "k--", linewidth=1, label=r"$\lambda_k^2/\lambda_\mathrm{map}^2$")
    right.set(xlabel=r"$\lambda_k$")
    right.set_title("in the limit of many layers", fontsize=9)
    right.legend(fontsize=7)
    return figure


def distance_ratio() -> plt.Figure:
    """The root-mean-square distance ratio and simulated expected ratios for several numbers of features."""
    figure, axes = plt.subplots(figsize=(5.4, 3.6), layout="constrained")
    theta = np.linspace(0, np.pi, 400)
    axes.plot(theta, relu_distance.distance_ratio(theta), "k-", label="root mean square, any $D$")
    rng = np.random.default_rng(0)
    for D, colour in ((1, "C3"), (4, "C1"), (16, "C2"), (256, "C0")):
        draws = 400_000 // D
        plane = rng.standard_normal((2, draws, D)) * (2 / D) ** 0.5
        angles = np.linspace(0.05, np.pi, 16)
        ratios = []
        for angle in angles:
            v = np.cos(angle) * plane[0] + np.sin(angle) * plane[1]
            distance = np.linalg.norm(np.maximum(plane[0], 0) - np.maximum(v, 0), axis=1)
            ratios.append(distance.mean() / (2 * np.sin(angle / 2)))
        axes.plot(angles, ratios, f"{colour}o", markersize=3, label=f"mean, $D$ = {D}, simulated")
        axes.plot(np.pi, relu_distance.opposite_distance_ratio(D), f"{colour}_", markersize=12)
    axes.axhline(2**-0.5, color="grey", linestyle=":")
    axes.axhline(np.pi**-0.5, color="C3", linestyle=":", linewidth=1)
    axes.set(xlabel=r"angle $\theta$", ylabel="distance of features / distance of vectors", ylim=(0.5, 1.02))
    axes.set_yticks(
        [0.5, np.pi**-0.5, 0.6, 2**-0.5, 0.8, 0.9, 1.0],
        ["0.5", r"$1/\sqrt{\pi}$", "0.6", r"$1/\sqrt{2}$", "0.8", "0.9", "1"],
    )
    axes.legend(fontsize=7)
    return figure


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for draw in (collapse_per_layer, distance_ratio):
        draw().savefig(folder / f"{draw.__name__}.svg", metadata={"Date": None})
