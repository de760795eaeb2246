"""A solution that somebody has found, in a file, against the best that is known.

The file is an ``.npz`` that ``numpy.savez(file, H_1, W_1, …, W_L, lam="0.0005")`` writes, or JSON:
``{"schema": 1, "lam": "0.0005", "matrices": [H_1, W_1, …, W_L]}``, each matrix a list of rows. H_1 is (d_1, K), W_l
is (d_{l+1}, d_l), W_L is (K, d_L). In place of ``lam`` there may be ``lams``, one for each matrix; ``n``, the samples
per class, is 1 by default.
"""

import json
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from nct.commands import InputError, wrong_input
from theory import dufm

__all__ = ["SCHEMA", "TOLD", "Verdict", "checked"]

#: The version of the JSON form.
SCHEMA = 1

#: The least share of the loss by which a solution has to be better than the best that is known.
TOLD = Decimal("1e-6")

_FIELDS = {"schema", "lam", "lams", "n", "matrices"}


class Verdict(NamedTuple):
    """What there is to say of a solution.

    Attributes
    ----------
    solution : Solution
        The matrices at their best scales.
    loss : Decimal
        Its loss in exact numbers, rounded up.
    known : OptimumBounds
        The best loss that is known, and the lower bound that is proved.
    """

    solution: dufm.Solution
    loss: Decimal
    known: dufm.OptimumBounds

    @property
    def gain(self) -> float:
        """By which share the loss is below the best that is known; negative if it is above."""
        return float(1 - self.loss / self.known.upper)

    @property
    def passes(self) -> bool:
        """Whether the solution is better than all that is known."""
        return self.loss < self.known.upper * (1 - TOLD)

    def to_json(self) -> dict[str, Any]:
        """The fields in the order in which they are printed."""
        return {
            "classes": self.solution.K,
            "layers": self.solution.L,
            "lams": list(self.solution.lams),
            "samples_per_class": self.solution.n,
            "loss": float(self.loss),
            "ranks": list(self.solution.ranks),
            "best_known_loss": float(self.known.upper),
            "lower_bound": float(self.known.lower),
            "gain": self.gain,
            "passes": self.passes,
        }


def checked(path: Path) -> Verdict:
    """Read a solution and compare it with the best that is known.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Verdict

    Raises
    ------
    InputError
        If the file cannot be read, or is no solution.
    """
    data = _from_json(path) if path.suffix.lower() == ".json" else _from_npz(path)
    given = {name: data[name] for name in ("lam", "lams", "n") if name in data}
    with wrong_input():
        solution = dufm.of_matrices(data["matrices"], **given)
        strengths = data.get("lams") or [data["lam"]] * (solution.L + 1)
        known = dufm.bounds(solution.K, solution.L, **given)
        loss = dufm.attained(solution, strengths) if solution.nontrivial else Decimal("0.5")
    return Verdict(solution, loss, known)


def _from_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"--check: {path} cannot be read: {error}") from error
    if not isinstance(data, dict) or "matrices" not in data or "schema" not in data:
        raise InputError(f"--check: {path} is no solution: it must be an object with schema, lam and matrices")
    if data["schema"] != SCHEMA:
        raise InputError(f"--check: {path} has schema {data['schema']!r}; this version reads schema {SCHEMA}")
    return _complete(path, data)


def _from_npz(path: Path) -> dict[str, Any]:
    import numpy as np

    try:
        stored = np.load(path, allow_pickle=False)
        if isinstance(stored, np.ndarray):
            raise ValueError("it is one array")
        with stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"--check: {path} cannot be read as an .npz file: {error}") from error
    numbered = [name for name in arrays if name.startswith("arr_") and name[4:].isdigit()]
    data: dict[str, Any] = {name: value.tolist() for name, value in arrays.items() if name not in numbered}
    return _complete(path, data | {"matrices": [arrays[name] for name in sorted(numbered, key=lambda x: int(x[4:]))]})


def _complete(path: Path, data: dict[str, Any]) -> dict[str, Any]:
    if unknown := sorted(data.keys() - _FIELDS):
        raise InputError(
            f"--check: {path} has the field {unknown[0]!r}; it must be one of {', '.join(sorted(_FIELDS))}"
        )
    if ("lam" in data) == ("lams" in data):
        raise InputError(f"--check: {path} must have either lam or lams")
    return data
