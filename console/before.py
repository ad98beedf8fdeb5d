"""How accounts were guarded earlier on this trading day: that holds on until the reset."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from attrs import evolve, frozen

from actors.daemon import GuardedGroup
from actors.older import Older
from config import AccountConfig, Config
from config.history import (
    OlderAccount,
    accounts_of,
    calendar_of,
    groups_of,
    in_force_since,
    template_of,
)
from risk.past import Seed, strictest
from risk.trading_day import TradingCalendar
from store.projection import AccountImage, Projection

LONGEST_DAY = timedelta(days=4)
"""No trading day is longer, that over a weekend neither."""
RESET_MOVED = (
    "the reset was moved today: this day ends when it was to, the next start after it moves it"
)
SEED_CHANGED = (
    "the seed was changed today: the stricter of both counts, the next start after the reset takes the "
    "new one alone"
)
CHANGED = "changed today: what was accepted before holds as well until the reset"

log = structlog.get_logger("seawall")


@frozen
class Before:
    """One account under earlier configurations of this day."""

    login: str
    older: Older
    seed: Seed | None = None
    """Of its past, as it was told otherwise; what is said now counts beside it."""


def older_today(config: Config, journal: Projection, now: datetime) -> Mapping[str, Before]:
    """By account, what earlier configurations of this day said otherwise than the present one.

    An account without a trade, a position or a lock today, as far as the journal knows, is exempt:
    its limits may be changed at once.
    """
    starts, ends = _today(config, now)
    present = {account.name: account for account in config.accounts}
    found: dict[str, Before] = {}
    for document in in_force_since(journal.configurations, starts):
        for account in _guarded_by(document, config, journal):
            _tell_lost(account.lost)
            name, login = account.name, account.login
            known = found.get(name) or Before(login, Older((), False, ends))
            more = _with(known, account, present.get(name) or config.adopt(name, login))
            if more != known and _was_busy(journal.account(account.name), starts):
                found[name] = more
    for name, before in found.items():
        log.warning(
            CHANGED,
            account=name,
            rules=", ".join(rule.name for rule in before.older.rules) or "none",
            until=ends.isoformat(),
        )
        if before.seed is not None and name in present:
            log.warning(SEED_CHANGED, account=name, until=ends.isoformat())
    return found


def calendar_today(config: Config, journal: Projection, now: datetime) -> TradingCalendar:
    """Where this day ends: as the oldest configuration said that was in force when it began.

    A reset that is moved would end the day of a bad morning early, and its limits with it.
    """
    accepted = journal.configurations
    for document in in_force_since(accepted, now - LONGEST_DAY):
        calendar = calendar_of(document)
        if calendar is None or calendar == config.calendar:
            continue
        day = calendar.day_of(now)
        starts = calendar.starts(day)
        busy = any(_was_busy(journal.account(it), starts) for it in journal.accounts)
        if busy and document in in_force_since(accepted, starts):
            log.warning(RESET_MOVED, until=calendar.ends(day).isoformat())
            return calendar
    return config.calendar


def older_groups(config: Config, journal: Projection, now: datetime) -> Iterator[GuardedGroup]:
    """Groups as earlier configurations of this day had them, where the present one differs.

    Exempt are those none of whose accounts has a trade, a position or a lock today.
    """
    starts, ends = _today(config, now)
    known = [(it.accounts, it.rules) for it in config.groups]
    for document in in_force_since(journal.configurations, starts):
        for group in groups_of(document):
            _tell_lost(group.lost)
            was = (group.accounts, group.rules)
            busy = any(_was_busy(journal.account(it), starts) for it in group.accounts)
            if was in known or not busy:
                continue
            known.append(was)
            log.warning(CHANGED, group=group.name, until=ends.isoformat())
            yield GuardedGroup(f"{group.name} as it was {len(known)}", *was, until=ends)


def _guarded_by(
    document: Mapping[str, Any], config: Config, journal: Projection
) -> Iterator[OlderAccount]:
    """The accounts that a document named, and those that it took in unnamed."""
    named = accounts_of(document, config.registry)
    yield from named
    template = template_of(document, config.registry)
    if template is not None:
        known = {account.name for account in named}
        yield from (evolve(template, name=it) for it in journal.accounts if it not in known)


def _today(config: Config, now: datetime) -> tuple[datetime, datetime]:
    day = config.calendar.day_of(now)
    return config.calendar.starts(day), config.calendar.ends(day)


def _tell_lost(rules: Iterable[str]) -> None:
    for name in rules:
        log.critical("a rule accepted earlier today cannot be read any more", rule=name)


def _with(before: Before, account: OlderAccount, present: AccountConfig | None) -> Before:
    """Add what an earlier configuration said and the present one does not."""
    older = before.older
    known = (*older.rules, *(() if present is None else present.rules))
    added = tuple(rule for rule in account.rules if rule not in known)
    disarmed = account.armed and (present is None or not present.armed)
    armed = older.armed or (account.armed and (disarmed or bool(added)))
    changed = present is None or account.seed != present.seed
    return evolve(
        before,
        older=evolve(older, rules=(*older.rules, *added), armed=armed),
        seed=strictest(before.seed, account.seed) if changed else before.seed,
    )


def _was_busy(image: AccountImage, day_starts: datetime) -> bool:
    traded = any(trade.at >= day_starts for trade in image.trades.values())
    return traded or bool(image.locks) or bool(image.open_at_start)
