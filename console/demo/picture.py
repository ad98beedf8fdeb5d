"""The daemon's own picture of its accounts, taken from the supervision tree. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from attrs import frozen

from supervision import Node


@frozen
class LockShown:
    """A lock as the account tells it."""

    rule: str
    until: datetime


@frozen
class AccountShown:
    """One account as the daemon sees it; dollars."""

    name: str
    phase: str
    """``live`` when its state can be believed."""
    net: Decimal
    """Of the trading day, fees taken off."""
    realised: Decimal
    open: Decimal
    positions: Mapping[str, int]
    """Signed contracts by contract id."""
    working_orders: int
    locks: tuple[LockShown, ...]

    @property
    def live(self) -> bool:
        """Reconciled, and hearing what happens."""
        return self.phase == "live"

    def document(self) -> dict[str, object]:
        """As reports show it."""
        return {
            "name": self.name,
            "realised": float(self.realised),
            "open": float(self.open),
            "locks": [{"rule": e.rule, "until": e.until.isoformat()} for e in self.locks],
            "positions": [{"contract": c, "net": net} for c, net in self.positions.items()],
        }


@frozen
class Picture:
    """The daemon at one instant."""

    accounts: Mapping[str, AccountShown]
    user_hub: bool
    market_hub: bool
    reset_offset_s: float | None
    """Seconds by which the latest reset came after its time; None before one."""

    @property
    def all_live(self) -> bool:
        """There are accounts, and each is live."""
        return bool(self.accounts) and all(each.live for each in self.accounts.values())


def picture_of(tree: Node) -> Picture:
    """Read what the actors say of themselves; an actor that is down says nothing."""
    told: dict[str, list[Mapping[str, Any]]] = {}
    for node in _walk(tree):
        if node.status:
            told.setdefault(node.id, []).append(node.status)
    connection = next(iter(told.get("connection", ())), {})
    clock = next(iter(told.get("session clock", ())), {})
    return Picture(
        accounts={each["account"]: _account(each) for each in told.get("account", ())},
        user_hub=connection.get("user_hub") == "up",
        market_hub=connection.get("market_hub") == "up",
        reset_offset_s=clock.get("last_reset_offset_s"),
    )


def path_of(tree: Node, account: str, actor: str) -> str:
    """Where an actor of an account stands; LookupError when there is none."""
    for node in _walk(tree):
        if node.id == actor and node.path.split("/")[-2] == account:
            return node.path
    raise LookupError(f"{account} has no {actor}")


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _account(status: Mapping[str, Any]) -> AccountShown:
    return AccountShown(
        name=status["account"],
        phase=status["phase"],
        net=Decimal(status["net"]),
        realised=Decimal(status["realised"]),
        open=Decimal(status["open"]),
        positions={each["contract"]: each["net"] for each in status["positions"]},
        working_orders=status["working_orders"],
        locks=tuple(
            LockShown(each["rule"], datetime.fromisoformat(each["until"]))
            for each in status["locks"]
        ),
    )
