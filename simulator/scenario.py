"""A day prepared in a file: users, accounts, prices, and what happens when.

TOML or JSON. Everything is optional:

    lot_method = "fifo"                    # or "average"
    contracts = ["NQ", "MNQ"]              # roots; all of them when missing
    prices = { NQ = 25000 }                # bids to start from
    [[users]]                              # without any, every name and key logs in
    name = "alice"
    api_key = "secret"                     # any key when missing
    accounts = [1001]                      # ids; every account when missing
    [[accounts]]                           # five of 50,000 dollars when missing
    id = 1001
    name = "SIM-50K-1"
    balance = 50000
    [[steps]]
    at = 1.5                               # seconds after the scenario begins
    quote = { contractId = "CON.F.US.ENQ.Z26", bid = 24990, ask = 24990.25 }

A step has exactly one of ``quote``, ``fault``, ``clock``, ``account``, ``void`` and ``order``, with the
body of the control endpoint of that name, or ``slide = { contractId, to, over }`` that moves a price
evenly within ``over`` seconds.
"""

import json
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec
from attrs import evolve

from simulator.contracts import Listing, front_contracts
from simulator.ledger import Account
from simulator.sessions import User

ACTIONS = ("quote", "fault", "clock", "account", "void", "order", "slide")


class BadScenario(ValueError):
    """A scenario that cannot be understood; the text says where and why."""


class ScenarioUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One login."""

    name: str
    api_key: str | None = None
    accounts: tuple[int, ...] | None = None


class ScenarioAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One trading account."""

    id: int
    name: str
    balance: Decimal = Decimal(50_000)
    can_trade: bool = True
    refuses: frozenset[Literal["place", "cancel", "modify", "close", "partial_close"]] = frozenset()


class Slide(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A bid that moves evenly from where it is."""

    contract_id: str
    to: Decimal
    over: float = 10.0
    steps_per_second: float = 20.0


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that happens."""

    at: float = 0.0
    quote: dict[str, Any] | None = None
    fault: dict[str, Any] | None = None
    clock: dict[str, Any] | None = None
    account: dict[str, Any] | None = None
    void: dict[str, Any] | None = None
    order: dict[str, Any] | None = None
    slide: Slide | None = None

    @property
    def action(self) -> str:
        """Which of them it is."""
        return next(it for it in ACTIONS if getattr(self, it) is not None)


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A prepared day."""

    lot_method: Literal["fifo", "average"] = "fifo"
    fills_at_once: int | None = None
    contracts: tuple[str, ...] | None = None
    prices: dict[str, Decimal] = {}
    users: tuple[ScenarioUser, ...] = ()
    accounts: tuple[ScenarioAccount, ...] = ()
    steps: tuple[Step, ...] = ()

    def only(self, roots: tuple[str, ...]) -> "Scenario":
        """The same day with these contracts alone."""
        return msgspec.structs.replace(self, contracts=roots)

    def listings(self) -> tuple[Listing, ...]:
        """The contracts, with their prices to start from."""
        listings = front_contracts(self.contracts)
        unknown = set(self.prices) - {it.root for it in listings}
        if unknown:
            raise BadScenario(f"prices: no contract with root {', '.join(sorted(unknown))}")
        return tuple(
            evolve(it, price=self.prices[it.root]) if it.root in self.prices else it
            for it in listings
        )

    def opening_accounts(self) -> list[Account]:
        """The accounts at the start; five of 50,000 dollars by default."""
        if not self.accounts:
            return [Account(1000 + n, f"SIM-50K-{n}", Decimal(50_000)) for n in range(1, 6)]
        return [
            Account(it.id, it.name, it.balance, it.can_trade, True, frozenset(it.refuses))
            for it in self.accounts
        ]

    def logins(self) -> dict[str, User] | None:
        """Who may log in; None for anybody."""
        if not self.users:
            return None
        return {it.name: User(it.name, it.api_key, it.accounts) for it in self.users}


def parse_scenario(document: object) -> Scenario:
    """A scenario from its JSON or TOML document; BadScenario says what is wrong."""
    try:
        scenario = msgspec.convert(document, Scenario, strict=False)
    except msgspec.ValidationError as error:
        raise BadScenario(str(error)) from error
    _check(scenario)
    return scenario


def load_scenario(path: Path) -> Scenario:
    """A scenario from a file; OSError when it cannot be read."""
    text = path.read_text(encoding="utf-8")
    try:
        if path.suffix == ".json":
            document = json.loads(text, parse_float=Decimal)
        else:
            document = tomllib.loads(text, parse_float=Decimal)
        return parse_scenario(document)
    except (BadScenario, json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadScenario(f"{path}: {error}") from error


def _check(scenario: Scenario) -> None:
    for n, step in enumerate(scenario.steps):
        given = [it for it in ACTIONS if getattr(step, it) is not None]
        if len(given) != 1:
            raise BadScenario(f"step {n}: needs exactly one of {', '.join(ACTIONS)}")
        if not 0 <= step.at < 7 * 24 * 3600:
            raise BadScenario(f"step {n}: at must be seconds from 0 on")
    ids = [it.id for it in scenario.accounts]
    if len(set(ids)) != len(ids):
        raise BadScenario("accounts: an id is there twice")
    for user in scenario.users:
        known = ids or [1001, 1002, 1003, 1004, 1005]
        if strangers := [it for it in user.accounts or () if it not in known]:
            raise BadScenario(f"user {user.name}: no account {strangers[0]}")
    try:
        scenario.listings()
    except ValueError as error:
        raise BadScenario(str(error)) from error
