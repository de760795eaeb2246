"""Edits of functions: at their exact place in the source, with their closures rebuilt."""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from types import CellType, CodeType, FunctionType
from typing import Any

from nct.ledger._source import Definition, definition_of, parsed_file
from nct.ledger.mutation._edit import Edit, Place
from nct.ledger.mutation._syntax import Folded, replaced, replacements


@dataclass(frozen=True)
class Source:
    """A function's own syntax tree, with the constants of its closure in it, and the lines of its file."""

    tree: Definition
    lines: tuple[bytes, ...]


def source_of(function: FunctionType) -> Source | None:
    """The syntax tree of a function or a lambda; None if its file cannot be read or it is not found there."""
    parsed, found = parsed_file(function.__code__.co_filename), definition_of(function.__code__)
    if parsed is None or found is None:
        return None
    own = copy.deepcopy(found)
    shadowed = {node.arg for node in ast.walk(own) if isinstance(node, ast.arg)}
    shadowed |= {node.id for node in ast.walk(own) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    constants = {
        name: value
        for name, value in closure_of(function).items()
        if isinstance(value, int | float | str | None) and name not in shadowed
    }
    return Source(Folded(constants).visit(own), parsed[1])


def closure_of(function: FunctionType) -> dict[str, Any]:
    """The values that a function's closure carries, by name."""
    filled = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            filled[name] = cell.cell_contents
        except ValueError:  # not yet assigned
            continue
    return filled


def edits_of_source(function: FunctionType, step: float) -> Iterator[Edit]:
    """Edits of the function's own code."""
    source = source_of(function)
    if source is None:
        return
    parents = {child: node for node in ast.walk(source.tree) for child in ast.iter_child_nodes(node)}
    bodies = source.tree.body if isinstance(source.tree.body, list) else [source.tree.body]
    for node in (part for body in bodies for part in ast.walk(body)):
        if _is_text(node, parents):
            continue
        for replacement, shown in replacements(node, step):
            new = ast.copy_location(copy.copy(replacement), node)
            tree = ast.fix_missing_locations(replaced(source.tree, node, new))
            try:
                edited = rebuilt(function, tree)
            except (SyntaxError, ValueError):
                continue
            place = _place(function.__code__, shown)
            yield Edit(edited, tuple(_names(node, new, parents)), _difference(source, node, new), place)


def _is_text(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether a node is a docstring, part of a formatted string, an annotation or a default."""
    while node in parents:
        parent = parents[node]
        if isinstance(parent, ast.Expr | ast.JoinedStr | ast.arguments):
            return True
        if isinstance(parent, ast.FunctionDef) and node in (parent.returns, *parent.decorator_list):
            return True
        node = parent
    return False


def _place(code: CodeType, node: Any) -> Place:
    return Place(code, node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)


def _names(node: ast.AST, new: ast.AST, parents: dict[ast.AST, ast.AST]) -> Iterator[str]:
    """The edit in ever wider contexts; a single number or name never stands alone."""
    inner = node.operand if isinstance(node, ast.UnaryOp) else node
    if not isinstance(inner, ast.Constant | ast.Name) or not _is_inside(node, parents):
        yield f"{ast.unparse(node).strip()} → {ast.unparse(new).strip()}"
    while _is_inside(node, parents):
        parent = parents[node]
        node, new = parent, replaced(parent, node, new)
        yield f"{ast.unparse(node).strip()} → {ast.unparse(new).strip()}"
    if isinstance(parents.get(node), ast.Return | ast.Assign):
        parent = parents[node]
        yield f"{ast.unparse(parent)} → {ast.unparse(replaced(parent, node, new))}"


def _is_inside(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether a node is part of a larger expression."""
    parent = parents.get(node)
    return isinstance(parent, ast.expr | ast.comprehension | ast.keyword) and not isinstance(parent, ast.Lambda)


def _difference(source: Source, node: Any, new: ast.AST) -> str:
    """The lines that hold the node, before and after."""
    first, last = node.lineno - 1, node.end_lineno
    before = b"".join(source.lines[first:last])
    head = source.lines[first][: node.col_offset]
    tail = source.lines[last - 1][node.end_col_offset :]
    text = ast.unparse(new)
    if isinstance(new, ast.BinOp | ast.BoolOp | ast.Compare | ast.IfExp) and type(new) is not type(node):
        text = f"({text})"
    after = head + text.encode() + tail
    return "".join(
        f"{sign} {line.decode().strip()}\n"
        for sign, lines in (("-", before), ("+", after))
        for line in lines.splitlines()
    )


def rebuilt(
    function: FunctionType, tree: ast.AST | None = None, *, cells: dict[str, Any] | None = None, names: Any = None
) -> FunctionType:
    """A function like another, of an edited tree, with other values in its closure, or with other global names.

    Parameters
    ----------
    function : function
        The original.
    tree : ast.AST, optional
        The edited definition.
    cells : dict of str to object, optional
        New values of the closure, by name.
    names : dict of str to object, optional
        Global names that mean something else in the new function only.

    Returns
    -------
    function
        The new function.
    """
    code = function.__code__ if tree is None else _compiled(tree, function)
    closure = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    closure |= {name: CellType(value) for name, value in (cells or {}).items()}
    scope = function.__globals__ if not names else {**function.__globals__, **names}
    new = FunctionType(
        code, scope, function.__name__, function.__defaults__, tuple(closure[name] for name in code.co_freevars)
    )
    new.__kwdefaults__ = function.__kwdefaults__
    new.__dict__.update(function.__dict__)
    new.__qualname__, new.__module__, new.__doc__ = function.__qualname__, function.__module__, function.__doc__
    return new


def _compiled(tree: ast.AST, function: FunctionType) -> CodeType:
    """The code of a definition whose free variables are those of `function`."""
    definition = copy.copy(tree)
    arguments = copy.copy(definition.args)  # type: ignore[attr-defined]
    arguments.defaults = [ast.Constant(None)] * len(arguments.defaults)
    arguments.kw_defaults = [default and ast.Constant(None) for default in arguments.kw_defaults]
    definition.args = arguments  # type: ignore[attr-defined]
    if isinstance(definition, ast.FunctionDef):
        # Under its own name it would be a variable of the enclosing function, where it calls itself.
        definition.name, definition.decorator_list, definition.returns = "edited", [], None
        body: ast.stmt = definition
    else:
        body = ast.Return(definition)  # type: ignore[arg-type]
    outer = ast.parse(f"def enclosing({', '.join(function.__code__.co_freevars)}): pass")
    outer.body[0].body = [body]  # type: ignore[attr-defined]
    whole = compile(ast.fix_missing_locations(outer), function.__code__.co_filename, "exec")
    enclosing = next(part for part in whole.co_consts if isinstance(part, CodeType))
    code = next(part for part in enclosing.co_consts if isinstance(part, CodeType))
    return code.replace(co_name=function.__code__.co_name, co_qualname=function.__code__.co_qualname)
