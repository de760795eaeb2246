"""Naming a solution by its Gram matrices: deep neural collapse, a graph, blocks of these, or something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from theory.arguments import RealLike, check_array, check_instance, check_real
from theory.display import html_table
from theory.geometry.graph_names import line_graph_name
from theory.ufm import Problem

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Recognition", "diverged", "gram_distance", "recognise", "recognise_gram"]

_LOST = 1e-3  # a class whose mean is smaller than this part of the largest has been given up
_ORTHOGONAL = 0.15  # classes whose means have a smaller cosine than this are not joined


@dataclass(frozen=True)
class Recognition:
    """What a solution is.

    Attributes
    ----------
    kind : {"dnc", "srg", "graph", "blocks", "zero", "none", "diverged"}
        Orthogonal class means; the strongly regular graph; another connected graph; a direct sum; nothing
        learned; none of these (or not the same in all intermediate layers); no solution at all.
    name : str
        The same in words, with the graph or the blocks.
    distance : float
        Largest distance of an intermediate Gram matrix to the form that was recognised.
    graph : networkx.Graph
        Classes, joined where their means in layer 2 are not orthogonal.
    layers : tuple
        The same for each intermediate layer by itself; empty in those.
    distances : dict
        Distance to "dnc", to each SRG construction that exists, and to the best fit by the graph: the largest
        over the intermediate layers. Those to the SRG are over the permutations that a heuristic for the
        quadratic assignment problem finds, and so upper bounds.
    last : dict
        The distances of the last layer, after its ReLU.
    """

    kind: str
    name: str
    distance: float
    graph: nx.Graph
    distances: Mapping[str, float]
    layers: tuple[Recognition, ...] = ()
    last: Mapping[str, float] | None = None

    def __repr__(self) -> str:
        return f"<{self.name}, at distance {self.distance:.2g}>"

    def _repr_html_(self) -> str:
        rows = {"kind": self.kind, "distance": f"{self.distance:.3g}"}
        return html_table(rows | {f"distance to {name}": f"{d:.3g}" for name, d in self.distances.items()}, self.name)


def recognise(problem: Problem, grams: Sequence[Float[np.ndarray, "K K"]], tol: RealLike = 0.05) -> Recognition:
    """Name a solution by the Gram matrices of its class means; `Runs.recognise` does it for runs.

    Parameters
    ----------
    problem : Problem
        The problem that it solves.
    grams : sequence of L − 1 arrays, shape (K, K)
        Of the class means in layers 2, …, L.
    tol : float
        Largest distance at which a Gram matrix counts as the form it is closest to.

    Returns
    -------
    Recognition

    Raises
    ------
    ValueError
        If the Gram matrices are not L − 1 finite matrices.

    Notes
    -----
    Only the Gram matrices of the class means in layers 2, …, L − 1 (layer 2 if L = 2) decide, because in
    DNC and SRG the first layer follows from the second; the last one is given in `Recognition.last`.
    Distances are ‖G/‖G‖ − C/‖C‖‖ in the Frobenius norm, which does not see scale and rotation, at the best
    permutation of the classes.

    Examples
    --------
    >>> from theory import dufm
    >>> solution = dufm.srg(8, 4, 5e-4)
    >>> recognise(Problem.of(8, 4, 5e-4), [solution.gram(l) for l in (2, 3, 4)]).name
    'blocks: the triangular graph T_4, the line graph of K_4 + 2 orthogonal'
    """
    p = check_instance("problem", problem, Problem)
    if not isinstance(grams, (list, tuple, np.ndarray)):
        raise TypeError(f"grams is a {type(grams).__name__}; grams must be a list of matrices")
    if len(grams) != p.L - 1:
        raise ValueError(f"grams has {len(grams)} entries; grams must be the Gram matrices of layers 2 to L = {p.L}")
    of_layer = dict(zip(range(2, p.L + 1), grams, strict=True))
    middle = list(range(2, p.L)) or [2]
    layers = tuple(recognise_gram(of_layer[l], tol, _candidates(p, l)) for l in middle)
    first = layers[0]
    orders = {name: _isomorphism(first.graph, candidate) for name, candidate in _candidates(p, 2).items()}
    last = recognise_gram(of_layer[p.L], tol, _candidates(p, p.L), orders).distances
    distances = {key: max(layer.distances[key] for layer in layers) for key in first.distances}
    agree = len({(layer.kind, layer.name) for layer in layers}) == 1
    if not agree:
        names = "; ".join(f"layer {l}: {layer.name}" for l, layer in zip(middle, layers, strict=True))
        return Recognition("none", names, min(distances.values()), first.graph, distances, layers, last)
    return Recognition(
        first.kind, first.name, max(layer.distance for layer in layers), first.graph, distances, layers, last
    )


def recognise_gram(
    gram: Float[np.ndarray, "K K"],
    tol: RealLike = 0.05,
    candidates: Mapping[str, Float[np.ndarray, "K K"]] | None = None,
    orders: Mapping[str, Sequence[int] | None] | None = None,
) -> Recognition:
    """Name the Gram matrix of one layer's class means.

    Parameters
    ----------
    gram : array, shape (K, K)
        Inner products of the class means.
    tol : float
        Largest distance at which a form is recognised.
    candidates : dict of arrays, shape (K, K), optional
        Further Gram matrices to measure the distance to, at the best permutation.
    orders : dict of sequences, optional
        For some candidates a permutation to try first: which of its classes each class may be.

    Returns
    -------
    Recognition

    Raises
    ------
    ValueError
        If the matrix is not square or not finite, or `tol` is not positive.

    Examples
    --------
    >>> import networkx as nx
    >>> square = nx.to_numpy_array(nx.cycle_graph(4))
    >>> recognise_gram(7 * (2 * np.eye(4) + square)).name
    'graph: the cycle C_4, the line graph of C_4'
    """
    import networkx as nx

    tol, gram = check_real("tol", tol, above=0), check_array("gram", gram, finite=False)
    if gram.ndim != 2 or gram.shape[0] != gram.shape[1] or not gram.size or not np.isfinite(gram).all():
        raise ValueError(f"gram has shape {gram.shape}; gram must be a square matrix of finite numbers")
    scales = np.sqrt(np.diag(gram).clip(min=0))
    if scales.max() < 1e-6:
        return Recognition("zero", "zero", 0.0, nx.empty_graph(len(gram)), {"dnc": np.sqrt(2), "graph": np.sqrt(2)})
    graph, fit, blocks = _fit_graph(gram, scales)
    distances = {"dnc": gram_distance(gram, np.eye(len(gram))), "graph": gram_distance(gram, fit)}
    for name, candidate in (candidates or {}).items():
        first = [_isomorphism(graph, candidate), (orders or {}).get(name)]
        distances[name] = _permuted_distance(gram, candidate, [order for order in first if order is not None])
    kind, name = _describe(graph, blocks, distances, tol)
    distance = min(distances.values()) if kind == "none" else distances["dnc" if kind == "dnc" else "graph"]
    return Recognition(kind, name, distance, graph, distances)


def diverged(step: int, K: int) -> Recognition:
    """Say that a run has diverged, and when.

    >>> diverged(57, 3)
    <diverged at step 57, at distance nan>
    """
    import networkx as nx

    return Recognition("diverged", f"diverged at step {step}", float("nan"), nx.empty_graph(K), {})


def gram_distance(a: Float[np.ndarray, "K K"], b: Float[np.ndarray, "K K"]) -> float:
    """Return the Frobenius distance of two matrices scaled to norm 1.

    Examples
    --------
    >>> gram_distance(np.eye(3), 5 * np.eye(3))
    0.0
    """
    a, b = _direction("a", a), _direction("b", b)
    if a.shape != b.shape:
        raise ValueError(f"b has shape {b.shape}; b must have that of a, {a.shape}")
    return float(np.linalg.norm(a - b))


def _direction(name: str, matrix: ArrayLike) -> Float[np.ndarray, "K K"]:
    array = check_array(name, matrix, ndim=2, empty=False)
    largest = np.abs(array).max()
    if largest == 0.0:
        raise ValueError(f"{name} is zero; {name} must have a direction")
    array = np.ldexp(array, -int(np.frexp(largest)[1]))
    unit: Float[np.ndarray, "K K"] = array / np.linalg.norm(array)
    return unit


def _fit_graph(
    gram: Float[np.ndarray, "K K"], scales: Float[np.ndarray, " K"]
) -> tuple[nx.Graph, Float[np.ndarray, "K K"], list[list[int]]]:
    """Join classes by cosine; fit a I + b A on each component, with one a for all classes that stand alone."""
    import networkx as nx

    alive = scales > _LOST * scales.max()
    safe = np.where(alive, scales, 1)
    cosines = gram / np.outer(safe, safe)
    np.fill_diagonal(cosines, 0)
    joined = np.outer(alive, alive) & (cosines > max(cosines.max() / 2, _ORTHOGONAL))
    graph = nx.from_numpy_array(joined.astype(int))
    blocks = sorted((sorted(block) for block in nx.connected_components(graph)), key=lambda b: (-len(b), b))
    fit = np.zeros_like(gram)
    alone = [block[0] for block in blocks if len(block) == 1 and alive[block[0]]]
    if alone:
        fit[alone, alone] = np.mean(gram[alone, alone])
    for block in blocks:
        if len(block) > 1:
            at = np.ix_(block, block)
            edges = joined[at]
            fit[at] = np.mean(np.diag(gram[at])) * np.eye(len(block)) + np.mean(gram[at][edges]) * edges
    lost = [[i] for i in np.flatnonzero(~alive)]
    return graph, fit, [b for b in blocks if b not in lost] + [[] for _ in lost]


def _describe(
    graph: nx.Graph, blocks: Sequence[Sequence[int]], distances: Mapping[str, float], tol: float
) -> tuple[str, str]:
    lost, alone = sum(not b for b in blocks), sum(len(b) == 1 for b in blocks)
    large = [b for b in blocks if len(b) > 1]
    if not large and not lost and distances["dnc"] <= tol:
        return "dnc", "DNC: orthogonal class means of equal norm"
    if distances["graph"] > tol:
        closest = min(distances, key=lambda key: distances[key])
        return "none", f"none of the known forms (closest: {closest})"
    names = [line_graph_name(graph.subgraph(b)) for b in large]
    if len(blocks) == 1:
        if "triangular" in names[0] and distances.get("srg", distances["graph"]) <= tol:
            return "srg", f"SRG: {names[0]}"
        return "graph", f"graph: {names[0]}"
    names += [f"{alone} orthogonal"] * bool(alone) + [f"{lost} lost"] * bool(lost)
    return "blocks", f"blocks: {' + '.join(names)}"


def _candidates(problem: Problem, l: int) -> dict[str, Float[np.ndarray, "K K"]]:
    from theory import dufm

    if problem.K < 6 or problem.L < 3:
        return {}
    found = {}
    for construction in ("block", "drop"):
        solution = dufm.srg(problem.K, problem.L, lams=problem.exact_lams, n=problem.n, construction=construction)
        gram = solution.gram(l)
        if np.linalg.norm(gram) > 0:
            found[construction] = gram
    if len(found) == 2 and gram_distance(*found.values()) < 1e-12:
        return {"srg": found["block"]}
    return {f"srg ({name})": gram for name, gram in found.items()}


def _isomorphism(graph: nx.Graph, candidate: Float[np.ndarray, "K K"]) -> list[int] | None:
    """Return where each class is in a candidate whose graph is the same one, or None."""
    import networkx as nx

    other, _, _ = _fit_graph(candidate, np.sqrt(np.diag(candidate).clip(min=0)))
    found = nx.vf2pp_isomorphism(graph, other) if nx.faster_could_be_isomorphic(graph, other) else None
    return None if found is None else [found[i] for i in range(len(graph))]


def _permuted_distance(
    gram: Float[np.ndarray, "K K"],
    candidate: Float[np.ndarray, "K K"],
    first: Sequence[Sequence[int]],
    starts: int = 8,
) -> float:
    """Return the least distance over given permutations and those found by FAQ and exchanges from several starts."""
    from scipy.optimize import quadratic_assignment

    rng = np.random.default_rng(0)
    best = min((gram_distance(gram, candidate[np.ix_(order, order)]) for order in first), default=np.inf)
    if best < 1e-6:
        return best
    for i in range(starts):
        rough = quadratic_assignment(
            gram,
            candidate,
            method="faq",
            options={"maximize": True, "P0": "randomized" if i else "barycenter", "rng": rng},
        ).col_ind
        guess = np.column_stack([np.arange(len(gram)), rough])
        found = quadratic_assignment(
            gram, candidate, method="2opt", options={"maximize": True, "partial_guess": guess, "rng": rng}
        ).col_ind
        best = min(best, gram_distance(gram, candidate[np.ix_(found, found)]))
        if best < 1e-6:
            break
    return best
