"""What is told, in order: scenes, sentences, enforcements, falls. Screens and pipes both read it."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum, auto

from attrs import frozen

from actors.enforced import Enforced

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
class Deed:
    """Something the daemon did, or that befell it, in words."""

    who: str
    what: str
    took: str = ""
    why: str = ""

    def __str__(self) -> str:
        """In one line."""
        took = f" ({self.took})" if self.took else ""
        why = f" because {self.why}" if self.why else ""
        return f"{self.who}: {self.what}{took}{why}"


@frozen
class Told:
    """One thing that was told."""

    at: datetime
    """On the gateway's clock."""
    kind: Kind
    what: str | Deed

    @property
    def text(self) -> str:
        """In one line."""
        return str(self.what)


@frozen
class Enforcement:
    """One answered request of the daemon, and whose account it was about."""

    account: str
    enforced: Enforced

    def deed(self, names: Mapping[str, str]) -> Deed:
        """What was done, how fast and why, with contracts called by the given names (by id)."""
        it = self.enforced
        what = CONTRACT_ID.sub(lambda found: names.get(found[0], found[0]), it.action)
        if it.outcome != "done":
            what += f", {it.outcome}"
        took = "" if it.latency_ms is None else f"{it.latency_ms:.0f} ms"
        return Deed(self.account, what, took, f"{it.rule}: {it.reason}")

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

    def tell(self, kind: Kind, what: str | Deed) -> None:
        """Add one thing."""
        told = Told(self._now(), kind, what)
        self.told.append(told)
        self._show(told)
