"""The outcome of training: losses, ranks and collapse of every run, selection, saving, plotting."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from numerics.descent._activations import activation_entry, activation_from_entry, relaxed
from numerics.descent._closed_forms import loss_dnc, loss_srg
from numerics.descent._history import History, dnc1
from numerics.descent._model import check_parameters, layers, loss
from numerics.descent._network import Network
from numerics.descent._plotting import plot
from numerics.descent._polishing import PolishOptions, polish
from numerics.descent._recognition import Recognition, diverged, recognise
from numerics.files import replacing
from numerics.metrics import class_means, condition_number, effective_rank, rank
from theory.arguments import IntegerLike, RealLike, check_integer, check_real
from theory.display import html_table
from theory.ufm import Problem

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FORMAT", "Runs"]

FORMAT = "neural-collapse-theory dufm runs, version 1"
_SHOWN = 10  # runs in a notebook


@dataclass(frozen=True, eq=False)
class Runs:
    """S runs of one problem, immutable; every quantity is computed in float64 from the parameters.

    An index gives one run, a slice, a mask or a list of indices several; all are `Runs`.

    Attributes
    ----------
    problem : Problem
        The problem.
    seeds : tuple of int
        One for each run.
    parameters : tuple of L + 1 tensors
        (H_1, W_1, …, W_L), each with the run as first dimension; samples are in rows.
        For a run that diverged, the last finite ones.
    diverged_at : array, shape (S,)
        The step at which the loss of a run stopped being finite, or −1.
    steps : int
        Number of updates.
    history : History
        What training looked like on the way.
    settings : dict
        Learning rate and the like, as they were given.

    Examples
    --------
    >>> from numerics import descent
    >>> runs = descent.train(3, 3, 1e-3, width=9, seeds=3, steps=2000)
    >>> low = runs[runs.losses < 2 * runs.loss_dnc]
    >>> len(runs.best), len(low) <= 3
    (1, True)
    """

    problem: Problem
    seeds: tuple[int, ...]
    parameters: tuple[Tensor, ...]
    diverged_at: Int[np.ndarray, " S"]
    steps: int
    history: History
    settings: Mapping[str, Any] = field(default_factory=dict)

    # Selection

    def __len__(self) -> int:
        return len(self.seeds)

    def __getitem__(self, index: int | slice | Sequence[int] | np.ndarray) -> Runs:
        chosen = np.atleast_1d(np.arange(len(self))[index])
        return replace(
            self,
            seeds=tuple(self.seeds[i] for i in chosen),
            parameters=tuple(p[torch.from_numpy(chosen)] for p in self.parameters),
            diverged_at=self.diverged_at[chosen],
            history=self.history.select(chosen),
        )

    def __repr__(self) -> str:
        p = self.problem
        lams = f"lam={p.lams[0]:g}" if len(set(p.lams)) == 1 else f"lams={p.lams}"
        losses = self.losses[np.isfinite(self.losses)]
        spread = f"losses {losses.min():.6g} to {losses.max():.6g}" if losses.size else "all diverged"
        diverged = f", {int((self.diverged_at >= 0).sum())} diverged" if losses.size < len(self) else ""
        runs = f"{len(self)} runs of {self.steps} steps, {spread}{diverged}"
        return f"Runs(K={p.K}, L={p.L}, {lams}, widths={p.widths}; {runs})"

    def _repr_html_(self) -> str:
        rows, ranks = {"seed": "loss, over that of DNC, ranks"}, self.ranks()
        for i in self.losses.argsort(kind="stable")[:_SHOWN]:
            loss, ratio, of_run = self.losses[i], self.losses[i] / self.loss_dnc, " ".join(map(str, ranks[i].tolist()))
            rows[str(self.seeds[i])] = "diverged" if self.diverged_at[i] >= 0 else f"{loss:.6g}, {ratio:.4f}, {of_run}"
        return html_table(rows, repr(self) if len(self) <= _SHOWN else f"{self!r}: the best {_SHOWN}")

    @property
    def best(self) -> Runs:
        """The run of the lowest loss."""
        return self[int(self.losses.argmin())]

    # Loss

    @property
    def status(self) -> tuple[str, ...]:
        """For each run, "finished" or "diverged"."""
        return tuple("diverged" if at >= 0 else "finished" for at in self.diverged_at)

    @cached_property
    def losses(self) -> Float[np.ndarray, " S"]:
        """The objective (1) of each run; infinite if it diverged."""
        return np.where(self.diverged_at >= 0, np.inf, loss(self.problem, self._double).numpy())

    @cached_property
    def loss_dnc(self) -> float:
        """Loss of the deep neural collapse solution (lowrank, Definition 10)."""
        return loss_dnc(self.problem)

    @cached_property
    def loss_srg(self) -> float | None:
        """The lower of the losses of the two SRG constructions (lowrank, Definition 11); None where there is none."""
        return loss_srg(self.problem)

    def gradient_norms(self, eps: RealLike | None = None) -> Float[np.ndarray, " S"]:
        """Return the norm of the gradient of the objective in all parameters; infinite if the run diverged.

        Parameters
        ----------
        eps : float, optional
            Of the objective with every ReLU relaxed to ReLU_ε; 0 for the ReLU itself, with derivative 0 at 0.
            By default what `polish` used, and 0 for runs that were not polished.
        """
        if eps is None:
            eps = self.settings.get("polished", {}).get("eps", 0)
        eps = check_real("eps", eps, at_least=0)
        problem = relaxed(self.problem, eps) if eps else self.problem
        parameters = [p.clone() for p in self._double]
        gradient = [torch.empty_like(p) for p in parameters]
        with torch.inference_mode():
            Network(problem, parameters).gradient(gradient)
        norms = torch.stack([g.flatten(1).norm(dim=1) for g in gradient]).norm(dim=0).numpy()
        return np.where(self.diverged_at >= 0, np.inf, norms)

    # Layers

    @cached_property
    def _double(self) -> list[Tensor]:
        return [p.double() for p in self.parameters]

    @cached_property
    def _layers(self) -> tuple[list[Tensor], list[Tensor]]:
        features, pre, _ = layers(self.problem, self._double)
        return features, pre

    def features(self, l: int) -> Float[Tensor, "S N d"]:
        """Return H_l, 1 ≤ l ≤ L."""
        return self._layers[0][self._layer(l) - 1]

    def preactivations(self, l: int) -> Float[Tensor, "S N d"]:
        """Return H̃_l, what H_l was before its activation, 2 ≤ l ≤ L."""
        return self._layers[1][self._layer(l, 2) - 2]

    def class_means(self, l: int) -> Float[Tensor, "S K d"]:
        """Return M_l, one class a row."""
        return class_means(self.features(l), self.problem.K)

    def gram(self, l: int) -> Float[Tensor, "S K K"]:
        """Return the inner products of the class means of layer l."""
        means = self.class_means(l)
        return means @ means.mT

    def weights(self, l: int) -> Float[Tensor, "S d_out d_in"]:
        """Return W_l, 1 ≤ l ≤ L."""
        return self._double[self._layer(l)]

    @cached_property
    def singular_values(self) -> Float[np.ndarray, "S L K"]:
        """Singular values of the class means M_1, …, M_L, in decreasing order."""
        layers = range(1, self.problem.L + 1)
        return torch.stack([torch.linalg.svdvals(self.class_means(l)) for l in layers], 1).numpy()

    def ranks(self, tol: float = 1e-3) -> Int[np.ndarray, "S L"]:
        """Return the rank of M_1, …, M_L: singular values above `tol` times the largest."""
        return rank(torch.from_numpy(self.singular_values), tol).numpy()

    def effective_ranks(self) -> Float[np.ndarray, "S L"]:
        """Return the effective rank of M_1, …, M_L, by their singular values."""
        return effective_rank(torch.from_numpy(self.singular_values)).numpy()

    def dnc1(self) -> Float[np.ndarray, "S L"]:
        """Return tr Σ_W / tr Σ_B of H_1, …, H_L; 0 for one sample a class, nan where all class means coincide."""
        return torch.stack([dnc1(h, self.problem.K) for h in self._layers[0]], 1).numpy()

    def dnc2(self) -> Float[np.ndarray, "S L"]:
        """Return the condition number of M_1, …, M_L, infinite where it is singular up to rounding."""
        return condition_number(torch.from_numpy(self.singular_values)).numpy()

    def negativity(self) -> Float[np.ndarray, "S hidden"]:
        """Return, for H̃_2, …, H̃_L, the norm of the negative part over that of the whole; 0 where ReLU does nothing."""
        parts = [
            torch.where(size == 0, 0, low / torch.where(size == 0, 1, size))
            for pre in self._layers[1]
            for low, size in [(pre.clamp(max=0).flatten(1).norm(dim=1), pre.flatten(1).norm(dim=1))]
        ]
        return torch.stack(parts, 1).numpy()

    def _layer(self, l: IntegerLike, first: int = 1) -> int:
        return check_integer("l", l, at_least=first, at_most=self.problem.L)

    # What was found

    def recognise(self, tol: RealLike = 0.05) -> tuple[Recognition, ...]:
        """Name the solution of each run, as `numerics.descent.recognise` does; of those that diverged, say so."""
        tol = check_real("tol", tol, above=0)
        grams = [self.gram(l).numpy() for l in range(2, self.problem.L + 1)]
        return tuple(
            diverged(int(at), self.problem.K) if at >= 0 else recognise(self.problem, [g[i] for g in grams], tol)
            for i, at in enumerate(self.diverged_at)
        )

    def polish(self, *, eps: RealLike = 1e-5, tol: RealLike = 1e-10, max_steps: IntegerLike = 3000) -> Runs:
        """Finish each run at a stationary point, as `numerics.descent.polish` does; those that diverged are left.

        Parameters
        ----------
        eps : float
            Every ReLU is relaxed to ReLU_ε, with ε falling to this value, see `numerics.descent.polish`.
        tol : float
            Stop when no entry of the gradient is larger.
        max_steps : int
            Most iterations for each run and each ε.

        Returns
        -------
        Runs
            With new parameters in float64, and a history with one row more, at the same step. Losses are those of the
            original problem; `gradient_norms` is of the relaxed one and says how stationary each run is.
        """
        options = PolishOptions.checked(eps, tol, max_steps)._asdict()
        parameters, alive = [p.double().clone() for p in self.parameters], torch.from_numpy(self.diverged_at < 0)
        if bool(alive.any()):
            polished = polish(self.problem, [p[alive] for p in parameters], **options)
            for p, new in zip(parameters, polished, strict=True):
                p[alive] = new
        history = self.history.with_room(self.steps)
        history.record(-1, self.problem, parameters, self.diverged_at >= 0)
        return replace(
            self, parameters=tuple(parameters), history=history, settings={**self.settings, "polished": options}
        )

    def plot(self) -> Figure:
        """Draw losses, DNC1 and singular values against DNC and SRG, as in the paper's Figure 2; needs matplotlib."""
        return plot(self.problem, self.history, self.seeds)

    # Files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to one ``.npz`` file that holds numbers and JSON, no pickles.

        Parameters
        ----------
        path : path
            The file, which is written whole or not at all.
        """
        p = self.problem
        meta = {
            "format": FORMAT,
            "problem": {
                "K": p.K,
                "L": p.L,
                "lams": p.lams,
                "exact_lams": [str(lam) for lam in p.exact_lams],
                "n": p.n,
                "widths": p.widths,
                "activations": [activation_entry(a) for a in p.activations],
            },
            "seeds": self.seeds,
            "steps": self.steps,
            "settings": dict(self.settings),
        }
        arrays = {f"parameter_{i}": p.cpu().numpy() for i, p in enumerate(self.parameters)}
        arrays |= {f"history_{name}": getattr(self.history, name) for name in self.history.__dataclass_fields__}
        arrays |= {"meta": np.array(json.dumps(meta)), "diverged_at": self.diverged_at}
        with replacing(path) as new, open(new, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Runs:
        """Read what `save` wrote.

        Parameters
        ----------
        path : path
            The file.

        Returns
        -------
        Runs

        Raises
        ------
        ValueError
            If the file is damaged, or of another kind or version.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                data = {name: file[name] for name in file.files}
            meta = json.loads(str(data["meta"]))
            if meta["format"] != FORMAT:
                raise ValueError(f"its format is {meta['format']!r}, this version reads {FORMAT!r}")
            problem = _read_problem(meta["problem"])
            runs = cls(
                problem,
                tuple(meta["seeds"]),
                tuple(torch.from_numpy(data[f"parameter_{i}"]) for i in range(problem.L + 1)),
                data["diverged_at"],
                meta["steps"],
                History(*(data[f"history_{name}"] for name in History.__dataclass_fields__)),
                meta["settings"],
            )
            check_parameters(problem, runs.parameters)
        except (KeyError, TypeError, EOFError, zipfile.BadZipFile, ValueError) as error:
            raise ValueError(f"path = {os.fspath(path)!r}; path must hold saved runs, and does not: {error}") from error
        return runs


def _read_problem(entry: Mapping[str, Any]) -> Problem:
    return Problem.of(
        entry["K"],
        entry["L"],
        lams=entry.get("exact_lams", entry["lams"]),  # files were without exact ones before
        n=entry["n"],
        width=entry["widths"],
        activation=[activation_from_entry(*a) for a in entry["activations"]],
    )
