"""Marks: which price an open position is worth, and how far that price can be trusted.

A long is worth the bid, a short the ask (``touch``); the middle and the last trade are options. A
price older than 60 s, by local receive time alone, still counts but is flagged. A quote whose spread
is over ten times its one-minute median may be a hole in the feed: for one second the quote before it
stays in force; what is still there after that second is the market.

Fills and quotes come on two ways, so the fill of a gap may come before the quote that caused it. A
trade of the account itself at a price that an older quote did not offer says that this quote is no
longer the market: until the next one the position is worth what was traded at. At the old quote it
would show a loss that never was.
"""

from bisect import bisect_left, insort
from collections import deque
from decimal import Decimal
from typing import Literal

from attrs import define, field, frozen

from risk.domain import Mark

MarkBasis = Literal["touch", "mid", "last"]
"""Which price an open position is valued at."""

STALE_AFTER_S = 60.0
WIDE_SPREAD = 10
"""A spread over this many one-minute medians is suspected."""
WIDE_FOR_S = 1.0
"""Seconds a suspected quote must last before it is believed."""
FIRST_QUOTE_WITHIN_S = 2.0
"""Seconds for which a fill is price enough, in a contract that was not watched before."""
_WINDOW_S = 60
_SAME_INSTANT_S = 0.001
_NEVER = float("inf")


@frozen
class Price:
    """The price a position is valued at now."""

    value: Decimal | None
    """Points; None when no usable price was ever received."""
    at: float = float("-inf")
    """Monotonic seconds of its receipt."""
    stale: bool = True
    """Missing, or older than 60 s."""
    suspected: bool = False
    """A newer quote with a suspiciously wide spread is being waited out."""
    valid_until: float = _NEVER
    """Monotonic seconds at which this answer changes without a new quote."""


def usable(mark: Mark) -> Mark:
    """A quote without its unusable fields: zero, negative, or bid and ask crossed.

    Sides of different age may cross: partial quotes of a falling market bring one after the other.
    """
    bid, ask, last = _positive(mark.bid), _positive(mark.ask), _positive(mark.last)
    if bid is not None and ask is not None and bid > ask and mark.bid_at == mark.ask_at:
        bid = ask = None
    if bid is mark.bid and ask is mark.ask and last is mark.last:
        return mark
    return Mark(bid, ask, last, mark.bid_at, mark.ask_at, mark.last_at)


def _positive(price: Decimal | None) -> Decimal | None:
    return price if price is not None and price > 0 else None


@define
class Marks:
    """The latest prices of one contract; owned by one account state."""

    latest: Mark = field(factory=Mark)
    _trusted: Mark = field(factory=Mark)
    """The newest quote of an ordinary spread: in force while a wide one is suspected."""
    _wide_since: float | None = None
    _spreads: deque[tuple[int, Decimal]] = field(factory=deque)
    """One spread per second of the last minute."""
    _sorted: list[Decimal] = field(factory=list)
    """The same spreads by size: the middle of them is asked for at every quote."""
    _usual: Decimal | None = None
    _fill: tuple[Decimal, float] | None = None
    """Price and monotonic seconds of the account's own newest trade."""

    def traded(self, price: Decimal, at: float) -> None:
        """The account traded at this price then."""
        if self._fill is None or at >= self._fill[1]:
            self._fill = price, at

    def apply(self, newer: Mark, tick: Decimal) -> bool:
        """Merge a quote; False when nothing in it was usable."""
        newer = usable(newer)
        if newer.bid is None and newer.ask is None and newer.last is None:
            return False
        before, self.latest = self.latest, self.latest.merged(newer)
        if newer.bid is not None or newer.ask is not None:
            self._judge(before, max(newer.bid_at, newer.ask_at), tick)
        return True

    def _judge(self, before: Mark, at: float, tick: Decimal) -> None:
        bid, ask = self.latest.bid, self.latest.ask
        if bid is None or ask is None or bid > ask or at == float("-inf"):
            return
        spread = ask - bid
        self._forget(int(at) - _WINDOW_S)
        if self._usual is not None and spread > WIDE_SPREAD * max(self._usual, tick):
            if self._wide_since is None:
                self._wide_since, self._trusted = at, before
        else:
            self._wide_since = None
        self._remember(int(at), spread)

    def _remember(self, second: int, spread: Decimal) -> None:
        if self._spreads and self._spreads[-1][0] == second:
            return
        self._spreads.append((second, spread))
        insort(self._sorted, spread)
        middle = len(self._sorted) // 2
        upper = self._sorted[middle]
        odd = len(self._sorted) % 2
        self._usual = upper if odd else (self._sorted[middle - 1] + upper) / 2

    def _forget(self, second: int) -> None:
        while self._spreads and self._spreads[0][0] <= second:
            _, spread = self._spreads.popleft()
            del self._sorted[bisect_left(self._sorted, spread)]
        if not self._spreads:
            self._usual = None

    def price(self, sign: int, basis: MarkBasis, mono: float) -> Price:
        """What a position of this sign (+1 long, -1 short) is worth at monotonic time ``mono``."""
        believed_at = _NEVER if self._wide_since is None else self._wide_since + WIDE_FOR_S
        suspected = self._wide_since is not None and mono < believed_at
        mark = self._trusted if suspected else self.latest
        value, at = _pick(mark, sign, basis, mono)
        fill = self._fill
        if value is None and fill is not None and mono - fill[1] <= FIRST_QUOTE_WITHIN_S:
            return Price(fill[0], fill[1], stale=False, valid_until=fill[1] + FIRST_QUOTE_WITHIN_S)
        newer = value is not None and fill is not None and fill[1] > at + _SAME_INSTANT_S
        if newer and fill is not None and _outside(mark, fill[0]):
            (value, at), suspected = fill, False
        stale = mono - at > STALE_AFTER_S
        until = _NEVER if stale else at + STALE_AFTER_S
        return Price(value, at, stale, suspected, min(until, believed_at) if suspected else until)


def _pick(mark: Mark, sign: int, basis: MarkBasis, mono: float) -> tuple[Decimal | None, float]:
    """The basis' price; the last trade when that one is missing, or stale and older."""
    value, at = _wanted(mark, sign, basis)
    if value is None or (mono - at > STALE_AFTER_S and mark.last_at > at):
        return mark.last, mark.last_at
    return value, at


def _outside(mark: Mark, price: Decimal) -> bool:
    """No trade at this price was possible at this quote."""
    below = mark.bid is None or price < mark.bid
    above = mark.ask is None or price > mark.ask
    return below or above


def _wanted(mark: Mark, sign: int, basis: MarkBasis) -> tuple[Decimal | None, float]:
    if basis == "last":
        return mark.last, mark.last_at
    if basis == "mid":
        if mark.bid is None or mark.ask is None:
            return None, float("-inf")
        return (mark.bid + mark.ask) / 2, min(mark.bid_at, mark.ask_at)
    return (mark.bid, mark.bid_at) if sign >= 0 else (mark.ask, mark.ask_at)
