"""What a watcher of a simulation is told, as it happens, by direct calls.

A watcher overrides the callbacks it wants; one that it does not override costs nothing. Nothing may
be awaited in them, and nothing they raise is caught: it ends the run. Times are not passed along:
``machine.elapsed`` is the virtual time in seconds since the start of the run.

Order in time: :meth:`Watcher.opened` once, before the first price moves; then, for each life of the
daemon, :meth:`Watcher.life_began` ... :meth:`Watcher.life_ended`; when traders and faults are over
:meth:`Watcher.healed`, some quiet time, :meth:`Watcher.closing` while the last life still runs, and
its end. :meth:`Watcher.watch` runs beside all of it, for whoever wants time to pass.
"""

import enum
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from attrs import frozen

from actors.enforced import Enforced
from broker.port import BrokerEvent
from simulator.desk import Handled
from simulator.events import Event
from store.port import Record
from supervision import SupervisionEvent, System

if TYPE_CHECKING:
    from simulation.machine import Machine
    from simulation.trouble import Trouble

type Operation = Literal["close", "partial_close", "cancel"]
type Question = Literal[
    "login",
    "accounts",
    "positions",
    "orders",
    "trades",
    "contracts",
    "contract",
    "last_price",
    "price_at",
    "close",
    "partial_close",
    "cancel",
]


@frozen
class Asked:
    """A question or request of the daemon on its way to the broker."""

    number: int
    """Rising over the whole run."""
    life: int
    login: str
    what: Question
    account: int | None = None
    """The broker's id of the account it is about."""
    contract: str = ""
    order: int | None = None
    size: int | None = None
    """Of a partial close."""


class Nobody(enum.Enum):
    """Instead of an answer: whoever asked has crashed, was cancelled, or was killed."""

    LISTENS = "nobody listens"


class Watcher:
    """Sees a run; base of referees, coverage and traces."""

    def opened(self, machine: "Machine") -> None:
        """The exchange has opened; the machine is about to be switched on."""

    async def watch(self) -> None:
        """Run beside everything else until it is cancelled."""

    # ---- the exchange --------------------------------------------------------------------------

    def exchanged(self, events: tuple[Event, ...]) -> None:
        """The exchange has told what happened; before the daemon can hear of it."""

    def executing(
        self, operation: Operation, account: int, contract: str, order: int | None, size: int | None
    ) -> None:
        """A request of the daemon has reached the exchange; it is about to be handled."""

    def executed(
        self,
        operation: Operation,
        account: int,
        contract: str,
        order: int | None,
        size: int | None,
        handled: Handled,
    ) -> None:
        """It was handled: ``handled.answer`` says how; with ``handled.uncertain`` nobody learns it."""

    # ---- the border between the daemon and its broker ------------------------------------------

    def heard(self, login: str, event: BrokerEvent) -> None:
        """An event is being handed to the daemon; links that go up and down are events too."""

    def asked(self, asked: Asked) -> None:
        """A question or request has left the daemon (or hangs, when its process is dead)."""

    def answered(self, asked: Asked, answer: object) -> None:
        """The answer is being handed to the daemon: a value, an Outcome, or the BrokerError.

        :data:`Nobody.LISTENS` when whoever asked has gone.
        """

    # ---- the daemon ----------------------------------------------------------------------------

    def life_began(self, life: int, system: System) -> None:
        """The daemon's tree is up, for the first time or again; lives count from 1."""

    def life_ended(self, life: int, why: str) -> None:
        """``killed``, ``gave up``, or ``stopped`` at the end of the run."""

    def supervised(self, event: SupervisionEvent) -> None:
        """An actor came up, crashed, was restarted, parked, ..."""

    def recorded(self, record: Record, spooled: bool) -> None:
        """The daemon has given a record to its journal; ``spooled``: to the operating system too."""

    def enforced(self, account: str, enforced: Enforced) -> None:
        """The daemon reports an answered request of an enforcement."""

    def message(self, path: str, kind: str) -> None:
        """The actor at ``path`` is about to handle a message of the class called ``kind``."""

    # ---- trouble, and time ---------------------------------------------------------------------

    def trouble(self, phase: Literal["begins", "ends"], trouble: "Trouble") -> None:
        """A planned fault strikes or begins to stand, or is over."""

    def suspended(self, seconds: float) -> None:
        """The machine begins to stand still for so long; the exchange goes on."""

    def woken(self) -> None:
        """The machine goes on; no time has passed since the last event of the exchange."""

    def healed(self) -> None:
        """Traders and trouble are over; what follows is quiet."""

    def closing(self) -> None:
        """The run is over, and the daemon still runs: the last chance to judge."""


_CALLBACKS = tuple(name for name in vars(Watcher) if not name.startswith("_") and name != "watch")


class Audience:
    """All watchers of a run as one: each callback calls those that want it, in their order."""

    opened: Callable[["Machine"], None]
    exchanged: Callable[[tuple[Event, ...]], None]
    executing: Callable[[Operation, int, str, int | None, int | None], None]
    executed: Callable[[Operation, int, str, int | None, int | None, Handled], None]
    heard: Callable[[str, BrokerEvent], None]
    asked: Callable[[Asked], None]
    answered: Callable[[Asked, object], None]
    life_began: Callable[[int, System], None]
    life_ended: Callable[[int, str], None]
    supervised: Callable[[SupervisionEvent], None]
    recorded: Callable[[Record, bool], None]
    enforced: Callable[[str, Enforced], None]
    message: Callable[[str, str], None]
    trouble: Callable[[Literal["begins", "ends"], "Trouble"], None]
    suspended: Callable[[float], None]
    woken: Callable[[], None]
    healed: Callable[[], None]
    closing: Callable[[], None]

    def __init__(self, watchers: tuple[Watcher, ...]) -> None:
        self.watchers = watchers
        for name in _CALLBACKS:
            usual = getattr(Watcher, name)
            wanted = [getattr(it, name) for it in watchers if getattr(type(it), name) is not usual]
            setattr(self, name, _to_all(wanted))

    def wants(self, name: str) -> bool:
        """Whether anybody overrides this callback."""
        return getattr(self, name) is not _nothing


def _to_all(wanted: list[Callable[..., None]]) -> Callable[..., None]:
    if not wanted:
        return _nothing
    if len(wanted) == 1:
        return wanted[0]

    def tell(*args: Any) -> None:
        for each in wanted:
            each(*args)

    return tell


def _nothing(*args: Any) -> None:
    """Nobody wants to know."""
