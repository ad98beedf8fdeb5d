"""With which balance a day began: what the broker lists, less what the day's trades had earned by then.

A list is asked for and answered at known times. A trade from well before is in its balance and one
from well after is not, whenever somebody hears of either; one in between may be or may not, and
another list must say.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from attrs import define, field, frozen

from risk.domain import Trade
from risk.ledger import earned

BOOKED_WITHIN = timedelta(seconds=3)
"""How long after a trade the balance may still be the one before it, by clocks that differ a little."""


@frozen
class Listing:
    """What one look at the account list said of a balance; the broker's time, aware UTC."""

    balance: Decimal
    asked: datetime
    answered: datetime

    def has(self, trade: Trade) -> bool | None:
        """Whether the balance has this trade in it; None when nobody can say."""
        if trade.at <= self.asked - BOOKED_WITHIN:
            return True
        return False if trade.at > self.answered + BOOKED_WITHIN else None


@define
class Morning:
    """The balance with which one day began; a part of one account state."""

    balance: Decimal | None = None
    """Dollars, closed; None before a list could say."""
    certain: bool = False
    """No trade is known that may have been in the list or not."""
    listing: Listing | None = None
    """The one from which ``balance`` was reckoned; None for a journal's that does not say."""
    newest: Listing | None = None
    moved: bool = True
    """There is something that its owner has not made use of."""
    _counted: set[int] = field(factory=set)
    """Trades that were known when the balance was reckoned, and those weighed since."""

    def listed(self, listing: Listing) -> None:
        """Keep what a list says, for as long as one is needed."""
        if not self.certain:
            self.newest, self.moved = listing, True

    def heard(self, trade: Trade, *, of_the_day: bool) -> None:
        """Take in a half-turn; the balance has moved if the list knew of it before we did."""
        listing = self.listing
        if listing is None or trade.id in self._counted or trade.voided:
            return
        self._counted.add(trade.id)
        known, gain = listing.has(trade), earned((trade,))
        if known is None or (known and gain is None):
            self.certain = False
        elif known and of_the_day and self.balance is not None and gain is not None:
            self.balance, self.moved = self.balance - gain, True

    def reckon(self, starts: datetime, trades: Iterable[Trade], older: Iterable[Trade]) -> None:
        """Reckon anew by the newest list; nothing changes if it is of before or too near to a trade."""
        listing, trades = self.newest, tuple(trades)
        if listing is None or listing.asked < starts:
            return
        if any(listing.has(it) is None for it in (*trades, *older)):
            return
        gain = earned(it for it in trades if listing.has(it))
        if gain is not None:
            self._take(listing.balance - gain, listing, trades)

    def restore(self, balance: Decimal, listing: Listing | None, trades: Iterable[Trade]) -> None:
        """Take what a journal says; it knew of these trades of the day when it was written."""
        self._take(balance, listing, trades)

    def _take(self, balance: Decimal, listing: Listing | None, trades: Iterable[Trade]) -> None:
        self.balance, self.listing, self.certain, self.moved = balance, listing, True, True
        self.newest = None
        self._counted = {it.id for it in trades}
