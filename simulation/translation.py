"""What the exchange and the port say, in the words of the referee's own truth."""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime, time
from typing import Any

from broker.port import Done, NotExecuted, Refused, Unknown
from risk import domain
from risk.past import Seed
from risk.rules import (
    ConnectionLoss,
    Consistency,
    CooldownAfterLoss,
    DailyLoss,
    DailyProfit,
    FlatBy,
    MaxContracts,
    MaxContractsPerInstrument,
    MaxRiskPerTrade,
    NewsBlackout,
    NoStopLoss,
    Rule,
    ScalingPlan,
    Session,
    SymbolBlock,
    TradeFrequency,
    TrailingDrawdown,
    UnrealizedLoss,
    UnrealizedProfit,
    WeeklyLoss,
)
from simulation import hours
from simulation.allowances import PerRoot
from simulation.rulebook import rules_of, seed_of
from simulation.scaling import OPENING_BALANCE
from simulation.truth import DayLimit, Order, Terms, Trade


def terms_in(text: str) -> Terms:
    """The limits of rules as a scenario writes them."""
    return terms_of(rules_of(text), seed_of(text))


def terms_of(rules: Iterable[Rule], seed: Seed | None = None) -> Terms:
    """The limits of an account's rules, as numbers; ``seed``: what it is told of the days before."""
    terms: dict[str, Any] = {}
    limits: list[DayLimit] = []
    shut: list[hours.Hours] = []
    for rule in rules:
        match rule:
            case MaxContracts():
                terms |= {
                    "max_contracts": float(rule.limit),
                    "mini_equivalent": rule.count == "mini_equivalent",
                }
            case MaxContractsPerInstrument():
                limits_of = tuple((it, float(limit)) for it, limit in sorted(rule.limits.items()))
                terms |= {"per_root": PerRoot(limits_of, _other(rule.other))}
            case DailyLoss():
                terms |= {
                    "daily_loss": float(rule.limit - rule.buffer),
                    "realised": rule.basis == "realised",
                }
            case UnrealizedLoss():
                terms |= {
                    "unrealized_loss": float(rule.limit),
                    "total_unrealized": rule.scope == "total",
                }
            case SymbolBlock():
                terms |= {"blocked": frozenset(rule.symbols), "only": frozenset(rule.only)}
            case NoStopLoss():
                terms |= {
                    "grace": rule.grace.total_seconds(),
                    "uncovered_only": rule.close == "uncovered",
                }
            case UnrealizedProfit():
                terms |= {"unrealized_profit": float(rule.limit)}
            case DailyProfit(limit=limit) if limit is not None:
                limits.append(DayLimit(rule.name, float(limit)))
            case DailyProfit(above=above, keep=keep) if above is not None and keep is not None:
                terms |= {"give_back": (float(above), keep / 100)}
            case WeeklyLoss():
                limits.append(DayLimit(rule.name, -float(rule.limit)))
            case TrailingDrawdown():
                # Its only day begins flat, at the highest balance that anybody knows.
                limits.append(DayLimit(rule.name, -float(rule.amount - rule.margin)))
            case Consistency(share=share, action="lock") if seed and seed.starting_balance:
                before = OPENING_BALANCE - float(seed.starting_balance)
                # Its only day; none may earn more than its share while earlier ones have earned.
                if before > 0:
                    limits.append(DayLimit(rule.name, before * share / (100 - share)))
            case ScalingPlan():
                terms |= {
                    "steps": tuple((float(it.from_), float(it.max)) for it in rule.tiers),
                    "steps_in_minis": rule.count == "mini_equivalent",
                }
            case ConnectionLoss():
                terms |= {"watches_link": True}
            case CooldownAfterLoss():
                terms |= {
                    "tiers": tuple((float(it.loss), it.for_.total_seconds()) for it in rule.tiers),
                    "streaks": tuple((it.losses, it.for_.total_seconds()) for it in rule.streaks),
                }
            case MaxRiskPerTrade():
                terms |= {"max_risk": float(rule.limit)}
            case TradeFrequency():
                windows = (rule.minute, 60.0), (rule.hour, 3600.0), (rule.session, math.inf)
                terms |= {"entries": tuple((n, lasts) for n, lasts in windows if n is not None)}
            case FlatBy() | Session() | NewsBlackout():
                shut.append(_hours_of(rule))
            case _:
                raise TypeError(f"the referee does not know {rule.name}")
    return Terms(**terms, day_limits=tuple(limits), hours=tuple(shut))


def _other(other: object) -> float | None:
    """Contracts of each root that has no limit of its own; None: as many as one likes."""
    if isinstance(other, int):
        return float(other)
    return 0.0 if other == "block" else None


def _hours_of(rule: FlatBy | Session | NewsBlackout) -> hours.Hours:
    """In which nothing may be open."""
    match rule:
        case FlatBy():
            return hours.FlatBy(rule.time, rule.margin)
        case NewsBlackout():
            windows = (
                hours.Window(it.start, it.end, frozenset(it.roots)) for it in rule.file.event
            )
            return hours.News(tuple(windows))
        case Session():
            own = tuple((root, _clocks(it)) for root, it in sorted(rule.by_root.items()))
            return hours.Session(_clocks(rule.times), own, rule.days, rule.flatten_before_close)


def _clocks(ranges: Iterable[str]) -> tuple[hours.Clocks, ...]:
    """Of ``08:30-15:00``."""
    ends = (it.split("-") for it in ranges)
    return tuple((time.fromisoformat(start), time.fromisoformat(end)) for start, end in ends)


def order_of(payload: Mapping[str, Any]) -> Order:
    """An order of the exchange's wire."""
    return Order(
        payload["id"],
        payload["contractId"],
        1 if payload["side"] == 0 else -1,
        payload["size"] - payload["fillVolume"],
        payload["type"],
        payload["status"],
        payload["parentOrderId"],
        None if payload["stopPrice"] is None else float(payload["stopPrice"]),
    )


def told_order(order: domain.Order) -> Order:
    """An order as the daemon was told it."""
    return Order(
        order.id,
        order.contract_id,
        order.side.sign,
        order.remaining,
        order.type.value,
        order.status.value,
        order.parent_id,
        None if order.stop_price is None else float(order.stop_price),
    )


def trade_of(payload: Mapping[str, Any]) -> Trade:
    """A trade of the exchange's wire."""
    return Trade(
        payload["id"],
        payload["contractId"],
        payload["size"] * (1 if payload["side"] == 0 else -1),
        float(payload["price"]),
        float(payload["fees"]),
        datetime.fromisoformat(payload["creationTimestamp"]),
        payload["voided"],
        payload["orderId"],
    )


def told_trade(trade: domain.Trade) -> Trade:
    """A trade as the daemon was told it."""
    return Trade(
        trade.id,
        trade.contract_id,
        trade.size * trade.side.sign,
        float(trade.price),
        float(trade.fees or 0),
        trade.at,
        trade.voided,
        trade.order_id,
    )


def outcome_of(answer: object) -> str:
    """The word for what became of a request."""
    match answer:
        case Done():
            return "done"
        case Refused():
            return "refused"
        case NotExecuted():
            return "not executed"
        case Unknown():
            return "unknown"
        case _:
            return "lost"
