"""From points to dollars: what one contract's day is worth at a price.

There is one source of P&L, the ledger. Realised P&L does not depend on a price, so everything but
the open part is computed once per trade and kept; a quote costs a few multiplications.

When ledger and position event differ, the newest news counts until the broker has been asked, and
the broker's position after that. What no trade explains is taken at the broker's average price if it
was opened, and at the mark of the moment it was noticed if it was closed.
"""

from decimal import Decimal

from attrs import frozen

from risk.domain import Position
from risk.ledger import MICRODOLLAR, ZERO, Line
from risk.marks import Price
from risk.reading import Disagreement


@frozen
class Worth:
    """One contract's day in dollars, but for the open part; unchanged by quotes."""

    net: int
    """Contracts that the open part is about, signed."""
    point_value: Decimal
    cost: Decimal
    """Average entry of the episode x net, points."""
    day_cost: Decimal
    """The same, what was carried in taken at its mark at the start of the day."""
    realised: Decimal
    """Dollars before fees, not yet rounded."""
    sure: Decimal
    """Realised dollars after fees that news still on its way cannot take back."""
    fees: Decimal
    estimated: bool

    @property
    def entry(self) -> Decimal | None:
        """Average entry price, points; None when flat."""
        return self.cost / self.net if self.net else None


@frozen
class Figures:
    """Dollars of one contract at one price."""

    open: Decimal
    """Of the position, against its average entry."""
    day_open: Decimal
    """The part of ``open`` that belongs to this trading day."""
    net: Decimal
    """Of the day: realised + day_open - fees."""


@frozen
class Evidence:
    """All that is known of one contract but its price."""

    line: Line
    agreed: Line
    """The last line that the broker's position confirmed."""
    position: Position | None
    disagreement: Disagreement | None
    point_value: Decimal
    fee: Decimal
    """Dollars per contract and half-turn to assume where the broker reported none."""


def worth(evidence: Evidence) -> Worth:
    """Put one contract's day into dollars, as far as no price is needed."""
    line, value, gap = evidence.line, evidence.point_value, evidence.disagreement
    sure = line if gap is None or _only_exited(gap) else evidence.agreed
    net, cost, day_cost, exits = line.net, line.cost, line.day_cost, ZERO
    position_counts = gap is not None and (gap.reconciled or not gap.ledger_newer)
    if gap is not None and position_counts:
        net, cost, day_cost, exits = _as_position(line, evidence.position, gap)
    return Worth(
        net=net,
        point_value=value,
        cost=cost,
        day_cost=day_cost,
        realised=_realised(line, value) + exits * value,
        sure=_rounded(_realised(sure, value) - _fees(sure, evidence.fee)),
        fees=_fees(line, evidence.fee),
        estimated=line.estimated or line.unpriced_fees > 0 or position_counts,
    )


def figures(worth: Worth, price: Price) -> Figures:
    """Dollars at a price; without one the position counts at its entry."""
    held = worth.cost if price.value is None else worth.net * price.value
    opened = day_open = _rounded((held - worth.cost) * worth.point_value)
    if worth.day_cost != worth.cost:
        day_open = _rounded((held - worth.day_cost) * worth.point_value)
    exact = (held - worth.day_cost) * worth.point_value
    return Figures(opened, day_open, _rounded(worth.realised + exact - worth.fees))


def _rounded(dollars: Decimal) -> Decimal:
    return dollars.quantize(MICRODOLLAR)


def _fees(line: Line, fee: Decimal) -> Decimal:
    return line.fees + line.unpriced_fees * fee


def _realised(line: Line, value: Decimal) -> Decimal:
    return (line.cash + line.day_cost - line.start_value) * value + line.broker_profit


def _only_exited(gap: Disagreement) -> bool:
    """True when all that is missing is the position event of an exit: nothing can undo that loss."""
    smaller = abs(gap.ledger_net) < abs(gap.position_net)
    return smaller and gap.ledger_net * gap.position_net >= 0


def _as_position(
    line: Line, position: Position | None, gap: Disagreement
) -> tuple[int, Decimal, Decimal, Decimal]:
    """Net, cost, day cost and points of trade-less exits, if the broker's position is the truth."""
    net = gap.position_net
    kept = _kept(line.net, net)
    cost, day_cost = _part(line.cost, kept, line.net), _part(line.day_cost, kept, line.net)
    left = line.net - kept
    exits = day_cost - line.day_cost
    exits += (line.day_cost - day_cost) if gap.exit_price is None else left * gap.exit_price
    average = ZERO if position is None else position.average_price
    unexplained = (net - kept) * average
    return net, cost + unexplained, day_cost + unexplained, exits


def _kept(ledger: int, position: int) -> int:
    """The part of the ledger's contracts that the position still holds."""
    if ledger * position <= 0:
        return 0
    return ledger if abs(ledger) <= abs(position) else position


def _part(cost: Decimal, kept: int, net: int) -> Decimal:
    if kept == net:
        return cost
    return cost * kept / net if kept else ZERO
