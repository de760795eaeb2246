"""Edits of a syntax tree: what stands in the place of one of its nodes."""

import ast
from collections.abc import Iterator
from typing import Any

_SWAPPED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}
_RELATIONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_CALLS = {"min": "max", "max": "min", "all": "any", "any": "all"}
_TRANSPARENT = ("abs", "sqrt")


def replacements(node: ast.AST, step: float) -> Iterator[tuple[ast.expr, ast.AST]]:
    """The expressions that are put in the place of `node`, one at a time.

    Parameters
    ----------
    node : ast.AST
        A node of the tree.
    step : float
        By which share numbers that are not whole are moved.

    Yields
    ------
    (ast.expr, ast.AST)
        A constant off, a sign or an operator exchanged, a factor, term or condition dropped, a comparison with or
        without equality, a range one wider; and the part of the node that has to be reached for the edit to show: of
        alternatives and conditions, the one that is dropped.
    """
    match node:
        case ast.BoolOp(op=op, values=values):
            for i, dropped in enumerate(values):
                rest = values[:i] + values[i + 1 :]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(op, rest), dropped
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values), node
        case ast.IfExp(body=body, orelse=orelse):
            yield body, orelse
            yield orelse, body
        case _:
            yield from ((new, node) for new in _replacements(node, step))


def _replacements(node: ast.AST, step: float) -> Iterator[ast.expr]:
    match node:
        case ast.Constant(value=value):
            yield from (ast.Constant(other) for other in moved(value, step))
        case ast.UnaryOp(op=ast.USub() | ast.Not(), operand=operand):
            yield operand
        case ast.BinOp():
            yield from _of_operation(node)
        case ast.Compare(left=left, ops=relations, comparators=right):
            for i, relation in enumerate(relations):
                for other in _RELATIONS[type(relation)]:
                    yield ast.Compare(left, [*relations[:i], other(), *relations[i + 1 :]], right)
        case ast.Call():
            yield from _of_call(node)


def moved(value: Any, step: float) -> Iterator[Any]:
    """Numbers beside a number: one up and one down from a whole one, a share up and down from another; a truth turned.

    Examples
    --------
    >>> list(moved(3, 0.02)), list(moved(0.5, 0.02)), list(moved(True, 0.02)), list(moved("N", 0.02))
    ([4, 2], [0.51, 0.49], [False], [])
    """
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
        yield value - 1
    elif isinstance(value, float):
        for other in (value * (1 + step), value * (1 - step)) if value else (step, -step):
            yield float(f"{other:.12g}")  # what is printed names the edit


def _of_operation(node: ast.BinOp) -> Iterator[ast.expr]:
    left, op, right = node.left, node.op, node.right
    neutral = 0 if isinstance(op, ast.Add | ast.Sub) else 1
    constants = [side.value if isinstance(side, ast.Constant) else None for side in (left, right)]
    if type(op) in _SWAPPED and constants[1] != neutral:
        yield ast.BinOp(left, _SWAPPED[type(op)](), right)
    # Beside a neutral number nothing changes; one above it is moved there as a constant.
    if constants[1] not in (neutral, neutral + 1):
        yield left
    if isinstance(op, ast.Add | ast.Mult | ast.MatMult) and constants[0] not in (neutral, neutral + 1):
        yield right


def _of_call(node: ast.Call) -> Iterator[ast.expr]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in _TRANSPARENT and len(node.args) == 1:
        yield node.args[0]
    if not isinstance(node.func, ast.Name):
        return
    if name in _CALLS:
        yield ast.Call(ast.Name(_CALLS[name], ast.Load()), node.args, node.keywords)
    if name == "range" and not any(isinstance(argument, ast.Starred | ast.Constant) for argument in node.args):
        yield from _wider(node)


def _wider(node: ast.Call) -> Iterator[ast.expr]:
    one = ast.Constant(1)
    start, stop, *rest = node.args if len(node.args) > 1 else [ast.Constant(0), *node.args]
    yield ast.Call(node.func, [start, ast.BinOp(stop, ast.Add(), one), *rest], [])
    yield ast.Call(node.func, [ast.BinOp(start, ast.Sub(), one), stop, *rest], [])


def replaced(tree: ast.AST, target: ast.AST, new: ast.AST) -> ast.AST:
    """The tree with `new` in the place of the node `target`; what does not hold it is shared."""
    if tree is target:
        return new
    changed: dict[str, Any] = {}
    for name, value in ast.iter_fields(tree):
        if isinstance(value, ast.AST):
            other: Any = replaced(value, target, new)
        elif isinstance(value, list):
            other = [replaced(item, target, new) if isinstance(item, ast.AST) else item for item in value]
            other = value if all(a is b for a, b in zip(value, other, strict=True)) else other
        else:
            continue
        if other is not value:
            changed[name] = other
    if not changed:
        return tree
    fields = {name: getattr(tree, name) for name in tree._fields if hasattr(tree, name)}
    return ast.copy_location(type(tree)(**{**fields, **changed}), tree)


class Folded(ast.NodeTransformer):
    """Puts the constants that a closure carries into the tree, and leaves out the branches that they close."""

    def __init__(self, constants: dict[str, Any]) -> None:
        self.constants = constants

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """A constant for its name."""
        if isinstance(node.ctx, ast.Load) and node.id in self.constants:
            return ast.copy_location(ast.Constant(self.constants[node.id]), node)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        """The branch that is open."""
        self.generic_visit(node)
        if isinstance(node.test, ast.Constant):
            return node.body if node.test.value else node.orelse
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        """The constant that a sign or a negation makes of another."""
        self.generic_visit(node)
        if isinstance(node.op, ast.Not) and isinstance(node.operand, ast.Constant):
            return ast.copy_location(ast.Constant(not node.operand.value), node)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        """The operands that are not decided."""
        self.generic_visit(node)
        neutral = isinstance(node.op, ast.And)
        left = [v for v in node.values if not (isinstance(v, ast.Constant) and v.value is neutral)]
        if not left:
            return ast.copy_location(ast.Constant(neutral), node)
        return left[0] if len(left) == 1 else ast.copy_location(ast.BoolOp(node.op, left), node)

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        """The statements that are reached."""
        self.generic_visit(node)
        if not isinstance(node.test, ast.Constant):
            return node
        reached = node.body if node.test.value else node.orelse
        return reached or ast.copy_location(ast.Pass(), node)
