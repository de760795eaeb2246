"""The search for vertex scales and weightings of the least loss on a graph: descents from several starts, kicks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from theory.dufm.graphs._candidates import Candidate, GraphProblem, with_rows
from theory.dufm.graphs._descent import descend
from theory.dufm.graphs._reduced_loss import Parameters, ReducedLoss

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

__all__ = ["at_once", "compact", "improved", "polished", "screened", "search"]

_SILENT = 0.1  # a vertex whose scales are all below this share of the layer's mean may do better without a row
_KICKED = (0.1, 0.01, 1e-3, 1e-5, 0.0)  # degrees of smoothing after a kick
_POLISHED = (0.03, 1e-3, 1e-5, 0.0)  # and in the last descent
_SCREENED = (0.1, 0.01, 0.0)  # and in short ones


def at_once(problem: GraphProblem) -> Candidate:
    """The better of `GraphProblem.by_edges` with all vertices, and with one pendant vertex at each vertex left out."""
    best = problem.by_edges()
    present = problem.incidence.without_pendants()
    if present is not None:
        incidence = problem.loss(present).incidence
        weightings = incidence.edge_weightings()
        equal = np.zeros((problem.problem.L - 2, len(incidence.matrix)))
        for sign in (1.0, -1.0):
            if (sign * weightings @ incidence.matrix > 0).any():
                found = problem.scaled(present, Parameters(equal, sign * weightings))
                best = min(best, found, key=_loss)
    return best


def screened(problem: GraphProblem, rng: np.random.Generator) -> Candidate:
    """Short descents from the weightings of "edges"."""
    best = at_once(problem)
    for present in _presences(problem):
        loss = problem.loss(present)
        start = problem.rescaled(loss, next(_starts(loss, 0, rng)))
        found = descend(loss, start, 60, _SCREENED)
        best = min(best, problem.scaled(present, found), key=_loss)
    return best


def search(problem: GraphProblem, restarts: int, kicks: int, rng: np.random.Generator, steps: int = 300) -> Candidate:
    """The best of several descents, over vertex scales and weightings.

    Parameters
    ----------
    problem : GraphProblem
    restarts : int
        Random starts, in addition to one at the weightings of "edges".
    kicks : int
        Descents from the best, disturbed and with random weightings added.
    rng : numpy.random.Generator
    steps : int
        Iterations for each degree of smoothing.

    Returns
    -------
    Candidate
        The zero solution, of loss 0.5, if nothing better is found.
    """
    best = min(problem.zero(), problem.by_edges(), key=_loss)
    for present in _presences(problem):
        loss = problem.loss(present)
        for start in _starts(loss, restarts, rng):
            found = descend(loss, problem.rescaled(loss, start), steps)
            best = min(best, problem.scaled(present, found), key=_loss)
    return improved(problem, best, kicks, rng, steps)


def improved(
    problem: GraphProblem, best: Candidate, kicks: int, rng: np.random.Generator, steps: int = 300
) -> Candidate:
    """A candidate simplified, kicked and polished; never worse."""
    best = _simplified(problem, best, steps)
    for _ in range(kicks):
        best = min(best, _kicked(problem, best, rng, steps), key=_loss)
    return polished(problem, best, 3 * steps)


def polished(problem: GraphProblem, best: Candidate, steps: int) -> Candidate:
    """One more, longer descent from a candidate."""
    present = with_rows(best.vertex_scales)
    if not present.any():
        return best
    start = _parameters(problem, best, present)
    found = problem.scaled(present, descend(problem.loss(present), start, steps, _POLISHED))
    return compact(problem, found) if found.loss < best.loss else best


def compact(problem: GraphProblem, best: Candidate) -> Candidate:
    """Without the weightings that are nowhere positive, and with those proportional to each other merged."""
    present = with_rows(best.vertex_scales)
    if not present.any():
        return best
    weightings = best.weightings.copy()
    for signs in problem.loss(present).incidence.signs:  # their multiples have the value 0 at every edge
        weightings[:, present] -= np.outer(weightings[:, present] @ signs, signs) / (signs @ signs)
    values = weightings @ problem.B
    used = weightings[(values > 1e-5 * values.max()).any(axis=1)]
    merged = problem.given(best.vertex_scales, _merged(used))
    return merged if merged.loss <= best.loss * (1 + 1e-9) else best


def _merged(weightings: Float[np.ndarray, "m v"]) -> Float[np.ndarray, "fewer v"]:
    merged: list[Float[np.ndarray, " v"]] = []
    for x in sorted(weightings, key=lambda x: -float(x @ x)):
        for k, y in enumerate(merged):
            if x @ y / np.sqrt((x @ x) * (y @ y)) > 1 - 1e-8:
                merged[k] = y * np.sqrt(1 + (x @ x) / (y @ y))
                break
        else:
            merged.append(x)
    return np.array(merged)


def _loss(candidate: Candidate) -> float:
    return candidate.loss


def _parameters(problem: GraphProblem, candidate: Candidate, present: Bool[np.ndarray, " v"]) -> Parameters:
    return Parameters(np.log(candidate.vertex_scales[:, present]), problem.relative(candidate.weightings[:, present]))


def _presences(problem: GraphProblem) -> list[Bool[np.ndarray, " v"]]:
    """The sets of vertices with rows that are tried: all, and all but pendant ones where there are some."""
    fewer = problem.incidence.without_pendants()
    return [np.ones(len(problem.B), bool), *([] if fewer is None else [fewer])]


def _starts(loss: ReducedLoss, restarts: int, rng: np.random.Generator) -> Iterator[Parameters]:
    v, K = loss.incidence.matrix.shape
    own = loss.incidence.edge_weightings()
    rows = np.concatenate([own, -own / 2, loss.incidence.star_weightings()])
    noise = 0.05 * rng.standard_normal(rows.shape)
    yield Parameters(0.05 * rng.standard_normal((loss.L - 2, v)), rows + noise)
    for _ in range(restarts):
        yield Parameters(0.3 * rng.standard_normal((loss.L - 2, v)), rng.standard_normal((max(16, 2 * K), v)))


def _kicked(problem: GraphProblem, best: Candidate, rng: np.random.Generator, steps: int) -> Candidate:
    present = with_rows(best.vertex_scales)
    if not present.any():
        return best
    at = _parameters(problem, compact(problem, best), present)
    scales = np.log(best.vertex_scales[:, present])
    size = float(np.sqrt(np.mean(at.weightings**2)))
    rows = [
        at.weightings * (1 + 0.1 * rng.standard_normal()),
        0.5 * size * rng.standard_normal((problem.problem.K, present.sum())),
    ]
    start = Parameters(scales + 0.05 * rng.standard_normal(scales.shape), np.concatenate(rows))
    return problem.scaled(present, descend(problem.loss(present), start, steps, _KICKED))


def _simplified(problem: GraphProblem, best: Candidate, steps: int) -> Candidate:
    """Try without the vertices that hardly have a row, then without each component, then without idle weightings."""
    best = min(best, _without_silent(problem, best, steps), key=_loss)
    blocks = problem.incidence.blocks
    for block in blocks if len(blocks) > 1 else []:
        scales = np.where(block, 0.0, best.vertex_scales)
        weightings = np.where(block, 0.0, best.weightings)
        if scales.any() and best.vertex_scales[:, block].any():
            best = min(best, problem.given(scales, weightings), key=_loss)
    return compact(problem, best)


def _without_silent(problem: GraphProblem, best: Candidate, steps: int) -> Candidate:
    scales = best.vertex_scales
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = scales / scales.max(axis=1, keepdims=True)
    silent = (relative < _SILENT).all(axis=0)
    if silent.any() and not silent.all() and scales.any():
        present = ~silent
        loss, start = problem.loss(present), _parameters(problem, best, present)
        if (start.weightings @ loss.incidence.matrix > 0).any():
            return problem.scaled(present, descend(loss, problem.rescaled(loss, start), steps))
    return best
