"""What determines the numbers of a run, as one short text that is stored with each row.

Two rows with the same digest were trained and measured by the same code, the same torch and NumPy, in the same
precision and on the same kind of device; rows with different digests are never summarised together.
"""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

__all__ = ["MODULES", "package_version", "training_digest"]

MODULES = (
    "numerics.descent._activations",
    "numerics.descent._history",
    "numerics.descent._initial",
    "numerics.descent._lbfgs",
    "numerics.descent._model",
    "numerics.descent._network",
    "numerics.descent._optimizer",
    "numerics.descent._polishing",
    "numerics.descent._runs",
    "numerics.descent._tile",
    "numerics.descent._training",
    "numerics.linalg",
    "numerics.metrics._measures",
    "numerics.metrics._spectrum",
    "numerics.metrics._statistics",
    "numerics.scaling",
    "theory.ufm._activations",
    "theory.ufm._problem",
)
"""The modules that train and measure a run. Closed forms and names are not among them: no number of a run is theirs."""


@cache
def training_digest(dtype: str, device: str = "cpu") -> str:
    """Digest the code and the libraries that train a run, with its precision and device.

    Parameters
    ----------
    dtype : str
        "float32" or "float64".
    device : str
        The type of the device.

    Returns
    -------
    str
        16 hexadecimal digits.

    Examples
    --------
    >>> training_digest("float32") == training_digest("float64")
    False
    """
    libraries = {name: metadata.version(name) for name in ("numpy", "torch")}
    sources = {name: _source(name) for name in MODULES}
    return sha256(json.dumps([sources, libraries, dtype, device], sort_keys=True).encode()).hexdigest()[:16]


def package_version() -> str:
    """Return the version of this package, or "unknown" where it runs without having been installed."""
    try:
        return metadata.version("neural-collapse-theory")
    except metadata.PackageNotFoundError:
        return "unknown"


def _source(name: str) -> str:
    spec = find_spec(name)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise ImportError(f"the source of {name} cannot be read, so that results cannot say what code they are from")
    return Path(spec.origin).read_text(encoding="utf-8")
