"""What is said about the trading day: who wants to hear of it, and which it is."""

from datetime import date

from attrs import frozen

from supervision import Ref


@frozen
class ClockJoin:
    """An actor wants to hear of each new trading day."""

    name: str
    reply_to: "Ref[DayTurned]"


@frozen
class DayTurned:
    """It is this trading day now; may be said more than once."""

    day: date
