"""What an account holds in one contract, and what closing a part of it earned.

The live broker's lot method is not documented, so both are here: first in first out, and average
price.
"""

import enum
from datetime import datetime
from decimal import Decimal

from attrs import define, frozen

from simulator.words import PositionType

_AVERAGE_PLACES = Decimal("1e-10")
CENT = Decimal("0.01")


class LotMethod(enum.Enum):
    """Which lots a closing half-turn closes."""

    FIFO = "fifo"
    AVERAGE = "average"


@frozen
class Lot:
    """Contracts bought or sold at one price."""

    size: int
    price: Decimal


@define(eq=False)
class Holding:
    """One life of a position, from flat to flat; all lots are on the same side."""

    id: int
    account_id: int
    contract_id: str
    opened_at: datetime
    sign: int
    """+1 long, -1 short."""
    lots: list[Lot]
    """Oldest first; empty once flat."""

    @property
    def size(self) -> int:
        """Contracts, unsigned."""
        return sum(lot.size for lot in self.lots)

    @property
    def type(self) -> PositionType:
        """Long or short, also after it went flat."""
        return PositionType.LONG if self.sign > 0 else PositionType.SHORT

    @property
    def average_price(self) -> Decimal:
        """Points; zero when flat."""
        if not self.lots:
            return Decimal(0)
        cost = sum((lot.price * lot.size for lot in self.lots), Decimal(0))
        return (cost / self.size).quantize(_AVERAGE_PLACES).normalize() + 0

    def add(self, size: int, price: Decimal) -> None:
        """Contracts opened on the holding's side."""
        self.lots.append(Lot(size, price))

    def reduce(self, size: int, price: Decimal, method: LotMethod) -> Decimal:
        """Close ``size`` contracts at ``price``; the gain in points x contracts, negative for a loss."""
        if method is LotMethod.AVERAGE:
            self.lots = [Lot(self.size, self.average_price)]
        gain, left = Decimal(0), size
        while left:
            lot = self.lots.pop(0)
            closed = min(lot.size, left)
            gain += (price - lot.price) * closed * self.sign
            left -= closed
            if lot.size > closed:
                self.lots.insert(0, Lot(lot.size - closed, lot.price))
        return gain
