"""Finding and reading a ledger on disk without running it.

The fields of a claim are read from the file's syntax tree, so that listing a ledger imports neither torch nor anything
else that the checks use. A file that computes a field is imported.
"""

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeGuard

from nct.ledger._claim import Claim, Kind, Verdict, natural


class LedgerError(Exception):
    """A ledger that cannot be found or read."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A claim as its file states it, for people: texts and names without the statements' values.

    Attributes
    ----------
    path : Path
        The claim's file.
    id, title, source, verdict
        As in `Claim`.
    printed : str
        The printed statement.
    amended : str or None
        The amended statement, where there is one.
    near_misses, depends_on : tuple of str
        Names of the near misses; ids of the claims that this one rests on.
    checks : mapping of str to str
        The kind of evidence of every check, by function name.
    """

    path: Path
    id: str
    title: str
    source: str
    verdict: Verdict
    printed: str
    amended: str | None
    near_misses: tuple[str, ...]
    depends_on: tuple[str, ...]
    checks: Mapping[str, Kind]

    @property
    def sort_key(self) -> list[tuple[int, int | str]]:
        """The order of the ledger: by id, numbers in ids as numbers."""
        return natural(self.id)


def find_ledger(start: Path | None = None) -> Path:
    """The folder ``proofs_checks`` of `start`, of a folder above it, or of the source tree that is installed here.

    Parameters
    ----------
    start : Path, optional
        Where to begin; the current folder by default.

    Raises
    ------
    LedgerError
        If there is none.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if (folder / "proofs_checks").is_dir():
            return folder / "proofs_checks"
    raise LedgerError(f"no ledger: there is no folder 'proofs_checks' in {here} or above it")


def claim_files(root: Path) -> list[Path]:
    """The claim files below `root`, sorted."""
    return sorted(path for path in root.rglob("test_*.py") if path.parent != root)


def claim_of(module: ModuleType) -> Claim | None:
    """The claim that a module states, if it states one."""
    claim = getattr(module, "claim", None)
    return claim if isinstance(claim, Claim) else None


def load_claims(root: Path) -> dict[Path, Claim]:
    """Import every claim file below `root` and return the claims by file.

    Parameters
    ----------
    root : Path
        The ledger's folder; one folder a paper below it.

    Raises
    ------
    LedgerError
        If the folder holds no claim or one of its files cannot be imported.
    """
    modules = {path: _import(path) for path in claim_files(root)}
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
    call = values.get("claim")
    if call is None:
        return None
    try:
        return _from_syntax(path, tree, call, values)
    except _Computed:
        return _from_module(path, _import(path))


class _Computed(Exception):
    """A field that only running the file can tell."""


def _assignments(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value


def _from_syntax(path: Path, tree: ast.Module, call: ast.expr, values: Mapping[str, ast.expr]) -> Listing:
    if not isinstance(call, ast.Call) or any(keyword.arg is None for keyword in call.keywords):
        raise _Computed
    fields = {str(keyword.arg): keyword.value for keyword in call.keywords}
    if not {"id", "title", "source", "verdict", "printed"} <= set(fields):
        raise _Computed
    literal = {name: _text(fields[name], values) for name in ("id", "title", "source")}
    verdict: Any = _text(fields["verdict"], values)
    return Listing(
        path=path,
        **literal,
        verdict=verdict,
        printed=_statement(fields["printed"], values),
        amended=_statement(fields["amended"], values) if _given(fields.get("amended")) else None,
        near_misses=tuple(_texts(fields.get("near_misses"), values)),
        depends_on=tuple(_texts(fields.get("depends_on"), values)),
        checks=dict(_checks(tree)),
    )


def _text(node: ast.expr | None, values: Mapping[str, ast.expr]) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _text(left, values) + _text(right, values)
        case ast.Name(id=name) if name in values and values[name] is not node:
            return _text(values[name], {other: value for other, value in values.items() if other != name})
    raise _Computed


def _texts(node: ast.expr | None, values: Mapping[str, ast.expr]) -> list[str]:
    match node:
        case None:
            return []
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_text(item, values) for item in items]
        case ast.Dict(keys=keys):
            return [_text(key, values) for key in keys]
    raise _Computed


def _given(node: ast.expr | None) -> TypeGuard[ast.expr]:
    return node is not None and not (isinstance(node, ast.Constant) and node.value is None)


def _statement(node: ast.expr, values: Mapping[str, ast.expr]) -> str:
    """The text of a call ``Statement(text, value)``."""
    match node:
        case ast.Call(func=ast.Name(id="Statement"), args=[text, *_]):
            return _text(text, values)
        case ast.Call(func=ast.Name(id="Statement"), keywords=keywords):
            return _text(next((keyword.value for keyword in keywords if keyword.arg == "text"), None), values)
    raise _Computed


def _checks(tree: ast.Module) -> Iterator[tuple[str, Kind]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                match decorator:
                    case ast.Call(func=ast.Attribute(value=ast.Name(id="claim"), attr="check"), args=[kind, *_]):
                        name: Any = _text(kind, {})
                        yield node.name, name


def _from_module(path: Path, module: ModuleType) -> Listing | None:
    claim = claim_of(module)
    if claim is None:
        return None
    return Listing(
        path=path,
        id=claim.id,
        title=claim.title,
        source=claim.source,
        verdict=claim.verdict,
        printed=claim.printed.text,
        amended=None if claim.amended is None else claim.amended.text,
        near_misses=tuple(claim.near_misses),
        depends_on=tuple(claim.depends_on),
        checks={name: check.kind for name, check in claim.checks_in(module).items()},
    )


def _import(path: Path) -> ModuleType:
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
