"""The timeline of a run: what happened when, to whom; as a hash, and as a file for people.

A line is (virtual seconds, kind, who, text). The hash over all of them is the identity of a run: two
runs with the same hash did the same. The messages that actors handle are lines too, by class.
"""

import hashlib
import json
import marshal
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

import trio
from attrs import frozen

from actors.enforced import Enforced
from broker.port import BrokerEvent, ConnectionChange, LoggedOut, QuoteUpdate, Unreadable
from simulation.trouble import Trouble, document
from simulation.watcher import Asked, Nobody, Operation, Watcher
from simulator.desk import Handled
from simulator.events import Event, Kind
from store.port import Record
from supervision import Crashed, Started, Stopped, SupervisionEvent, System

if TYPE_CHECKING:
    from simulation.machine import Machine

SAME_EVERYWHERE = 2
"""The format of bytes in which nothing depends on how strings are kept in memory; far cheaper than
text, and the same in every process."""
BLOCK = 256
"""Lines that are hashed at once."""
LAST = 2_000
"""Lines that are kept in memory, for the story of what went wrong."""


@frozen
class Line:
    """One thing that happened."""

    at: float
    kind: str
    who: str
    text: str

    def __str__(self) -> str:
        """For people."""
        minutes, seconds = divmod(self.at, 60)
        return f"{int(minutes):4d}:{seconds:09.6f}  {self.kind:<9} {self.who:<28} {self.text}"


class Trace(Watcher):
    """Writes the timeline of a run down."""

    def __init__(
        self, to: IO[str] | None = None, told_enough: Callable[[], bool] = lambda: False
    ) -> None:
        """``to``: a file of JSON lines. ``told_enough``: whether the story is to end here."""
        self._told_enough = told_enough
        self._story: tuple[Line, ...] | None = None
        self.messages = 0
        """Messages that actors have handled."""
        self._file = to
        self._hash = hashlib.sha256()
        self._block: list[tuple[float, str, str, str]] = []
        self._last: deque[tuple[float, str, str, str]] = deque(maxlen=LAST)
        self._now = trio.current_time
        self._origin = 0.0

    def note(self, kind: str, who: str, text: str) -> None:
        """One more line."""
        self._block.append((self._now() - self._origin, kind, who, text))
        if len(self._block) >= BLOCK:
            self._flush()

    def digest(self) -> str:
        """The hash of everything so far."""
        self._flush()
        return self._hash.hexdigest()

    def story(self) -> tuple[Line, ...]:
        """The last lines up to when enough was told; of all the run when it never was."""
        self._flush()
        return tuple(Line(*it) for it in self._last) if self._story is None else self._story

    def _flush(self) -> None:
        block = self._block
        self._hash.update(marshal.dumps(block, SAME_EVERYWHERE))
        self._last.extend(block)
        if self._file is not None:
            self._file.writelines(json.dumps(it) + "\n" for it in block)
        block.clear()
        if self._story is None and self._told_enough():
            self._story = tuple(Line(*it) for it in self._last)

    # ---- what is noted -------------------------------------------------------------------------

    def opened(self, machine: "Machine") -> None:
        """Times count from here."""
        clock = trio.lowlevel.current_clock()
        self._now, self._origin = clock.current_time, clock.current_time()
        self.note("scenario", machine.scenario.name, f"seed {machine.scenario.seed}")

    def message(self, path: str, kind: str) -> None:
        """An actor handles a message; as :meth:`note`, without the call."""
        self.messages += 1
        self._block.append((self._now() - self._origin, "message", path, kind))

    def exchanged(self, events: tuple[Event, ...]) -> None:
        """Something happened on the exchange; quotes by their price."""
        for event in events:
            payload = event.payload
            if event.kind is Kind.QUOTE:
                self.note("quote", event.contract_id, f"{payload['bestBid']} {payload['bestAsk']}")
            else:
                self.note("exchange", str(event.account_id), _event_text(event))

    def executed(
        self,
        operation: Operation,
        account: int,
        contract: str,
        order: int | None,
        size: int | None,
        handled: Handled,
    ) -> None:
        """A request of the daemon was executed."""
        what = [operation, contract, *(str(it) for it in (order, size) if it is not None)]
        how = "accepted" if handled.answer.accepted else f"refused: {handled.answer.message}"
        lost = " and the answer is lost" if handled.uncertain else ""
        self.note("executed", str(account), f"{' '.join(what)}: {how}{lost}")

    def heard(self, login: str, event: BrokerEvent) -> None:
        """Of what the daemon hears only what is not an echo of the exchange."""
        match event:
            case ConnectionChange(hub, up, link, _, reason):
                state = f"up, link {link}" if up else f"down: {reason}"
                self.note("link", login, f"{hub.value} hub {state}")
            case LoggedOut() | Unreadable():
                self.note("link", login, repr(event))
            case QuoteUpdate():
                pass
            case _:
                self.note("heard", login, type(event).__name__)

    def asked(self, asked: Asked) -> None:
        """A request or question leaves."""
        about = [str(it) for it in (asked.account, asked.order, asked.size) if it is not None]
        text = " ".join([asked.what, asked.contract, *about])
        self.note("asked", asked.login, f"#{asked.number} {text}")

    def answered(self, asked: Asked, answer: object) -> None:
        """Its answer; of reads only how many."""
        match answer:
            case tuple():
                text = f"{len(answer)} {asked.what}"
            case Nobody():
                text = answer.value
            case Exception():
                text = f"{type(answer).__name__}: {answer}"
            case _ if asked.what in ("close", "partial_close", "cancel"):
                text = repr(answer)
            case _:
                text = "answered"
        self.note("answered", asked.login, f"#{asked.number} {text}")

    def life_began(self, life: int, system: System) -> None:  # noqa: ARG002 - a callback
        """The daemon is up."""
        self.note("life", str(life), "the daemon is up")

    def life_ended(self, life: int, why: str) -> None:
        """The daemon has ended."""
        self.note("life", str(life), why)

    def supervised(self, event: SupervisionEvent) -> None:
        """Falls and restarts."""
        match event:
            case Started(path, generation):
                text = f"started, generation {generation}"
            case Stopped(path, _, reason):
                text = f"stopped: {reason}"
            case Crashed(path, _, error):
                text = f"crashed: {type(error).__name__}: {error}"
            case _:
                path, text = event.path, type(event).__name__
        self.note("actor", path, text)

    def recorded(self, record: Record, spooled: bool) -> None:
        """The daemon writes something down."""
        body = json.dumps(record.body, default=str) if record.kind != "fill" else ""
        kind = "spooled" if spooled else "journal"
        self.note(kind, record.account or "", f"{record.kind} {body}")

    def enforced(self, account: str, enforced: Enforced) -> None:
        """The daemon reports what it did."""
        self.note("enforced", account, f"{enforced.rule} {enforced.action}: {enforced.outcome}")

    def trouble(self, phase: Literal["begins", "ends"], trouble: Trouble) -> None:
        """A fault."""
        self.note("fault", phase, json.dumps(document(trouble)))

    def suspended(self, seconds: float) -> None:
        """The machine sleeps."""
        self.note("machine", "", f"suspended for {seconds:g} s")

    def woken(self) -> None:
        """The machine is awake."""
        self.note("machine", "", "woken")

    def healed(self) -> None:
        """The quiet end."""
        self.note("machine", "", "all faults are over")


def read_trace(path: Path) -> Iterator[Line]:
    """The lines of a trace file; ValueError for what is none."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            at, kind, who, text = json.loads(line)
            yield Line(float(at), str(kind), str(who), str(text))


def _event_text(event: Event) -> str:
    payload = event.payload
    match event.kind:
        case Kind.TRADE:
            side = "buys" if payload["side"] == 0 else "sells"
            struck = ", struck" if payload["voided"] else ""
            return f"{side} {payload['size']} {event.contract_id} at {payload['price']}{struck}"
        case Kind.POSITION:
            side = "long" if payload["type"] == 1 else "short"
            return f"holds {payload['size']} {side} {event.contract_id}"
        case Kind.ORDER:
            return (
                f"order {payload['id']} {event.contract_id} size {payload['size']} "
                f"type {payload['type']} status {payload['status']}"
            )
        case _:
            return f"balance {payload.get('balance')}"
