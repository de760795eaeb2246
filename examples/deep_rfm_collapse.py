"""Deep RFM collapses: the figures of the paper, for digits in a few minutes, for MNIST, CIFAR-10 or SVHN by a flag.

    python examples/deep_rfm_collapse.py
    python examples/deep_rfm_collapse.py --features cos --kernel gaussian
    python examples/deep_rfm_collapse.py --data cifar10 --samples 50000 --device cuda

Writes deep_rfm_collapse.png: NC1 and NC2 of every layer for X, M^{1/2}X and Φ(M^{1/2}X), and the cosines of all pairs
of samples, ordered by class, at layers 1, 3, 7, 13 and 19 (as Figures 1, 3 and 4 of Beaglehole, Súkeník, Mondelli and
Belkin, 2024).
"""

import argparse
import warnings

from matplotlib.figure import Figure

from numerics import data
from numerics.deep_rfm import STAGES, DeepRFM
from numerics.kernels import CosineFeatures, Gaussian, Laplace, ReLUFeatures

SHOWN = (1, 3, 7, 13, 19)
LABELS = ("$X$", "$M^{1/2}X$", "$\\Phi(M^{1/2}X)$")


def collapse(arguments: argparse.Namespace) -> DeepRFM:
    """Fit the machine, a line a layer."""
    dataset = data.load(arguments.data)
    if arguments.samples:
        dataset = dataset.first(arguments.samples)
    dataset = dataset.standardised()
    cosine = CosineFeatures(4096, "laplace-l1", 20.0)
    model = DeepRFM(
        arguments.depth,
        kernel=Laplace(2.0) if arguments.kernel == "laplace" else Gaussian(2.0),
        feature_map=ReLUFeatures(1024) if arguments.features == "relu" else cosine,
        grams=tuple(layer for layer in SHOWN if layer <= arguments.depth + 1),
        device=arguments.device,
        random_state=0,
        callback=lambda _, record: print(
            f"layer {record.layer:2}: NC1", *(f"{record.metrics[stage].nc1:9.2e}" for stage in STAGES), flush=True
        ),
    )
    with warnings.catch_warnings(record=True) as caught:  # singular kernel matrices: said once, at the end
        warnings.simplefilter("always")
        model.fit(dataset.X, dataset.y)
    for warning in caught:
        print(warning.message)
    return model


def draw(model: DeepRFM, title: str) -> Figure:
    """Two curves a stage above, Gram matrices below."""
    figure = Figure(figsize=(12, 7), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(3, 2))
    layers = [record.layer for record in model.records_]
    for axes, name in zip(above.subplots(1, 2), ("nc1", "nc2"), strict=True):
        for stage, label in zip(STAGES, LABELS, strict=True):
            axes.semilogy(layers, [getattr(r.metrics[stage], name) for r in model.records_], ".-", label=label)
        axes.set(xlabel="layer", title={"nc1": "tr Σ_W / tr Σ_B", "nc2": "‖μ̄ᵀμ̄ − Σ_ETF‖"}[name])
        axes.locator_params(axis="x", integer=True)
        axes.legend()
    panels = below.subplots(1, len(model.grams_), squeeze=False)[0]
    for axes, (layer, gram) in zip(panels, sorted(model.grams_.items()), strict=True):
        image = axes.imshow(gram, vmin=-0.5, vmax=1.0, interpolation="nearest")
        axes.set(title="data" if layer == 1 else f"layer {layer}", xticks=[], yticks=[])
    below.colorbar(image, ax=panels)
    figure.suptitle(title)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=sorted(data.LOADERS), default="digits")
    parser.add_argument("--samples", type=int, help="the first so many (default: all)")
    parser.add_argument("--depth", type=int, default=20)
    parser.add_argument("--kernel", choices=("laplace", "gaussian"), default="laplace")
    parser.add_argument("--features", choices=("relu", "cos"), default="relu")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--output", default="deep_rfm_collapse.png")
    arguments = parser.parse_args()
    model = collapse(arguments)
    draw(model, f"{arguments.data}, {arguments.kernel} kernel, {arguments.features} features").savefig(arguments.output)
    print(arguments.output)


if __name__ == "__main__":
    main()
