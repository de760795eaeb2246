"""Values of other libraries: what tensors, zero-dimensional arrays and lists of them hold."""

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["array_of", "entries", "scalar_of"]


def scalar_of(value: Any) -> object:
    """Return a zero-dimensional NumPy array or tensor as the scalar that it holds, anything else as it is.

    Parameters
    ----------
    value : object
        What the caller was given.

    Returns
    -------
    object

    Examples
    --------
    >>> scalar_of(np.array(2.5)), scalar_of("2.5")
    (2.5, '2.5')
    """
    if isinstance(value, np.ma.MaskedArray):
        return value  # no number
    if getattr(value, "shape", None) == () and callable(getattr(value, "item", None)):
        try:
            return value.item()
        except RuntimeError:  # a tensor that holds no number, as on the device meta
            return value
    return value


def array_of(name: str, value: Any) -> np.ndarray:
    """Return what `np.asarray` makes of an array, a tensor or nested lists of numbers.

    Parameters
    ----------
    name : str
        The argument's name, for the error.
    value : object
        What the caller was given. A tensor may be one that a gradient is taken in.

    Returns
    -------
    ndarray

    Raises
    ------
    TypeError
        If it is or holds a tensor that NumPy cannot read, or a list holds a bool.
    ValueError
        If lists have different lengths.

    Examples
    --------
    >>> array_of("M", [[1, np.float32(2.5)]])
    array([[1. , 2.5]])
    """
    try:
        return np.asarray(_read(value))
    except ValueError:
        raise ValueError(f"{name} has rows of different lengths; {name} must be an array of real numbers") from None
    except (RuntimeError, TypeError, NotImplementedError) as error:
        reason = " ".join(str(error).split())[:80]
        raise TypeError(f"{name} holds no numbers ({reason}); {name} must be an array of real numbers") from None


def _read(value: Any) -> Any:
    """Lists with the tensors in them read, at any depth."""
    if hasattr(value, "detach"):
        return value.detach().cpu().numpy()
    if isinstance(value, (list, tuple)):
        return [_read(entry) for entry in value]
    if isinstance(value, (bool, np.bool_)):
        raise TypeError("a bool is no number")
    return value


def entries(value: object) -> list[Any] | None:
    """Return the entries of a list, a tuple, a range, an array or a tensor, and None for what is one number.

    Parameters
    ----------
    value : object
        What the caller was given where a number or several are allowed.

    Returns
    -------
    list or None

    Examples
    --------
    >>> entries(range(3)), entries(np.array([1.5])), entries(np.float32(2)), entries("1e-3")
    ([0, 1, 2], [1.5], None, None)
    """
    if hasattr(value, "tolist") and hasattr(value, "ndim"):
        try:
            return value.tolist() if value.ndim else None
        except (RuntimeError, NotImplementedError):  # a tensor that is sparse or on the device meta
            return None
    return list(value) if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else None
