"""What a position loses if its stops fill at their prices (RULES, section 2, max_risk_per_trade)."""

from collections.abc import Iterator

from simulation.truth import TENTH_OF_A_CENT, Book, Held, Key, Line, Terms

MAX_RISK = "max_risk_per_trade"


def too_risky(book: Book, terms: Terms) -> Iterator[Key]:
    """Positions that risk more than is allowed; exactly as much is."""
    return _beyond(book, terms, TENTH_OF_A_CENT, doubtful=False)


def may_be_too_risky(book: Book, terms: Terms) -> Iterator[Key]:
    """The same, to a tenth of a cent, and by any of the entries that news of different age tell."""
    return _beyond(book, terms, -TENTH_OF_A_CENT, doubtful=True)


def _beyond(book: Book, terms: Terms, slack: float, *, doubtful: bool) -> Iterator[Key]:
    if terms.max_risk is None:
        return
    for contract, held in book.held.items():
        points = max(_risk(book, contract, held, it) for it in _entries(book, contract, doubtful))
        if points * book.instruments[contract].point_value > terms.max_risk + slack:
            yield (MAX_RISK, contract)


def _risk(book: Book, contract: str, held: Held, entry: float) -> float:
    """Points that are lost at the stops, those nearest to the market first."""
    sign = 1 if held.net > 0 else -1
    stops = [it for it in book.protecting(contract, held.net) if it.stop is not None]
    left, points = abs(held.net), 0.0
    for order in sorted(stops, key=lambda it: -sign * (it.stop or 0.0)):
        covers = min(order.remaining, left)
        points += covers * (entry - (order.stop or 0.0)) * sign
        left -= covers
    return points


def _entries(book: Book, contract: str, doubtful: bool) -> list[float]:
    """The average price of a position: by its half-turns where they explain it."""
    held, line = book.held[contract], book.lines.get(contract, Line())
    if line.net == held.net:
        return [line.cost / line.net]
    if not doubtful or not line.net:
        return [held.average]
    own = line.cost / line.net
    kept = min(abs(line.net), abs(held.net)) if line.net * held.net > 0 else 0
    share = kept / abs(held.net)
    return [own, held.average, own * share + held.average * (1 - share)]
