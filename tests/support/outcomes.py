"""What becomes of a call with an odd argument: a value, a clear error, a documented warning, or a fault."""

import math
import re
import signal
import threading
import traceback
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from numbers import Number

import flint
import networkx as nx
import numpy as np
import sympy as sp
import torch
from sklearn.exceptions import DataConversionWarning

from numerics.agop import AgopAccuracyWarning
from numerics.kernels import SingularKernelWarning
from theory import dufm, ufm

DOCUMENTED_WARNINGS = (AgopAccuracyWarning, SingularKernelWarning, DataConversionWarning)
#: Errors that are no complaint about an argument and that docstrings announce.
DOCUMENTED_ERRORS = (TimeoutError, dufm.WidthNotReached, dufm.SearchLimitReached)
SECONDS = 20
COUNT: Counter[str] = Counter()


@dataclass(frozen=True)
class Outcome:
    """What became of a call: a value, or an error."""

    value: object = None
    error: Exception | None = None


class Fault(AssertionError):
    """An outcome that none of the promises allows."""


@contextmanager
def _time_limit():
    def stop(*_):
        raise TimeoutError("the call does not end")

    main = threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")
    if main:
        before = signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        if main:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def outcome(function, arguments, names):
    """Call the function and judge how it ends; `names` are those of the odd argument.

    An error names it, or another of the call's that it does not fit to.
    """
    COUNT["calls"] += 1
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with _time_limit():
                result = Outcome(value=made(function(**arguments)))
        except (ValueError, TypeError) as error:
            return Outcome(error=clear(error, {*names, *arguments} - {"self"}))
        except ArithmeticError as error:
            if type(error) is not ArithmeticError:  # that of the conic solver
                raise Fault(f"{type(error).__name__}: {error}") from error
            return Outcome(error=error)
        except DOCUMENTED_ERRORS as error:
            if str(error) == "the call does not end":
                raise Fault(f"{function}({names[0]} = …) does not end") from None
            return Outcome(error=error)
    for warning in caught:
        if not isinstance(warning.message, DOCUMENTED_WARNINGS) and not issubclass(
            warning.category, (DeprecationWarning, ResourceWarning)
        ):
            raise Fault(f"undocumented warning: {warning.message}")
    COUNT["values"] += 1
    return result


def clear(error, names):
    """Return an error that names one of the arguments in one line; raise `Fault` for another."""
    text = str(error)
    COUNT["errors"] += 1
    where = traceback.extract_tb(error.__traceback__)[-1]
    if any("sklearn" in frame.filename for frame in traceback.extract_tb(error.__traceback__)):
        return error  # estimators refuse samples in scikit-learn's own words
    named = re.search(rf"\b({'|'.join(map(re.escape, names))})\b", text) or "cannot hold" in text
    if "\n" in text or len(text) > 500 or not named or not text.isprintable():
        raise Fault(
            f"unclear error: {type(error).__name__}: {text[:300]!r}, {where.filename}:{where.lineno}"
        ) from error
    return error


def made(result):
    """What a lazy result is, computed."""
    return list(result) if isinstance(result, (map, filter, zip, range)) or hasattr(result, "__next__") else result


def parts(result):
    """What a result is made of, to be compared and looked at: numbers, strings and None, in nested lists."""
    if result is None or isinstance(result, (str, bytes, bool, np.bool_)):
        return result
    if isinstance(result, dufm.Solution):
        return [parts(value) for value in (result.lams, result.loss, result.scales, result.ranks)]
    if isinstance(result, dufm.Exploration):
        return [found.loss for found in result]
    if isinstance(result, ufm.Problem):
        return [result.K, result.L, result.n, list(result.exact_lams), list(result.widths)]
    if isinstance(result, nx.Graph):
        return sorted(map(str, result.edges))
    if isinstance(result, torch.Tensor):
        return result.detach().to_dense().cpu().resolve_conj().numpy() if result.dtype != torch.bfloat16 else result
    if isinstance(result, (Number, Decimal, np.ndarray, flint.arb, sp.Basic)):
        return float(result.mid()) if isinstance(result, flint.arb) else result
    if isinstance(result, Enum):
        return result.name
    if is_dataclass(result) and not isinstance(result, type):
        return [parts(getattr(result, field.name)) for field in fields(result) if field.name != "seconds"]
    if isinstance(result, Mapping):
        return [[str(key), parts(value)] for key, value in result.items()]
    if isinstance(result, Sequence):
        return [parts(value) for value in result]
    return type(result).__name__


def numbers(result):
    """Every number in a result, as floats."""
    found = parts(result) if not isinstance(result, list) else result
    if isinstance(found, list):
        return [number for part in found for number in numbers(parts(part))]
    if isinstance(found, np.ndarray) and found.dtype.kind in "fiuO":
        return [float(entry) for entry in found.ravel()] if found.dtype.kind != "O" else numbers(found.ravel().tolist())
    if isinstance(found, (int, float, Fraction, Decimal, np.number)) and not isinstance(found, bool):
        try:
            return [float(found)]
        except OverflowError:
            return []  # an exact number that needs no float
    return []


def same(one, other, *, rtol):
    """Whether two results, as `parts` gives them, are equal up to rounding."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b, rtol=rtol) for a, b in zip(one, other, strict=True))
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        a, b = np.asarray(one, float), np.asarray(other, float)
        if a.shape != b.shape:
            return False
        size = np.abs(b[np.isfinite(b)]).max(initial=0.0)
        return bool(np.allclose(a, b, rtol=rtol, atol=rtol * size, equal_nan=True))
    if isinstance(one, (int, float, np.number)) and isinstance(other, (int, float, np.number)):
        return one == other or math.isclose(one, other, rel_tol=rtol) or (one != one and other != other)
    return type(one) is type(other) and one == other
