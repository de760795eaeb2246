"""The outcome of training: losses, ranks and collapse of every run, selection, saving, plotting."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from numerics.descent import _metrics as metrics
from numerics.descent._history import History
from numerics.descent._network import Network
from numerics.descent._problem import Problem, positive_integer, relaxed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from numerics.descent._recognition import Recognition

__all__ = ["FORMAT", "Runs"]

FORMAT = "neural-collapse-theory dufm runs, version 1"


def _two_layer_dnc(problem: Problem) -> float:
    """Minimum over s = √u ≥ 0 of κ s + 1/(2(1 + s²)), κ = K √(n λ_H1 λ_W1 λ_W2 K): one scale, M_2 = s √(Kλ_W2) I."""
    kappa = problem.K * float(np.sqrt(problem.n * np.prod(problem.lams) * problem.K))
    s = np.roots([kappa, 0, 2 * kappa, -1, kappa])  # κ (1 + s²)² = s
    s = s[np.isreal(s)].real.clip(min=0)
    return float(min(0.5, *(kappa * s + 0.5 / (1 + s**2)), 0.5))


@dataclass(frozen=True, eq=False)
class Runs:
    """S runs of one problem. Immutable; every quantity is computed in float64 from the parameters.

    ``runs[i]`` is one run, ``runs[2:5]``, ``runs[mask]`` and ``runs[[0, 3]]`` are several; all are ``Runs``.

    Attributes
    ----------
    problem : Problem
    seeds : tuple of ints
    parameters : tuple of L + 1 tensors
        (H_1, W_1, …, W_L), each with the run as first dimension; samples are in rows.
        For a run that diverged, the last finite ones.
    diverged_at : array (S,)
        The step at which the loss of a run stopped being finite, or −1.
    steps : int
        Number of updates.
    history : History
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
        return f"Runs(K={p.K}, L={p.L}, {lams}, widths={p.widths}; {len(self)} runs of {self.steps} steps, {spread}{diverged})"

    @property
    def best(self) -> Runs:
        """The run of the lowest loss."""
        return self[int(self.losses.argmin())]

    # Loss

    @property
    def status(self) -> tuple[str, ...]:
        """``"finished"`` or ``"diverged"`` for each run."""
        return tuple("diverged" if at >= 0 else "finished" for at in self.diverged_at)

    @cached_property
    def losses(self) -> Float[np.ndarray, " S"]:
        """The objective (1) of each run; infinite if it diverged."""
        losses = self.problem.loss(self._double).numpy()
        return np.where(self.diverged_at >= 0, np.inf, losses)

    @cached_property
    def loss_dnc(self) -> float:
        """Loss of the deep neural collapse solution, `lowrank` Definition 10."""
        from theory import dufm

        p = self.problem
        if p.L == 2:
            return _two_layer_dnc(p)
        return float(dufm.dnc_loss(p.K, p.L, lams=p.lams, n=p.n))

    @cached_property
    def loss_srg(self) -> float | None:
        """The lower of the losses of the two SRG constructions, `lowrank` Definition 11; None where there is none."""
        from theory import dufm

        p = self.problem
        if p.K < 6 or p.L < 3:
            return None
        return float(dufm.srg_loss(p.K, p.L, lams=p.lams, n=p.n, construction="best"))

    def gradient_norms(self, eps: float | None = None) -> Float[np.ndarray, " S"]:
        """Norm of the gradient of the objective in all parameters; infinite if the run diverged.

        Parameters
        ----------
        eps : float, optional
            Of the objective with every ReLU relaxed to ReLU_ε; 0 for the ReLU itself, with derivative 0 at 0.
            By default what :meth:`polish` used, and 0 for runs that were not polished.
        """
        if eps is None:
            eps = self.settings.get("polished", {}).get("eps", 0)
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
        features, pre, _ = self.problem.layers(self._double)
        return features, pre

    def features(self, l: int) -> Float[Tensor, "S N d"]:
        """Return H_l, 1 ≤ l ≤ L."""
        return self._layers[0][self._layer(l) - 1]

    def preactivations(self, l: int) -> Float[Tensor, "S N d"]:
        """Return H̃_l, what H_l was before its activation, 2 ≤ l ≤ L."""
        return self._layers[1][self._layer(l, 2) - 2]

    def class_means(self, l: int) -> Float[Tensor, "S K d"]:
        """Return M_l, one class a row."""
        return metrics.class_means(self.features(l), self.problem.K)

    def gram(self, l: int) -> Float[Tensor, "S K K"]:
        """Inner products of the class means of layer l."""
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
        """Rank of M_1, …, M_L: singular values above ``tol`` times the largest."""
        if not 0 <= tol < 1:
            raise ValueError(f"tol must lie in [0, 1), got {tol!r}")
        return metrics.rank(torch.from_numpy(self.singular_values), tol).numpy()

    def effective_ranks(self) -> Float[np.ndarray, "S L"]:
        """Effective rank of M_1, …, M_L."""
        return metrics.effective_rank(torch.from_numpy(self.singular_values)).numpy()

    def dnc1(self) -> Float[np.ndarray, "S L"]:
        """tr Σ_W / tr Σ_B of H_1, …, H_L; 0 for one sample a class."""
        return torch.stack([metrics.dnc1(h, self.problem.K) for h in self._layers[0]], 1).numpy()

    def dnc2(self) -> Float[np.ndarray, "S L"]:
        """Condition number of M_1, …, M_L."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return metrics.dnc2(torch.from_numpy(self.singular_values)).nan_to_num(nan=np.inf).numpy()

    def negativity(self) -> Float[np.ndarray, "S L-1"]:
        """For H̃_2, …, H̃_L, the norm of the negative part over the norm of the whole; 0 where ReLU does nothing."""
        parts = [
            torch.where(size == 0, 0, low / torch.where(size == 0, 1, size))
            for pre in self._layers[1]
            for low, size in [(pre.clamp(max=0).flatten(1).norm(dim=1), pre.flatten(1).norm(dim=1))]
        ]
        return torch.stack(parts, 1).numpy()

    def _layer(self, l: int, first: int = 1) -> int:
        if positive_integer("l", l, first) > self.problem.L:
            raise ValueError(f"l must be at most L = {self.problem.L}, got {l}")
        return l

    # What was found

    def recognise(self, tol: float = 0.05) -> tuple[Recognition, ...]:
        """Name the solution of each run: see :func:`numerics.descent.recognise`."""
        from numerics.descent._recognition import recognise

        return tuple(recognise(self[i], tol) for i in range(len(self)))

    def polish(self, **options: Any) -> Runs:
        """Finish each run at a stationary point by L-BFGS in float64: see :func:`numerics.descent.polish`."""
        from numerics.descent._polishing import polish

        return polish(self, **options)

    def plot(self) -> Figure:
        """Losses, DNC1 and singular values against DNC and SRG, as in the paper's Figure 2; needs matplotlib."""
        from numerics.descent._plotting import plot

        return plot(self)

    # Files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to one ``.npz`` file that holds numbers and JSON, no pickles."""
        meta = {
            "format": FORMAT,
            "problem": asdict(self.problem)
            | {"activations": [[a.name, getattr(a, "eps", 0)] for a in self.problem.activations]},
            "seeds": self.seeds,
            "steps": self.steps,
            "settings": dict(self.settings),
        }
        arrays = {f"parameter_{i}": p.cpu().numpy() for i, p in enumerate(self.parameters)}
        arrays |= {f"history_{name}": getattr(self.history, name) for name in self.history.__dataclass_fields__}
        temporary = f"{os.fspath(path)}.partial"
        try:
            with open(temporary, "wb") as file:
                np.savez(
                    file, allow_pickle=False, meta=np.array(json.dumps(meta)), diverged_at=self.diverged_at, **arrays
                )
            os.replace(temporary, path)
        finally:
            if os.path.exists(temporary):
                os.remove(temporary)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Runs:
        """Read what :meth:`save` wrote.

        Raises
        ------
        ValueError
            If the file is damaged, or of another kind or version.
        """
        import zipfile

        from numerics.descent._activation import activation

        try:
            with np.load(path, allow_pickle=False) as file:
                data = {name: file[name] for name in file.files}
            meta = json.loads(str(data["meta"]))
            if meta["format"] != FORMAT:
                raise ValueError(f"its format is {meta['format']!r}, this version reads {FORMAT!r}")
            p = meta["problem"]
            problem = Problem(
                p["K"], p["L"], tuple(p["lams"]), p["n"], tuple(p["widths"]),
                tuple(activation(name, eps or 1e-3) for name, eps in p["activations"]),
            )  # fmt: skip
            runs = cls(
                problem,
                tuple(meta["seeds"]),
                tuple(torch.from_numpy(data[f"parameter_{i}"]) for i in range(problem.L + 1)),
                data["diverged_at"],
                meta["steps"],
                History(*(data[f"history_{name}"] for name in History.__dataclass_fields__)),
                meta["settings"],
            )
            problem.check(runs.parameters)
        except (KeyError, TypeError, EOFError, zipfile.BadZipFile, ValueError) as error:
            raise ValueError(f"path {os.fspath(path)!r} does not hold saved runs: {error}") from error
        return runs
