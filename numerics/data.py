"""Labelled data: digits, MNIST-1D and Gaussian clusters without a network; MNIST, CIFAR-10 and SVHN from OpenML.

Every loader returns a `Dataset`, samples in rows in float64 and labels 0…K−1.
"""

import contextlib
import hashlib
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from urllib.error import URLError

import numpy as np
from jaxtyping import Float, Int
from sklearn.datasets import fetch_openml, get_data_home
from sklearn.datasets import load_digits as _sklearn_digits

from numerics.files import replacing
from numerics.tensors import check_label_array
from theory.arguments import (
    LARGEST_SIZE,
    IntegerLike,
    RealLike,
    check_array,
    check_choice,
    check_integer,
    check_real,
    check_sequence,
)
from theory.wording import shown, wrong_type

__all__ = ["LOADERS", "Dataset", "cifar10", "digits", "gaussian_clusters", "load", "mnist", "mnist1d", "svhn"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled samples, each class with one at least.

    Attributes
    ----------
    name : str
        Of the data.
    X : array of float64, shape (N, d)
        Samples in rows; converted from any dtype of real numbers.
    y : array of int64, shape (N,)
        Labels 0…num_classes−1; converted from any integer dtype.
    num_classes : int
        K ≥ 2.

    Raises
    ------
    TypeError
        If X or y holds something else than numbers, labels are not integers, or an array is masked.
    ValueError
        If shapes do not fit, X is not finite, or the labels are not all of 0…K−1.
    """

    name: str
    X: Float[np.ndarray, "N d"]
    y: Int[np.ndarray, " N"]
    num_classes: int

    def __post_init__(self) -> None:
        X, y = check_array("X", self.X), check_label_array("y", self.y)
        if X.ndim != 2 or y.shape != (len(X),):
            raise ValueError(f"X and y have shapes {X.shape} and {y.shape}; X and y must be (N, d) and (N,)")
        K = check_integer("num_classes", self.num_classes, at_least=2, at_most=LARGEST_SIZE)
        found = np.unique(y)
        if len(found) != K or found[0] != 0 or found[-1] != K - 1:
            raise ValueError(f"y has the labels {shown(found.tolist())}; y must hold every label 0…{K - 1}")
        for name, value in (("X", X), ("y", y), ("num_classes", K)):
            object.__setattr__(self, name, value)

    def targets(self, coding: Literal["signed", "onehot"] = "signed") -> Float[np.ndarray, "N K"]:
        """Return the labels as rows: +1 for the class and −1 for the others, or 1 and 0.

        Parameters
        ----------
        coding : {"signed", "onehot"}

        Returns
        -------
        array, shape (N, K)

        Raises
        ------
        ValueError
            If there is no such coding.

        Examples
        --------
        >>> gaussian_clusters([1, 1], 2, seed=0).targets().tolist()
        [[1.0, -1.0], [-1.0, 1.0]]
        """
        check_choice("coding", coding, ("signed", "onehot"))
        onehot: np.ndarray = np.eye(self.num_classes)[self.y]
        return onehot if coding == "onehot" else 2.0 * onehot - 1.0

    def standardised(self) -> "Dataset":
        """Return every feature shifted to mean 0 and scaled to variance 1, as in the paper's code.

        Features that are constant, up to 1e-12 of their size, become 0. Their size may be any.
        """
        _, exponent = np.frexp(np.abs(self.X).max(axis=0))
        unit = np.ldexp(self.X, -exponent)  # the largest entry is between 1/2 and 1; no digit changes
        centred = unit - unit.mean(axis=0)
        spread = centred.std(axis=0)
        constant = spread <= 1e-12 * np.abs(unit).max(axis=0)
        return replace(self, X=np.where(constant, 0.0, centred / np.where(constant, 1.0, spread)))

    def sorted_by_class(self) -> "Dataset":
        """Return the samples in the order of their classes, otherwise as they were."""
        order = np.argsort(self.y, kind="stable")
        return replace(self, X=self.X[order], y=self.y[order])

    def first(self, samples: IntegerLike) -> "Dataset":
        """Return the first samples, as the paper takes them; every class must be among them.

        Parameters
        ----------
        samples : int
            From 1 to N.

        Raises
        ------
        TypeError, ValueError
            If there are not so many, or a class is not among them.
        """
        samples = check_integer("samples", samples, at_least=1, at_most=len(self.y))
        if len(np.unique(self.y[:samples])) < self.num_classes:
            raise ValueError(f"samples = {samples}; the first samples must hold every label 0…{self.num_classes - 1}")
        return replace(self, X=self.X[:samples], y=self.y[:samples])

    def with_counts(self, counts: Iterable[IntegerLike]) -> "Dataset":
        """Return the first ``counts[c]`` samples of every class c, which makes balanced data imbalanced.

        Parameters
        ----------
        counts : iterable of K ints
            From 1 to what there is of the class.

        Raises
        ------
        TypeError, ValueError
            If there is not one number for each class, or there are not so many samples.

        Examples
        --------
        >>> np.bincount(digits().with_counts([90, 10] * 5).y).tolist()
        [90, 10, 90, 10, 90, 10, 90, 10, 90, 10]
        """
        wanted = _counts(counts)
        available = np.bincount(self.y, minlength=self.num_classes)
        if len(wanted) != self.num_classes or any(n > most for n, most in zip(wanted, available, strict=True)):
            limit = shown(available)
            raise ValueError(f"counts = {shown(wanted)}; counts must be one number a class from 1 to {limit}")
        kept = np.sort(np.concatenate([np.flatnonzero(self.y == c)[:n] for c, n in enumerate(wanted)]))
        return replace(self, X=self.X[kept], y=self.y[kept])


def _counts(counts: Iterable[IntegerLike]) -> list[int]:
    if isinstance(counts, (str, bytes, Mapping)) or not isinstance(counts, Iterable):
        raise wrong_type("counts", counts, "counts must be one number for each class")
    several = list(counts) if isinstance(counts, Iterator) else counts
    return check_sequence("counts", several, lambda name, n: check_integer(name, n, at_least=1))


def digits() -> Dataset:
    """Return scikit-learn's 1,797 handwritten digits of 8 × 8 pixels, which come with it.

    Returns
    -------
    Dataset

    Examples
    --------
    >>> digits().X.shape
    (1797, 64)
    """
    X, y = _sklearn_digits(return_X_y=True)
    return Dataset("digits", np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.int64), 10)


def mnist1d(samples: IntegerLike = 4000, *, seed: IntegerLike = 42) -> Dataset:
    """Make MNIST-1D: ten one-dimensional digits, shifted, sheared and noisy, of 40 values each; nothing is fetched.

    Parameters
    ----------
    samples : int
        A multiple of ten.
    seed : int
        Of the generator; 42 is the data set's own.

    Returns
    -------
    Dataset

    Raises
    ------
    TypeError, ValueError
        If `samples` is no positive multiple of ten, or the seed no integer ≥ 0.
    ImportError
        If the package mnist1d is not installed (extra ``data``).
    """
    samples, seed = check_integer("samples", samples, at_least=10), check_integer("seed", seed, at_least=0)
    if samples % 10:
        raise ValueError(f"samples = {samples}; samples must be a multiple of 10")
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
    counts: Iterable[IntegerLike], d: IntegerLike, *, separation: RealLike = 3.0, seed: int | np.random.Generator
) -> Dataset:
    """Draw samples N(μ_c, I) about means μ_c of N(0, separation² I / d), ``counts[c]`` of class c, ordered by class.

    Parameters
    ----------
    counts : iterable of ints
        Samples of each of the two or more classes, at least one each.
    d : int
        Dimension.
    separation : float
        Expected distance of a mean from the origin, in standard deviations of a cluster's coordinate.
    seed : int or numpy.random.Generator
        Of NumPy's default generator, or a generator.

    Returns
    -------
    Dataset

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two classes, or an argument is out of range.

    Examples
    --------
    >>> gaussian_clusters([3, 2], 4, seed=0).y.tolist()
    [0, 0, 0, 1, 1]
    """
    sizes, d = _counts(counts), check_integer("d", d, at_least=1, at_most=LARGEST_SIZE)
    if len(sizes) < 2:
        raise ValueError(f"counts = {sizes}; counts must hold two or more classes")
    separation = check_real("separation", separation, above=0)
    if sum(sizes) * d > LARGEST_SIZE:
        raise ValueError(f"counts and d ask for {sum(sizes)} × {d} numbers; there must be at most {LARGEST_SIZE}")
    if not isinstance(seed, np.random.Generator):
        seed = check_integer("seed", seed, at_least=0)
    generator = np.random.default_rng(seed)
    means = separation / d**0.5 * generator.normal(size=(len(sizes), d))
    y = np.repeat(np.arange(len(sizes)), sizes)
    return Dataset("gaussian clusters", means[y] + generator.normal(size=(len(y), d)), y, len(sizes))


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
    """Return the 70,000 digits of MNIST, 28 × 28 pixels from 0 to 1; fetched once, see `load`."""
    return _openml(_MNIST, cache)


def cifar10(*, cache: str | Path | None = None) -> Dataset:
    """Return the 60,000 images of CIFAR-10, 3 × 32 × 32 pixels from 0 to 1; fetched once, see `load`."""
    return _openml(_CIFAR10, cache)


def svhn(*, cache: str | Path | None = None) -> Dataset:
    """Return the 99,289 house numbers of SVHN, 3 × 32 × 32 pixels from 0 to 1, imbalanced; fetched once, see `load`."""
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
    """Return a data set by its name.

    Parameters
    ----------
    name : str
        digits, mnist1d, mnist, cifar10 or svhn.
    cache : path, optional
        Folder for fetched data; scikit-learn's data folder by default.

    Returns
    -------
    Dataset

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
    check_choice("name", name, tuple(LOADERS))
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
    with replacing(path) as new:
        np.savez_compressed(new, pixels=pixels, labels=labels, sha256=_digest(pixels, labels))


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
