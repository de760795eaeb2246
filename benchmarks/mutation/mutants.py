"""The mutants of a file: mutmut's operators on every expression and statement, module data and decorated functions too.

A mutant is one changed place. It is named by file, function and change, so that a name outlives edits elsewhere.
"""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider
from mutmut.mutation.mutators import mutation_operators

SKIPPED_CALLS = {"isinstance", "len", "TypeVar", "ParamSpec", "NewType", "attach_stub"}
MESSAGES = {"warn", "warning", "info", "debug", "error"}
STATEMENTS = (cst.SimpleStatementLine, cst.BaseCompoundStatement)


@dataclass(frozen=True)
class Mutant:
    """One change of one file.

    Attributes
    ----------
    file : str
        Path below the project's root.
    function : str
        Qualified name of the outermost function or method, or ``""`` for module data.
    change : str
        Code before and after, with a number from the second such change in a function on.
    lines : range
        Lines of the statement that holds the change, or of the function's body for a default; empty for module data.
    scope : range
        Lines of the function.
    uncounted : str
        Why the mutant says nothing about the mathematics, or ``""``.
    """

    file: str
    function: str
    change: str
    lines: range
    scope: range
    uncounted: str

    @property
    def name(self) -> str:
        """File, function and change."""
        return f"{self.file}::{self.function}: {self.change}"


class MutatedFile:
    """The mutants of a file, in the order of the file.

    Parameters
    ----------
    root : pathlib.Path
        The project's root.
    file : str
        Path below the root.

    Attributes
    ----------
    mutants : dict of {str: Mutant}
        By name.
    """

    def __init__(self, root: Path, file: str) -> None:
        wrapper = MetadataWrapper(cst.parse_module((root / file).read_text(encoding="utf-8")))
        visitor = _Visitor(wrapper.module, file)
        wrapper.visit(visitor)
        self._module = wrapper.module
        self._changes: dict[str, tuple[cst.CSTNode, cst.CSTNode]] = {}
        self.mutants: dict[str, Mutant] = {}
        seen: Counter[str] = Counter()
        for node, mutated, mutant in visitor.found:
            seen[mutant.name] += 1
            if seen[mutant.name] > 1:
                mutant = replace(mutant, change=f"{mutant.change} #{seen[mutant.name]}")
            self.mutants[mutant.name] = mutant
            self._changes[mutant.name] = node, mutated

    def text(self, name: str) -> str | None:
        """The mutated file, or nothing if it does not compile or is the same program.

        Parameters
        ----------
        name : str
            The mutant's name.

        Returns
        -------
        str or None
            The text of the whole file.
        """
        text = self._module.deep_replace(*self._changes[name]).code
        try:
            compile(text, "mutant", "exec")
        except SyntaxError:
            return None
        return None if ast.dump(ast.parse(text)) == ast.dump(ast.parse(self._module.code)) else text


class _Visitor(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(self, module: cst.Module, file: str) -> None:
        super().__init__()
        self.module, self.file = module, file
        self.found: list[tuple[cst.CSTNode, cst.CSTNode, Mutant]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if _skipped(node):
            return False
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                for mutated in operator(node):
                    self.found.append((node, mutated, self._mutant(node, mutated)))
        return True

    def _mutant(self, node: cst.CSTNode, mutated: cst.CSTNode) -> Mutant:
        above = list(self._above(node))
        change = f"{self._code(node)} → {self._code(mutated)}"
        functions = [parent for parent in above if isinstance(parent, cst.FunctionDef)]
        classes = [parent.name.value for parent in above if isinstance(parent, cst.ClassDef)][::-1]
        outer = functions[-1] if functions else None
        name = ".".join([*classes, outer.name.value]) if outer else ""
        scope = self._span(outer.body) if outer else range(0)
        lines = self._lines(node, above) if outer else range(0)
        return Mutant(self.file, name, change, lines, scope, _uncounted(node, mutated, above))

    def _lines(self, node: cst.CSTNode, above: list[cst.CSTNode]) -> range:
        statement = next(parent for parent in above if isinstance(parent, STATEMENTS))
        if isinstance(statement, cst.FunctionDef):
            return self._span(statement.body)
        if isinstance(statement, cst.BaseCompoundStatement):
            return range(self._span(statement).start, self._span(node).stop)
        return self._span(statement)

    def _above(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        while not isinstance(node, cst.Module):
            yield node
            node = self.get_metadata(ParentNodeProvider, node)

    def _span(self, node: cst.CSTNode) -> range:
        position = self.get_metadata(PositionProvider, node)
        return range(position.start.line, position.end.line + 1)

    def _code(self, node: cst.CSTNode) -> str:
        return " ".join(self.module.code_for_node(node).split())


def _skipped(node: cst.CSTNode) -> bool:
    """Annotations, decorators, `__all__`, what only a type checker reads, and calls like `len`."""
    if isinstance(node, cst.Annotation | cst.Decorator | cst.Import | cst.ImportFrom | cst.TypeAlias):
        return True
    if isinstance(node, cst.AnnAssign) and _name(node.annotation.annotation) == "TypeAlias":
        return True
    if isinstance(node, cst.If):
        return _name(node.test) == "TYPE_CHECKING"
    if isinstance(node, cst.Assign):
        return _name(node.targets[0].target).startswith("__") or _name(getattr(node.value, "func", None)).startswith(
            "attach"
        )
    return isinstance(node, cst.Call) and _name(node.func) in SKIPPED_CALLS


def _uncounted(node: cst.CSTNode, mutated: cst.CSTNode, above: list[cst.CSTNode]) -> str:
    """Why a change does not count: messages, names of arguments in them, dtypes, guards of lengths, types."""
    calls = [(parent, child) for child, parent in pairwise(above) if isinstance(parent, cst.Call)]
    changed = _changed_arguments(node, mutated) if isinstance(node, cst.Call) else []
    if any(isinstance(parent, cst.Raise) for parent in above) or "must be" in _text(node):
        return "message"
    if isinstance(node, cst.Call):
        calls = [(node, argument) for argument in changed] + calls
    for call, child in calls:
        called = _name(call.func)
        keyword = child.keyword.value if isinstance(child, cst.Arg) and child.keyword else ""
        text = isinstance(child, cst.Arg) and isinstance(child.value, cst.SimpleString | cst.FormattedString)
        if called in MESSAGES or called.startswith("wrong_") or (called.startswith("check_") and text):
            return "message"
        if keyword in ("dtype", "device") or "dtype" in _name(getattr(child, "value", None)):
            return "dtype"
        if called in ("zip", "pairwise") and keyword == "strict":
            return "guard of lengths"
        if called == "cast" and isinstance(child, cst.Arg) and child is call.args[0]:
            return "type"
        if keyword == "encoding":
            return "encoding"
    return ""


def _changed_arguments(call: cst.Call, mutated: cst.Call) -> Iterable[cst.Arg]:
    kept = list(mutated.args)
    return [argument for argument in call.args if not any(argument is other for other in kept)]


def _name(node: cst.CSTNode | None) -> str:
    """The last name of ``a.b.c``, or ``""``."""
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""


def _text(node: cst.CSTNode) -> str:
    """What a string says, or ``""``."""
    if isinstance(node, cst.FormattedString):
        return "".join(part.value for part in node.parts if isinstance(part, cst.FormattedStringText))
    return node.value if isinstance(node, cst.SimpleString) else ""
