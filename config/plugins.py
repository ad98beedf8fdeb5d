"""Rules of others: classes that an installed package names in the entry point group ``seawall.rules``.

``[project.entry-points."seawall.rules"]`` with ``weekday = "their_package:Weekday"`` is all that a
package needs; the rule is then configured, checked and shown like any other.
"""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import attrs

from config.model import Registry
from risk.group_rules import GROUP_RULES
from risk.rules import RULES

GROUP = "seawall.rules"
_SAYS = ("name", "triggers", "priority", "mandatory", "formula", "evaluate")


def installed(entries: Iterable[EntryPoint] | None = None) -> tuple[Registry, tuple[str, ...]]:
    """Seawall's own rules and those installed beside it, and what is wrong with any of the latter.

    One that cannot be loaded is left out: a configuration that names it is refused then.
    """
    rules: dict[str, Any] = dict(RULES)
    problems: list[str] = []
    for entry in entry_points(group=GROUP) if entries is None else entries:
        try:
            rules[entry.name] = _accepted(entry, rules)
        except Exception as error:  # noqa: BLE001 - their import may do anything
            problems.append(f"the rule {entry.name} of {entry.value} cannot be used: {error}")
    return rules, tuple(problems)


def _accepted(entry: EntryPoint, known: Registry) -> Any:
    if entry.name in known or entry.name in GROUP_RULES:
        raise ValueError("there is a rule of that name already")
    kind = entry.load()
    missing = [word for word in _SAYS if not hasattr(kind, word)]
    if not isinstance(kind, type) or not attrs.has(kind) or missing:
        raise ValueError(f"it is no frozen attrs class with {', '.join(_SAYS)}")
    if getattr(kind, "name", None) != entry.name:
        raise ValueError(f"it calls itself {getattr(kind, 'name', None)}")
    return kind
