"""The run in which every annotation counts: shapes by jaxtyping, types by beartype (``SHAPES=1 pytest``).

The modules import the names of their annotations only under `typing.TYPE_CHECKING`, so that a plain import stays cheap.
Here that flag is true while a module of the project is being imported, and the names resolve.
"""

import importlib
import sys
import typing
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder

PACKAGES = ("nct", "numerics", "theory")
#: What the project's modules import. Loaded before the flag is set, which is meant for their authors alone.
_OTHERS = (
    "beartype beartype.door flint matplotlib.figure mpmath networkx numpy numpy.typing scipy.linalg "
    "scipy.optimize scipy.special scipy.stats "
    "sklearn.base sklearn.datasets sympy torch torchmetrics"
)


class _Resolving(Loader):
    """A loader that executes a module with `typing.TYPE_CHECKING` set."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def __getattr__(self, name: str) -> typing.Any:
        return getattr(self.loader, name)

    def create_module(self, spec: ModuleSpec) -> typing.Any:
        return self.loader.create_module(spec)

    def exec_module(self, module: typing.Any) -> None:
        before, typing.TYPE_CHECKING = typing.TYPE_CHECKING, True
        try:
            self.loader.exec_module(module)
        finally:
            typing.TYPE_CHECKING = before


class _Finder(MetaPathFinder):
    """Finds the project's modules by way of jaxtyping's own hook, and wraps its loader."""

    def __init__(self, hook: typing.Any) -> None:
        self.hook = hook

    def find_spec(self, name: str, path: typing.Any = None, target: typing.Any = None) -> ModuleSpec | None:
        if name.partition(".")[0] not in PACKAGES:
            return None
        if name.endswith(".plugin"):  # pytest looks whether its hooks are generator functions; a checked one is not
            return PathFinder.find_spec(name, path, target)
        spec: ModuleSpec | None = self.hook.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Resolving(spec.loader)
        return spec


def typechecked(function: typing.Any) -> typing.Any:
    """Check the types of a function by beartype, an int being a float as for any type checker."""
    from beartype import BeartypeConf, beartype

    return beartype(function, conf=BeartypeConf(is_pep484_tower=True))


def check_shapes() -> None:
    """From now on, every annotated function of the project checks what it is given and what it returns.

    Raises
    ------
    RuntimeError
        If a module of the project, but for the ledger's plugin, is already imported.
    """
    from jaxtyping import install_import_hook

    for name in _OTHERS.split():
        importlib.import_module(name)
    early = sorted(name for name in sys.modules if name.partition(".")[0] in ("numerics", "theory"))
    if early:
        raise RuntimeError(f"imported too early to be checked: {', '.join(early)}")
    install_import_hook(PACKAGES, "shapes.typechecked")
    sys.meta_path.insert(0, _Finder(sys.meta_path[0]))
