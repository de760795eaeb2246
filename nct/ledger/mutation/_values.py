"""False neighbours of a statement's value: of numbers, functions, expressions, and what is made of them."""

import ast
import dis
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import partial
from types import CodeType, FunctionType
from typing import Annotated, Any, Literal, cast, get_args, get_origin, get_type_hints

from nct.ledger._strength import OneOf, Stronger
from nct.ledger.mutation._edit import Comparison, Edit, Place
from nct.ledger.mutation._expressions import edits_of_expression, is_expression
from nct.ledger.mutation._functions import closure_of, edits_of_source, rebuilt, source_of
from nct.ledger.mutation._syntax import moved
from nct.ledger.mutation._tracing import nested

#: How many functions deep edits go, from one to those of its file that it calls.
_DEPTH = 3


@dataclass(frozen=True)
class Manner:
    """How a value is edited.

    Attributes
    ----------
    step : float
        By which share numbers that are not whole are moved.
    declared : Stronger, OneOf or None
        What makes the statement stronger.
    inside : tuple of code
        The functions that the value was found in.
    file : str or None
        The file whose functions are edited, the claim's own; None for all. A library's functions are no statements.
    """

    step: float
    declared: Stronger | OneOf | None = None
    inside: tuple[CodeType, ...] = ()
    file: str | None = None


def edits_of(value: Any, manner: Manner) -> Iterator[Edit]:
    """Edits of a value of any sort; of one that is none of them, as of an object, nothing.

    Parameters
    ----------
    value : object
        A number, string, function, SymPy expression, array or graph; or a tuple, record, mapping, set or partial
        function with such in it.
    manner : Manner
        How it is edited.

    Yields
    ------
    Edit
        The value with one thing in it changed.
    """
    if isinstance(manner.declared, OneOf):
        yield from _plain(value, (other for other in manner.declared.values if other != value))
    elif isinstance(value, FunctionType):
        yield from _of_function(value, manner)
    elif is_expression(value):
        yield from edits_of_expression(value, manner.step)
    elif isinstance(value, bool | int | float | Fraction | Decimal):
        yield from _of_number(value, manner)
    elif isinstance(value, range):
        yield from _plain(value, (range(value.start, value.stop + 1, value.step), range(value.start - 1, value.stop)))
    elif isinstance(value, set | frozenset):
        yield from _plain(value, (value - {item} for item in sorted(value, key=repr)) if len(value) > 1 else ())
    elif hasattr(value, "dtype") and hasattr(value, "flat"):
        yield from _of_array(value, manner)
    elif hasattr(value, "add_edge") and hasattr(value, "remove_edge"):
        yield from _of_graph(value)
    else:
        yield from _of_parts(value, manner)


def _plain(value: Any, others: Any) -> Iterator[Edit]:
    for other in others:
        yield Edit(other, (f"{value} → {other}",), f"- {value}\n+ {other}\n")


def _of_number(value: Any, manner: Manner) -> Iterator[Edit]:
    others = list(moved(value, manner.step))
    if isinstance(value, Fraction | Decimal):
        share: Any = type(value)(str(manner.step))
        others = [value * (1 + share), value * (1 - share)] if value else [share, -share]
    declared = manner.declared
    if isinstance(declared, Stronger):
        others = [other for other in others if not declared.weaker(value, other)]
    yield from _plain(value, others)


def _of_array(array: Any, manner: Manner) -> Iterator[Edit]:
    """The first, the middle and the last entry, each moved."""
    for i in sorted({0, array.size // 2, array.size - 1} if array.size else ()):
        for other in moved(array.flat[i].item(), manner.step):
            edited = array.copy()
            edited.flat[i] = other
            name = f"entry {i}: {array.flat[i]} → {other}"
            yield Edit(edited, (name,), f"- entry {i}: {array.flat[i]}\n+ entry {i}: {other}\n")


def _of_graph(graph: Any) -> Iterator[Edit]:
    """The first edge left out, and the first that is missing put in."""
    edges = sorted(graph.edges)[:1]
    nodes = sorted(graph.nodes)
    missing = [(u, v) for u in nodes for v in nodes if u < v and not graph.has_edge(u, v)][:1]
    for change, some in (("remove_edge", edges), ("add_edge", missing)):
        for edge in some:
            edited = graph.copy()
            getattr(edited, change)(*edge)
            name = f"graph: {change.replace('_', ' ')} {edge}"
            yield Edit(edited, (name,), f"- {sorted(graph.edges)}\n+ {sorted(edited.edges)}\n")


def _of_parts(value: Any, manner: Manner) -> Iterator[Edit]:
    for name, part, build, declared in _parts(value):
        inner = manner if declared is None else replace(manner, declared=declared)
        for edit in edits_of(part, inner):
            yield edit.inside(build, name)


_Part = tuple[str, Any, Callable[[Any], Any], Stronger | OneOf | None]


def _parts(value: Any) -> Iterator[_Part]:
    """The parts of a record or a collection: name, part, how the whole is made of another part, what is declared."""
    if isinstance(value, partial):
        yield from _parts_of_partial(value)
    elif is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value) if field.init]
        yield from _fields(value, names, lambda changed: replace(value, **changed))
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        yield from _fields(value, value._fields, lambda changed: cast(Any, value)._replace(**changed))
    elif isinstance(value, tuple | list):
        for i, part in enumerate(value):
            yield f"[{i}]", part, _putting(lambda items: type(value)(items), value, i), None
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield f"[{key!r}]", part, _changing(lambda changed: {**value, **changed}, key), None


def _fields(value: Any, names: Iterable[str], build: Callable[[dict[str, Any]], Any]) -> Iterator[_Part]:
    declared = _declared(type(value))
    for name in names:
        yield name, getattr(value, name), _changing(build, name), declared.get(name)


def _parts_of_partial(value: partial[Any]) -> Iterator[_Part]:
    function, given, named = value.func, value.args, value.keywords
    yield "", function, lambda new: partial(new, *given, **named), None
    for i, part in enumerate(given):
        yield f"[{i}]", part, _putting(lambda items: partial(function, *items, **named), given, i), None
    for name, part in named.items():
        yield name, part, _changing(lambda changed: partial(function, *given, **{**named, **changed}), name), None


def _changing(build: Callable[[dict[Any, Any]], Any], key: Any) -> Callable[[Any], Any]:
    return lambda new: build({key: new})


def _putting(build: Callable[[list[Any]], Any], items: Sequence[Any], i: int) -> Callable[[Any], Any]:
    return lambda new: build([*items[:i], new, *items[i + 1 :]])


def _declared(record: type) -> dict[str, Stronger | OneOf]:
    """What the annotations of a record declare, by field."""
    try:
        hints = get_type_hints(record, include_extras=True)
    except (NameError, TypeError):
        hints = {}
    found: dict[str, Stronger | OneOf] = {}
    for name, hint in hints.items():
        marks = [mark for mark in get_args(hint)[1:] if isinstance(mark, Stronger | OneOf)]
        if get_origin(hint) is Annotated and marks:
            found[name] = marks[0]
        elif get_origin(hint) is Literal:
            found[name] = OneOf(*get_args(hint))
    return found


def _of_function(function: FunctionType, manner: Manner) -> Iterator[Edit]:
    """Edits of a function's code, of what its closure carries, and of what it uses of its own file."""
    code = function.__code__
    if code in manner.inside or len(manner.inside) > _DEPTH or manner.file not in (None, code.co_filename):
        return
    source = source_of(function)
    if source is None:
        return
    found = [*edits_of_source(function, manner.step), *_of_surroundings(function, source.tree, manner)]
    if isinstance(manner.declared, Stronger) and manner.declared.of == "condition":
        yield Edit(_always, ("the condition is dropped",), f"- {_first_line(source.tree)}\n+ True\n")
    for edit in found:
        stronger = manner.declared if isinstance(manner.declared, Stronger) else None
        yield edit if stronger is None else replace(edit, comparison=Comparison(function, edit.value, stronger))


def _always(*given: object, **named: object) -> bool:
    return True


def _first_line(tree: ast.AST) -> str:
    return ast.unparse(tree).splitlines()[0]


def _of_surroundings(function: FunctionType, tree: ast.AST, manner: Manner) -> Iterator[Edit]:
    """Edits of what a function's closure carries and of what it uses of its own file."""
    inner = replace(manner, declared=None, inside=(*manner.inside, function.__code__))
    for name, part in closure_of(function).items():
        if not isinstance(part, int | float | str | None):  # those stand in the tree
            build = _changing(lambda changed: rebuilt(function, cells=changed), name)
            yield from (edit.inside(build, name) for edit in edits_of(part, inner))
    for name, place in _global_names(function, tree).items():
        part = function.__globals__[name]
        if _is_of_the_file(part, function):
            build = _changing(lambda changed: rebuilt(function, names=changed), name)
            for edit in edits_of(part, inner):
                yield replace(edit.inside(build, name), place=edit.place or place, comparison=None)


def _is_of_the_file(part: Any, function: FunctionType) -> bool:
    """Whether a global name stands for a number, or for a function that is defined in the same file."""
    if isinstance(part, FunctionType):
        return part.__code__.co_filename == function.__code__.co_filename
    return isinstance(part, float | Fraction | Decimal | partial) or (
        isinstance(part, int) and not isinstance(part, bool)
    )


def _global_names(function: FunctionType, tree: ast.AST) -> dict[str, Place]:
    """The global names that a function reads, each with a place where it does."""
    code = function.__code__
    read = {one.argval for part in nested(code) for one in dis.get_instructions(part) if one.opname == "LOAD_GLOBAL"}
    places: dict[str, Place] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load(), end_lineno=int(last), end_col_offset=int(end)):
                if name in function.__globals__ and name in read:
                    places.setdefault(name, Place(code, node.lineno, node.col_offset, last, end))
    return places
