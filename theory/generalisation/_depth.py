"""From which layer on the nearest class mean classifies, in a network and in all networks of given layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from theory.arguments import IntegerLike, RealLike, check_array, check_integer, check_real
from theory.generalisation._test_collapse import squared_distances
from theory.labels import check_labels
from theory.overflow import within_floats

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from numpy.typing import ArrayLike

__all__ = ["EffectiveDepth", "MinimalDepth", "effective_depth", "minimal_ncc_depth"]


class EffectiveDepth(NamedTuple):
    """The least layer at which the nearest class mean classifies well enough.

    Attributes
    ----------
    depth : int
        The first layer, from 1 on, with an error of at most ε; the number of layers if there is none.
    attained : bool
        Whether there is one.
    errors : tuple of floats
        The error at each layer.
    """

    depth: int
    attained: bool
    errors: tuple[float, ...]


class MinimalDepth(NamedTuple):
    """The least number of layers whose composition lets the nearest class mean classify well enough.

    Attributes
    ----------
    depth : int or None
        None if no composition of the depths that were looked at does.
    layers : tuple of ints
        Numbers of the layers of one such composition, the first that is applied first; empty if there is none.
    exhausted : bool
        Whether all compositions of any depth were looked at: with None, no depth works.
    """

    depth: int | None
    layers: tuple[int, ...]
    exhausted: bool


@within_floats
def effective_depth(features_by_layer: Sequence[ArrayLike], labels: ArrayLike, eps: RealLike) -> EffectiveDepth:
    """The ε-effective depth: the first layer at which the nearest class mean errs on at most a share ε of samples.

    Parameters
    ----------
    features_by_layer : sequence of array_like, each of shape (m_l, N)
        Features of the N samples at layers 1, 2, ….
    labels : array_like of int, shape (N,)
        Classes of the samples, from 0 on; each has a sample.
    eps : float
        Share of errors that is allowed, at least 0.

    Returns
    -------
    EffectiveDepth

    Raises
    ------
    ValueError
        If there is no layer, the shapes do not fit, there are fewer than two classes or one has no sample.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, Section 4.2, before equation 53.

    Examples
    --------
    >>> effective_depth([[[0.0, 1.0, 1.0, 0.0]], [[0.0, 0.0, 1.0, 1.0]]], [0, 0, 1, 1], 0)
    EffectiveDepth(depth=2, attained=True, errors=(0.5, 0.0))
    """
    if isinstance(features_by_layer, (str, bytes)) or not hasattr(features_by_layer, "__len__"):
        raise TypeError("features_by_layer is no sequence; features_by_layer must be a sequence of arrays")
    if len(features_by_layer) == 0:
        raise ValueError("features_by_layer has 0 entries; features_by_layer must have a layer")
    layers = [check_array(f"features_by_layer[{i}]", F, ndim=2, empty=False) for i, F in enumerate(features_by_layer)]
    N = layers[0].shape[1]
    for i, F in enumerate(layers):
        if F.shape[1] != N:
            raise ValueError(
                f"features_by_layer[{i}] has shape {F.shape}; every entry of features_by_layer must have {N} columns"
            )
    y, eps = _classes(labels, N), check_real("eps", eps, at_least=0)
    errors = tuple(_error(F, y) for F in layers)
    first = next((depth for depth, error in enumerate(errors, 1) if error <= eps), None)
    return EffectiveDepth(len(errors) if first is None else first, first is not None, errors)


@within_floats
def minimal_ncc_depth(
    layers: Sequence[Callable[[Float[np.ndarray, "m N"]], Any]],
    features: ArrayLike,
    labels: ArrayLike,
    eps: RealLike,
    *,
    max_depth: IntegerLike,
) -> MinimalDepth:
    """The ε-minimal NCC depth: how few layers of a finite class, composed, let the nearest class mean classify.

    All compositions are enumerated, features that were met before only once.

    Parameters
    ----------
    layers : sequence of callables
        Each takes features of shape (m, N), one column a sample, and returns features of shape (m', N), or None if it
        is made for another width.
    features : array_like, shape (m, N)
        The data.
    labels : array_like of int, shape (N,)
        Classes of the samples, from 0 on; each has a sample.
    eps : float
        Share of errors that is allowed, at least 0.
    max_depth : int
        How many layers to compose at most, at least 1.

    Returns
    -------
    MinimalDepth
        At least one layer: the data themselves are no composition.

    Raises
    ------
    ValueError
        If there is no layer, the shapes do not fit, there are fewer than two classes or one has no sample.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, Section 4.2, before equation 53.

    Examples
    --------
    Exclusive or: the absolute value of a difference.

    >>> difference = lambda F: F[:1] - F[1:] if len(F) == 2 else None
    >>> minimal_ncc_depth([np.abs, difference], [[0, 1, 0, 1], [0, 1, 1, 0]], [0, 0, 1, 1], 0, max_depth=3)
    MinimalDepth(depth=2, layers=(1, 0), exhausted=False)
    """
    if isinstance(layers, (str, bytes)) or not hasattr(layers, "__len__") or not all(map(callable, layers)):
        raise TypeError("layers is no sequence of callables; layers must be a sequence of callables")
    if len(layers) == 0:
        raise ValueError("layers has 0 entries; layers must have a layer")
    F = check_array("features", features, ndim=2, empty=False)
    y, eps = _classes(labels, F.shape[1]), check_real("eps", eps, at_least=0)
    reached: dict[Key, Reached] = {_key(F): ((), F)}
    seen: set[Key] = set()
    for depth in range(1, check_integer("max_depth", max_depth, at_least=1) + 1):
        reached = {key: new for key, new in _next(layers, reached) if key not in seen}
        for names, G in reached.values():
            if _error(G, y) <= eps:
                return MinimalDepth(depth, names, False)
        if not reached:
            return MinimalDepth(None, (), True)
        seen |= set(reached)
    return MinimalDepth(None, (), False)


Reached = tuple[tuple[int, ...], "Float[np.ndarray, 'm N']"]
Key = tuple[tuple[int, ...], bytes]


def _next(layers: Sequence[Callable[..., Any]], reached: dict[Key, Reached]) -> Iterator[tuple[Key, Reached]]:
    for names, F in reached.values():
        for i, layer in enumerate(layers):
            image = layer(F.copy())
            if image is not None:
                G = check_array(f"layers[{i}](features)", image, ndim=2, empty=False)
                if G.shape[1] != F.shape[1]:
                    raise ValueError(
                        f"layers[{i}](features) has shape {G.shape}; layers[{i}] must return {F.shape[1]} columns"
                    )
                yield _key(G), ((*names, i), G)


def _key(F: Float[np.ndarray, "m N"]) -> Key:
    return F.shape, (F + 0.0).tobytes()  # −0 is 0


def _classes(labels: ArrayLike, N: int) -> Int[np.ndarray, " N"]:
    y = check_labels("labels", labels, samples=N, filled=True)
    if y.max() < 1:
        raise ValueError("labels has one class; labels must have at least 2")
    return y


def _error(F: Float[np.ndarray, "m N"], y: Int[np.ndarray, " N"]) -> float:
    means = np.stack([F[:, y == k].mean(axis=1) for k in range(int(y.max()) + 1)], axis=1)
    return float((squared_distances(F, means).argmin(axis=0) != y).mean())
