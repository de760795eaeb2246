"""What becomes of numbers on the way of a formula that no float holds: an error, not infinity or NaN."""

import functools
import inspect
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np

__all__ = ["within_floats"]

P = ParamSpec("P")
R = TypeVar("R")


def within_floats(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function raise ValueError where a number on its way is beyond the floats.

    Parameters
    ----------
    function : callable
        A function that computes with NumPy or with Python's floats.

    Returns
    -------
    callable

    Examples
    --------
    >>> within_floats(lambda x: np.float64(x) ** 2)(1e200)
    Traceback (most recent call last):
    ...
    ValueError: a number on the way is beyond the floats; the arguments (x) must be scaled, or closer to one
    """
    names = ", ".join(inspect.signature(function).parameters)
    message = f"a number on the way is beyond the floats; the arguments ({names}) must be scaled, or closer to one"

    @functools.wraps(function)
    def checked(*arguments: P.args, **named: P.kwargs) -> R:
        try:
            with np.errstate(over="raise", invalid="raise", divide="raise"):
                result = function(*arguments, **named)
        except (FloatingPointError, OverflowError, ZeroDivisionError):
            raise ValueError(message) from None
        except np.linalg.LinAlgError as error:
            raise (ValueError(message) if "infs or NaNs" in str(error) else error) from None
        if isinstance(result, (float, np.ndarray)) and not np.isfinite(np.asarray(result, dtype=float)).all():
            raise ValueError(message)
        return result

    return checked
