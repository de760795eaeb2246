"""Deep recursive feature machines: a network built layer by layer from the AGOP of a kernel machine.

For l = 1, …, depth (Algorithm 1 of the paper, samples in rows):

1. scale every row of X_l to unit length;
2. solve (k(X_l, X_l) + ridge·I) α_l = Y;
3. M_l = AGOP of x ↦ k(x, X_l) α_l over X_l;
4. X_{l+1} = Φ_l(X_l M_l^{1/2}), with Φ_l a random feature map that is not trained;

and at the end rows are scaled once more and coefficients learned for prediction.

`DeepRFM` keeps, for every layer, the measures of collapse of X_l, X_l M_l^{1/2} and Φ_l(X_l M_l^{1/2}), the spectrum of
M_l, the condition number of the kernel matrix and how it was solved, and the time each step took.
"""

import hashlib
import os
from collections.abc import Callable, Collection
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from sklearn.base import ClassifierMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from numerics.deep_rfm._files import load_machine, save_machine
from numerics.deep_rfm._layer import Layer, LayerRecord, fit_layer, warn_if_singular
from numerics.deep_rfm._parameters import PartsAsParameters
from numerics.deep_rfm._samples import check_unmasked, gram_index, points_of, targets_of
from numerics.deep_rfm._settings import DEFAULTS, Settings
from numerics.kernels import FeatureMap, Kernel, solve_kernel
from numerics.metrics import centred_gram
from numerics.scaling import unit_rows
from theory.arguments import check_integer

__all__ = ["DeepRFM"]


class DeepRFM(ClassNamePrefixFeaturesOutMixin, ClassifierMixin, TransformerMixin, PartsAsParameters):  # type: ignore[misc]
    """Deep recursive feature machine, as a scikit-learn classifier and transformer.

    Parameters
    ----------
    depth : int
        Number of layers L ≥ 1.
    kernel : Kernel, optional
        Kernel of the machines, without Mahalanobis matrix; ``Laplace(2.0)`` by default. Its fields are parameters, too:
        ``kernel__bandwidth``.
    feature_map : FeatureMap, optional
        Random features Φ; ``ReLUFeatures(1024)`` by default. Its fields are parameters, too: ``feature_map__width``.
    ridge : float
        γ ≥ 0; 0 interpolates.
    targets : {"signed", "onehot"}
        ``"signed"``: +1 for the class and −1 for others, as in the paper; ``"onehot"``: 1 and 0.
    agop_scale : {"mean", "sum"}
        ``"mean"``: M averages over samples, as the paper defines the AGOP; ``"sum"``: M sums over them, as its
        Algorithm 1 prints. ReLU features do not feel the difference, as rows are scaled; cosine features do.
    agop_route : {"auto", "features", "samples"}
        As for `numerics.agop.kernel_agop`.
    memory_limit : int, optional
        As for `numerics.agop.kernel_agop`.
    singular : {"auto", "pinv", "jitter"}
        What to do when a kernel matrix is singular to working precision, see `numerics.kernels.solve_kernel`.
    grams : collection of int
        Layers whose Gram matrix is kept, as in Figure 1 of the paper: for 1 of the (scaled) data, for l ≥ 2 of the data
        that layer l − 1 has projected, each centred and scaled to unit length.
    gram_samples : int
        Most samples that a Gram matrix has; beyond, it takes samples at even steps. They are ordered by class.
    device : str or torch.device
        Where to compute.
    dtype : {"float64", "float32"} or torch.dtype
        In what; float64 by default, since collapse goes on far below float32's resolution.
    random_state : int or RandomState, optional
        Seed of the feature maps. A layer's map depends on the seed and its number alone.
    warm_start : bool
        Whether `fit` continues from the layers that are already there, on the same data, up to `depth`.
    callback : callable, optional
        Called after every layer with this estimator and its new `LayerRecord`. If it, or the user, interrupts, the
        layers done stay, and `fit` with `warm_start` takes up from there.

    Attributes
    ----------
    records_ : list of LayerRecord
        One a layer.
    grams_ : dict of int to array
        Gram matrices by layer.
    gram_index_ : array of int
        The samples they are of.
    layers_ : list
        The layers.
    coef_, train_ : Tensor
        Coefficients of the last machine, and the points that it is of.
    classes_ : array, shape (K,)
        The labels.
    n_features_in_, seed_ : int
        The number of features, and the seed of the feature maps.
    feature_names_in_ : array of str
        The names of the features, where `fit` has seen a table with names.

    Warns
    -----
    SingularKernelWarning
        Once a fit, if kernel matrices were singular to working precision.

    References
    ----------
    agop, Algorithm 1 and appendix D.

    Examples
    --------
    >>> from numerics.kernels import ReLUFeatures
    >>> X, y = np.random.default_rng(0).normal(size=(40, 5)), np.arange(40) % 2
    >>> X[y == 1] += 1.0
    >>> model = DeepRFM(depth=2, feature_map=ReLUFeatures(64), random_state=0).fit(X, y)
    >>> model.transform(X).shape
    (40, 64)
    >>> model.score(X, y)
    1.0
    """

    _parts = DEFAULTS

    def __init__(
        self,
        depth: int = 5,
        *,
        kernel: Kernel | None = None,
        feature_map: FeatureMap | None = None,
        ridge: float = 0.0,
        targets: Literal["signed", "onehot"] = "signed",
        agop_scale: Literal["mean", "sum"] = "mean",
        agop_route: Literal["auto", "features", "samples"] = "auto",
        memory_limit: int | None = None,
        singular: Literal["auto", "pinv", "jitter"] = "auto",
        grams: Collection[int] = (),
        gram_samples: int = 2000,
        device: str | torch.device = "cpu",
        dtype: str | torch.dtype = "float64",
        random_state: int | np.random.RandomState | None = None,
        warm_start: bool = False,
        callback: Callable[["DeepRFM", LayerRecord], None] | None = None,
    ) -> None:
        self.depth = depth
        self.kernel = kernel
        self.feature_map = feature_map
        self.ridge = ridge
        self.targets = targets
        self.agop_scale = agop_scale
        self.agop_route = agop_route
        self.memory_limit = memory_limit
        self.singular = singular
        self.grams = grams
        self.gram_samples = gram_samples
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.warm_start = warm_start
        self.callback = callback

    # --- fitting -------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any) -> "DeepRFM":
        """Build the layers on labelled samples.

        Rows are scaled to unit length, so that one feature alone says nothing: X needs two or more.

        Parameters
        ----------
        X : array-like, shape (n, d)
            Samples in rows.
        y : array-like, shape (n,)
            Labels of any kind.

        Returns
        -------
        DeepRFM
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter is not allowed, or the samples or labels are none that a classifier takes.
        """
        settings = self._settings()
        check_unmasked(X=X, y=y)
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2, ensure_min_features=2)
        check_classification_targets(y)
        classes, labels = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"y must hold at least two classes, got {len(classes)} class: {classes[0]!r}")
        digest = hashlib.sha256(np.ascontiguousarray(X).tobytes() + labels.tobytes()).hexdigest()
        self._start(settings, classes, digest)
        points = points_of(settings, X)
        self._fit(settings, points, torch.as_tensor(labels, dtype=torch.int64, device=points.device))
        return self

    def _start(self, settings: Settings, classes: Any, digest: str) -> None:
        """Forget everything, or check that the layers there can be continued."""
        if self.warm_start and hasattr(self, "layers_"):
            if not np.array_equal(self.classes_, classes):
                raise ValueError(f"warm_start needs the classes fitted before, {self.classes_!r}; got {classes!r}")
            if self.digest_ != digest:
                raise ValueError("warm_start needs the samples and labels fitted before; X or y differ from them")
            del self.layers_[len(self.records_) :]  # an interrupt can come between the two
            done = len(self.layers_)
            if done > settings.depth:
                raise ValueError(f"depth = {self.depth} but {done} layers are fitted; warm_start cannot remove")
            return
        self.classes_: np.ndarray = classes
        self.digest_: str = digest
        self.seed_ = self.seed_of(self.random_state)
        self.layers_: list[Layer] = []
        self.records_: list[LayerRecord] = []
        self.grams_: dict[int, np.ndarray] = {}

    @staticmethod
    def seed_of(random_state: int | np.integer | np.random.RandomState | None) -> int:
        """Return the seed of the feature maps that a `random_state` stands for.

        Parameters
        ----------
        random_state : int or RandomState, optional

        Returns
        -------
        int

        Examples
        --------
        >>> DeepRFM.seed_of(0) == DeepRFM.seed_of(np.int64(0))
        True
        """
        if random_state is not None and not isinstance(random_state, np.random.RandomState):
            random_state = check_integer("random_state", random_state, at_least=0, at_most=2**32 - 1)
        return int(check_random_state(random_state).randint(2**31 - 1))

    def _fit(self, settings: Settings, X: Tensor, labels: Tensor) -> None:
        for stale in ("coef_", "train_"):  # of fewer layers, should the fit be interrupted
            self.__dict__.pop(stale, None)
        targets = targets_of(settings, labels, len(self.classes_))
        self.gram_index_: np.ndarray = gram_index(settings, labels)
        for layer in self.layers_:
            X = layer(X)
        if not self.layers_:
            self._keep_gram(settings, 1, unit_rows(X))
        for number in range(len(self.layers_) + 1, settings.depth + 1):
            layer, record, projected, X = fit_layer(settings, number, self.seed_, X, labels, targets)
            self._keep_gram(settings, number + 1, projected)
            self.layers_.append(layer)
            self.records_.append(record)
            if self.callback is not None:
                self.callback(self, record)
        train = unit_rows(X)
        solution = solve_kernel(settings.kernel(train), targets, ridge=settings.ridge, singular=settings.singular)
        self.train_, self.coef_ = train, solution.alpha
        warn_if_singular(self.records_)

    def _keep_gram(self, settings: Settings, number: int, X: Tensor) -> None:
        if number in settings.grams:
            rows = torch.as_tensor(self.gram_index_, device=X.device)
            self.grams_[number] = centred_gram(X[rows], centre=X.mean(dim=0)).float().cpu().numpy()

    # --- using ---------------------------------------------------------------------------------------------------

    def _represent(self, settings: Settings, X: Any, depth: int | None = None) -> Tensor:
        """What the first `depth` layers (all) make of samples, rows of unit length."""
        check_is_fitted(self, "coef_")
        check_unmasked(X=X)
        points = points_of(settings, validate_data(self, X, dtype=np.float64, reset=False))
        for layer in self.layers_[:depth]:
            points = layer(points)
        return unit_rows(points)

    def transform(self, X: Any) -> Any:
        """The representation after the last layer, rows of unit length: what the last machine sees.

        Parameters
        ----------
        X : array-like, shape (m, d)
            Samples in rows.

        Returns
        -------
        array, shape (m, D)
            Or what `set_output` asks for.
        """
        return self._represent(self._settings(), X).cpu().numpy()

    def project(self, X: Any) -> Float[np.ndarray, "m D"]:
        """The last layer's input after M^{1/2}, where collapse is at its furthest: its stage "projected".

        Parameters
        ----------
        X : array-like, shape (m, d)
            Samples in rows.

        Returns
        -------
        array, shape (m, D)
        """
        points = self._represent(self._settings(), X, len(self.layers_) - 1)
        return self.layers_[-1].root(points).cpu().numpy()

    def decision_function(self, X: Any) -> Float[np.ndarray, "m ..."]:
        """Outputs of the last machine, a column a class; for two classes the second's less the first's, halved.

        Parameters
        ----------
        X : array-like, shape (m, d)
            Samples in rows.

        Returns
        -------
        array, shape (m, K), or (m,) for two classes
        """
        settings = self._settings()
        scores = (settings.kernel(self._represent(settings, X), self.train_) @ self.coef_).cpu().numpy()
        return 0.5 * (scores[:, 1] - scores[:, 0]) if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> Any:
        """The class of the largest output.

        Parameters
        ----------
        X : array-like, shape (m, d)
            Samples in rows.

        Returns
        -------
        array, shape (m,)
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return self.classes_[(scores > 0).astype(int)]
        return self.classes_[scores.argmax(axis=1)]

    # --- parameters ----------------------------------------------------------------------------------------------

    def _settings(self) -> Settings:
        return Settings.of(self.get_params(deep=False))

    @property
    def _n_features_out(self) -> int:
        return int(self.layers_[-1].features.weight.shape[0])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = [str(self.dtype).removeprefix("torch.")]
        return tags

    # --- on disk -------------------------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the layers done so far to a file that `load` reads; an interrupted write leaves the old file.

        The device and the callback are not kept.

        Parameters
        ----------
        path : path
            The file.

        Raises
        ------
        TypeError, ValueError
            If there is no layer, or a parameter or a label is of a kind that a file cannot keep.
        OSError
            If the file cannot be written.
        """
        if not getattr(self, "layers_", None):
            raise ValueError("there are no layers to save: call fit first")
        save_machine(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, device: str | torch.device = "cpu") -> "DeepRFM":
        """Read a model that `save` wrote; with ``warm_start=True`` set, `fit` continues it.

        Parameters
        ----------
        path : path
            The file.
        device : str or torch.device
            Where to compute.

        Returns
        -------
        DeepRFM

        Raises
        ------
        ValueError
            If the file is none that `save` wrote, or has changed since.
        OSError
            If it cannot be read.
        """
        return load_machine(cls, path, device)
