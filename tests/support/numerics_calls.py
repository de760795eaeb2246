"""A cheap call of each public function of numerics, and of the classes' methods: what the tests of arguments vary.

An int stands for an integer, a float for a real number, a list for a sequence of them.
"""

import numpy as np
import torch

from numerics import agop, data, deep_rfm, descent, files, kernels, metrics, sweep
from numerics.sweep._format import COLUMNS
from theory import dufm

F64 = torch.float64


def points(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


LAM = 2.0**-7
X, Z, ALPHA = points(6, 3), points(4, 3, seed=1), points(6, 2, seed=2)
Y = torch.arange(6) % 3
SAMPLES, LABELS = X.numpy(), Y.numpy()
MEANS = points(3, 3, seed=3)
SPD = X @ X.mT + torch.eye(6, dtype=F64)
WITH_SCATTER = metrics.class_statistics(X, Y, 3, scatter=True)
STATISTICS = metrics.balanced_statistics(X, 3)
PROBLEM = descent.Problem.of(3, 2, LAM, n=2, width=4)
PARAMETERS = descent.initial_parameters(PROBLEM, [0, 1])
RUNS = descent.train(3, 2, LAM, n=2, width=4, seeds=2, steps=3, record=2)
GRAM = np.array([[2.0, 0.5, 0.25], [0.5, 1.5, 0.125], [0.25, 0.125, 1.0]])
DATASET = data.Dataset("small", X.numpy(), Y.numpy(), 3)
SMALL = {"K": 3, "L": 2, "width": 4, "seeds": 2, "steps": 3}
SETTING = {"K": 3, "L": 2, "lam": 0.01, "width": 4, "lr": 0.5, "n": 1, "steps": 3, "init_scale": 1.0} | {
    "optimizer": "gd",
    "dtype": "float64",
    "polish": False,
}
ROWS = sweep.do(sweep.Task(SETTING, (0, 1)).text)


def train(**arguments):
    return descent.train(**arguments)


def deep_rfm_scores(X=SAMPLES, y=LABELS, **parameters):
    """What a `DeepRFM` of these parameters says of its samples."""
    arguments = {"depth": 1, "feature_map": kernels.ReLUFeatures(8), "random_state": 0} | parameters
    return deep_rfm.DeepRFM(**arguments).fit(X, y).decision_function(DATASET.X)


MODEL = deep_rfm.DeepRFM(1, feature_map=kernels.ReLUFeatures(8), random_state=0).fit(X.numpy(), Y.numpy())


def updated(metric, *batch):
    """What a streaming metric computes of one batch."""
    metric.update(*batch)
    return metric.compute()


def neural_collapse(X, y, num_classes, num_features):
    return updated(metrics.NeuralCollapse(num_classes, num_features), X, y)


def nearest_class_center(means, X, predictions):
    return updated(metrics.NearestClassCenter(means), X, predictions)


def features(kind, d, generator_seed=0, **arguments):
    """The weights of drawn random features."""
    drawn = kind(**arguments).draw(d, torch.Generator().manual_seed(generator_seed))
    return [drawn.weight, drawn.scale, drawn(points(4, drawn.weight.shape[1]))]


def relu_features(d, **arguments):
    return features(kernels.ReLUFeatures, d, **arguments)


def cosine_features(d, **arguments):
    return features(kernels.CosineFeatures, d, **arguments)


def kernel_values(kind, X, Z=None, M=None, **arguments):
    """A kernel's matrix, diagonal and gradients."""
    kernel = kind(M=M, **arguments)
    return [kernel(X, Z), kernel.diagonal(X), kernel.gradient(X, Z)]


def gaussian(bandwidth, X, Z=None, M=None):
    return kernel_values(kernels.Gaussian, X, Z, M, bandwidth=bandwidth)


def laplace(bandwidth, X, Z=None, M=None):
    return kernel_values(kernels.Laplace, X, Z, M, bandwidth=bandwidth)


def linear(X, Z=None, M=None):
    return kernel_values(kernels.Linear, X, Z, M)


def linearised(lam, X, Z=None, M=None):
    return kernel_values(kernels.Linearised, X, Z, M, lam=lam)


def grid(**arguments):
    made = sweep.Grid(**({"K": 3, "L": 2, "lam": 0.25} | arguments))
    return [made.settings(), list(made.seed_list())]


def dataset(X, y, num_classes):
    made = data.Dataset("fuzz", X, y, num_classes)
    return [made.X, made.y, made.standardised().X, made.sorted_by_class().X, made.targets()]


def model_agop(X, batch_size=128, layer=None):
    layers = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2)).double()
    with torch.no_grad():
        for parameter in layers.parameters():
            parameter.copy_(points(*parameter.shape, seed=parameter.numel()))
    return agop.model_agop(layers, X, layer=layer, batch_size=batch_size)


def make_optimizer(optimizer, lr):
    network = descent.Network(PROBLEM, [parameter.clone() for parameter in PARAMETERS])
    return type(descent.make_optimizer(optimizer, network, lr)).__name__


def plot(seeds):
    return descent.plot(RUNS.problem, RUNS.history, seeds)


GAUSSIAN = kernels.Gaussian(2.0)
PSD = SPD[:3, :3].contiguous()

#: (what it stands for, function, arguments). The name is that of the public function, or "Class" or "Class.method".
CALLS = [
    ("agop.agop_cost", agop.agop_cost, {"n": 4, "d": 3, "c": 2}),
    ("agop.kernel_agop", agop.kernel_agop, {"kernel": GAUSSIAN, "X": X, "alpha": ALPHA, "memory_limit": 10**9}),
    ("agop.kernel_agop", agop.kernel_agop, {"kernel": GAUSSIAN, "X": X, "alpha": ALPHA, "route": "samples"}),
    ("agop.model_agop", model_agop, {"X": X, "batch_size": 2, "layer": "2"}),
    ("data.Dataset", dataset, {"X": X.numpy(), "y": Y.numpy(), "num_classes": 3}),
    ("data.Dataset.targets", data.Dataset.targets, {"self": DATASET, "coding": "onehot"}),
    ("data.Dataset.first", data.Dataset.first, {"self": DATASET, "samples": 4}),
    ("data.Dataset.with_counts", data.Dataset.with_counts, {"self": DATASET, "counts": [2, 1, 1]}),
    ("data.gaussian_clusters", data.gaussian_clusters, {"counts": [2, 2], "d": 3, "separation": 3.0, "seed": 0}),
    ("data.load", data.load, {"name": "digits"}),
    ("deep_rfm.DeepRFM", deep_rfm_scores, {"depth": 1, "ridge": 0.25, "memory_limit": 10**9, "random_state": 0}),
    ("deep_rfm.DeepRFM", deep_rfm_scores, {"X": X.numpy(), "y": Y.numpy(), "gram_samples": 4, "grams": [1, 2]}),
    (
        "deep_rfm.DeepRFM",
        deep_rfm_scores,
        {"targets": "onehot", "agop_scale": "sum", "agop_route": "samples", "singular": "pinv", "dtype": "float32"}
        | {"kernel": GAUSSIAN, "feature_map": kernels.ReLUFeatures(8), "device": "cpu"},
    ),
    *(
        (f"deep_rfm.DeepRFM.{name}", getattr(deep_rfm.DeepRFM, name), {"self": MODEL, "X": X.numpy()})
        for name in ("transform", "project", "decision_function", "predict")
    ),
    ("deep_rfm.DeepRFM.seed_of", deep_rfm.DeepRFM.seed_of, {"random_state": 3}),
    ("deep_rfm.agop_root", deep_rfm.agop_root, {"kernel": GAUSSIAN, "X": X, "alpha": ALPHA, "memory_limit": 10**9}),
    ("descent.train", train, SMALL | {"lam": LAM, "n": 2, "lr": 0.5, "init_scale": 1.0, "record": 2, "threads": 1}),
    ("descent.train", train, SMALL | {"lams": [LAM, LAM, 2 * LAM], "activation": "relu_eps", "eps": 0.25}),
    ("descent.train", train, SMALL | {"lam": LAM, "width": [4, 4], "seeds": [3, 4], "record": [1, 3]}),
    ("descent.train", train, SMALL | {"lam": LAM, "optimizer": "adam", "initial": None, "device": "cpu"}),
    ("descent.from_solution", descent.from_solution, {"solution": dufm.dnc(4, 3, LAM), "width": 8}),
    ("descent.gram_distance", descent.gram_distance, {"a": GRAM, "b": np.eye(3)}),
    (
        "descent.initial_parameters",
        descent.initial_parameters,
        {"problem": PROBLEM, "seeds": [0, 1], "init_scale": 1.5},
    ),
    ("descent.kernel", descent.kernel, {"activation": descent.ReLU()}),
    ("descent.labels", descent.labels, {"problem": PROBLEM, "device": "cpu"}),
    ("descent.layers", descent.layers, {"problem": PROBLEM, "parameters": PARAMETERS}),
    ("descent.loss", descent.loss, {"problem": PROBLEM, "parameters": PARAMETERS}),
    ("descent.loss_dnc", descent.loss_dnc, {"problem": PROBLEM}),
    ("descent.loss_srg", descent.loss_srg, {"problem": PROBLEM}),
    ("descent.make_optimizer", make_optimizer, {"optimizer": "adam", "lr": 0.25}),
    (
        "descent.polish",
        descent.polish,
        {"problem": PROBLEM, "parameters": PARAMETERS, "eps": 0.125, "tol": 0.125, "max_steps": 2},
    ),
    ("descent.recognise", descent.recognise, {"problem": PROBLEM, "grams": [GRAM], "tol": 0.125}),
    ("descent.recognise_gram", descent.recognise_gram, {"gram": GRAM, "tol": 0.125}),
    ("descent.relaxed", descent.relaxed, {"problem": PROBLEM, "eps": 0.125}),
    ("descent.seed_list", descent.seed_list, {"seeds": 3}),
    ("descent.shapes", descent.shapes, {"problem": PROBLEM}),
    ("descent.check_parameters", descent.check_parameters, {"problem": PROBLEM, "parameters": PARAMETERS}),
    ("descent.check_trainable", descent.check_trainable, {"problem": PROBLEM}),
    *(
        (f"descent.Runs.{name}", getattr(descent.Runs, name), {"self": RUNS, "l": 2})
        for name in ("features", "preactivations", "class_means", "gram", "weights")
    ),
    ("descent.Runs.ranks", descent.Runs.ranks, {"self": RUNS, "tol": 0.125}),
    ("descent.Runs.gradient_norms", descent.Runs.gradient_norms, {"self": RUNS, "eps": 0.125}),
    ("descent.Runs.recognise", descent.Runs.recognise, {"self": RUNS, "tol": 0.125}),
    ("descent.Runs.polish", descent.Runs.polish, {"self": RUNS, "eps": 0.125, "tol": 0.125, "max_steps": 2}),
    ("kernels.ReLUFeatures", relu_features, {"width": 4, "d": 3, "distribution": "uniform"}),
    ("kernels.CosineFeatures", cosine_features, {"width": 4, "d": 3, "bandwidth": 2.0, "kernel": "laplace-l2"}),
    ("kernels.Gaussian", gaussian, {"bandwidth": 2.0, "X": X, "Z": Z, "M": PSD}),
    ("kernels.Gaussian", gaussian, {"bandwidth": 0.5, "X": X}),
    ("kernels.Laplace", laplace, {"bandwidth": 2.0, "X": X, "Z": Z, "M": PSD}),
    ("kernels.Laplace", laplace, {"bandwidth": 0.5, "X": X}),
    ("kernels.Linear", linear, {"X": X, "Z": Z, "M": PSD}),
    ("kernels.Linearised", linearised, {"lam": 0.25, "X": X, "Z": Z, "M": PSD}),
    ("kernels.solve_kernel", kernels.solve_kernel, {"K": SPD, "Y": ALPHA, "ridge": 0.25, "singular": "jitter"}),
    ("kernels.squared_distances", kernels.squared_distances, {"X": X, "Z": Z}),
    ("metrics.NearestClassCenter", nearest_class_center, {"means": MEANS, "X": X, "predictions": Y}),
    ("metrics.NeuralCollapse", neural_collapse, {"X": X, "y": Y, "num_classes": 3, "num_features": 3}),
    ("metrics.balanced_statistics", metrics.balanced_statistics, {"features": X, "num_classes": 3}),
    ("metrics.cdnv", metrics.cdnv, {"statistics": STATISTICS, "undefined": "nan"}),
    ("metrics.centred_gram", metrics.centred_gram, {"X": X, "centre": MEANS[0]}),
    ("metrics.class_means", metrics.class_means, {"features": X, "num_classes": 3}),
    ("metrics.class_statistics", metrics.class_statistics, {"X": X, "y": Y, "num_classes": 3}),
    ("metrics.collapse_metrics", metrics.collapse_metrics, {"X": X, "y": Y, "num_classes": 3, "weighting": "samples"}),
    ("metrics.condition_number", metrics.condition_number, {"singular_values": X.abs(), "zero": 0.125}),
    (
        "metrics.covariance_effective_rank",
        metrics.covariance_effective_rank,
        {"statistics": WITH_SCATTER},
    ),
    ("metrics.dnc2", metrics.dnc2, {"statistics": STATISTICS}),
    ("metrics.effective_rank", metrics.effective_rank, {"spectrum": X.abs()}),
    ("metrics.equiangularity", metrics.equiangularity, {"vectors": MEANS}),
    ("metrics.equinorm", metrics.equinorm, {"vectors": MEANS}),
    ("metrics.gram_to_etf", metrics.gram_to_etf, {"statistics": STATISTICS, "weight": MEANS, "weighting": "samples"}),
    ("metrics.self_duality", metrics.self_duality, {"statistics": STATISTICS, "weight": MEANS, "weighting": "samples"}),
    ("metrics.nc1", metrics.nc1, {"statistics": STATISTICS, "weighting": "samples", "undefined": "nan"}),
    ("metrics.nc1_pinv", metrics.nc1_pinv, {"statistics": WITH_SCATTER, "weighting": "samples"}),
    ("metrics.nc2", metrics.nc2, {"statistics": STATISTICS, "weighting": "samples", "undefined": "nan"}),
    ("metrics.nc2_normalised", metrics.nc2_normalised, {"statistics": STATISTICS, "weighting": "samples"}),
    ("metrics.nc3", metrics.nc3, {"statistics": STATISTICS, "weight": MEANS, "weighting": "samples"}),
    ("metrics.nc4", metrics.nc4, {"X": X, "predictions": Y, "means": MEANS}),
    ("metrics.nearest_mean", metrics.nearest_mean, {"X": X, "means": MEANS}),
    ("metrics.psd_spectrum", metrics.psd_spectrum, {"matrix": PSD}),
    ("metrics.rank", metrics.rank, {"singular_values": X.abs(), "tol": 0.125}),
    ("metrics.simplex_etf", metrics.simplex_etf, {"num_classes": 3}),
    ("metrics.total_covariance", metrics.total_covariance, {"statistics": WITH_SCATTER}),
    ("descent.plot", plot, {"seeds": [0, 1]}),
    ("files.check_output", files.check_output, {"path": "here.csv"}),
    ("files.same_file", files.same_file, {"first": "here.csv", "second": "there.csv"}),
    ("sweep.summarise", sweep.summarise, {"rows": [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]}),
    ("sweep.Grid", grid, {"K": [3, 4], "L": [2, 3], "lam": [0.25, 0.5], "seeds": [0, 1]}),
    ("sweep.Grid", grid, {"width": [4, 5], "lr": [0.25], "seeds": 2, "n": 1, "steps": 3, "init_scale": 1.5}),
    ("sweep.Grid", grid, {"optimizer": "gd", "dtype": "float64", "polish": False, "batch": 4}),
]
