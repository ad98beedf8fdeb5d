"""All mutants of one file: where each differs, under a name that survives edits elsewhere."""

import ast
import copy
from collections import Counter
from collections.abc import Iterable, Iterator

from attrs import frozen

from .operators import Enums, changed, negated

type Step = tuple[str, int | None]
"""From a node to one below it: a field, and the place in it when it is a list."""

_NOT_ENTERED = (
    ast.Assert
    | ast.Import
    | ast.ImportFrom
    | ast.JoinedStr
    | ast.Raise
    | ast.TypeAlias
    | ast.pattern
)
_NOT_A_PART = {"annotation", "returns", "type_params", "decorator_list", "bases"}


@frozen(eq=False)
class Mutant:
    """One change of one file; ``name`` says where and what."""

    file: str
    name: str
    line: int
    statement: int
    """The line on which the statement begins, which is run or is not."""
    path: tuple[Step, ...]
    replacement: ast.AST


def enums_of(trees: Iterable[ast.Module]) -> Enums:
    """The members of every enum that is defined in these files."""
    return {
        node.name: tuple(
            target.id
            for statement in node.body
            if isinstance(statement, ast.Assign)
            for target in statement.targets
            if isinstance(target, ast.Name)
        )
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and _enum_base(node)
    }


def mutants_of(file: str, tree: ast.Module, enums: Enums) -> Iterator[Mutant]:
    """Every mutant of a file, from its top to its end."""
    seen: Counter[str] = Counter()
    for change in _changes(tree, enums, _Place("", (), 0), in_function=False):
        name = f"{change.place.scope or 'module'}: {_text(change.before)} => {_text(change.after)}"
        seen[name] += 1
        if seen[name] > 1:
            name = f"{name} #{seen[name]}"
        place = change.place
        line = getattr(change.before, "lineno", place.statement)
        yield Mutant(file, name, line, place.statement, place.path, change.after)


def planted(tree: ast.Module, mutant: Mutant) -> ast.Module:
    """A copy of the program with that one change in it."""
    other = copy.deepcopy(tree)
    *way, (field, position) = mutant.path
    node: ast.AST = other
    for step in way:
        node = _below(node, step)
    replacement = ast.copy_location(
        copy.deepcopy(mutant.replacement), _below(node, (field, position))
    )
    if position is None:
        setattr(node, field, replacement)
    else:
        getattr(node, field)[position] = replacement
    return ast.fix_missing_locations(other)


def _text(node: ast.AST) -> str:
    return ast.unparse(node)


def _below(node: ast.AST, step: Step) -> ast.AST:
    field, position = step
    below: ast.AST = getattr(node, field) if position is None else getattr(node, field)[position]
    return below


def _enum_base(node: ast.ClassDef) -> str:
    return next((b.attr for b in node.bases if isinstance(b, ast.Attribute) and _is_enum(b)), "")


def _is_enum(base: ast.Attribute) -> bool:
    return isinstance(base.value, ast.Name) and base.value.id == "enum"


@frozen
class _Place:
    scope: str
    path: tuple[Step, ...]
    statement: int


@frozen(eq=False)
class _Change:
    place: _Place
    before: ast.AST
    after: ast.AST


def _changes(node: ast.AST, enums: Enums, at: _Place, *, in_function: bool) -> Iterator[_Change]:
    scope = at.scope
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        scope = f"{scope}.{node.name}" if scope else node.name
        in_function = not isinstance(node, ast.ClassDef)
    elif isinstance(node, ast.AnnAssign) and not in_function:
        scope = f"{scope}.{_text(node.target)}" if scope else _text(node.target)
    for step, child in _parts(node):
        if _is_words(child) or (isinstance(child, ast.ClassDef) and _enum_base(child) == "Enum"):
            continue
        statement = child.lineno if isinstance(child, ast.stmt) else at.statement
        here = _Place(scope, (*at.path, step), statement)
        for other in changed(child, enums, in_function=in_function):
            yield _Change(here, child, other)
        if isinstance(child, ast.expr) and _is_condition(node, step[0]):
            for other in negated(child):
                yield _Change(here, child, other)
        if not isinstance(child, _NOT_ENTERED):
            yield from _changes(child, enums, here, in_function=in_function)


def _parts(node: ast.AST) -> Iterator[tuple[Step, ast.AST]]:
    if isinstance(node, ast.If) and _text(node.test) == "TYPE_CHECKING":
        return
    for field, value in ast.iter_fields(node):
        if field in _NOT_A_PART or (field == "func" and isinstance(value, ast.Attribute)):
            continue
        if isinstance(value, list):
            yield from (((field, i), each) for i, each in enumerate(value) if _is_node(each))
        elif _is_node(value):
            yield (field, None), value


def _is_node(value: object) -> bool:
    return isinstance(value, ast.AST) and not isinstance(value, ast.expr_context)


def _is_words(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and (isinstance(node.value.value, str) or node.value.value is ...)
    )


def _is_condition(node: ast.AST, field: str) -> bool:
    return field in {"test", "ifs", "guard"} or isinstance(node, ast.BoolOp)
