"""Configurations of the past, as the journal has them: what was accepted holds until the next reset.

A limit that is loosened, or an account that is taken out, in the middle of a bad day would guard
nobody. So the rules of every configuration that was in force on this trading day go on beside the new
ones until it ends.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time
from pathlib import Path
from typing import Any, Protocol

from attrs import frozen

from config.cursor import Cursor
from config.model import Registry
from config.problem import Findings
from config.source import parse
from risk.group_rules import GROUP_RULES, GroupRule
from risk.past import Seed
from risk.rules import Rule
from risk.trading_day import TradingCalendar


class Accepted(Protocol):
    """A configuration that was in force from ``at`` on, as its document."""

    @property
    def at(self) -> datetime:
        """Aware."""

    @property
    def document(self) -> Mapping[str, Any]:
        """As :meth:`config.model.Config.document` wrote it."""


@frozen
class OlderAccount:
    """How an account was guarded by an earlier configuration."""

    name: str
    login: str
    armed: bool
    rules: tuple[Rule, ...]
    lost: tuple[str, ...]
    """Rules that nobody can read any more, as ``ACCOUNT.RULE``."""
    seed: Seed | None = None


def in_force_since(
    accepted: Sequence[Accepted], day_starts: datetime
) -> Iterator[Mapping[str, Any]]:
    """The documents that held at some time since then; ``accepted`` in the order of time."""
    before = [it for it in accepted if it.at < day_starts]
    for each in (*before[-1:], *(it for it in accepted if it.at >= day_starts)):
        yield each.document


def accounts_of(document: Mapping[str, Any], registry: Registry) -> tuple[OlderAccount, ...]:
    """The accounts of a document."""
    return tuple(_account(each, registry) for each in _entries(document, "accounts"))


def template_of(document: Mapping[str, Any], registry: Registry) -> OlderAccount | None:
    """How a document guarded the accounts that it did not name; None when it did not."""
    said = document.get("template")
    return _account(said, registry) if isinstance(said, dict) else None


def calendar_of(document: Mapping[str, Any]) -> TradingCalendar | None:
    """Where the days of a document ended; None when nobody can tell."""
    said = document.get("daemon")
    if not isinstance(said, dict):
        return None
    try:
        return TradingCalendar(str(said["timezone"]), time.fromisoformat(str(said["reset_at"])))
    except (KeyError, ValueError, OSError):
        return None


@frozen
class OlderGroup:
    """How accounts were guarded together by an earlier configuration."""

    name: str
    accounts: tuple[str, ...]
    rules: tuple[GroupRule, ...]
    lost: tuple[str, ...]
    """Rules that nobody can read any more, as ``GROUP.RULE``."""


def groups_of(document: Mapping[str, Any]) -> tuple[OlderGroup, ...]:
    """The groups of a document; one from before there were groups has none."""
    return tuple(_group(each) for each in _entries(document, "groups"))


def _entries(document: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    said = document.get(key)
    return (each for each in (said if isinstance(said, list) else ()) if isinstance(each, dict))


def _group(said: Mapping[str, Any]) -> OlderGroup:
    name = str(said.get("name"))
    read, lost = _rules(name, said, GROUP_RULES)
    accounts = tuple(str(it) for it in said.get("accounts") or ())
    return OlderGroup(name, accounts, read, lost)


def _account(said: Mapping[str, Any], registry: Registry) -> OlderAccount:
    name = str(said.get("name"))
    read, lost = _rules(name, said, registry)
    seed = _read(Seed, said.get("seed"), name)
    return OlderAccount(name, str(said.get("login")), bool(said.get("armed")), read, lost, seed)


def _rules[R: (Rule, GroupRule)](
    name: str, said: Mapping[str, Any], registry: Mapping[str, type[R]]
) -> tuple[tuple[R, ...], tuple[str, ...]]:
    """The rules of one entry, and the names of those that nobody can read."""
    read = {it: _rule(it, keys, registry) for it, keys in (said.get("rules") or {}).items()}
    return (
        tuple(rule for rule in read.values() if rule is not None),
        tuple(f"{name}.{it}" for it, rule in read.items() if rule is None),
    )


def _rule[R: (Rule, GroupRule)](name: str, keys: Any, registry: Mapping[str, type[R]]) -> R | None:
    kind = registry.get(name)
    return None if kind is None else _read(kind, keys, name)


def _read[T](kind: type[T], keys: Any, name: str) -> T | None:
    """One of a kind with these keys; None when they are not its."""
    if not isinstance(keys, dict):
        return None
    findings = Findings()
    at = Cursor(parse(Path("journal"), b""), findings, (name,), _without_nothing(keys))
    fields = at.fields(kind)
    if fields is None or findings.errors:
        return None
    try:
        return kind(**fields)
    except (TypeError, ValueError):
        return None


def _without_nothing(value: Any) -> Any:
    """JSON's null stands for a key that was not there."""
    if isinstance(value, dict):
        return {key: _without_nothing(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_nothing(each) for each in value]
    return value
