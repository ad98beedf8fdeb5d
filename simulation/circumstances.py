"""What the daemon can be excused by: lives, actors, links, and answers that do not come."""

import math
from collections.abc import Callable

from attrs import Factory, define, field

from simulation.bench import Bench
from simulation.docket import FORGIVEN, SOON_AFTER, Docket
from simulation.excuses import USUAL_ANSWER, Excuse
from simulation.links import Links
from simulation.trading_days import day_name

HUNG = 8.0
"""Seconds at most until a handler that does not come back is ended: 5, looked at every 2.5."""
COMPARED_EVERY = 15.0
"""Seconds within which a clock that has slept is found to be slow, by the broker's."""


@define(eq=False)
class Circumstances:
    """Begins and ends excuses."""

    _bench: Bench
    links: Links = Factory(lambda self: Links(self._bench), takes_self=True)
    _crashed: set[tuple[int, str]] = field(factory=set)
    _parked: dict[str, str] = field(factory=dict)
    """The path that was set aside, by the account that nobody guards meanwhile."""
    """Life and path of actors that have fallen and not risen yet."""

    # ---- the way to the broker ----------------------------------------------------------------

    def session(self, login: str, *, opened: bool) -> None:
        """A login has a session, or has lost it."""
        for docket in self._bench.of_login(login):
            if docket.excuses.hold(Excuse.NO_SESSION, not opened, self._bench.now):
                self._bench.deadlines_again(docket)

    def hub(self, login: str, *, up: bool) -> None:
        """The user hub of a login came up or went down, as the daemon was told."""
        for docket in self._bench.of_login(login):
            if up or not docket.excuses.standing[Excuse.HUB_DOWN]:
                self.links.changed(docket, up=up)
            came = docket.excuses.hold(Excuse.HUB_DOWN, not up, self._bench.now)
            # What was said meanwhile is known only to who asks for it.
            docket.obliges(("unread", ""), False, self._bench.now)
            docket.obliges(("unread", ""), up, self._bench.now)
            if came:
                docket.excuses.ends(Excuse.REFUSED, self._bench.now)
            if came and docket.working():
                self._bench.coverage.saw("reconnect during flatten")
            if not up and docket.in_breach():
                self._bench.coverage.saw("breach while the hub was down")
            if came:
                self._bench.deadlines_again(docket)

    def unreadable(self, login: str) -> None:
        """Something without meaning came on the user hub."""
        for docket in self._bench.of_login(login):
            docket.excuses.lasts(Excuse.UNREADABLE, self._bench.now)
            docket.obliges(("unread", ""), True, self._bench.now)

    def reading(
        self, account: int | None, login: str, contract: str = ""
    ) -> Callable[[bool], None]:
        """A read is under way; call the answer with whether it succeeded.

        With a contract it is about a price, which concerns who carried that into the day.
        """
        concerned = [
            it
            for it in self._bench.of_login(login)
            if account in (None, it.id) and (not contract or contract in it.true.begun)
        ]
        began, life = self._bench.now, self._bench.life
        for docket in concerned:
            docket.excuses.begin(Excuse.READ_SLOW, began)

        def ended(succeeded: bool) -> None:
            if life != self._bench.life:
                return
            for docket in concerned:
                excuses = docket.excuses
                slow = excuses.end(Excuse.READ_SLOW, self._bench.now, unless_shorter=USUAL_ANSWER)
                if not succeeded:
                    self._bench.coverage.saw("read failed")
                    excuses.lasts(Excuse.READ_FAILED, self._bench.now + 5.0)
                if slow:
                    self._bench.deadlines_again(docket)

        return ended

    def life_begun(self) -> None:
        """A daemon is up; its hubs may have been so before all of its actors were."""
        if self._bench.life and any(it.in_breach() for it in self._bench.dockets.values()):
            self._bench.coverage.saw("breach while no daemon ran")
        for docket in self._bench.dockets.values():
            docket.excuses.end(Excuse.DEAD, self._bench.now)
            docket.scaling.begun(day_name(self._bench.wall()))
            docket.rescale(self._bench.now)
            self._bench.expect_reset(docket)
            self._bench.changed(docket)
            self._bench.deadlines_again(docket)

    def life_ended(self) -> None:
        """The daemon's process is gone; whatever is told from now on is of the next one."""
        self._bench.life += 1
        if self._bench.under_way:
            self._bench.coverage.saw("kill with a request under way")
        if any(it.in_breach() for it in self._bench.dockets.values()):
            self._bench.coverage.saw("kill with a breach open")
        self._bench.told_prices.clear()
        self._parked.clear()
        self._bench.untold.update(self._bench.true_prices)
        for docket in self._bench.dockets.values():
            docket.excuses.no_daemon(self._bench.now)
            docket.answered.clear()
            docket.given_up = 0
            docket.orphans, docket.orphans_until = -1, -math.inf
            docket.phase = ""
            docket.obliges(("audit", ""), False, self._bench.now)
            docket.obliges(("live", ""), False, self._bench.now)
            docket.obliges(("unread", ""), False, self._bench.now)
            self._bench.forget_races(docket)
            self._forget(docket)
        self._bench.under_way.clear()

    def _forget(self, docket: Docket, forgiven: float = FORGIVEN) -> None:
        if ("reset", "") in docket.open and docket.true.begun:
            # It died before it could write down what the day began with.
            docket.estimated = True
        docket.told.settle_covers(self._bench.now)
        woken, seconds = self._bench.slept
        if self._bench.now - woken < FORGIVEN:
            forgiven += seconds  # in which nothing was written down
        docket.told.forget(math.inf if self._bench.disk_refuses() else forgiven)
        docket.untold_trades = set(docket.true.trades)
        docket.raced.clear()
        docket.retreat.forget()
        self.links.forget(docket)
        self._bench.changed(docket)

    def crashed(self, path: str, injected: bool, error: str) -> None:
        """An actor's incarnation ended with an error."""
        part = path.rsplit("/", 1)[-1]
        self._crashed.add((self._bench.life, path))
        if not injected:
            self._bench.accuse(10, path, f"crashed by itself: {error}")
        if part == "price cache":
            # The quote in its hand is lost with it; the next one of the contract tells more.
            self._bench.untold.update(self._bench.true_prices)
            self._bench.unsure = {it: {"bid", "ask"} for it in self._bench.true_prices}
        for docket in self._concerned(path):
            under_way = [it for it in self._bench.under_way if it.docket is docket]
            if under_way:
                self._bench.coverage.saw("crash with a request under way")
            docket.excuses.hold(Excuse.CRASHED, True, self._bench.now)
            if "HandlerStuck" in error:
                # Until now, and its mail comes next.
                docket.excuses.lasts(Excuse.BUSY, self._bench.now)
            if part == "connection":
                docket.excuses.hold(Excuse.NO_SESSION, True, self._bench.now)
                docket.excuses.hold(Excuse.HUB_DOWN, True, self._bench.now)
            if part == "rules":
                self.links.forget(docket)
            if part == "account":
                # One that hung has written nothing down until it was ended.
                self._forget(docket, FORGIVEN + (HUNG if "HandlerStuck" in error else 0.0))
            if part == "enforcement":
                self._leaves_orphans(docket)
            if part == "price cache":
                self._bench.changed(docket)
            else:
                self._bench.forget_races(docket)
            if part in ("enforcement", "connection", "store"):
                self._answers_are_lost(docket)

    def _leaves_orphans(self, docket: Docket) -> None:
        """What its enforcement has left in the connection's queue is answered to nobody."""
        handled, queued = self._bench.mail_of(docket)
        docket.orphans = handled + queued + 1  # with the one in its hand
        docket.orphans_until = math.inf

    def _answers_are_lost(self, docket: Docket) -> None:
        """Nobody writes down what becomes of the requests that are under way."""
        for plea in self._bench.under_way:
            if plea.docket is docket:
                plea.orphaned = True
        docket.answered.clear()
        docket.given_up = 0
        docket.obliges(("audit", ""), False, self._bench.now)

    def started(self, path: str) -> None:
        """An actor is up."""
        part = path.rsplit("/", 1)[-1]
        crashed = (self._bench.life, path) in self._crashed
        self._crashed.discard((self._bench.life, path))
        for docket in self._concerned(path):
            if crashed:
                self._bench.coverage.saw(f"{part} restarted")
            gone = docket.excuses.hold(Excuse.CRASHED, False, self._bench.now)
            parked = self._parked.get(docket.name)
            if parked is not None and path.startswith(parked):
                del self._parked[docket.name]
                self._bench.coverage.saw("parked and returned")
                docket.told.learnt_only(self._bench.now)
                gone |= docket.excuses.hold(Excuse.PARKED, False, self._bench.now)
            if gone:
                self._bench.deadlines_again(docket)

    def parked(self, path: str) -> None:
        """A child was set aside: its account knows nothing until it returns."""
        for docket in self._concerned(path):
            self._bench.forget_races(docket)
            self._forget(docket)
            self._leaves_orphans(docket)  # its enforcement was stopped with it
            self._answers_are_lost(docket)
            self._parked[docket.name] = path
            docket.excuses.hold(Excuse.PARKED, True, self._bench.now)

    def busy(self, path: str, begins: bool) -> None:
        """The handlers of an actor take longer from now on, or no more."""
        for docket in self._concerned(path):
            if docket.excuses.hold(Excuse.BUSY, begins, self._bench.now):
                self._bench.deadlines_again(docket)

    def suspended(self, stands_still: bool) -> None:
        """The machine stands still, or goes on."""
        since, _ = self._bench.slept
        self._bench.slept = self._bench.now, 0.0 if stands_still else self._bench.now - since
        for docket in self._bench.dockets.values():
            if docket.excuses.hold(Excuse.SUSPENDED, stands_still, self._bench.now):
                self._bench.deadlines_again(docket)

    def asleep(self, seconds: float) -> None:
        """The machine has slept through so many seconds that its monotonic clock does not count."""
        self._bench.slept = self._bench.now + COMPARED_EVERY, seconds
        for docket in self._bench.dockets.values():
            docket.excuses.lasts(Excuse.SUSPENDED, self._bench.now)
            self._bench.wake(self._bench.now + COMPARED_EVERY + SOON_AFTER, docket)
            for book in (docket.true, docket.told):
                for held in book.held.values():
                    held.disturbed -= seconds
                    if held.uncovered_since is not None:
                        held.uncovered_since -= seconds

    def _concerned(self, path: str) -> list[Docket]:
        """Of an actor of an account, that account; of a connection, its login; else all."""
        parts = path.split("/")
        if parts[-1] in ("store", "console", "session clock"):
            return []
        if len(parts) > 4 and parts[3] == "accounts":
            return [
                it for it in self._bench.dockets.values() if it.name.replace("/", "|") == parts[4]
            ]
        if len(parts) > 2 and parts[1] == "logins":
            return list(self._bench.of_login(parts[2]))
        return list(self._bench.dockets.values())
