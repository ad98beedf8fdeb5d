"""The group actor: several accounts seen together. It remembers only what they say, and they say it again."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import trio
from attrs import evolve

from actors.group_messages import GroupMessage, Instructed, LookAgain, Stands
from actors.reporting import Desk
from broker.clock import Clock
from risk.groups import UNHEARD, GroupAnswer, GroupRule, Member, Together
from risk.verdict import Action, Alert, Instruction
from supervision import Actor, Ref, Timer

HEARD_WITHIN = 10.0
"""Seconds that members have to say how they stand, after a start or a reset, before they are missed."""
OLD_AFTER = 15.0
"""Seconds after which the result of a member whose prices move is no longer sure."""
SAID_TOGETHER = 0.05
"""Seconds between the words of two members that are still of one instant."""
ANSWERED_WITHIN = 0.2
"""Seconds that members who were asked again have, before the group acts on what it knows."""
JUST_AFTER = 0.001
"""Seconds past an instant at which it has certainly come."""


class Group(Actor[GroupMessage]):
    """Judges its members together and tells each what it must do."""

    def __init__(
        self,
        name: str,
        accounts: Sequence[str],
        rules: Sequence[GroupRule],
        clock: Clock,
        desk: Desk,
        until: datetime | None = None,
    ) -> None:
        """``until``: a group of an earlier configuration of this day asks for nothing from then on."""
        self._name = name
        self._accounts = tuple(accounts)
        self._rules = tuple(rules)
        self._clock = clock
        self._desk = desk
        self._until = until
        self._members: dict[str, Member] = {}
        self._refs: dict[str, Ref[Instructed]] = {}
        self._sent: dict[str, Instructed] = {}
        self._answering: set[str] = set()
        """Members that have spoken in this turn."""
        self._standing: set[str] = set()
        """Codes of the alerts that stand."""
        self._timer: Timer | None = None
        self._asked_at: float | None = None
        """When members were asked again, before anything is done; monotonic seconds."""

    async def started(self) -> None:
        """Wait for the members to be heard."""
        self._wait_for_all()

    async def handle(self, message: GroupMessage) -> None:
        """Remember how a member stands."""
        match message:
            case Stands(member, reply_to):
                self._hear(member)
                self._refs[member.account] = reply_to
                self._answering.add(member.account)
            case LookAgain():
                self._timer = None

    async def turn_ended(self) -> None:
        """Judge once for all that this turn brought."""
        together = self._together()
        if together is None:
            return
        over = self._until is not None and together.now >= self._until
        waited = trio.current_time() - self._began >= HEARD_WITHIN
        complete = waited or not together.missing
        answers = [rule.evaluate(together) for rule in self._rules] if complete and not over else []
        if self._awaits_words(answers):
            return
        if answers:
            self._follow(answers, together)
        for account in self._refs:
            self._tell(account, answers, decided=over or bool(answers))
        self._answering.clear()

    def status(self) -> Mapping[str, Any]:
        """The members and their results; amounts as text in dollars."""
        known = {name: it.net for name, it in self._members.items() if it.net is not None}
        return {
            "group": self._name,
            "rules": [rule.name for rule in self._rules],
            "net": f"{sum(known.values(), Decimal(0)):f}",
            "members": {
                name: f"{known[name]:f}" if name in known else None for name in self._accounts
            },
        }

    def _wait_for_all(self) -> None:
        self._began = trio.current_time()
        self._wake_in(HEARD_WITHIN)

    def _hear(self, member: Member) -> None:
        known = self._members.get(member.account)
        if known is None or known.day != member.day:
            if self._members and all(member.day > it.day for it in self._members.values()):
                self._wait_for_all()  # a new day: the others will say so in a moment
                self._desk.begin_day()
                self._standing.clear()
        elif member.net is None:
            member = evolve(member, net=known.net, sure=False)
        self._members[member.account] = member

    def _together(self) -> Together | None:
        """Those of the newest trading day; None before anybody was heard."""
        if not self._members:
            return None
        mono = trio.current_time()
        day = max(it.day for it in self._members.values())
        # Who cannot say yet what its day is worth is waited for: without it the sum is a guess.
        told = [(name, it) for name, it in self._members.items() if it.net is not None]
        here = {name: it for name, it in told if it.day == day}
        if not here:
            return None
        now = max(
            it.now + timedelta(seconds=(mono - it.mono) * self._clock.speed) for it in here.values()
        )
        members = tuple(
            evolve(here[name], sure=here[name].sure and not _is_older(here[name], mono, OLD_AFTER))
            for name in self._accounts
            if name in here
        )
        missing = tuple(name for name in self._accounts if name not in here)
        return Together(self._name, day, now, members, missing)

    def _follow(self, answers: Sequence[GroupAnswer], together: Together) -> None:
        """Alerts, and the time at which to look again."""
        alerts = [alert for answer in answers for alert in answer.alerts]
        alerts += [_unheard(together, name) for name in together.missing]
        for code in sorted(self._standing - {alert.code for alert in alerts}):
            self._desk.settled(code)
        self._standing = {alert.code for alert in alerts}
        for alert in alerts:
            self._desk.alert_once(alert)
        waits = [answer.wake_in for answer in answers if answer.wake_in is not None]
        if waits:
            self._wake_in(min(waits) / self._clock.speed + JUST_AFTER)

    def _awaits_words(self, answers: Sequence[GroupAnswer]) -> bool:
        """Whether older words are to be heard anew before more is asked or told than already is.

        Only who has lost reports unasked. One price that moves one member down and another up is
        half the truth until the other was heard.
        """
        mono = trio.current_time()
        old = [it for it in self._refs if _is_older(self._members[it], mono, SAID_TOGETHER)]
        if not old or not self._says_more(answers):
            self._asked_at = None
            return False
        if self._asked_at is None:
            self._asked_at = mono
            for account in old:
                self._ask(account)
        left = self._asked_at + ANSWERED_WITHIN - mono
        if left > 0:
            self._wake_in(left)
        return left > 0

    def _says_more(self, answers: Sequence[GroupAnswer]) -> bool:
        if any(alert.code not in self._standing for answer in answers for alert in answer.alerts):
            return True
        return any(
            _without_figures(_asked_of(it, answers)) - _without_figures(self._has_asked(it))
            for it in self._refs
        )

    def _has_asked(self, account: str) -> tuple[Instruction, ...]:
        known = self._sent.get(account)
        return known.instructions if known else ()

    def _ask(self, account: str) -> None:
        """Nothing else than before, but that it says how it stands."""
        self._send(account, Instructed(self._name, self._has_asked(account), UNHEARD))

    def _tell(self, account: str, answers: Sequence[GroupAnswer], *, decided: bool) -> None:
        asked = _asked_of(account, answers)
        reports = [answer.reports[account] for answer in answers if account in answer.reports]
        at = max(reports, default=-UNHEARD if decided else UNHEARD)
        said, known = Instructed(self._name, asked, at), self._sent.get(account)
        # One that has more room than it believes to have hears of it when it next says how it stands.
        nothing_new = known is not None and known.instructions == asked and at <= known.report_at
        if account in self._answering or not nothing_new:
            self._send(account, said)

    def _send(self, account: str, said: Instructed) -> None:
        self._sent[account] = said
        self._refs[account].tell(said)

    def _wake_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.context.after(seconds, LookAgain())


def _asked_of(account: str, answers: Sequence[GroupAnswer]) -> tuple[Instruction, ...]:
    return tuple(it for answer in answers for it in answer.instructions.get(account, ()))


def _without_figures(instructions: Sequence[Instruction]) -> set[tuple[str, Action]]:
    """What they ask for: the figures change with every price."""
    return {(it.rule, it.action) for it in instructions}


def _is_older(member: Member, mono: float, seconds: float) -> bool:
    """What it said rests on prices that have moved since; of a flat one nothing has changed."""
    return bool(member.priced) and mono - member.mono > seconds


def _unheard(together: Together, account: str) -> Alert:
    return Alert(
        "group_member_unheard",
        f"group {together.group}: nothing was heard of account {account} today, its result counts as 0",
        critical=True,
        about=account,
    )
