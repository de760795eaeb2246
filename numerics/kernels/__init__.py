"""Kernels, their random features, distances of nearly coincident points, and kernel ridge regression."""

from numerics.kernels._distances import (
    COINCIDENCE,
    coincidence_radius,
    distances_about,
    squared_distances,
)
from numerics.kernels._features import (
    CosineFeatures,
    DrawnFeatures,
    FeatureMap,
    ReLUFeatures,
)
from numerics.kernels._kernels import (
    Gaussian,
    Kernel,
    Laplace,
    Linear,
    Linearised,
    RadialKernel,
)
from numerics.kernels._regression import (
    KernelSolution,
    SingularKernelWarning,
    extreme_eigenvalue,
    solve_kernel,
)

__all__ = [
    "COINCIDENCE",
    "CosineFeatures",
    "DrawnFeatures",
    "FeatureMap",
    "Gaussian",
    "Kernel",
    "KernelSolution",
    "Laplace",
    "Linear",
    "Linearised",
    "RadialKernel",
    "ReLUFeatures",
    "SingularKernelWarning",
    "coincidence_radius",
    "distances_about",
    "extreme_eigenvalue",
    "solve_kernel",
    "squared_distances",
]
