"""Rule tables: read by the rules' own classes, merged per account, each value with its origin."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, cast

import attrs
from attrs import frozen

from config.cursor import Cursor, hint, required
from config.model import Provenance, Registry
from config.words import spoken
from risk.group_rules import GROUP_RULES, GroupRule
from risk.rules import Rule

DEFAULT = "default of the rule"


@frozen
class Stated:
    """A rule as one table states it."""

    rule: Rule
    origins: Mapping[str, str]
    """Key to where it was said; what is not in it is the rule's default."""
    place: str = ""
    """``FILE:LINE``; empty for a mandatory rule that nobody states."""


def read_rules(
    at: Cursor, registry: Registry, origin: Callable[[Cursor], str]
) -> dict[str, Stated]:
    """The rules of one table by name; ``origin`` says where a key was stated."""
    read: dict[str, Stated] = {}
    for name, child in at.children():
        if name not in registry:
            _refuse(name, child, registry)
            continue
        rule = _rule(child, registry[name])
        if rule is not None:
            origins = {key: origin(each) for key, each in child.children()}
            read[name] = Stated(rule, origins, place_of(child))
    return read


def merge(registry: Registry, *layers: Mapping[str, Stated]) -> dict[str, Stated]:
    """What applies in the end, in the registry's order: a later layer replaces a rule as a whole.

    A mandatory rule that no layer states applies with its defaults.
    """
    mandatory = {
        name: Stated(cast("Callable[[], Rule]", kind)(), {})
        for name, kind in registry.items()
        if kind.mandatory
    }
    effective = dict(mandatory)
    for layer in layers:
        effective |= layer
    return {name: effective[name] for name in registry if name in effective}


def differences(now: Rule, before: Rule) -> str:
    """``limit 5 instead of 1`` for each key of a rule that differs between two of a kind."""
    return ", ".join(
        f"{each.name} {spoken(value)} instead of {spoken(old)}"
        for each in attrs.fields(cast(Any, type(now)))
        if (value := getattr(now, each.name)) != (old := getattr(before, each.name))
    )


def provenance(rule: Rule | GroupRule, origins: Mapping[str, str]) -> Iterator[Provenance]:
    """Every value of a rule with its origin."""
    for each in attrs.fields(cast(Any, type(rule))):
        value = spoken(getattr(rule, each.name))
        yield Provenance(rule.name, each.name, value, origins.get(each.name, DEFAULT))


def read_group_rules(
    at: Cursor, registry: Registry
) -> Iterator[tuple[GroupRule, Mapping[str, str]]]:
    """A group's rules, each with where its keys were said; what is wrong is noted."""
    for name, child in at.children():
        if name in GROUP_RULES:
            rule = _rule(child, GROUP_RULES[name])
            if rule is not None:
                origin = f"group {place_of(child)}"
                yield rule, {key: origin for key, _ in child.children()}
        elif name in registry:
            child.error("is a rule of one account: it stands in [accounts.NAME.rules]")
        else:
            child.error("unknown rule", hint(name, tuple(GROUP_RULES)))


def _refuse(name: str, at: Cursor, registry: Registry) -> None:
    """A rule that none of an account's is called: a group's, or unknown."""
    if name in GROUP_RULES:
        at.error("is a rule of a group: it stands in [groups.NAME.rules] only")
    else:
        at.error("unknown rule", hint(name, tuple(registry)))


def _rule[R: (Rule, GroupRule)](at: Cursor, kind: type[R]) -> R | None:
    if not isinstance(at.value, dict) and kind.mandatory:
        at.error(f"is mandatory and cannot be switched off{at.got}", "only its keys can be set")
        return None
    if at.value is False:
        at.error("must be a table, got false", "a rule that is not wanted is left out")
        return None
    fields = at.fields(kind)
    return None if fields is None else _checked(at, kind, fields)


def _checked[R: (Rule, GroupRule)](at: Cursor, kind: type[R], fields: dict[str, Any]) -> R | None:
    """Let the rule check itself, again without each value it refuses, so that all are found.

    A required value that is missing or refused was noted; a harmless one stands in for it.
    """
    stand_ins = _stand_ins(kind)
    fields = {key: value for key, value in stand_ins.items() if key not in fields} | fields
    found_one = False
    while all(key in fields for key in required(kind)):
        try:
            return cast("Callable[..., R]", kind)(**fields)
        except ValueError as wrong:
            blamed = _blamed(at, fields, str(wrong))
            if blamed.path != at.path or not found_one:
                blamed.error(str(wrong))
            found_one = True
        if blamed.path == at.path:
            return None
        _leave_out(fields, blamed, stand_ins)
    return None


_HARMLESS: Mapping[object, object] = {Decimal: Decimal(10**9), int: 10**6}


def _stand_ins(kind: Any) -> dict[str, Any]:
    needed = [f for f in attrs.fields(kind) if f.name in required(kind)]
    return {f.name: _HARMLESS[f.type] for f in needed if f.type in _HARMLESS}


def _blamed(at: Cursor, fields: Mapping[str, Any], said: str) -> Cursor:
    """The key or element a refusal begins with, else the rule."""
    word = said.split(maxsplit=1)[0] if said.split() else ""
    if word in fields and at.has(word):
        return at.child(word)
    for key in fields:
        inside = at.child(key)
        for index, element in enumerate(inside.value if isinstance(inside.value, list) else ()):
            refused = word.casefold() == str(element).casefold()
            if refused and element in fields[key]:
                return inside.child(index)
    return at


def _leave_out(fields: dict[str, Any], blamed: Cursor, stand_ins: Mapping[str, Any]) -> None:
    key = blamed.path[-1]
    if isinstance(key, str):
        refused = fields.pop(key)
        if key in stand_ins and refused != stand_ins[key]:
            fields[key] = stand_ins[key]
    else:
        inside = str(blamed.path[-2])
        fields[inside] = tuple(each for each in fields[inside] if each != blamed.value)


def place_of(at: Cursor) -> str:
    """``FILE:LINE`` of a key."""
    return f"{at.source.path}:{at.source.spot(at.path).line}"
