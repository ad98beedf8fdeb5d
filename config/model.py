"""What a valid configuration is: the values everything else starts from."""

import hashlib
import json
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Any, Literal, NamedTuple

import attrs
from attrs import field, frozen

from broker.port import Login
from config.problem import Problem
from config.tables import EVERY
from config.words import plain
from risk.groups import GroupRule
from risk.past import Seed
from risk.rules import Rule
from risk.trading_day import TradingCalendar

Registry = Mapping[str, type[Rule]]
"""Rule classes by name: frozen attrs classes that check themselves with ValueError."""


class Provenance(NamedTuple):
    """Where one effective value of one rule was said."""

    rule: str
    key: str
    value: str
    """As text for people."""
    origin: str
    """``default of the rule``, ``defaults.rules FILE:LINE``, ``profile NAME``, ``account FILE:LINE``."""


@frozen
class DaemonConfig:
    """How the daemon itself works."""

    state_dir: Path
    """Absolute."""
    timezone: str
    reset_at: time
    mode: Literal["enforce", "shadow"]
    clock: Literal["system", "gateway"]


@frozen
class LoginConfig:
    """One user of a gateway."""

    name: str
    login: Login
    """Without its key, unless it was loaded to run."""
    loopback: bool
    """A simulated gateway on this machine."""


@frozen
class AccountConfig:
    """One account, its defaults and profile merged in."""

    name: str
    """As the broker calls it; ``*`` for the template of all that are not named."""
    login: str
    """Name of a login; a template's may be ``*``, any of them."""
    role: Literal["enforced", "watched"]
    profile: str | None
    rules: tuple[Rule, ...]
    provenance: tuple[Provenance, ...]
    armed: bool
    """False: decide and say so, send nothing."""
    seed: Seed | None = None
    leader: str | None = None
    on_partial_refused: Literal["alert", "close"] = "alert"
    guard_lost: Literal["alert", "flatten"] = "alert"

    def document(self) -> dict[str, Any]:
        """What was decided about this account, as JSON has it; where it was said is left out."""
        kept = {
            key: plain(value)
            for key, value in attrs.asdict(self, recurse=False).items()
            if key not in ("rules", "provenance")
        }
        return kept | {"rules": {rule.name: plain(rule) for rule in self.rules}}


@frozen
class GroupConfig:
    """Several accounts with rules of their own."""

    name: str
    accounts: tuple[str, ...]
    rules: tuple[GroupRule, ...]
    provenance: tuple[Provenance, ...]

    def document(self) -> dict[str, Any]:
        """What was decided about this group, as JSON has it."""
        rules = {rule.name: plain(rule) for rule in self.rules}
        return {"name": self.name, "accounts": list(self.accounts), "rules": rules}


@frozen
class Config:
    """A whole valid configuration."""

    path: Path
    daemon: DaemonConfig
    calendar: TradingCalendar
    logins: tuple[LoginConfig, ...]
    accounts: tuple[AccountConfig, ...]
    template: AccountConfig | None
    """How an account is guarded that the broker has and nobody configured; None: it is not."""
    groups: tuple[GroupConfig, ...]
    warnings: tuple[Problem, ...] = field(repr=False)
    not_yet: tuple[Problem, ...] = field(repr=False)
    """Known features that do nothing yet; a configuration loaded to run has none."""
    registry: Registry = field(repr=False)
    """The rules it could name: Seawall's own and those installed beside it."""

    def adopt(self, name: str, login: str) -> AccountConfig | None:
        """The template as the account ``name`` of ``login``; None when it does not apply."""
        template = self.template
        if template is None or template.login not in (EVERY, login):
            return None
        return attrs.evolve(template, name=name, login=login)

    def document(self) -> dict[str, Any]:
        """The effective content as JSON has it, without secrets and without places."""
        return {
            "daemon": {key: plain(value) for key, value in attrs.asdict(self.daemon).items()}
            | {"state_dir": str(self.daemon.state_dir)},
            "logins": [_login_document(each) for each in sorted(self.logins, key=_name)],
            "accounts": [each.document() for each in sorted(self.accounts, key=_name)],
            "template": self.template.document() if self.template else None,
            "groups": [each.document() for each in sorted(self.groups, key=_name)],
        }

    def fingerprint(self) -> str:
        """SHA-256 of the document: equal when comments, order or spelling are all that differs."""
        content = json.dumps(self.document(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()


def _name(entry: LoginConfig | AccountConfig | GroupConfig) -> str:
    return entry.name


def _login_document(login: LoginConfig) -> dict[str, Any]:
    known = attrs.asdict(login.login)
    del known["api_key"]
    return {**known, "loopback": login.loopback}
