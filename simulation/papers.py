"""What the daemon writes down and says of itself: locks, audit records, resets, its own picture."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import Factory, define, field

from simulation.bench import Bench
from simulation.docket import Docket
from simulation.excuses import Aspect, Excuse
from simulation.invariants import HOURS_RULES, JUST_BEFORE, allows_close, money_breaches
from simulation.knowledge import QUOTED_EVERY, WIDE_TICKS
from simulation.links import Links
from simulation.trading_days import FOR_GOOD, day_name, next_reset, week_end
from simulation.truth import Held

CLOCKS_DIFFER = 2.0
"""Seconds by which the machine's clock and the broker's may differ unnoticed."""
LOCK_ENDS_WITHIN = 3.0
"""Seconds from a lock's end until it is gone: a look each second, and the clocks' difference."""
SYNCED_WITHIN = 1.0
"""Seconds after which a lock must survive a power cut: gathered for 20 ms, then one commit."""
NO_ANSWER = "no answer in time"
"""In the record of a request that was given up."""
ONE_CENT = 0.0101
STALE_AFTER = 60.0
"""Seconds after which a quote gives way to the close of the newest 1-minute bar (RULES 0)."""
BUT_PRICES = frozenset(Aspect) - {Aspect.PRICES}
DARK_WITHIN = 2.0
"""Seconds from the news that the hub is down until the account says that it is not live."""
FOLLOWS_WITHIN = 0.1
"""Seconds in which the price of something newly held is asked for, and arrives."""
LIVENESS_WITHIN = 75.0
"""Seconds after all trouble in which everything runs and is live: 30 s of being set aside or between
two tries, an audit every 30 s, and what follows."""

type DiskRecord = tuple[str, str | None, Mapping[str, Any]]
"""Kind, account, body."""


@define(eq=False)
class Papers:
    """Judges records and pictures."""

    _bench: Bench
    _links: Links = Factory(lambda self: Links(self._bench), takes_self=True)
    _intents: dict[str, Mapping[str, Any]] = field(factory=dict)
    """Their violations, by id."""
    _outcomes: set[tuple[int, str, int]] = field(factory=set)
    """(life, intent, request) that were recorded."""

    def recorded(
        self, kind: str, account: str | None, body: Mapping[str, Any], *, spooled: bool = True
    ) -> None:
        """The daemon has given a record to its journal; ``spooled``: to the operating system."""
        docket = self._bench.named(account)
        if docket is None:
            return
        match kind:
            case "lock":
                if not spooled:  # its close would leave before it
                    self._bench.accuse(4, docket, f"the lock of {body['rule']} is only in memory")
                self._lock_recorded(docket, body)
            case "intent":
                self._intent_recorded(docket, body)
            case "outcome":
                self._outcome_recorded(docket, body)
            case "alert":
                self._links.alerted(docket, body)
            case "reset":
                self._reset_recorded(docket, body)
            case "opening":
                self._opening_recorded(docket, body)
            case _:
                pass

    # ---- what a death leaves ------------------------------------------------------------------

    def life_ended(self, on_disk: Iterable[DiskRecord]) -> None:
        """The process is dead: resets that no disk has were not made; locks must be there."""
        found = list(on_disk)
        self._keep_resets(found)
        self._compare_locks(found, power=False)

    def power_cut(self, on_disk: Iterable[DiskRecord]) -> None:
        """What was never synced may be gone too."""
        found = list(on_disk)
        self._keep_resets(found)
        self._compare_locks(found, power=True)

    def _keep_resets(self, found: Iterable[DiskRecord]) -> None:
        """Who finds no reset does not know at what prices the day began: the bar tells it."""
        self._bench.resets = {
            (account, str(body["day"]))
            for kind, account, body in found
            if kind == "reset" and account
        }
        today = day_name(self._bench.wall())
        opened = {it for kind, it, body in found if kind == "opening" and str(body["day"]) == today}
        for docket in self._bench.dockets.values():
            docket.scaling.begun(today if docket.name in opened else "")
            docket.rescale(self._bench.now)
            if docket.true.begun and (docket.name, today) not in self._bench.resets:
                docket.estimated, docket.told.begun = True, {}
                docket.told.fold()

    def _compare_locks(self, found: Sequence[DiskRecord], *, power: bool) -> None:
        kept: dict[str, set[tuple[str, datetime]]] = {}
        for kind, account, body in found:
            lock = (
                body if kind == "lock" else body["violation"]["lock"] if kind == "intent" else None
            )
            if lock is not None and account is not None:
                key = str(lock["rule"]), datetime.fromisoformat(str(lock["until"]))
                kept.setdefault(account, set()).add(key)
        for docket in self._bench.dockets.values():
            self._locks_on_disk(docket, kept.get(docket.name, set()), power=power)

    def _lock_recorded(self, docket: Docket, body: Mapping[str, Any]) -> None:
        key = str(body["rule"]), datetime.fromisoformat(str(body["until"]))
        if key[1] <= self._bench.wall() - timedelta(seconds=CLOCKS_DIFFER):
            return
        if key in docket.locks:
            if key not in docket.unwritten:
                self._bench.accuse(4, docket, f"locked for {key[0]} again: the lock was forgotten")
            return
        self._bench.coverage.saw("lock set")
        if next_reset(self._bench.wall()) - self._bench.wall() < timedelta(minutes=1):
            self._bench.coverage.saw("lock within a minute of a reset")
        if self._bench.disk_refuses():
            docket.unwritten.add(key)
            self._bench.coverage.saw("lock on a disk that refuses")
        if key not in docket.locks:
            docket.look(self._bench.now)
            keys = docket.breaches(self._bench.now - JUST_BEFORE)
            in_truth = money_breaches(docket.true, docket.terms, self._bench.true_prices)
            if (key[0], "") not in {*keys, *in_truth}:
                self._bench.accuse(
                    11, docket, f"locked for {key[0]} without a breach {self._bench.scene(docket)}"
                )
            # A drawdown that reached the floor itself, not only its buffer, waits for a new seed.
            for_good = key[0] == "trailing_drawdown" and key[1].year == FOR_GOOD
            expected = self._ends_of_locks(docket, key[0])
            if key[1] not in expected and not for_good:
                until = " or ".join(map(str, sorted(expected))) or "any time"
                self._bench.accuse(4, docket, f"locked until {key[1]}, not until {until}")
        docket.locks[key] = self._bench.now
        self._bench.lock_state(docket)
        left = (key[1] - self._bench.wall()).total_seconds()
        self._bench.wake(self._bench.now + left, docket)

    def _ends_of_locks(self, docket: Docket, rule: str) -> set[datetime]:
        if rule in HOURS_RULES:
            return docket.closures.ends_of_locks(rule)
        ends = week_end if rule == "weekly_loss" else next_reset
        return {ends(self._bench.wall())}

    def _locks_on_disk(
        self, docket: Docket, found: set[tuple[str, datetime]], *, power: bool
    ) -> None:
        """What a restart finds; each lock that is gone was lost, which only a power cut may do."""
        for key, since in list(docket.locks.items()):
            if key in found or key[1] <= self._bench.wall():
                continue
            promised = not power or self._bench.now - since > SYNCED_WITHIN
            if promised and key not in docket.unwritten:
                self._bench.accuse(
                    4, docket, f"the lock of {key[0]} until {key[1]} is gone from the disk"
                )
            del docket.locks[key]
        self._bench.lock_state(docket)

    def _intent_recorded(self, docket: Docket, body: Mapping[str, Any]) -> None:
        violation = body["violation"]
        self._intents[str(body["id"])] = violation
        missing = [it for it in ("rule", "observed", "limit", "reason") if not violation.get(it)]
        if missing and violation.get("observed") != "0":
            self._bench.accuse(7, docket, f"intent {body['id']} does not say {', '.join(missing)}")
        action = body["action"]
        if action["type"] == "close":
            self._close_intended(docket, str(action["contract_id"]))

    def _close_intended(self, docket: Docket, contract: str) -> None:
        """Its request may be lost before anybody sees it: what it was decided for stands all the same."""
        life = docket.life(contract)
        if life and allows_close(docket.breaches(self._bench.now - JUST_BEFORE), contract):
            docket.reason_for[contract] = life

    def _outcome_recorded(self, docket: Docket, body: Mapping[str, Any]) -> None:
        intent, request = str(body["intent"]), int(body["request"])
        if intent not in self._intents:
            self._bench.accuse(
                7, docket, f"an answer is recorded for {intent}, which nobody recorded"
            )
        key = (self._bench.life, intent, request)
        if key in self._outcomes:
            self._bench.accuse(
                7, docket, f"the answer to request {request} of {intent} is recorded twice"
            )
        self._outcomes.add(key)
        if NO_ANSWER in str(body["outcome"]):
            docket.given_up += 1  # should the answer come yet, that was its record
        elif docket.answered:
            docket.answered.popleft()
        self._bench.owes_records(docket)

    def _reset_recorded(self, docket: Docket, body: Mapping[str, Any]) -> None:
        key = docket.name, str(body["day"])
        if key in self._bench.resets:
            self._bench.accuse(8, docket, f"{key[1]} was begun twice")
        self._bench.resets.add(key)
        self._bench.coverage.saw("day turned")
        docket.scaling.begun(key[1])
        docket.rescale(self._bench.now)
        self._bench.expect_reset(docket)
        self._bench.lock_state(docket)

    def _opening_recorded(self, docket: Docket, body: Mapping[str, Any]) -> None:
        """With what balance the day began; a day of the past is past."""
        day, began_with = str(body["day"]), docket.scaling.began_with
        if day != day_name(self._bench.wall()):
            return
        if abs(float(body["balance"]) - began_with) > ONE_CENT:
            text = f"{day} began with {began_with:.2f}, written down as {body['balance']}"
            self._bench.accuse(5, docket, text)
        docket.scaling.written(day)
        docket.rescale(self._bench.now)

    def pictured(self, account: str, status: Mapping[str, Any]) -> None:
        """What the account actor says of itself, now."""
        docket = self._bench.named(account)
        assert docket is not None
        docket.phase = str(status.get("phase", ""))
        before, docket.reconciles = docket.reconciles, int(status.get("reconciles", 0))
        if docket.reconciles > before:
            # It was live since the last look, and may be reading again for another reason.
            docket.obliges(("live", ""), False, self._bench.now)
        docket.obliges(("live", ""), docket.phase != "live", self._bench.now)
        if docket.phase == "live":
            self._links.seen_live(docket)
        self._bench.lock_state(docket)
        self._not_in_the_dark(docket)
        followed = self._bench.now - docket.moved_at > FOLLOWS_WITHIN
        if docket.phase != "live" or not followed or self._bench.is_busy(docket):
            return
        since = min((self._bench.told_at.get(it, 0.0) for it in docket.true.held), default=0.0)
        # After a fill of an older quote's time its price may count instead.
        settled = since > docket.moved_at
        if settled and docket.excuses.deadline(self._bench.now, BUT_PRICES) <= self._bench.now:
            self._same_told_day(docket, status)
        if not docket.excuses.quiet_since(self._bench.now):
            return
        self._same_positions(docket, status)
        self._same_locks(docket, status)
        self._same_day(docket, status)

    def _not_in_the_dark(self, docket: Docket) -> None:
        """Who hears nothing must not say that it watches, whatever it still knows."""
        excuses, now = docket.excuses, self._bench.now
        handled = (Excuse.CRASHED, Excuse.PARKED, Excuse.SUSPENDED, Excuse.BUSY)
        deaf = [it for it in (Excuse.HUB_DOWN, Excuse.NO_SESSION) if excuses.standing[it]]
        since = min((excuses.since[it] for it in deaf), default=now)
        since = max(since, self._bench.slept[0])  # who sleeps says nothing
        dark = now - since > DARK_WITHIN and not any(excuses.standing[it] for it in handled)
        if docket.phase != "live" or not dark:
            self._bench.settled(docket, "dark")
        elif not self._bench.is_busy(docket):
            text = (
                f"says that it is live, and was told at {since:.3f} that its hub or session is gone"
            )
            self._bench.accuse(5, docket, text, once="dark")

    def _same_positions(self, docket: Docket, status: Mapping[str, Any]) -> None:
        believed = {str(it["contract"]): int(it["net"]) for it in status["positions"]}
        held = {contract: held.net for contract, held in docket.true.held.items()}
        if believed != held:
            text = f"holds {held}, believed {believed}"
            self._bench.accuse(5, docket, text, once="positions")
        else:
            self._bench.settled(docket, "positions")

    def _same_day(self, docket: Docket, status: Mapping[str, Any]) -> None:
        net, truth = float(status["net"]), docket.true.day(self._bench.true_prices)
        ages = [self._bench.now - self._bench.told_at.get(it, 0.0) for it in docket.true.held]
        # At the very instant of a quote the account may have it in its mailbox yet.
        priced = all(FOLLOWS_WITHIN < age < STALE_AFTER for age in ages)
        if abs(net - truth) > ONE_CENT and priced and not docket.estimated:
            text = f"the day is {truth:.2f}, believed {net:.2f} {self._bench.scene(docket)}"
            self._bench.accuse(5, docket, text, once="day")
        else:
            self._bench.settled(docket, "day")

    def _same_told_day(self, docket: Docket, status: Mapping[str, Any]) -> None:
        """While the newest price is untold the day is worth what was told, side by side."""
        bench, told = self._bench, docket.told
        if docket.estimated or not all(self._is_told(*it) for it in docket.true.held.items()):
            return
        net, day = float(status["net"]), told.day(bench.told_prices)
        if abs(net - day) > ONE_CENT:
            text = f"the day is {day:.2f} by what was told, believed {net:.2f}"
            bench.accuse(5, docket, f"{text} {bench.scene(docket)}", once="told day")
        else:
            bench.settled(docket, "told day")

    def _is_told(self, contract: str, held: Held) -> bool:
        """Quotes have said what a position is worth, and nobody need doubt them."""
        bench = self._bench
        bid, ask = bench.told_prices.get(contract, (0.0, 0.0))
        side = "bid" if held.net > 0 else "ask"
        age = bench.now - bench.told_at.get(contract, -math.inf)
        likely = 0.0 < ask - bid <= WIDE_TICKS * bench.instruments[contract].tick
        likely = likely and side not in bench.unsure.get(contract, ())
        return likely and FOLLOWS_WITHIN < age < QUOTED_EVERY

    def _same_locks(self, docket: Docket, status: Mapping[str, Any]) -> None:
        shown = {
            (str(it["rule"]), datetime.fromisoformat(str(it["until"]))) for it in status["locks"]
        }
        wall = self._bench.wall()
        late = timedelta(seconds=LOCK_ENDS_WITHIN)
        for rule, until in sorted(shown - docket.locks.keys()):
            if until < wall - late:
                text = f"still locked by {rule}, which ended at {until}"
                self._bench.accuse(4, docket, text, once=f"late {until}")
            elif until > wall and not self._bench.disk_refuses():
                text = f"locked by {rule} until {until}, but no disk has it"
                self._bench.accuse(4, docket, text, once=f"unwritten {until}")
        early = timedelta(seconds=CLOCKS_DIFFER)
        for rule, until in sorted(docket.locks.keys() - shown):
            if until > wall + early:
                text = f"the lock of {rule} until {until} is not held"
                self._bench.accuse(4, docket, text, once=f"lost {until}")

    def mail(self, path: str, accepted: int, accounted: int) -> None:
        """A reference's messages at rest: accepted, and handled + conflated + queued + dead."""
        if accepted != accounted:
            self._bench.accuse(
                9, path, f"{accepted} messages were accepted, {accounted} accounted for"
            )

    def finish(self, healed_for: float, restless: Iterable[str]) -> None:
        """The run is over; after so many quiet seconds everything must be well again."""
        coverage = self._bench.coverage
        for docket in self._bench.dockets.values():
            self._bench.judge(docket)
            coverage.breaches += docket.counts
            coverage.sometimes["trades and positions told apart"] += docket.told_apart
            if healed_for >= LIVENESS_WITHIN and docket.phase != "live":
                text = f"not live {healed_for:.0f} s after all trouble: {docket.phase or 'unknown'}"
                self._bench.accuse(5, docket, text)
        for path in restless if healed_for >= LIVENESS_WITHIN else ():
            self._bench.accuse(5, path, f"not running {healed_for:.0f} s after all trouble")
