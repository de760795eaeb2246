"""Reading the claims of a ledger without running them.

The fields of a claim are read from the file's syntax tree, so that listing a ledger imports neither torch nor anything
else that the checks use. A file that computes a field is imported.
"""

import ast
import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from nct.ledger._claim import Check, Claim, claim_of, natural
from nct.ledger._folder import LedgerError, claim_files
from nct.ledger._reach import Instances, Part, Scope, Search, reach
from nct.ledger._statement import Statement
from nct.ledger._strength import Conclusion, Condition, Fixed, LowerBound, OneOf, Stronger, UpperBound

#: The calls that are made while a file is read; each takes texts, names and values that may stay unread.
_VOCABULARY: dict[str, Callable[..., Any]] = {
    f.__name__: f for f in (Claim, Statement, Part, Instances, Search, OneOf, Stronger)
}

_CONSTANTS = {
    "UpperBound": UpperBound,
    "LowerBound": LowerBound,
    "Condition": Condition,
    "Conclusion": Conclusion,
    "Fixed": Fixed,
}
_BUILTINS = {f.__name__: f for f in (dict, enumerate, frozenset, len, list, range, set, sorted, str, tuple, zip)}


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A claim as its file states it, for people.

    Attributes
    ----------
    path : Path
        The claim's file.
    claim : Claim
        The claim; unless its file had to be imported, the values of its statements and near misses are unread.
    checks : mapping of str to Check
        Its checks by function name.
    """

    path: Path
    claim: Claim
    checks: Mapping[str, Check]

    @property
    def reach(self) -> Scope | None:
        """How far the checks carry together, if they pass; None of an experiment and of a claim that fails."""
        if self.claim.verdict not in ("holds", "amended"):
            return None
        covered = [one for check in self.checks.values() if check.kind != "kernel" for one in check.covers]
        found = reach(covered, self.claim.standing.parts)
        return None if found is None else found.scope

    @property
    def sort_key(self) -> list[tuple[int, int | str]]:
        """The order of the ledger: by id, numbers in ids as numbers."""
        return natural(self.claim.id)


def load_claims(root: Path) -> dict[Path, Claim]:
    """Import every claim file below `root` and return the claims by file.

    Parameters
    ----------
    root : Path
        The ledger's folder; one folder a paper below it.

    Returns
    -------
    dict of Path to Claim
        The claims.

    Raises
    ------
    LedgerError
        If the folder holds no claim or one of its files cannot be imported.
    """
    modules = {path: import_file(path) for path in claim_files(root)}
    claims = {path: claim for path, module in modules.items() if (claim := claim_of(module)) is not None}
    if not claims:
        raise LedgerError(f"no claims below {root}")
    return claims


def read_claims(root: Path) -> list[Listing]:
    """List every claim below `root`, by file, without running or, where that can be helped, importing it.

    Parameters
    ----------
    root : Path
        The ledger's folder; one folder a paper below it.

    Returns
    -------
    list of Listing
        The claims, in the order of their files.

    Raises
    ------
    LedgerError
        If the folder holds no claim or one of its files cannot be read.
    """
    listings = [listing for path in claim_files(root) if (listing := read_claim(path)) is not None]
    if not listings:
        raise LedgerError(f"no claims below {root}")
    return listings


def read_claim(path: Path) -> Listing | None:
    """List the claim of one file; None if the file states none.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Listing or None
        The claim.

    Raises
    ------
    LedgerError
        If the file cannot be read.
    """
    try:
        tree = ast.parse(path.read_bytes(), path)
    except (OSError, SyntaxError, ValueError) as error:
        raise LedgerError(f"{path} cannot be read: {error}") from error
    values = dict(_assignments(tree))
    if "claim" not in values:
        return None
    try:
        return _from_syntax(path, tree, values)
    except _Computed:
        return _from_module(path, import_file(path))


def read_ids(root: Path) -> dict[Path, str]:
    """The id of every claim below `root`, by file; what cannot be read is left to the collection to report."""
    ids = {}
    for path in claim_files(root):
        try:
            listing = read_claim(path)
        except LedgerError:
            continue
        if listing is not None:
            ids[path] = listing.claim.id
    return ids


class _Computed(Exception):
    """A field that only running the file can tell."""


class _Unread:
    """Stands for a value that only running the file can tell; it is shown as the file has it."""

    def __init__(self, node: ast.expr) -> None:
        self.node = node

    def __repr__(self) -> str:
        return ast.unparse(self.node)


def _assignments(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value


def _from_syntax(path: Path, tree: ast.Module, values: Mapping[str, ast.expr]) -> Listing | None:
    try:
        claim = _read(values["claim"], values)
        checks = dict(_checks(tree, claim, values)) if isinstance(claim, Claim) else {}
    except (TypeError, ValueError) as error:
        raise LedgerError(f"{path} cannot be read: {error}") from error
    return Listing(path=path, claim=claim, checks=checks) if isinstance(claim, Claim) else None


def _checks(tree: ast.Module, claim: Claim, values: Mapping[str, ast.expr]) -> Iterator[tuple[str, Check]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                match decorator:
                    case ast.Call(func=ast.Attribute(value=ast.Name(id="claim"), attr="check")):
                        note = Check.of(_call(claim.check, decorator, values)(lambda: None))
                        if note is not None:
                            yield node.name, note


def _read(node: ast.expr, values: Mapping[str, ast.expr]) -> Any:
    """The value of an expression made of literals, of names given to such above, and of the ledger's own words."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _read(left, values) + _read(right, values)
        case ast.Name(id=name) if name in values and values[name] is not node:
            return _read(values[name], {other: value for other, value in values.items() if other != name})
        case ast.Name(id=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_read(item, values) for item in items]
        case ast.Dict(keys=keys, values=items) if None not in keys:
            return {_read(key, values): _glance(item, values) for key, item in zip(keys, items, strict=True) if key}
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _VOCABULARY:
            return _call(_VOCABULARY[name], node, values)
    return _evaluate(node, values)


def _evaluate(node: ast.expr, values: Mapping[str, ast.expr]) -> Any:
    """The value of any other expression, if the names above that it uses and the plain builtins suffice for it."""
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} & set(values)
    others = {name: value for name, value in values.items() if name not in names}
    known = {name: _read(values[name], others) for name in names}
    try:
        return eval(compile(ast.Expression(node), "<claim>", "eval"), {"__builtins__": _BUILTINS, **known})
    except Exception as error:
        raise _Computed from error


def _glance(node: ast.expr, values: Mapping[str, ast.expr]) -> Any:
    """The value of an expression, or a stand-in where only running the file can tell, or where it is to be shown."""
    if isinstance(node, ast.Lambda):
        return _Unread(node)
    try:
        return _read(node, values)
    except (_Computed, TypeError, ValueError):
        return _Unread(node)


def _call(function: Callable[..., Any], node: ast.Call, values: Mapping[str, ast.expr]) -> Any:
    """What a call returns, its arguments being read; an argument ``value`` may stay unread."""
    if any(keyword.arg is None for keyword in node.keywords):
        raise _Computed
    named = {str(keyword.arg): keyword.value for keyword in node.keywords}
    bound = inspect.signature(function).bind(*node.args, **named)
    for name, argument in bound.arguments.items():
        bound.arguments[name] = (_glance if name == "value" else _read)(argument, values)
    return function(*bound.args, **bound.kwargs)


def _from_module(path: Path, module: ModuleType) -> Listing | None:
    claim = claim_of(module)
    return None if claim is None else Listing(path=path, claim=claim, checks=claim.checks_in(module))


def import_file(path: Path) -> ModuleType:
    """Import one claim file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    module

    Raises
    ------
    LedgerError
        If it cannot be imported.
    """
    name = f"_ledger_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise LedgerError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise LedgerError(f"{path} cannot be read: {type(error).__name__}: {error}") from error
    return module
