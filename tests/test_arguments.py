"""One rule for scalar arguments: a number means the same whatever its type, in every public function.

`CALLS` has a call of each public function that takes numbers; an int there stands for an integer, a float for a real
number, a list for a sequence of them. Each is given in every type, one argument at a time.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache
from numbers import Number

import flint
import networkx as nx
import numpy as np
import pytest
import torch

import theory
from theory import arguments, certificate, coq, dufm, ridge, schatten, ufm
from theory.deep_rfm import (
    collapse_convergence,
    collapse_fixed_point,
    collapse_map,
    kernel_certificate,
    kernel_ridge,
    mahalanobis,
    relu_distance,
    relu_kernel,
)
from theory.geometry import triangular_graph
from theory.labels import one_hot
from theory.ufm import relu_epsilon, two_layers

INTEGER_TYPES = {
    "float": float,
    "int8": np.int8,
    "uint8": np.uint8,
    "int16": np.int16,
    "int64": np.int64,
    "uint64": np.uint64,
    "float32": np.float32,
    "float64": np.float64,
    "array": np.array,
    "Fraction": Fraction,
    "Decimal": Decimal,
    "tensor": torch.tensor,
    "float tensor": lambda value: torch.tensor(float(value)),
}
REAL_TYPES = {
    "float32": np.float32,
    "float64": np.float64,
    "array": np.array,
    "Fraction": Fraction,
    "Decimal": Decimal,
    "string": lambda value: str(Decimal(value)),
    "tensor": torch.tensor,
    "float32 tensor": lambda value: torch.tensor(value, dtype=torch.float32),
}
LAM = 2.0**-11  # exact in every type
X = np.random.default_rng(0).standard_normal((3, 3))
LABELS = one_hot([2, 1])
GRAM = np.array([[2.0, 0.5, 0.25], [0.5, 1.5, 0.125], [0.25, 0.125, 1.0]])
PROBLEM = ufm.Problem.of(2, 2, LAM)
SOLUTION = dufm.dnc(4, 3, LAM)
LAMS = [LAM, 2 * LAM, 4 * LAM, 8 * LAM]
MAP = {"lam_k": 0.25, "lam_map": 0.5, "kappa": 0.125}

CALLS = [
    (certificate.strongly_regular_beats_collapse, {"three_layers_from": 5, "four_layers_from": 4}),
    (certificate.zero_is_optimal, {"L": 3, "kappa": 0.25, "weights": [0.5, 0.5], "eigenvalues": [2.0, 1.0]}),
    (collapse_convergence.layer_factor, {"x": 0.5, "c": 0.25}),
    (collapse_fixed_point.contraction_bound, {"sizes": [2, 1], **MAP}),
    (collapse_fixed_point.contraction_factor, {"sizes": [2, 1], **MAP}),
    (collapse_fixed_point.critical_lam_k, {"n": 2, "lam_map": 0.5}),
    (collapse_fixed_point.fixed_point, {"Y": LABELS, **MAP}),
    (collapse_fixed_point.fixed_point_scales, {"sizes": [2, 1], **MAP}),
    (collapse_map.agop_gram, {"A": GRAM, "Y": LABELS, "lam_k": 0.25}),
    (collapse_map.collapsed_gram_inverse, {"Y": LABELS, "lam_map": 0.5}),
    (collapse_map.exact_kappa, {"n": 2, "lam_k": 0.25, "lam_map": 0.5}),
    (collapse_map.exact_step, {"gram": [[2, 1], [1, 2]], "Y": np.eye(2), **MAP}),
    (collapse_map.iterate, {"data_gram": GRAM, "Y": LABELS, **MAP, "layers": 2}),
    (collapse_map.printed_kappa, {"lam_k": 0.25, "lam_map": 0.5}),
    (collapse_map.step, {"gram": GRAM, "Y": LABELS, **MAP}),
    (dufm.best_known, {"K": 10, "L": 4}),
    (dufm.conditionally_optimal, {"intermediate": [np.eye(2)], "pre_activations": np.eye(2), "lams": LAMS, "n": 2}),
    (dufm.dnc, {"K": 4, "L": 3, "lam": LAM, "n": 2}),
    (dufm.dnc, {"K": 4, "L": 3, "lams": LAMS}),
    (dufm.dnc_loss, {"K": 4, "L": 3, "lam": LAM, "n": 2}),
    (dufm.dnc_loss, {"K": 4, "L": 3, "lams": LAMS}),
    (dufm.enclose_loss, {"solution": "dnc", "K": 4, "L": 3, "lam": LAM, "n": 2, "digits": 8, "time_limit": 8.0}),
    (dufm.enclose_loss, {"solution": "dnc", "K": 4, "L": 3, "lams": LAMS, "digits": 8}),
    (dufm.enclose_ratio, {"K": 10, "L": 3, "lam": LAM, "n": 2, "digits": 8, "time_limit": 8.0}),
    (dufm.enclose_ratio, {"K": 10, "L": 3, "lams": LAMS, "digits": 8}),
    (
        dufm.enclose_ratio_over,
        {"K": 10, "L": 4, "lam": [LAM, 2 * LAM], "n": 2, "width": 0.125, "max_points": 100, "time_limit": 8.0},
    ),
    (dufm.evaluate_loss, {"features": np.eye(2), "weights": [np.eye(2)] * 3, "lams": LAMS, "n": 1}),
    (dufm.exact_loss, {"matrices": dufm.rational_srg(4, LAMS), "lams": LAMS, "n": 2}),
    (
        dufm.explore,
        {"K": 3, "L": 3, "lam": LAM, "n": 2, "time_limit": 8.0, "max_graphs": 100, "screened": 1, "refined": 0}
        | {"restarts": 0, "kicks": 0, "seed": 1},
    ),
    (dufm.explore, {"K": 3, "L": 3, "lams": LAMS, "screened": 1, "refined": 0}),
    (dufm.free_descent, {"solution": SOLUTION, "noise": 0.125, "restarts": 1, "steps": 5, "seed": 1}),
    (
        dufm.graph_solution,
        {"graph": nx.path_graph(3), "L": 3, "lam": LAM, "n": 2, "K": 2, "restarts": 1, "kicks": 1, "seed": 1},
    ),
    (dufm.graph_solution, {"graph": nx.path_graph(3), "L": 3, "lams": LAMS, "last_layer": "edges"}),
    (dufm.loss_ratio, {"K": 12, "L": 3, "lam": LAM, "n": 2}),
    (dufm.loss_ratio, {"K": 12, "L": 3, "lams": LAMS}),
    (dufm.rational_srg, {"r": 5, "lams": LAMS, "n": 2, "classes": [0, 1, 5]}),
    (dufm.srg, {"K": 12, "L": 3, "lam": LAM, "n": 2}),
    (dufm.srg, {"K": 12, "L": 3, "lams": LAMS, "construction": "drop"}),
    (dufm.srg_loss, {"K": 12, "L": 3, "lam": LAM, "n": 2}),
    (dufm.srg_loss, {"K": 12, "L": 3, "lams": LAMS}),
    (dufm.symbolic_loss, {"solution": "dnc", "L": 3}),
    (ridge.minimiser, {"M": X, "lam": 0.25}),
    (ridge.minimum, {"singular_values": [1.0, 2.0], "lam": 0.25, "K": 3}),
    (ridge.objective, {"W": X, "M": X, "lam": 0.25}),
    (ridge.residual, {"M": X, "lam": 0.25}),
    (schatten.minimal_factors, {"matrix": X, "lams": [0.25, 0.5], "width": 3}),
    (schatten.power, {"matrix": X, "p": 0.5}),
    (schatten.variational_constant, {"lams": [0.25, 0.5]}),
    (schatten.variational_value, {"matrix": X, "lams": [0.25, 0.5]}),
    (theory.labels.one_hot, {"sizes": [2, 1]}),
    *(
        (function, {"r": 5})
        for function in (
            triangular_graph.complete_graph_edges,
            triangular_graph.incidence_matrix,
            triangular_graph.last_layer_gram_spectrum,
            triangular_graph.last_layer_pre_activations,
            triangular_graph.last_layer_row_norm_squared,
            triangular_graph.normalised_incidence_matrix,
            triangular_graph.parameters,
            triangular_graph.spectrum,
            triangular_graph.triangular_graph,
        )
    ),
    (triangular_graph.row_multiples, {"multiples": [[1.0, 2.0], [3.0]], "scale": 2.0}),
    (triangular_graph.triangular_order, {"K": 12}),
    (ufm.ReLUEpsilon, {"epsilon": 0.25, "exponent": 3}),
    (ufm.Problem.of, {"K": 3, "L": 2, "lam": LAM, "n": 2, "width": 4, "activation": "relu_eps", "eps": 0.25}),
    (ufm.Problem.of, {"K": 3, "L": 2, "lams": LAMS[:3], "width": [3, 4]}),
    (ufm.activation, {"spec": "relu_eps", "eps": 0.25}),
    (ufm.activations, {"spec": "relu_eps", "L": 3, "eps": 0.25}),
    (
        ufm.descend,
        {"point": ufm.collapsed_point(PROBLEM), "tolerance": 0.125, "iterations": 2, "flat": 0.125, "memory": 2},
    ),
    (ufm.exact_lams, {"L": 3, "lam": None, "lams": LAMS}),
    (ufm.exact_lams, {"L": 3, "lam": LAM, "positive": True}),
    (kernel_certificate.dual_certificate, {"kernel": np.eye(3), "Y": LABELS, "mu": 0.25}),
    (kernel_ridge.objective, {"A": LABELS, "k": GRAM, "Y": LABELS, "mu": 0.25}),
    (kernel_ridge.optimal_coefficients, {"k": GRAM, "Y": LABELS, "mu": 0.25}),
    (kernel_ridge.reduced_objective, {"k": GRAM, "Y": LABELS, "mu": 0.25}),
    (kernel_ridge.solve, {"Y": LABELS, "mu": 0.25, "largest_diagonal": 2.0}),
    (mahalanobis.collapsing_metric, {"X": X, "Y": LABELS, "distance": 2.0}),
    (relu_distance.distance_ratio_bounds, {"theta": [0.5, 1.0], "D": 3}),
    (relu_distance.opposite_distance_ratio, {"D": 3}),
    (relu_kernel.derive_moment, {"p": 1, "q": 1}),
    (relu_kernel.enclose_expected_product, {"r": 0.25, "digits": 5, "time_limit": 8.0}),
    (relu_kernel.product_moment_bound, {"p": 3}),
    (ufm.least_over_scale, {"L": 2, "log_kappa": -4.0, "eigenvalues": np.ones(2)}),
    (ufm.search, {"problem": PROBLEM, "starts": 2, "seed": 1, "tolerance": 0.125, "iterations": 3}),
    (ufm.within_class_deviation, {"features": X, "n": 3}),
    (
        relu_epsilon.feature_gap,
        {"layer": 2, "K": 2, "lams": LAMS[:3], "widths": [4], "activation": ufm.ReLUEpsilon(0.5), "n": 2},
    ),
    (two_layers.few_classes, {"K": 7}),
    (relu_epsilon.fit_gap, {"gap": 0.5, "K": 3}),
    (relu_epsilon.minimiser_gap, {"delta": 0.5, "convexity": 2.0}),
    (relu_epsilon.output_gap, {"epsilon": 0.25, "widths": [4, 4], "norms": [2.0, 3.0]}),
    (coq.pieces, {"coefficients": (1, -1, 0, 0, 1), "at_least": 0}),
    (two_layers.balanced_cuts, {"r": 6}),
    (two_layers.balanced_cuts_beat_collapse, {"m_from": 3}),
    (two_layers.least_loss, {"pre_activations": np.eye(3), "log_kappa": -3.0}),
]  # fmt: skip

#: Public functions whose numbers are not scalar arguments of a caller: bounds that the code itself sets.
WITHOUT = {f"theory.arguments.{name}" for name in arguments.__all__} | {
    "theory.ufm.minimise_scale",  # arrays of many problems
    "theory.ufm.log_exact",  # a Fraction
    "theory.geometry.edge_sums.edge_sum",
    "theory.geometry.edge_sums.intersection_matrix_eigenvalues",
    "theory.geometry.edge_sums.least_norm_squared",
    "theory.coq.refutation",  # a point given value by value: tests/theory/coq
}


def public_functions(package):
    """The functions that a package offers: those of its `__all__` and of its public modules."""
    modules = [package.__name__]
    modules += [info.name for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    for name in modules:
        if not any(part.startswith("_") for part in name.split(".")):
            module = importlib.import_module(name)
            for member in module.__all__:
                if inspect.isfunction(getattr(module, member)):
                    yield f"{name}.{member}", getattr(module, member)


def scalars(function):
    """The names of a function's arguments that are numbers or sequences of numbers, by their annotations."""
    for parameter in inspect.signature(function).parameters.values():
        annotation = str(parameter.annotation)
        if re.search(
            r"\b(int|float|Fraction|IntegerLike|RealLike|SupportsFloat|Integers|Regularisation)\b", annotation
        ) and not re.search(r"\[np.ndarray|Callable|Mapping", annotation):
            yield parameter.name


def takes_arrays(function, name):
    """Whether an argument may also be an array or a sequence."""
    annotation = str(inspect.signature(function).parameters[name].annotation)
    return re.search("ArrayLike|Integers|Regularisation|Iterable|Sequence", annotation) is not None


def value_of(result):
    """What a result is made of, to be compared."""
    if isinstance(result, dufm.Solution):
        return [result.lams, result.loss, result.scales, result.ranks]
    if isinstance(result, flint.arb):
        return str(result)
    if isinstance(result, np.ndarray) and result.dtype == object:  # of Fractions
        return result.astype(float)
    if isinstance(result, nx.Graph):
        return sorted(result.edges)
    if isinstance(result, dufm.Exploration):
        return [found.loss for found in result]
    if is_dataclass(result):
        return [value_of(getattr(result, field.name)) for field in fields(result)]
    if isinstance(result, Mapping):
        return [[key, value_of(value)] for key, value in result.items()]
    if isinstance(result, Sequence) and not isinstance(result, str):
        return [value_of(one) for one in result]
    return result


def assert_same(one, other):
    if isinstance(one, list) and isinstance(other, list):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    elif isinstance(one, np.ndarray):
        np.testing.assert_allclose(np.asarray(one, float), np.asarray(other, float), rtol=1e-14, atol=1e-15)
    elif isinstance(one, Number) and not isinstance(one, complex):
        assert float(one) == pytest.approx(float(other), rel=1e-14, nan_ok=True)
    else:
        assert one == other


@cache
def usual_value(index):
    """What call number `index` is worth as it stands."""
    function, arguments_ = CALLS[index]
    return value_of(function(**arguments_))


def variants():
    for index, (function, arguments_) in enumerate(CALLS):
        for name, value in arguments_.items():
            entries = value if isinstance(value, list) and value else [value]
            kinds = {type(entry) for entry in entries}
            types = INTEGER_TYPES if kinds == {int} else REAL_TYPES if kinds == {float} else {}
            for label, convert in types.items():
                largest = {"int8": 127, "uint8": 255}.get(label, np.inf)
                if max(entries) <= largest:
                    given = [convert(entry) for entry in entries]
                    yield pytest.param(
                        index,
                        {name: given if isinstance(value, list) else given[0]},
                        id=f"{function.__module__.removeprefix('theory.')}.{function.__qualname__}-{name}-{label}",
                        # a class converts: its annotations are of the attributes that come of it
                        marks=pytest.mark.any_type if inspect.isclass(function) else (),
                    )


@pytest.mark.parametrize(("index", "given"), list(variants()))
def test_a_number_means_the_same_in_every_type(index, given):
    function, usual = CALLS[index]
    assert_same(value_of(function(**(usual | given))), usual_value(index))


@pytest.mark.parametrize("package", [theory], ids=lambda package: package.__name__)
def test_every_public_function_is_called(package):
    called = {}
    for function, arguments_ in CALLS:
        called.setdefault(getattr(function, "__func__", function), set()).update(arguments_)
    missing = [
        f"{name}({argument})"
        for name, function in public_functions(package)
        if name not in WITHOUT and f"{function.__module__}.{function.__name__}" not in WITHOUT
        for argument in scalars(function)
        if argument not in called.get(function, ())
    ]
    assert not missing


@pytest.mark.parametrize(
    "function_and_arguments", CALLS, ids=lambda call: f"{call[0].__module__}.{call[0].__qualname__}"
)
def test_what_is_no_number_is_refused(function_and_arguments):
    """A bool, None where a number is needed, a complex number, a word: TypeError or ValueError, naming the argument."""
    function, usual = function_and_arguments
    for name, value in usual.items():
        if type(value) in (int, float):
            for wrong in (
                True,
                1j,
                "many",
                object(),
                *([] if takes_arrays(function, name) else [[value], np.ma.masked]),
            ):
                with pytest.raises((TypeError, ValueError), match=rf"\b{name}\b"):
                    list(result) if isinstance(
                        result := function(**(usual | {name: wrong})), dufm.Exploration
                    ) else result
