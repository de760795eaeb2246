"""What an earlier run found of a claim, as long as nothing has changed that it depends on."""

import ast
import hashlib
import sys
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

_HERE = Path(__file__).resolve().parents[1]

#: The distributions that checks are mostly made of; another version may give another result.
_LIBRARIES = ("hypothesis", "mpmath", "networkx", "numpy", "python-flint", "scikit-learn", "scipy", "sympy", "torch")


def fingerprint(claim: Path, root: Path, *settings: object) -> str:
    """A digest of all that the result for a claim depends on.

    Parameters
    ----------
    claim : Path
        The claim's file.
    root : Path
        The project: the files below it that the claim imports, and those that they import, are part of the digest.
    *settings : object
        Whatever else decides the result.

    Returns
    -------
    str
        The digest, in hexadecimal digits.
    """
    files = {claim, *_HERE.rglob("*.py")}
    waiting = [claim]
    while waiting:
        found = set(_imported(waiting.pop(), root)) - files
        files |= found
        waiting += found
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.name}\0".encode() + path.read_bytes())
    digest.update(repr((sys.version_info, _versions(), settings)).encode())
    return digest.hexdigest()


@cache
def _versions() -> tuple[str, ...]:
    found = {dist.metadata["Name"]: dist.version for dist in metadata.distributions(path=sys.path) if dist.metadata}
    return tuple(f"{name} {found[name]}" for name in _LIBRARIES if name in found)


def _imported(path: Path, root: Path) -> Iterator[Path]:
    """The project's files that a file imports; of a package, all, since it may load them later."""
    for name in _names(path.read_bytes()):
        yield from _files(name, root)


@cache
def _names(text: bytes) -> tuple[str, ...]:
    """What a file imports: modules, and names that may be modules."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return tuple(sorted(names))


def _files(name: str, root: Path) -> Iterator[Path]:
    place = root.joinpath(*name.split("."))
    if place.with_suffix(".py").is_file():
        yield place.with_suffix(".py")
    elif place.is_dir() and place != root:
        below = sorted(place.rglob("*.py"))
        # Of a package whose modules are asked for one by one in the same import, the outermost has no say of its own.
        yield from below if len(name.split(".")) > 1 else [file for file in below if file.parent == place]
