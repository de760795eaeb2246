"""Labelled data: digits, MNIST-1D and Gaussian clusters without a network; MNIST, CIFAR-10 and SVHN from OpenML.

Every loader returns a :class:`Dataset`, samples in rows in float64 and labels 0…K−1.
"""

import contextlib
import hashlib
import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from urllib.error import URLError

import numpy as np
from jaxtyping import Float, Int
from sklearn.datasets import fetch_openml, get_data_home
from sklearn.datasets import load_digits as _sklearn_digits

__all__ = ["LOADERS", "Dataset", "cifar10", "digits", "gaussian_clusters", "load", "mnist", "mnist1d", "svhn"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled samples.

    Attributes
    ----------
    name
        Of the data.
    X
        Samples in rows.
    y
        Labels 0…num_classes−1.
    num_classes
        K ≥ 2; every class has a sample.
    """

    name: str
    X: Float[np.ndarray, "N d"]
    y: Int[np.ndarray, " N"]
    num_classes: int

    def __post_init__(self) -> None:
        if self.X.ndim != 2 or self.y.shape != (len(self.X),):
            raise ValueError(f"X and y must be (N, d) and (N,), got {self.X.shape} and {self.y.shape}")
        if not np.isfinite(self.X).all():
            raise ValueError("X contains NaN or infinity")
        found = np.unique(self.y)
        if self.num_classes < 2 or not np.array_equal(found, np.arange(self.num_classes)):
            raise ValueError(f"y must hold every label 0…{self.num_classes - 1}, at least two, got {found.tolist()}")

    def targets(self, coding: Literal["signed", "onehot"] = "signed") -> Float[np.ndarray, "N K"]:
        """Labels as rows: +1 for the class and −1 for the others (``"signed"``), or 1 and 0 (``"onehot"``).

        Examples
        --------
        >>> gaussian_clusters([1, 1], 2, seed=0).targets().tolist()
        [[1.0, -1.0], [-1.0, 1.0]]
        """
        if coding not in ("signed", "onehot"):
            raise ValueError(f"coding must be 'signed' or 'onehot', got {coding!r}")
        onehot: np.ndarray = np.eye(self.num_classes)[self.y]
        return onehot if coding == "onehot" else 2.0 * onehot - 1.0

    def standardised(self) -> "Dataset":
        """Every feature shifted to mean 0 and scaled to variance 1, as in the paper's code; constant ones become 0."""
        centred = self.X - self.X.mean(axis=0)
        spread = centred.std(axis=0)
        constant = spread <= 1e-12 * np.abs(self.X).max(axis=0)
        return replace(self, X=np.where(constant, 0.0, centred / np.where(constant, 1.0, spread)))

    def sorted_by_class(self) -> "Dataset":
        """The samples in the order of their classes, otherwise as they were."""
        order = np.argsort(self.y, kind="stable")
        return replace(self, X=self.X[order], y=self.y[order])

    def first(self, samples: int) -> "Dataset":
        """The first samples, as the paper takes them; every class must be among them."""
        if not 1 <= samples <= len(self.y):
            raise ValueError(f"samples must lie in 1…{len(self.y)}, got {samples}")
        return replace(self, X=self.X[:samples], y=self.y[:samples])

    def with_counts(self, counts: Sequence[int]) -> "Dataset":
        """The first ``counts[c]`` samples of every class c, which makes balanced data imbalanced.

        Examples
        --------
        >>> np.bincount(digits().with_counts([90, 10] * 5).y).tolist()
        [90, 10, 90, 10, 90, 10, 90, 10, 90, 10]
        """
        available = np.bincount(self.y, minlength=self.num_classes)
        if len(counts) != self.num_classes or any(
            not 1 <= n <= most for n, most in zip(counts, available, strict=True)
        ):
            raise ValueError(f"counts must be one number a class from 1 to {available.tolist()}, got {list(counts)}")
        kept = np.sort(np.concatenate([np.flatnonzero(self.y == c)[:n] for c, n in enumerate(counts)]))
        return replace(self, X=self.X[kept], y=self.y[kept])


def digits() -> Dataset:
    """Scikit-learn's 1,797 handwritten digits of 8 × 8 pixels, which come with it.

    Examples
    --------
    >>> digits().X.shape
    (1797, 64)
    """
    X, y = _sklearn_digits(return_X_y=True)
    return Dataset("digits", np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.int64), 10)


def mnist1d(samples: int = 4000, *, seed: int = 42) -> Dataset:
    """MNIST-1D: ten one-dimensional digits, shifted, sheared and noisy, 40 values each; made here, not fetched.

    Parameters
    ----------
    samples
        A multiple of ten.
    seed
        Of the generator; 42 is the data set's own.

    Raises
    ------
    ImportError
        If the package mnist1d is not installed (extra ``data``).
    """
    if samples < 10 or samples % 10:
        raise ValueError(f"samples must be a positive multiple of 10, got {samples}")
    try:
        from mnist1d.data import get_dataset_args, make_dataset
    except ImportError as error:
        raise ImportError(
            "mnist1d needs the package of that name: pip install 'neural-collapse-theory[data]'"
        ) from error
    arguments = get_dataset_args()
    arguments.num_samples, arguments.train_split, arguments.seed = samples, 1.0, seed
    with _global_generators_kept():
        made = make_dataset(arguments)
    return Dataset("mnist1d", np.asarray(made["x"], dtype=np.float64), np.asarray(made["y"], dtype=np.int64), 10)


@contextlib.contextmanager
def _global_generators_kept() -> Iterator[None]:
    """Restore the global generators, which mnist1d seeds."""
    python, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy_state)  # noqa: NPY002


def gaussian_clusters(
    counts: Sequence[int], d: int, *, separation: float = 3.0, seed: int | np.random.Generator
) -> Dataset:
    """Samples N(μ_c, I) about means μ_c of N(0, separation² I / d), ``counts[c]`` of class c, ordered by class.

    Parameters
    ----------
    counts
        Samples of each of the two or more classes, at least one each.
    d
        Dimension.
    separation
        Expected distance of a mean from the origin, in standard deviations of a cluster's coordinate.
    seed
        Of NumPy's default generator, or a generator.

    Examples
    --------
    >>> gaussian_clusters([3, 2], 4, seed=0).y.tolist()
    [0, 0, 0, 1, 1]
    """
    if len(counts) < 2 or any(n < 1 for n in counts):
        raise ValueError(f"counts must hold two or more classes of at least one sample, got {list(counts)}")
    if d < 1:
        raise ValueError(f"d must be at least 1, got {d}")
    if not np.isfinite(separation) or separation <= 0:
        raise ValueError(f"separation must be positive, got {separation}")
    generator = np.random.default_rng(seed)
    means = separation / d**0.5 * generator.normal(size=(len(counts), d))
    y = np.repeat(np.arange(len(counts)), counts)
    return Dataset("gaussian clusters", means[y] + generator.normal(size=(len(y), d)), y, len(counts))


# --- from OpenML -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Source:
    name: str
    data_id: int
    shape: tuple[int, int]


_MNIST = _Source("mnist", 554, (70_000, 784))
_CIFAR10 = _Source("cifar10", 40927, (60_000, 3072))
_SVHN = _Source("svhn", 41081, (99_289, 3072))


def mnist(*, cache: str | Path | None = None) -> Dataset:
    """The 70,000 digits of MNIST, 28 × 28 pixels from 0 to 1; fetched once, see :func:`load`."""
    return _openml(_MNIST, cache)


def cifar10(*, cache: str | Path | None = None) -> Dataset:
    """The 60,000 images of CIFAR-10, 3 × 32 × 32 pixels from 0 to 1; fetched once, see :func:`load`."""
    return _openml(_CIFAR10, cache)


def svhn(*, cache: str | Path | None = None) -> Dataset:
    """The 99,289 house numbers of SVHN, 3 × 32 × 32 pixels from 0 to 1, imbalanced; fetched once, see :func:`load`."""
    return _openml(_SVHN, cache)


LOADERS: dict[str, Callable[..., Dataset]] = {
    "digits": digits,
    "mnist1d": mnist1d,
    "mnist": mnist,
    "cifar10": cifar10,
    "svhn": svhn,
}
"""Loaders by name."""


def load(name: str, *, cache: str | Path | None = None) -> Dataset:
    """A data set by its name.

    Parameters
    ----------
    name
        digits, mnist1d, mnist, cifar10 or svhn.
    cache
        Folder for fetched data; scikit-learn's data folder by default.

    Raises
    ------
    ValueError
        If there is no such data set, or what was fetched or cached is not what it should be.
    ConnectionError
        If the data are not in the cache and cannot be fetched.

    Notes
    -----
    OpenML states an MD5 sum for each file, which scikit-learn checks when it fetches one; shape and labels are checked
    besides. The arrays are then kept with their SHA-256, which is checked whenever they are read.
    """
    if name not in LOADERS:
        raise ValueError(f"name must be one of {', '.join(LOADERS)}; got {name!r}")
    if name in ("digits", "mnist1d"):
        return LOADERS[name]()
    return LOADERS[name](cache=cache)


def _openml(source: _Source, cache: str | Path | None) -> Dataset:
    folder = Path(get_data_home(cache)) / "neural-collapse-theory"
    path = folder / f"{source.name}.npz"
    if path.exists():
        pixels, labels = _read(path)
    else:
        pixels, labels = _fetch(source, cache)
        folder.mkdir(parents=True, exist_ok=True)
        _write(path, pixels, labels)
    return Dataset(source.name, pixels.astype(np.float64) / 255.0, labels.astype(np.int64), 10)


def _fetch(source: _Source, cache: str | Path | None) -> tuple[np.ndarray, np.ndarray]:
    home = None if cache is None else str(cache)
    try:
        found: Any = fetch_openml(data_id=source.data_id, data_home=home, as_frame=False, parser="liac-arff")
    except (URLError, TimeoutError, ConnectionError) as error:
        raise ConnectionError(
            f"{source.name} is not cached in {get_data_home(cache)} and OpenML (data set {source.data_id}) cannot be "
            f"reached: {error}. Run once with a network, or use digits or mnist1d, which need none"
        ) from error
    pixels = np.asarray(found.data, dtype=np.float64)
    labels = np.asarray(found.target).astype(np.float64).astype(np.int64)
    labels -= labels.min()  # one of the sources counts from 1
    if pixels.shape != source.shape or labels.shape != source.shape[:1]:
        raise ValueError(f"{source.name} must have shape {source.shape}, OpenML gave {pixels.shape}, {labels.shape}")
    if pixels.min() < 0 or pixels.max() > 255 or np.any(pixels != np.round(pixels)):
        raise ValueError(f"{source.name} must hold pixels 0…255, OpenML gave {pixels.min()}…{pixels.max()}")
    return pixels.astype(np.uint8), labels.astype(np.uint8)


def _digest(pixels: np.ndarray, labels: np.ndarray) -> str:
    return hashlib.sha256(pixels.tobytes() + labels.tobytes()).hexdigest()


def _write(path: Path, pixels: np.ndarray, labels: np.ndarray) -> None:
    partial = path.with_suffix(".partial.npz")
    np.savez_compressed(partial, pixels=pixels, labels=labels, sha256=_digest(pixels, labels))
    os.replace(partial, path)


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    advice = "delete the file to fetch it again"
    try:
        with np.load(path, allow_pickle=False) as stored:
            pixels, labels, expected = stored["pixels"], stored["labels"], str(stored["sha256"])
    except Exception as error:
        raise ValueError(f"{path} cannot be read ({error}); {advice}") from error
    found = _digest(pixels, labels)
    if found != expected:
        raise ValueError(f"{path} has SHA-256 {found} and should have {expected}; {advice}")
    return pixels, labels
