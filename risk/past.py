"""What earlier days left behind: balances, high-water marks, and what the operator knows of them.

The broker tells today's trades and the balance now. Everything older comes from the journal, or from
a seed in the configuration, and each number keeps where it came from.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from attrs import define, evolve, field, frozen

ZERO = Decimal(0)


@frozen
class Seed:
    """``seed`` of an account: what the broker does not tell about its past. Dollars."""

    starting_balance: Decimal | None = None
    high_water: Decimal | None = None
    """Highest balance at the end of a day, or where the firm has it so, the highest equity."""
    best_day: Decimal | None = None
    payout_taken: bool = False
    as_of: date | None = None
    """The trading day at whose end this was so; later days are added from the journal."""


def strictest(one: Seed | None, other: Seed | None) -> Seed | None:
    """What two words on the same past allow together: the higher floor, and the less of earlier profit."""
    if one is None or other is None:
        return one or other
    since = None if one.as_of is None or other.as_of is None else min(one.as_of, other.as_of)
    return Seed(
        starting_balance=_higher(one.starting_balance, other.starting_balance),
        high_water=_higher(one.high_water, other.high_water),
        best_day=_higher(one.best_day, other.best_day),
        payout_taken=one.payout_taken or other.payout_taken,
        as_of=since,
    )


@frozen
class PastDay:
    """One earlier trading day, as far as it was watched."""

    day: date
    opening: Decimal | None
    """Closed balance with which it began."""
    net: Decimal | None
    """What it earned after fees; None when nobody watched its end."""


@frozen
class Peaks:
    """The highest that was seen; each only ever rises within what it is of. Dollars."""

    net: Decimal = ZERO
    """Of this day's result, open P&L included; never below 0."""
    equity: Decimal | None = None
    """Of balance and open P&L together, over all days; None before the first look."""
    closed: Decimal | None = None
    """Of the balance, open P&L left out, over all days."""

    def raised(self, net: Decimal, equity: Decimal | None, closed: Decimal | None) -> "Peaks":
        """These with what is seen now; the same object where nothing is higher."""
        higher = (max(self.net, net), _higher(self.equity, equity), _higher(self.closed, closed))
        return self if higher == (self.net, self.equity, self.closed) else Peaks(*higher)


def _higher(known: Decimal | None, seen: Decimal | None) -> Decimal | None:
    if known is None or seen is None:
        return seen if known is None else known
    return max(known, seen)


@frozen
class Past:
    """All that a rule over more than one day needs, as it stands at the beginning of this day."""

    opening: Decimal | None = None
    """Closed balance with which this day began; None before the broker told one."""
    carried: Decimal = ZERO
    """Open P&L, against its entries, of what was held when the day began."""
    starting: Decimal | None = None
    """Balance with which the account began; the operator's word."""
    high: Decimal | None = None
    """Highest balance at the end of any day so far; None while nothing is known."""
    high_origin: str = "computed"
    """``operator`` (the seed's) or ``computed`` (from balances seen)."""
    high_told: bool = False
    """The operator has said how high it was; else a day that nobody watched may have been higher."""
    best_day: Decimal = ZERO
    """Best result of an earlier day, at least 0."""
    week: Decimal = ZERO
    """Results of this week's earlier days, Friday's close to Friday's close."""
    payout_taken: bool = False
    missing: tuple[date, ...] = ()
    """Earlier days of this week whose end nobody watched: they count as 0."""

    def equity(self, result: Decimal) -> Decimal | None:
        """Balance and open P&L together at a result of the day; None before a balance is known."""
        return None if self.opening is None else self.opening + self.carried + result


def past_of(
    days: Sequence[PastDay], seed: Seed | None, day: date, opening: Decimal | None, carried: Decimal
) -> Past:
    """Fold earlier days, oldest first, and the seed into what is known when ``day`` begins."""
    seed = seed or Seed()
    earlier = _completed([it for it in days if it.day < day], opening)
    later = [it for it in earlier if seed.as_of is None or it.day > seed.as_of]
    balances = [it.opening for it in later if it.opening is not None]
    if opening is not None:
        balances.append(opening)
    computed = max(balances, default=None)
    sown = _higher(seed.high_water, seed.starting_balance)
    high = _higher(sown, computed)
    this_week = [it for it in earlier if week_ends(it.day) == week_ends(day)]
    return Past(
        opening=opening,
        carried=carried,
        starting=seed.starting_balance,
        high=high,
        high_origin="operator" if high is not None and high == sown else "computed",
        high_told=seed.high_water is not None,
        best_day=max(
            [ZERO, seed.best_day or ZERO, *(it.net for it in later if it.net is not None)]
        ),
        week=sum((it.net for it in this_week if it.net is not None), ZERO),
        payout_taken=seed.payout_taken,
        missing=tuple(it.day for it in this_week if it.net is None),
    )


def _completed(days: Sequence[PastDay], opening: Decimal | None) -> list[PastDay]:
    """A day whose end nobody watched earned what the balance had moved by when somebody looked."""
    following = [*(it.opening for it in days[1:]), opening]
    pairs = zip(days, following, strict=False)
    return [_with_net(it, then) for it, then in pairs]


def _with_net(day: PastDay, then: Decimal | None) -> PastDay:
    if day.net is not None or day.opening is None or then is None:
        return day
    return evolve(day, net=then - day.opening)


def week_ends(day: date) -> date:
    """The Friday on which the week of a trading day ends; Sunday evening is Monday's."""
    return day + timedelta(days=(4 - day.weekday()) % 7)


@define
class Standing:
    """The past of one account and its peaks; a part of one account state."""

    past: Past = field(factory=Past)
    peaks: Peaks = field(factory=Peaks)

    def look(self, net: Decimal, floating: Decimal) -> None:
        """Raise the peaks by what is certain now: the day's net, and what of it all is open P&L."""
        equity = self.past.equity(net)
        closed = None if equity is None else equity - floating
        self.peaks = self.peaks.raised(net, equity, closed)

    def begin_day(self) -> None:
        """A new day: its own peak and balance begin anew, the peaks over all days stay."""
        self.past = evolve(self.past, opening=None)
        self.peaks = evolve(self.peaks, net=ZERO)
