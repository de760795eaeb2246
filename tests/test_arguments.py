"""One rule for scalar arguments: a number means the same whatever its type, in every public function.

`CALLS` has a call of each public function that takes numbers. Each number is given in every type, one argument at a
time.
"""

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from numbers import Number

import flint
import networkx as nx
import numpy as np
import pytest
from scalar_arguments import in_every_type, public_functions, scalars
from theory_calls import CALLS

import theory
from theory import arguments, dufm

#: Public functions whose numbers are not scalar arguments of a caller: bounds that the code itself sets.
WITHOUT = {f"theory.arguments.{name}" for name in arguments.__all__} | {
    "theory.ufm.minimise_scale",  # arrays of many problems
    "theory.ufm.log_exact",  # a Fraction
    "theory.geometry.edge_sums.edge_sum",
    "theory.geometry.edge_sums.intersection_matrix_eigenvalues",
    "theory.geometry.edge_sums.least_norm_squared",
    "theory.dufm.enclosure.enclose_collapse_at",  # what `lower_bound` has checked
    "theory.ufm.strong_collapse.loss_scale",  # a number of columns
    "theory.labels.check_labels",  # a number of samples, for callers
    "theory.coq.refutation",  # a point given value by value: tests/theory/coq
}


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
            for label, given in in_every_type(value):
                yield pytest.param(
                    index,
                    {name: given},
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
