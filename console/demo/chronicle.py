"""What is told, in order: scenes, sentences, enforcements, falls. Screens and pipes both read it."""

import re
from collections.abc import Callable
from datetime import datetime
from enum import Enum, auto

from attrs import frozen

from actors.enforcement import Enforced

CONTRACT_ID = re.compile(r"CON(\.\w+){4}")
"""Such as ``CON.F.US.MNQ.Z26``; people say MNQ."""


class Kind(Enum):
    """What sort of thing is told."""

    SCENE = auto()
    SENTENCE = auto()
    ENFORCED = auto()
    FALL = auto()
    """An actor fell or came back."""
    PROBLEM = auto()
    """Something did not go as it must."""


@frozen
class Told:
    """One thing that was told."""

    at: datetime
    """On the gateway's clock."""
    kind: Kind
    text: str


@frozen
class Enforcement:
    """One answered request of the daemon, and whose account it was about."""

    account: str
    enforced: Enforced

    def sentence(self, names: dict[str, str]) -> str:
        """What was done, how fast and why, with contracts called by the given names (by id)."""
        it = self.enforced
        said = CONTRACT_ID.sub(lambda found: names.get(found[0], found[0]), it.action)
        took = "" if it.latency_ms is None else f" in {it.latency_ms:.0f} ms"
        return f"{self.account}  {said}: {it.outcome}{took}.  {it.rule}: {it.reason}"

    def document(self) -> dict[str, object]:
        """As reports show it."""
        it = self.enforced
        return {
            "account": self.account,
            "rule": it.rule,
            "contract": it.contract,
            "action": it.action,
            "observed": it.observed,
            "limit": it.limit,
            "latency_ms": None if it.latency_ms is None else round(it.latency_ms, 3),
            "outcome": it.outcome,
        }


class Chronicle:
    """Keeps what was told and passes each new thing on to whoever shows it."""

    def __init__(self, now: Callable[[], datetime], show: Callable[[Told], None]) -> None:
        self._now = now
        self._show = show
        self.told: list[Told] = []

    def tell(self, kind: Kind, text: str) -> None:
        """Add one thing."""
        told = Told(self._now(), kind, text)
        self.told.append(told)
        self._show(told)
