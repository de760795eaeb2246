"""The types in which a number may be given, and the public functions that take numbers."""

import importlib
import inspect
import pkgutil
import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import torch

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


def in_every_type(value):
    """A number, or a list of them, in each type by name; none where `value` is neither."""
    entries = value if isinstance(value, list) and value else [value]
    kinds = {type(entry) for entry in entries}
    types = INTEGER_TYPES if kinds == {int} else REAL_TYPES if kinds == {float} else {}
    for label, convert in types.items():
        if max(entries) <= {"int8": 127, "uint8": 255, "int16": 32767}.get(label, np.inf):
            given = [convert(entry) for entry in entries]
            yield label, given if isinstance(value, list) else given[0]


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
