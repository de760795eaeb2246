"""Naming a solution by its Gram matrices: deep neural collapse, a graph, blocks of these, or something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from numerics.descent._problem import positive_number
from numerics.descent._runs import Runs

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Recognition", "gram_distance", "graph_name", "recognise", "recognise_gram"]

_LOST = 1e-3  # a class whose mean is smaller than this part of the largest has been given up
_ORTHOGONAL = 0.15  # classes whose means have a smaller cosine than this are not joined


@dataclass(frozen=True)
class Recognition:
    """What a solution is.

    Attributes
    ----------
    kind : {"dnc", "srg", "graph", "blocks", "zero", "none"}
        Orthogonal class means; the strongly regular graph; another connected graph; a direct sum; nothing
        learned; none of these (or not the same in all intermediate layers).
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


def recognise(run: Runs, tol: float = 0.05) -> Recognition:
    """Name the solution that a run has found.

    Parameters
    ----------
    run : Runs
        One run, such as ``runs[0]`` or ``runs.best``.
    tol : float
        Largest distance at which a Gram matrix counts as the form it is closest to.

    Returns
    -------
    Recognition

    Raises
    ------
    ValueError
        If ``run`` holds more than one run, or one that diverged.

    Notes
    -----
    Only the Gram matrices of the class means in layers 2, …, L − 1 (layer 2 if L = 2) are looked at, because in
    DNC and SRG the first layer follows from the second, and the last one is given in ``last``.
    Distances are ‖G/‖G‖ − C/‖C‖‖ in the Frobenius norm, which does not see scale and rotation, at the best
    permutation of the classes.

    Examples
    --------
    >>> from numerics import descent
    >>> import theory.dufm
    >>> recognise(descent.from_solution(theory.dufm.srg(8, 4, 5e-4))).name
    'blocks: the triangular graph T_4, the line graph of K_4 + 2 orthogonal'
    """
    if len(run) != 1:
        raise ValueError(f"run must be a single run, such as runs.best; got {len(run)} runs")
    if run.diverged_at[0] >= 0:
        raise ValueError(f"run must not have diverged; seed {run.seeds[0]} did at step {run.diverged_at[0]}")
    p = run.problem
    grams = {l: run.gram(l)[0].cpu().numpy() for l in range(2, p.L + 1)}
    middle = list(range(2, p.L)) or [2]
    layers = tuple(recognise_gram(grams[l], tol, _candidates(p.K, p.L, p.lams, p.n, l)) for l in middle)
    first = layers[0]
    last = recognise_gram(grams[p.L], tol, _candidates(p.K, p.L, p.lams, p.n, p.L)).distances
    distances = {key: max(layer.distances[key] for layer in layers) for key in first.distances}
    agree = len({(layer.kind, layer.name) for layer in layers}) == 1
    if not agree:
        names = "; ".join(f"layer {l}: {layer.name}" for l, layer in zip(middle, layers, strict=True))
        return Recognition("none", names, min(distances.values()), first.graph, distances, layers, last)
    return Recognition(
        first.kind, first.name, max(layer.distance for layer in layers), first.graph, distances, layers, last
    )


def recognise_gram(
    gram: Float[np.ndarray, "K K"], tol: float = 0.05, candidates: Mapping[str, Float[np.ndarray, "K K"]] | None = None
) -> Recognition:
    """Name the Gram matrix of one layer's class means.

    Parameters
    ----------
    gram : array (K, K)
    tol : float
        Largest distance at which a form is recognised.
    candidates : dict of arrays (K, K), optional
        Further Gram matrices to measure the distance to, at the best permutation.

    Returns
    -------
    Recognition

    Examples
    --------
    >>> import networkx as nx
    >>> square = nx.to_numpy_array(nx.cycle_graph(4))
    >>> recognise_gram(7 * (2 * np.eye(4) + square)).name
    'graph: the cycle C_4, the line graph of C_4'
    """
    import networkx as nx

    positive_number("tol", tol)
    scales = np.sqrt(np.diag(gram).clip(min=0))
    if scales.max() < 1e-6:
        return Recognition("zero", "zero", 0.0, nx.empty_graph(len(gram)), {"dnc": np.sqrt(2), "graph": np.sqrt(2)})
    graph, fit, blocks = _fit_graph(gram, scales)
    distances = {"dnc": gram_distance(gram, np.eye(len(gram))), "graph": gram_distance(gram, fit)}
    for name, candidate in (candidates or {}).items():
        distances[name] = _permuted_distance(gram, candidate)
    kind, name = _describe(graph, blocks, distances, tol)
    distance = min(distances.values()) if kind == "none" else distances["dnc" if kind == "dnc" else "graph"]
    return Recognition(kind, name, distance, graph, distances)


def gram_distance(a: Float[np.ndarray, "K K"], b: Float[np.ndarray, "K K"]) -> float:
    """Frobenius distance of two matrices scaled to norm 1.

    Examples
    --------
    >>> gram_distance(np.eye(3), 5 * np.eye(3))
    0.0
    """
    return float(np.linalg.norm(a / np.linalg.norm(a) - b / np.linalg.norm(b)))


def graph_name(graph: nx.Graph) -> str:
    """Say which graph it is, up to isomorphism, as a named graph or by the graph whose line graph it is.

    Examples
    --------
    >>> import networkx as nx
    >>> graph_name(nx.line_graph(nx.complete_graph(5)))
    'the triangular graph T_5, the line graph of K_5'
    """
    import networkx as nx

    name = _plain_name(graph)
    try:
        root = nx.inverse_line_graph(graph)
    except nx.NetworkXError:
        return name or f"a graph of {len(graph)} vertices, degrees {_degrees(graph)}, that is no line graph"
    r = len(root)
    if r >= 4 and root.number_of_edges() == r * (r - 1) // 2:
        return f"the triangular graph T_{r}, the line graph of K_{r}"
    of = _plain_name(root) or f"a graph of {r} vertices, degrees {_degrees(root)}"
    of = of.removeprefix("the cycle ").removeprefix("the path ").removeprefix("the complete graph ")
    return f"{name}, the line graph of {of}" if name else f"the line graph of {of}"


def _plain_name(graph: nx.Graph) -> str:
    import networkx as nx

    m = len(graph)
    named = {"the complete graph K": nx.complete_graph, "the cycle C": nx.cycle_graph, "the path P": nx.path_graph}
    for name, make in named.items():
        if (m > 2 or make is nx.complete_graph) and nx.is_isomorphic(graph, make(m)):
            return f"{name}_{m}"
    parts = nx.bipartite.sets(graph) if m > 2 and nx.is_connected(graph) and nx.is_bipartite(graph) else None
    if parts and graph.number_of_edges() == len(parts[0]) * len(parts[1]):
        small, large = sorted(map(len, parts))
        return f"K_{{{small},{large}}}"
    return ""


def _degrees(graph: nx.Graph) -> str:
    return " ".join(str(d) for _, d in sorted(graph.degree, key=lambda pair: -pair[1]))


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
    names = [graph_name(graph.subgraph(b)) for b in large]
    if len(blocks) == 1:
        if "triangular" in names[0] and distances.get("srg", distances["graph"]) <= tol:
            return "srg", f"SRG: {names[0]}"
        return "graph", f"graph: {names[0]}"
    names += [f"{alone} orthogonal"] * bool(alone) + [f"{lost} lost"] * bool(lost)
    return "blocks", f"blocks: {' + '.join(names)}"


def _candidates(K: int, L: int, lams: Sequence[float], n: int, l: int) -> dict[str, Float[np.ndarray, "K K"]]:
    from theory import dufm

    if K < 6 or L < 3:
        return {}
    found = {}
    for construction in ("block", "drop"):
        gram = dufm.srg(K, L, lams=lams, n=n, construction=construction).gram(l)
        if np.linalg.norm(gram) > 0:
            found[construction] = gram
    if len(found) == 2 and gram_distance(*found.values()) < 1e-12:
        return {"srg": found["block"]}
    return {f"srg ({name})": gram for name, gram in found.items()}


def _permuted_distance(gram: Float[np.ndarray, "K K"], candidate: Float[np.ndarray, "K K"], starts: int = 8) -> float:
    """Smallest distance over the permutations found by FAQ and pairwise exchanges from several starts."""
    from scipy.optimize import quadratic_assignment

    rng = np.random.default_rng(0)
    best = np.inf
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
