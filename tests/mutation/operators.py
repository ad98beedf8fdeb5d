"""What can be wrong with one node of a program: the same node, changed in one small way.

Words for people (formatted text, docstrings, what an error says), annotations, imports, assertions
and the values of plain enums are left alone: either nobody could notice, or mypy does.
"""

import ast
import copy
from collections.abc import Iterator, Mapping

type Enums = Mapping[str, tuple[str, ...]]
"""The members of each enum, by its name."""

_OTHER_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_OTHER_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}
_OTHER_BUILTIN = {"min": "max", "max": "min", "any": "all", "all": "any"}
_MERE_ORDER = {"reversed", "sorted"}
_NOTHING = (None, False)
_BARE = ast.Name | ast.Attribute | ast.Call | ast.Subscript
_DROPPED = (
    ast.Expr
    | ast.Assign
    | ast.AugAssign
    | ast.AnnAssign
    | ast.Delete
    | ast.Raise
    | ast.Return
    | ast.Break
    | ast.Continue
)


def changed(node: ast.AST, enums: Enums, *, in_function: bool) -> Iterator[ast.AST]:
    """Each small change of this very node; those of the nodes below it are theirs."""
    if isinstance(node, ast.stmt) and in_function:
        yield from _changed_statement(node)
    match node:
        case ast.Compare():
            yield from _compared(node)
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in _OTHER_ARITHMETIC:
            yield _with(node, op=_OTHER_ARITHMETIC[type(op)]())
        case ast.BoolOp():
            yield from _combined(node)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node.operand
        case ast.Constant():
            yield from _other_constant(node)
        case ast.Attribute():
            yield from _other_member(node, enums)
        case ast.Call():
            yield from _called(node)
        case _:
            pass


def negated(condition: ast.expr) -> Iterator[ast.AST]:
    """The contrary of a condition, where no operator in it is changed anyway."""
    if isinstance(condition, _BARE):
        yield ast.UnaryOp(ast.Not(), condition)


def _with(node: ast.AST, **fields: object) -> ast.AST:
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def _without[T](several: list[T], position: int) -> list[T]:
    return several[:position] + several[position + 1 :]


def _changed_statement(node: ast.stmt) -> Iterator[ast.AST]:
    if isinstance(node, ast.Return) and node.value is not None:
        if not (
            isinstance(node.value, ast.Constant) and any(node.value.value is no for no in _NOTHING)
        ):
            yield ast.Return(ast.Constant(None))
    elif isinstance(node, _DROPPED):
        yield ast.Pass()


def _compared(node: ast.Compare) -> Iterator[ast.AST]:
    for position, op in enumerate(node.ops):
        for other in _OTHER_COMPARISONS[type(op)]:
            yield _with(node, ops=[*node.ops[:position], other(), *node.ops[position + 1 :]])


def _combined(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    for position in range(len(node.values)):
        left = _without(node.values, position)
        yield left[0] if len(left) == 1 else _with(node, values=left)


def _other_constant(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield ast.Constant(value + 1)
    elif isinstance(value, str):
        yield ast.Constant(f"{value}!")


def _other_member(node: ast.Attribute, enums: Enums) -> Iterator[ast.AST]:
    if not isinstance(node.value, ast.Name):
        return
    members = enums.get(node.value.id, ())
    if node.attr in members:
        following = members[(members.index(node.attr) + 1) % len(members)]
        if following != node.attr:
            yield _with(node, attr=following)
    elif (node.value.id, node.attr) == ("math", "inf"):
        yield ast.Constant(0.0)


def _called(node: ast.Call) -> Iterator[ast.AST]:
    for position in range(len(node.keywords)):
        yield _with(node, keywords=_without(node.keywords, position))
    if isinstance(node.func, ast.Name):
        if node.func.id in _OTHER_BUILTIN:
            yield _with(node, func=ast.Name(_OTHER_BUILTIN[node.func.id], ast.Load()))
        if node.func.id in _MERE_ORDER:
            yield node.args[0]
