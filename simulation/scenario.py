"""One run as frozen data: who trades, in which market, what goes wrong when; and its JSON form.

A scenario says everything: together with the program it determines each event of the run. Chance is
drawn for each purpose from a generator of its own (:meth:`Scenario.chance`), so that a scenario with
one fault less has the same prices, the same traders' wishes and the same other faults.
"""

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import evolve, frozen

from simulation.trouble import Planned

MORNING = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)
"""9:00 in Chicago on a Wednesday."""
USUAL_RULES = "max_contracts=5 daily_loss=1000 unrealized_loss=400 symbol_block=GC no_stop_loss=90"


@frozen
class AccountPlan:
    """One account, who trades on it, and how it is guarded."""

    id: int
    name: str
    """As the broker calls it."""
    trader: str
    """One of ``simulation.traders.KINDS``; a copier names his leader's account: ``copier:1001``."""
    rules: str = USUAL_RULES
    """What ``simulation.rulebook.rules_of`` reads."""


@frozen
class LoginPlan:
    """One user of the gateway, and the accounts he sees."""

    name: str
    accounts: tuple[int, ...]


@frozen
class Scenario:
    """Everything that determines a run."""

    seed: int
    name: str = ""
    start: datetime = MORNING
    seconds: float = 1200.0
    """How long traders trade and trouble happens; afterwards all is healed, and must get well."""
    accounts: tuple[AccountPlan, ...] = (
        AccountPlan(1001, "SIM-50K-1", "disciplined"),
        AccountPlan(1002, "SIM-50K-2", "oversized"),
        AccountPlan(1003, "SIM-50K-3", "tilted"),
    )
    logins: tuple[LoginPlan, ...] = ()
    """Without any, one login sees every account."""
    market: str = "calm"
    """One of ``simulation.market.KINDS``."""
    pace: float = 1.0
    """How often traders act: at 1 some 13 fills an hour and account, at 5 five times as many."""
    faults: tuple[Planned, ...] = ()
    omitted: tuple[str, ...] = ()
    """Steps of traders that are left out, such as ``1002:17``: what shrinking took away."""

    def chance(self, purpose: str) -> random.Random:
        """The generator of one purpose."""
        return random.Random(f"{self.seed}:{purpose}")  # noqa: S311 - repeatable, not secret

    def seen_by(self) -> tuple[LoginPlan, ...]:
        """The logins, with the one that stands for none."""
        return self.logins or (LoginPlan("sim", tuple(it.id for it in self.accounts)),)

    def without(self, *faults: Planned) -> "Scenario":
        """The same with fewer faults."""
        return evolve(self, faults=tuple(it for it in self.faults if it not in faults))

    def document(self) -> dict[str, Any]:
        """The JSON object; :meth:`of` reads it back."""
        return {
            "seed": self.seed,
            "name": self.name,
            "start": self.start.isoformat(),
            "seconds": self.seconds,
            "accounts": [
                {"id": it.id, "name": it.name, "trader": it.trader, "rules": it.rules}
                for it in self.accounts
            ],
            "logins": [{"name": it.name, "accounts": list(it.accounts)} for it in self.logins],
            "market": self.market,
            "pace": self.pace,
            "faults": [it.document() for it in self.faults],
            "omitted": list(self.omitted),
        }

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> "Scenario":
        """From its JSON object; KeyError, TypeError, ValueError or BadFault when it is none."""
        return cls(
            seed=int(said["seed"]),
            name=said.get("name", ""),
            start=datetime.fromisoformat(said["start"]),
            seconds=float(said["seconds"]),
            accounts=tuple(AccountPlan(**it) for it in said["accounts"]),
            logins=tuple(LoginPlan(it["name"], tuple(it["accounts"])) for it in said["logins"]),
            market=said["market"],
            pace=float(said["pace"]),
            faults=tuple(Planned.of(it) for it in said["faults"]),
            omitted=tuple(said["omitted"]),
        )
