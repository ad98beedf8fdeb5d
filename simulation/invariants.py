"""Which rules an account breaks, by RULES alone, and which requests such a breach allows.

Everything here is a function of a :class:`simulation.truth.Book`. Numbers of invariants are those of
DESIGN, section 3.
"""

from collections.abc import Iterator, Sequence

from attrs import frozen

from simulation.excuses import Aspect
from simulation.hours import FLAT_BY, NEWS, SESSION
from simulation.pauses import COOLDOWN, FREQUENCY, PAUSES
from simulation.risks import MAX_RISK
from simulation.scaling import SCALING
from simulation.sizes import Cap, too_much
from simulation.truth import SUSPENDED, TENTH_OF_A_CENT, Book, Key, Order, Prices, Terms

ACT_WITHIN = 1.0
"""Seconds that a decidable breach may last on a live hub that accepts (1)."""
JUST_BEFORE = 0.25
"""Seconds before the newest input within which the breach must have been (11)."""
RESET_WITHIN = 5.0
"""Seconds from the end of a day to its reset (the original's target; 8)."""
LIVE_WITHIN = 10.0
"""Seconds without any excuse after which an account is Live: a reconcile is at most 3 rounds of
150 ms, proofs of 1.7 s, and once more for what came meanwhile."""
AUDITED_WITHIN = 1.0
"""Seconds from an answer to its durable record: 5 ms of paperwork, 20 ms of gathering, a commit."""
BLIND_AT_MOST = 61.0
"""Seconds that a lost event can stay unnoticed: a flat account's audit every 60 s (DESIGN 2), less
with exposure, then a reconcile."""
UNSEEN_AT_MOST = 36.0
"""Seconds that the news of an order can stay lost while anything is exposed: an audit every 30 s, which
is looked at every 5 s, and its answer."""
OPENED_WITHIN = 8.0
"""Seconds from the beginning of a day, or its newest half-turn, until it is known with what balance it began:
2 s in which none may come, the next look of every 5 s, and a record."""
READ_ANEW_WITHIN = 5.0
"""Seconds from a new link, or from something on the user hub that makes no sense, to an answer that was
asked for since."""
APART_AT_MOST = 5.0
"""Seconds in which trades and positions that were told may tell different stories: 250 ms, then a
reconcile (DESIGN 2.4), which asks for the trades as often as that allows."""

MEANS = frozenset({Aspect.MEANS})
SIZE = frozenset({Aspect.MEANS, Aspect.POSITIONS})
TRADES = SIZE | {Aspect.MONEY}
ORDERS = SIZE | {Aspect.ORDERS}
MONEY = SIZE | {Aspect.MONEY, Aspect.PRICES}

DAY_RULES = frozenset(
    {"daily_loss", "daily_profit", "weekly_loss", "trailing_drawdown", "consistency"}
)
"""Rules that end the day: flat, and locked."""
DAY_KEYS = frozenset((rule, "") for rule in sorted(DAY_RULES))
HOURS_RULES = frozenset({FLAT_BY, SESSION, NEWS})
"""Rules by which nothing may be open at times: in one product, or in the account, which is locked."""
LOCK_KEYS = DAY_KEYS | {(rule, "") for rule in sorted(HOURS_RULES)}
"""Breaches that are answered with a lock."""
SHUT_RULES = HOURS_RULES | {"symbol_block"}
"""Rules by which nothing may be open in some products."""
SIZE_RULES = frozenset({"max_contracts", "max_contracts_per_instrument", SCALING})
"""Rules that ask for lots to be closed, not for positions."""
IN_PART = PAUSES | SIZE_RULES
"""Rules that ask for a part of what is held."""
MONEY_RULES = DAY_RULES | {"unrealized_loss", "unrealized_profit"}

NEEDS: dict[str, frozenset[Aspect]] = {
    "daily_loss": MONEY,
    "daily_profit": MONEY,
    "weekly_loss": MONEY,
    "trailing_drawdown": MONEY,
    "consistency": MONEY,
    "unrealized_loss": MONEY,
    "unrealized_profit": MONEY,
    "max_contracts": SIZE,
    "max_contracts_per_instrument": ORDERS,
    SCALING: SIZE,
    "symbol_block": ORDERS,
    FLAT_BY: ORDERS,
    SESSION: ORDERS,
    NEWS: ORDERS,
    COOLDOWN: TRADES,
    FREQUENCY: TRADES,
    MAX_RISK: ORDERS | {Aspect.MONEY},
    "no_stop_loss": ORDERS,
    "lock": ORDERS,
    "connection_loss": frozenset(),
    "reset": MEANS,
    "live": frozenset(Aspect),
    "audit": MEANS,
    "opening": TRADES,
    "blind": MEANS,
    "apart": SIZE,
    "unseen": SIZE,
    "unread": MEANS,
    "race": SIZE,
}
"""What must be known before a breach obliges."""
WITHIN = {
    "connection_loss": ACT_WITHIN,
    "reset": RESET_WITHIN,
    "live": LIVE_WITHIN,
    "audit": AUDITED_WITHIN,
    "opening": OPENED_WITHIN,
    "blind": BLIND_AT_MOST,
    "apart": APART_AT_MOST,
    "unseen": UNSEEN_AT_MOST,
    "unread": READ_ANEW_WITHIN,
    "race": ACT_WITHIN,
}
NUMBERS = {"reset": 8, "live": 5, "audit": 7, "race": 2} | dict.fromkeys(
    ("blind", "apart", "unseen", "unread", "opening"), 5
)


@frozen
class Violation:
    """The daemon broke a promise."""

    at: float
    """Seconds since the start of the run."""
    invariant: int
    account: str
    text: str


def size_breaches(book: Book, terms: Terms, caps: Sequence[Cap]) -> Iterator[Key]:
    """What no price is needed for."""
    yield from too_much(caps, book)
    if terms.per_root is not None:
        # Where nothing may be held, an order must not wait for its fill.
        for order in book.adding():
            if terms.per_root.forbids(book.instruments[order.contract].root):
                yield ("max_contracts_per_instrument", order.contract)
    if terms.blocked or terms.only:
        instruments = book.instruments
        contracts = [*book.held, *(order.contract for order in book.adding())]
        for contract in dict.fromkeys(contracts):
            if terms.forbids(instruments[contract].root):
                yield ("symbol_block", contract)


def money_breaches(book: Book, terms: Terms, prices: Prices, slack: float = 0.0) -> Iterator[Key]:
    """Results at the touch that reach a limit, or nearly: by ``slack`` dollars."""
    if book.lines and (terms.daily_loss is not None or terms.day_limits):
        yield from day_breaches(terms, book.day(prices), book.realised(), slack)
    if not book.held or (terms.unrealized_loss is None and terms.unrealized_profit is None):
        return
    opened = {contract: book.open(contract, prices) for contract in book.held}
    if terms.unrealized_profit is not None:
        enough = terms.unrealized_profit - slack - TENTH_OF_A_CENT
        yield from (("unrealized_profit", it) for it, won in opened.items() if won >= enough)
    if terms.unrealized_loss is None:
        return
    least = -terms.unrealized_loss + slack + TENTH_OF_A_CENT
    if terms.total_unrealized:
        if sum(opened.values()) <= least:
            yield ("unrealized_loss", "")
        return
    for contract, dollars in opened.items():
        if dollars <= least:
            yield ("unrealized_loss", contract)


def day_breaches(terms: Terms, net: float, realised: float, slack: float = 0.0) -> Iterator[Key]:
    """Rules whose limit a result of the day has reached."""
    if terms.daily_loss is not None:
        counted = realised if terms.realised else net
        if counted <= -terms.daily_loss + slack + TENTH_OF_A_CENT:
            yield ("daily_loss", "")
    yield from ((it.rule, "") for it in terms.day_limits if it.reached(net, slack))


def bare(book: Book, terms: Terms, at: float) -> Iterator[Key]:
    """Positions whose grace without a full stop is over."""
    if terms.grace is None:
        return
    for contract, held in book.held.items():
        due = held.due(terms.grace)
        if due is not None and due <= at:
            yield ("no_stop_loss", contract)


def next_bare(book: Book, terms: Terms, at: float) -> float | None:
    """When a further grace ends; None when none will by itself."""
    if terms.grace is None:
        return None
    dues = [held.due(terms.grace) for held in book.held.values()]
    return min((due for due in dues if due is not None and due > at), default=None)


def allows_close(keys: frozenset[Key], contract: str) -> bool:
    """Whether some breach, other than one in part, asks for closing all of a contract.

    What a daemon owes without a breach (a reset, a record, to have been told) asks for no close.
    """
    return any(
        rule not in IN_PART and where in ("", contract)
        for rule, where in keys
        if rule not in WITHIN
    )


def allows_uncovered(book: Book, terms: Terms, contract: str, size: int) -> bool:
    """Whether so many have no stop."""
    held = book.held.get(contract)
    return terms.uncovered_only and held is not None and size <= abs(held.net) - held.covered


def allows_cancel(
    books: Sequence[Book], keys: frozenset[Key], order: Order, *, turned: bool = False
) -> bool:
    """Whether a breach asks for this order to go while positions may stand.

    ``turned``: just before, its contract was flat or held the other way round.
    """
    adds = any(order.id == it.id for book in books for it in book.adding())
    adds = adds or (turned and order.parent is None and order.status != SUSPENDED)
    alone = any(order.contract not in book.held for book in books)
    nets = [it.held[order.contract].net for it in books if order.contract in it.held]
    protects = not alone and all(order.sign * net < 0 for net in nets)
    for rule, where in sorted(keys):
        all_go = (rule, where) in LOCK_KEYS or rule == "lock"
        all_go = all_go or (rule, where) == ("unrealized_loss", "")
        # What protects a position stays until it is gone: the close may be refused (GATEWAY 4.1).
        if all_go and (turned or not protects):
            return True
        if rule in SHUT_RULES and where == order.contract and (adds or alone):
            return True
        if rule in SIZE_RULES and adds and where in ("", order.contract):
            return True
    return False
