"""Living prices: a seeded walk in ticks around where each contract started."""

import random
from collections.abc import Iterable
from decimal import Decimal

from attrs import define

from simulator.contracts import Listing

_MOVES = (-2, -1, -1, 0, 0, 1, 1, 2)
_PULL = 0.02
"""Chance of a step back towards the anchor, so that a long day stays plausible."""


@define(eq=False)
class _Price:
    listing: Listing
    anchor: Decimal
    bid: Decimal
    held: bool = False


class PriceWalk:
    """One step at a time: the same seed and the same calls give the same prices."""

    def __init__(self, listings: Iterable[Listing], chance: random.Random) -> None:
        self._chance = chance
        self._prices = {it.id: _Price(it, it.price, it.price) for it in listings}
        self._order = list(self._prices)
        self._next = 0

    def place(self, contract_id: str, bid: Decimal, *, hold: bool) -> None:
        """Go on from this price, or stay there while ``hold``."""
        price = self._prices[contract_id]
        price.bid = price.anchor = bid
        price.held = hold

    def step(self) -> tuple[str, Decimal, Decimal] | None:
        """Contract id, bid and ask of the next quote in turn; None when that contract is held."""
        contract_id = self._order[self._next]
        self._next = (self._next + 1) % len(self._order)
        price = self._prices[contract_id]
        move = self._chance.choice(_MOVES)
        if self._chance.random() < _PULL:
            move = (price.anchor > price.bid) - (price.anchor < price.bid)
        if price.held:
            return None
        tick = price.listing.tick_size
        price.bid = max(price.bid + move * tick, tick)
        return contract_id, price.bid, price.bid + tick
