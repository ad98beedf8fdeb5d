"""The trouble a simulated day can hold, as frozen data with a JSON form.

What befalls the gateway is ``simulator.faults``, unchanged. Here is what befalls the trader's
machine and the daemon on it: actors that crash, are slow or hang at chosen messages, deaths of the
process, the disk, the clock, the suspended machine. ``simulation.striking`` lets them happen.

``{"at": 30.5, "fault": "crash_actor", "actor": "enforcement", "message": "Decided"}``. ``duration``
bounds in virtual seconds how long something stands, or lies in wait for its message.
"""

import difflib
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from attrs import frozen

from simulation.haunting import ANY, Moment
from simulator.faults import KINDS as GATEWAY_KINDS
from simulator.faults import BadFault, Fault, Hub, parse_fault
from store.memory import Half

type Trouble = Fault
"""Any of the two sides."""


class ActorTrouble(Fault, frozen=True, kw_only=True):
    """Strikes the first actor whose path ends like this pattern; ``times`` None means once.

    ``message`` names a class of messages, ``started`` or ``stopping``; it is the ``nth`` that comes.
    """

    actor: str
    message: str = ANY
    nth: int = 1


class CrashActor(ActorTrouble, frozen=True):
    """Crash before or after handling a message, which is lost; or at once, between two messages."""

    name = "crash_actor"
    moment: Literal["now", "before", "after"] = "now"


class SlowHandler(ActorTrouble, frozen=True):
    """Each handler takes so much longer, as long as this stands."""

    name = "slow_handler"
    seconds: float = 0.05


class StuckHandler(ActorTrouble, frozen=True):
    """A handler does not come back until it is cancelled."""

    name = "stuck_handler"


class Upon(ActorTrouble, frozen=True):
    """When a message comes, and ``delay`` seconds have passed, something else happens."""

    name = "upon"
    then: dict[str, Any]
    """The JSON form of another trouble."""
    moment: Moment = "after"
    delay: float = 0.0

    @property
    def consequence(self) -> Trouble:
        """What happens then."""
        return parse_trouble(self.then)

    def problem(self) -> str | None:
        """Nonsense inside is nonsense."""
        self.consequence  # noqa: B018 - raises what is wrong with it
        return super().problem()


class UponSpooling(Fault, frozen=True, kw_only=True):
    """Right after a record was appended to the spool its writer crashes, before its next step."""

    name = "upon_spooling"
    record: str = "lock"
    nth: int = 1
    then: dict[str, Any] | None = None
    """Something else happens instead: the JSON form of another trouble."""

    @property
    def consequence(self) -> Trouble | None:
        """What happens instead."""
        return None if self.then is None else parse_trouble(self.then)


class Kill(Fault, frozen=True):
    """The process is gone, and started again after ``down_for`` seconds."""

    name = "kill"
    down_for: float = 2.0


class PowerCut(Fault, frozen=True):
    """The machine is gone, with what it had not synced but for the oldest ``kept`` records.

    ``torn``: the next one was half on its way.
    """

    name = "power_cut"
    down_for: float = 20.0
    kept: int = 0
    torn: bool = False


class DiskRefuses(Fault, frozen=True):
    """Writes fail: of the spool, of the journal, or both."""

    name = "disk_refuses"
    reason: str = "no space left on device"
    half: Half = "both"


class DiskSlow(Fault, frozen=True):
    """Each commit takes so many seconds."""

    name = "disk_slow"
    seconds: float = 1.0


class ClockJump(Fault, frozen=True):
    """The machine's clock is set wrong by so many seconds, and right again at the end."""

    name = "clock_jump"
    seconds: float = 3600.0


class ClockDrift(Fault, frozen=True):
    """The machine's clock gains so many seconds in each, and is set right at the end."""

    name = "clock_drift"
    rate: float = 0.01


class Suspend(Fault, frozen=True):
    """The machine stands still while the world goes on.

    ``seen``: Trio's clock has counted that time when it wakes; else only wall clocks have. ``hubs``:
    what has become of its connections.
    """

    name = "suspend"
    seconds: float = 30.0
    seen: bool = True
    hubs: Literal["alive", "dropped", "half_open"] = "dropped"


class GatewayRestart(Fault, frozen=True):
    """The gateway refuses everything for ``down_for`` seconds, its hubs too."""

    name = "gateway_restart"
    down_for: float = 5.0
    hub: Hub = "both"


MACHINE_KINDS: dict[str, type[Fault]] = {
    kind.name: kind
    for kind in (
        CrashActor,
        SlowHandler,
        StuckHandler,
        Upon,
        UponSpooling,
        Kill,
        PowerCut,
        DiskRefuses,
        DiskSlow,
        ClockJump,
        ClockDrift,
        Suspend,
        GatewayRestart,
    )
}
"""What befalls the machine, by its name in JSON."""


def document(trouble: Trouble) -> dict[str, Any]:
    """The JSON object of a trouble of either side; what is usual is left out."""
    fields = msgspec.structs.fields(type(trouble))
    unusual = {
        it.name: getattr(trouble, it.name)
        for it in fields
        if it.required or getattr(trouble, it.name) != it.default
    }
    # As it will be read back: with lists for tuples.
    return {"fault": trouble.name, **msgspec.json.decode(msgspec.json.encode(unusual))}


def parse_trouble(said: Mapping[str, Any]) -> Trouble:
    """A trouble of either side from its JSON object; BadFault says what is wrong with it."""
    name = said.get("fault")
    if name in GATEWAY_KINDS:
        return parse_fault(said)
    kind = MACHINE_KINDS.get(str(name))
    if kind is None:
        near = difflib.get_close_matches(str(name), [*MACHINE_KINDS, *GATEWAY_KINDS], n=1)
        raise BadFault(f"no fault {name!r}" + (f", did you mean {near[0]!r}?" if near else ""))
    fields = {key: value for key, value in said.items() if key != "fault"}
    try:
        trouble = msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise BadFault(f"fault {name}: {error}") from error
    if problem := trouble.problem():
        raise BadFault(f"fault {name}: {problem}")
    return trouble


@frozen
class Planned:
    """What is to happen when: seconds from the start of the simulation."""

    at: float
    fault: Trouble

    def document(self) -> dict[str, Any]:
        """The JSON object; :meth:`of` reads it back."""
        return {"at": self.at, **document(self.fault)}

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> "Planned":
        """From its JSON object; BadFault."""
        return cls(float(said["at"]), parse_trouble({k: v for k, v in said.items() if k != "at"}))
