"""What a run may not depend on: threads, and the order of sets of strings, which a process chooses.

Clocks and chance are forbidden for the whole house by ``tests/test_architecture.py``. Read from the
source, so a set is known by its annotation or by how it is made; what goes unnoticed here, two
processes with different hash seeds notice in ``test_determinism.py``.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.test_architecture import imported, sources

SIMULATED = ("supervision", "risk", "store", "broker", "actors", "simulator", "simulation")
NEVER_SIMULATED = re.compile(
    r"broker/(projectx|redaction|pool|inbox)\w*\.py|store/(journal|database|spool|owner)\.py"
    r"|simulator/(gateway|__main__|rest|hub)\w*\.py"
)
"""The real ports: they have a socket, a file or a loop of their own."""
THREADS = frozenset(
    {"threading", "concurrent", "multiprocessing", "subprocess", "asyncio", "queue"}
)
WITH_THREADS = {
    "supervision/watchdog.py": "watches the loop from outside; no simulated daemon has one",
    "simulation/campaign.py": "runs whole simulations in processes of their own",
    "actors/guests.py": "asks rules of others, of which a simulated account has none",
}
ORDERLESS = frozenset(
    {"sorted", "set", "frozenset", "sum", "min", "max", "any", "all", "len", "update", "union"}
)
"""Functions whose answer does not depend on the order of what they are given."""
ORDERED = frozenset({"list", "tuple", "iter", "enumerate", "zip", "deque", "fromkeys", "join"})
"""Functions that make an order of it."""

type Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef
Functions = ast.FunctionDef | ast.AsyncFunctionDef


def simulated() -> Iterator[tuple[str, ast.Module]]:
    """Every file of the program that runs in a simulation."""
    for path, tree in sources(*SIMULATED):
        if not NEVER_SIMULATED.fullmatch(path):
            yield path, tree


def test_no_threads_in_a_simulation() -> None:
    """What another thread does, happens at a time that no seed knows."""
    for path, tree in simulated():
        roots = {module.partition(".")[0] for module in imported(tree)}
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        if path not in WITH_THREADS:
            assert not roots & THREADS, path
            assert not names & {"to_thread", "from_thread"}, path


def test_no_order_is_made_of_a_set() -> None:
    """Strings have other hashes in every process."""
    found = [f"{path}:{line}: {text}" for path, tree in simulated() for line, text in orders(tree)]
    assert found == []


# ---- finding them --------------------------------------------------------------------------------


def orders(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of each set whose order is used."""
    attributes = {name for node in ast.walk(tree) for name in _declared(node, ast.Attribute)}
    free = {id(node) for call in ast.walk(tree) for node in _orderless(call)}
    for scope in _scopes(tree):
        nodes = list(_inside(scope))
        names = {name for node in nodes for name in _declared(node, ast.Name)}
        if isinstance(scope, Functions):
            names |= {
                it.arg
                for it in ast.walk(scope.args)
                if isinstance(it, ast.arg) and _is_set_type(it.annotation)
            }
        for node in nodes:
            for each in _ordered_by(node):
                if id(each) not in free and _is_set(each, names, attributes):
                    yield each.lineno, ast.unparse(each)


def _scopes(tree: ast.Module) -> Iterator[Scope]:
    yield tree
    for node in ast.walk(tree):
        if isinstance(node, Functions):
            yield node


def _inside(scope: Scope) -> Iterator[ast.AST]:
    """The nodes of a scope without those of functions within it."""
    waiting: list[ast.AST] = list(scope.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Functions):
            waiting.extend(ast.iter_child_nodes(node))


def _declared(node: ast.AST, kind: type[ast.Name] | type[ast.Attribute]) -> Iterator[str]:
    """Names, or attributes, that a statement says are sets."""
    match node:
        case ast.AnnAssign(target=target, annotation=annotation) if _is_set_type(annotation):
            targets = [target]
        case ast.Assign(targets=targets, value=value) if _is_set(value, set(), set()):
            pass
        case _:
            return
    for target in targets:
        if isinstance(target, ast.Name):
            # In the body of a class it is an attribute, by whatever name it is reached.
            yield target.id
        elif isinstance(target, kind) and isinstance(target, ast.Attribute):
            yield target.attr


def _is_set_type(annotation: ast.AST | None) -> bool:
    text = "" if annotation is None else ast.unparse(annotation)
    return bool(re.match(r"(frozen)?set\b", text))


def _is_set(node: ast.AST, names: set[str], attributes: set[str]) -> bool:
    match node:
        case ast.Set() | ast.SetComp() | ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case ast.BinOp(op=ast.BitOr() | ast.BitAnd() | ast.Sub(), left=left, right=right):
            return _is_set(left, names, attributes) or _is_set(right, names, attributes)
        case ast.IfExp(body=left, orelse=right):
            return _is_set(left, names, attributes) or _is_set(right, names, attributes)
        case ast.Name(id=name):
            return name in names
        case ast.Attribute(attr=name):
            return name in attributes
        case _:
            return False


def _ordered_by(node: ast.AST) -> Iterator[ast.expr]:
    """What a node goes through in its order."""
    match node:
        case ast.For(iter=each) | ast.AsyncFor(iter=each) | ast.Starred(value=each):
            yield each
        case ast.ListComp() | ast.GeneratorExp() | ast.DictComp():
            yield from (it.iter for it in node.generators)
        case ast.Call(func=ast.Attribute(value=each, attr="pop"), args=[]):
            yield each
        case ast.Call(func=function, args=arguments) if _name(function) in ORDERED:
            yield from arguments


def _orderless(node: ast.AST) -> Iterator[ast.AST]:
    """What is given to a function that does not mind its order, or makes another set."""
    if isinstance(node, ast.Call) and _name(node.func) in ORDERLESS:
        for argument in node.args:
            yield from ast.walk(argument)
    elif isinstance(node, ast.SetComp | ast.Set):
        for part in ast.iter_child_nodes(node):
            yield from ast.walk(part)


def _name(function: ast.AST) -> str:
    return getattr(function, "id", getattr(function, "attr", ""))


@pytest.mark.parametrize(
    "source",
    [
        "for each in {'a', 'b'}: pass",
        "x: set[str] = made()\n[each for each in x]",
        "def f(x: frozenset[str]): return list(x)",
        "class A:\n x: set[str]\ndef f(a):\n for each in a.x: pass",
        "def f(self):\n self.x = set()\n return tuple(self.x - {'a'})",
        "names = {it.name for it in them}\nprint(*names)",
        "x = set()\nx.pop()",
    ],
)
def test_orders_of_sets_are_found(source: str) -> None:
    """The rule above would notice each of these."""
    assert list(orders(ast.parse(source))) != []


@pytest.mark.parametrize(
    "source",
    [
        "x = {'a', 'b'}\nfor each in sorted(x): pass",
        "x: set[str] = made()\nhighest = max([1, *(height[it] for it in x)])",
        "x = {'a'}\ny = {f(it) for it in x}",
        "def f():\n x = set()\ndef g(x: list[str]):\n return list(x)",
        "x = {'a': 1}\nlist(x)",
    ],
)
def test_what_has_an_order_or_needs_none_is_no_leak(source: str) -> None:
    """Sorting makes a set harmless, and so does asking for its size."""
    assert list(orders(ast.parse(source))) == []
