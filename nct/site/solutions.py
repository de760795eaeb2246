"""Pages of numbers beside a ledger: best known solutions, L_srg/L_dnc, when minority classes collapse.

They are computed when the site is built, and their data are part of the pages.
"""

import base64
import json
from typing import Any

import numpy as np

from nct.site.build import Page

#: The regularisations, classes and layers at which L_srg/L_dnc is drawn, and the ratios for the threshold.
_LAMS = np.logspace(-6, -1, 101)
_K_RATIO = [6, 7, 8, 9, 10, 12, 15, 18, 21, 28, 36, 45, 55, 100]
_L_RATIO = [3, 4, 5, 6, 8, 10, 16]
_K_MINORITY = [2, 3, 4, 5, 8, 10]
_BUDGETS = np.logspace(-1, 0.7, 35)


def solution_pages() -> tuple[Page, ...]:
    """The pages, with their data.

    Returns
    -------
    tuple of Page
    """
    return (
        Page("best_known.html", "best_known.html", "Best known solutions", _best_known()),
        Page("ratio.html", "ratio.html", "SRG over DNC", _ratio()),
        Page("minority.html", "minority.html", "Minority collapse", _minority()),
    )


def _inlined(data: Any) -> Any:
    """Data for a script in a page: JSON that cannot end the script."""
    from markupsafe import Markup

    return Markup(json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"))


def _best_known() -> dict[str, Any]:
    from theory import dufm

    table = dufm.best_known_table()
    cells = [_cell(entry) for entry in table]
    return {
        "cells": _inlined(cells),
        "classes": sorted({entry.K for entry in table}),
        "layers": sorted({entry.L for entry in table}),
        "lams": sorted({entry.lam for entry in table}, key=float),
        "ratios": {(cell["lam"], cell["K"], cell["L"]): cell["ratio"] for cell in cells},
    }


def _cell(entry: Any) -> dict[str, Any]:
    from theory import dufm

    solution = dufm.best_known(entry.K, entry.L)
    bound = dufm.lower_bound(entry.K, entry.L, entry.lam)
    grams = [solution.gram(layer) for layer in range(1, entry.L + 1)]
    return {
        "K": entry.K,
        "L": entry.L,
        "lam": entry.lam,
        "loss": entry.loss,
        "ratio": entry.ratio,
        "srg": entry.ratio_to_srg,
        "bound": float(bound.value) / entry.loss,
        "name": solution.name,
        "base": entry.base,
        "ranks": list(solution.ranks),
        "graph6": entry.graph6,
        "history": [list(step) for step in entry.history],
        "edges": [[int(a), int(b)] for a, b in _numbered(solution.graph)],
        "grams": [_picture(gram) for gram in grams],
    }


def _numbered(graph: Any) -> list[tuple[int, int]]:
    """The edges of a graph whose vertices are numbered from 0."""
    number = {vertex: position for position, vertex in enumerate(graph.nodes)}
    return [(number[a], number[b]) for a, b in graph.edges()]


def _picture(gram: np.ndarray) -> dict[str, Any]:
    """A Gram matrix in steps of 1/127 of its largest entry, one byte each."""
    scale = float(np.abs(gram).max()) or 1.0
    steps = np.round(127 * gram / scale).astype(np.int8)
    return {"scale": scale, "steps": base64.b64encode(steps.tobytes()).decode()}


def _ratio() -> dict[str, Any]:
    from theory import dufm

    K, L = np.array(_K_RATIO)[:, None, None], np.array(_L_RATIO)[None, :, None]
    values = dufm.loss_ratio(K, L, _LAMS)
    data = {"K": _K_RATIO, "L": _L_RATIO, "lam": _LAMS.tolist(), "ratio": np.round(values, 5).tolist()}
    return {"data": _inlined(data), "classes": _K_RATIO, "layers": _L_RATIO}


def _minority() -> dict[str, Any]:
    from theory.ufm import layer_peeled

    values = [
        [[layer_peeled.minority_collapse_threshold(a, b, budget, budget) for budget in _BUDGETS] for b in _K_MINORITY]
        for a in _K_MINORITY
    ]
    data = {"K": _K_MINORITY, "budget": _BUDGETS.tolist(), "threshold": values}
    return {"data": _inlined(data), "classes": _K_MINORITY}
