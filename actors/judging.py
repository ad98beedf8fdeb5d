"""When an account is to be judged, and which prices need no judgement."""

from collections.abc import Mapping

import trio
from attrs import define, field

from actors.messages import Judged, Origin
from risk.domain import Mark
from risk.evaluate import Trigger
from risk.wires import Wire


@define
class Judging:
    """The reasons that have come up since the account was last judged; a part of its actor."""

    pending: tuple[Trigger, Origin] | None = None
    """Why the state is to be judged at the end of this turn, and by which input."""
    _wires: Mapping[str, Wire] = field(factory=dict)
    """By contract: a mark that does not trip its wire changes no answer."""
    _lost: bool = False
    """That the link was lost is one of the reasons."""
    _changed_at: float = 0.0
    """Monotonic seconds of the last change that was more than a price."""

    def want(self, trigger: Trigger, origin: Origin) -> None:
        """Have the state judged at the end of this turn, for every reason that came up in it."""
        if trigger is not Trigger.MARK:
            self._wires, self._changed_at = {}, trio.current_time()
        self._lost = self._lost or trigger is Trigger.CONNECTION
        if self.pending is None:
            self.pending = trigger, origin
        elif self.pending[0] is not trigger:
            self.pending = Trigger.FULL, self.pending[1]

    def take(self, *, current: bool) -> tuple[Trigger, Origin] | None:
        """Why the state is to be judged now; while it is not current, by the loss of the link alone."""
        pending, lost = self.pending, self._lost
        self.pending, self._lost = None, False
        if pending is None or current:
            return pending
        return (Trigger.CONNECTION, pending[1]) if lost else None

    def judged(self, message: Judged) -> None:
        """Take the new wires, unless the state has changed since."""
        if message.as_of >= self._changed_at:
            self._wires = {} if message.wires is None else message.wires

    def tripped(self, contract_id: str, mark: Mark) -> bool:
        """Whether a price may change an answer."""
        wire = self._wires.get(contract_id)
        return wire is None or wire.tripped(mark)
