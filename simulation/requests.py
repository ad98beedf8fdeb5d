"""Whether each request of the daemon was allowed, did only good, and was answered."""

import math
from collections.abc import Sequence

from attrs import define

from simulation.bench import Bench, Plea
from simulation.docket import Docket
from simulation.excuses import SNAPSHOTS_LAG, USUAL_ANSWER, Excuse, next_try
from simulation.invariants import (
    JUST_BEFORE,
    LOCK_KEYS,
    SHUT_RULES,
    SIZE_RULES,
    WITHIN,
    allows_cancel,
    allows_close,
    allows_uncovered,
)
from simulation.sizes import asked_for
from simulation.truth import STOPS, Key, Order

REVERSAL_WITHIN = 1.5
"""Seconds in which a life that a race with our close began is seen and closed (2: within 1 s)."""
ACCEPTS_AGAIN = 4.0
"""With the second that a refusal leaves: 5 s after a broker that refused accepts again (1)."""
TOLD_ON_WITHIN = 0.01
"""Seconds until enforcement knows what the account was told: it follows 5 ms after the judgement."""
SETTLED_WITHIN = 0.5
"""Seconds from a position in an answer to the account's believing it: 150 ms of settling, and a round."""


GIVEN_UP_AFTER = 0.5
"""Seconds at least: a flatten waits no longer for a partial close that is under way (GATEWAY 4.5)."""


@define(eq=False)
class Requests:
    """Judges closes and cancellations."""

    _bench: Bench

    def asked(self, account: int, kind: str, target: str, size: int = 0) -> Plea:
        """The daemon asks for a ``close``, ``partial_close`` (a contract) or ``cancel`` (an order)."""
        docket = self._bench.dockets[account]
        # Several messages are handled in an instant before what they ask for is carried out.
        left_behind = self._bench.now <= docket.orphans_until
        asked = Plea(docket, kind, target, self._bench.now, orphaned=left_behind)
        self._bench.under_way.append(asked)
        docket.excuses.begin(Excuse.ASKED, self._bench.now)
        docket.look(self._bench.now)
        keys = docket.breaches(self._bench.now - JUST_BEFORE)
        if docket.locked:
            keys |= {("lock", "")}
        match kind:
            case "close":
                allowed = self._may_close(docket, target, keys)
            case "partial_close":
                allowed = self._may_reduce(docket, target, size, keys)
            case _:
                allowed = self._may_cancel(docket, int(target), keys)
        if not allowed:
            self._bench.accuse(
                11,
                docket,
                f"{kind} of {target} {size or ''} without a breach {self._bench.scene(docket)}",
            )
        ghosts = self._ghosts(docket)
        sized = any(it.excess(docket.told, ghosts) for it in docket.sizes.caps)
        only_locks = not (docket.locked or sized) and all(
            key in LOCK_KEYS or key[0] in WITHIN for key in keys
        )
        known = kind != "cancel" and docket.reason_for.get(target) == docket.life(target)
        if allowed and only_locks and keys & LOCK_KEYS and not known:
            self._bench.accuse(4, docket, f"{kind} of {target} before the lock that goes with it")
        if kind == "close" and ("no_stop_loss", target) in keys:
            self._bench.coverage.saw("close for want of a stop")
        if kind == "close" and allowed and docket.life(target):
            docket.reason_for[target] = docket.life(target)
            docket.closing[target] = docket.true.held[target].net, self._bench.now
        return asked

    def _may_close(self, docket: Docket, contract: str, keys: frozenset[Key]) -> bool:
        life = docket.life(contract)
        if not life:
            return True  # it can do nothing
        if allows_close(keys, contract) or docket.reason_for.get(contract) == life:
            return True
        held = docket.true.held[contract]
        raced = self._bench.now - held.since <= REVERSAL_WITHIN + USUAL_ANSWER
        if raced and held.since - docket.closed_at.get(contract, -math.inf) <= REVERSAL_WITHIN:
            self._bench.coverage.saw("position reversed by a race")
            return True
        if self._was_bare(docket, contract):
            return True
        since = self._bench.now - JUST_BEFORE
        pauses = docket.pauses
        if pauses.allow(contract, abs(held.net), since) or pauses.allow_all(contract):
            return True
        ghosts = self._ghosts(docket)
        if not any(rule in SIZE_RULES for rule, _ in keys) and not ghosts:
            return False
        told, caps = docket.told.held.get(contract), docket.sizes.caps
        return docket.sizes.may_close(contract, abs(held.net), since) or (
            told is not None and asked_for(caps, docket.told, contract, abs(told.net), ghosts)
        )

    def _was_bare(self, docket: Docket, contract: str) -> bool:
        """Its grace is over, but for more contracts in an answer whose reading has not settled."""
        due, told_at = docket.grown.get(contract, (math.inf, -math.inf))
        unsettled = docket.excuses.until.get(Excuse.UNSETTLED, -math.inf)
        over = due <= self._bench.now + JUST_BEFORE
        return over and self._bench.now <= max(told_at + SETTLED_WITHIN, unsettled)

    def _ghosts(self, docket: Docket) -> dict[str, int]:
        """Lots by contract that an answer has taken away, but whose reading has not settled."""
        return {
            contract: abs(net)
            for contract, (net, _) in docket.taken.items()
            if self._is_unsettled(docket, contract) and contract not in docket.told.held
        }

    def _is_unsettled(self, docket: Docket, contract: str) -> bool:
        """An answer had it no more, which may be believed by now, or not yet."""
        if contract not in docket.taken:
            return False
        _, at = docket.taken[contract]
        unsettled = docket.excuses.until.get(Excuse.UNSETTLED, -math.inf)
        return max(at + SETTLED_WITHIN, unsettled) >= self._bench.now

    def _too_much_with_ghosts(self, docket: Docket, contract: str) -> frozenset[Key]:
        """Caps of a contract that are broken if what an answer has taken away is still there."""
        ghosts = self._ghosts(docket)
        if not ghosts:
            return frozenset()
        root = self._bench.instruments[contract].root
        caps = (it for it in docket.sizes.caps if it.weight(root))
        return frozenset((it.rule, contract) for it in caps if it.excess(docket.told, ghosts))

    def _may_reduce(self, docket: Docket, contract: str, size: int, keys: frozenset[Key]) -> bool:
        if contract not in docket.true.held:
            return True
        bare = ("no_stop_loss", contract) in keys
        if bare and allows_uncovered(docket.true, docket.terms, contract, size):
            return True
        since = self._bench.now - JUST_BEFORE
        return (
            docket.sizes.may_close(contract, size, since)
            or docket.pauses.allow(contract, size, since)
            or asked_for(docket.sizes.caps, docket.told, contract, size, self._ghosts(docket))
        )

    def _may_cancel(self, docket: Docket, order_id: int, keys: frozenset[Key]) -> bool:
        order = docket.true.orders.get(order_id)
        if order is None or order_id in docket.rightly_cancelled:
            return True
        closed = order.contract in docket.closed_at
        told, held = docket.told.held.get(order.contract), docket.true.held.get(order.contract)
        # Late word of a life that is over may come after its end: what is held now was not told yet.
        flat = held is None or told is None or told.id != held.id
        flat = flat or self._has_outlived_its_position(docket, order)
        fresh = told is not None and self._bench.now - told.since < SETTLED_WITHIN
        if fresh and any((it, order.contract) in keys for it in sorted(SHUT_RULES)):
            return True  # while its position was unknown, the order stood alone in a forbidden contract
        turned = held is not None and self._bench.now - held.since <= JUST_BEFORE
        # What an answer has taken away may be believed to be gone, or still to be there.
        turned = turned or self._is_unsettled(docket, order.contract)
        keys |= self._too_much_with_ghosts(docket, order.contract)
        books = docket.true, docket.told
        # In a forbidden contract a child that its entry has left behind goes as well.
        root = self._bench.instruments[order.contract].root
        closed = closed or docket.terms.forbids(root) or docket.closures.shuts(root)
        if (closed and flat) or allows_cancel(books, keys, order, turned=turned):
            docket.rightly_cancelled.add(order_id)
            return True
        return False

    def _has_outlived_its_position(self, docket: Docket, order: Order) -> bool:
        """The contract was flat just now, and this order is no protection of the new position."""
        held = docket.true.held[order.contract]
        protects = order.sign * held.net < 0 and order.type in STOPS
        age = self._bench.now - held.since
        told = docket.told.held.get(order.contract)
        known = age if told is None or told.id != held.id else self._bench.now - told.since
        return known <= TOLD_ON_WITHIN or (age <= JUST_BEFORE and not protects)

    def arrived(self, account: int, kind: str, target: str) -> None:
        """The exchange has got a request of ours."""
        for asked in self._pleas_of(account, kind, target):
            asked.arrived = True

    def executed(
        self, account: int, kind: str, target: str, size: int, opened: Sequence[str], accepted: bool
    ) -> None:
        """The exchange carried a request of ours out, or refused it by its own rules.

        ``opened``: half-turns with which it opened something.
        """
        docket = self._bench.dockets.get(account)
        if docket is None:
            return
        for what in opened:
            self._bench.accuse(2, docket, f"{kind} of {target} opened {what}")
        if not accepted:
            return
        for asked in self._pleas_of(account, kind, target):
            asked.executed = True
        self._bench.coverage.saw(f"{kind.replace('_', ' ')} executed")
        if kind == "partial_close":
            self._reduced(docket, target, size)

    def _pleas_of(self, account: int, kind: str, target: str) -> list[Plea]:
        return [
            it
            for it in self._bench.under_way
            if (it.docket.id, it.kind, it.target) == (account, kind, target)
        ]

    def _reduced(self, docket: Docket, contract: str, size: int) -> None:
        # What was right by all that had been told may turn out to be too much.
        hearsay = docket.excuses.standing[Excuse.UNTOLD_POSITION] > 0
        # One that a dead process had sent is nobody's plea any more; it had 10 s at most.
        under_way = self._pleas_of(docket.id, "partial_close", contract)
        since = min((it.at for it in under_way), default=self._bench.now - 10.0)
        fits = hearsay or docket.sizes.may_close(contract, size, since - JUST_BEFORE)
        bare = ("no_stop_loss", contract) in docket.breaches(since - JUST_BEFORE)
        fits = fits or (docket.terms.uncovered_only and bare)
        fits = fits or docket.pauses.allow(contract, size, since - JUST_BEFORE)
        docket.sizes.closes(contract, size, self._bench.now)
        docket.pauses.closes(contract, size)
        if not fits:
            self._bench.accuse(
                3, docket, f"{size} of {contract} closed, more than was ever too many"
            )
        docket.look(self._bench.now)

    def answered(self, asked: Plea, outcome: str) -> None:
        """A request was answered, as the daemon sees it.

        ``done``, ``refused``, ``not executed``, ``unknown``; ``lost``: nobody waits for it any more.
        """
        if asked.over:
            return
        asked.over = True
        self._bench.under_way.remove(asked)
        docket, excuses = asked.docket, asked.docket.excuses
        self._bench.coverage.requests[f"{asked.kind} {outcome}"] += 1
        excuses.end(Excuse.ASKED, self._bench.now, unless_shorter=USUAL_ANSWER)
        if outcome == "unknown":
            self._bench.coverage.saw(
                f"request unknown and {'' if asked.executed else 'not '}executed"
            )
        elif outcome in ("refused", "not executed"):
            self._bench.coverage.saw(f"request {outcome}")
            self._bench.no_race(docket, asked.target)
        late = docket.given_up and self._bench.now - asked.at >= GIVEN_UP_AFTER
        if late and outcome != "lost":
            docket.given_up -= 1
        elif outcome != "lost" and not asked.orphaned:
            docket.answered.append(self._bench.now)
            self._bench.owes_records(docket)
        if outcome == "done":
            # A broker that accepts again is not waited for like one that refuses: its next
            # refusal is the second, with the pause of a second.
            if docket.failures.get(asked.target):
                docket.failures[asked.target] = 1
                excuses.lasts(Excuse.REFUSED, self._bench.now + ACCEPTS_AGAIN)
            if asked.kind == "partial_close" and excuses.standing[Excuse.UNTOLD_POSITION]:
                # What a read shows may be older than the close: not believed for two seconds.
                excuses.lasts(Excuse.UNPROVEN, asked.at + SNAPSHOTS_LAG)
        else:
            failures = docket.failures[asked.target] = docket.failures.get(asked.target, 0) + 1
            excuses.lasts(Excuse.REFUSED, self._bench.now + next_try(failures) + 0.05)
        self._bench.deadlines_again(docket)
