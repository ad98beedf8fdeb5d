"""The pure core of enforcement: what is sent, read and waited for, whatever the broker answers."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from attrs import define, evolve, field
from hypothesis import given
from hypothesis import strategies as st

from actors.attempts import RETRY_AFTER
from actors.intents import (
    Began,
    Effect,
    Fulfilled,
    ReadExposure,
    SendCancel,
    SendClose,
    SendPartialClose,
    Stubborn,
)
from actors.pursuit import NEVER, Enforcer
from broker.port import Done, NotExecuted, Outcome, Refused, Unknown
from risk.domain import Order, OrderStatus, OrderType, Position, Side
from risk.rules import RELATIVE
from risk.verdict import Action, Cancel, Close, Flatten, Lock, Reduce, Violation
from store.records import Intent

AT = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)
MNQ, ES = "CON.F.US.MNQ.Z26", "CON.F.US.EP.Z26"


def held(net: int, contract: str = MNQ, life: int = 1) -> Position:
    """A position of this many contracts; ``life`` tells episodes apart."""
    return Position(life, 1001, contract, AT.replace(second=life), net, Decimal(25000))


def working(number: int, side: Side, contract: str = MNQ) -> Order:
    """A working limit order."""
    return Order(
        number,
        1001,
        contract,
        OrderStatus.OPEN,
        OrderType.LIMIT,
        side,
        1,
        0,
        AT,
        AT,
        Decimal(24000),
    )


def breach(action: Action) -> Violation:
    """Some violation that asks for this action."""
    return Violation("rule", "A", MNQ, Decimal(1), Decimal(0), "fill", "because", (action,))


def decided(enforcer: Enforcer, action: Action, at: float, episode: Position | None = None) -> None:
    """A verdict arrives."""
    enforcer.decided(action, breach(action), None if episode is None else episode.episode, at)


def of[T](effects: list[Effect], kind: type[T]) -> list[T]:
    """The effects of one kind."""
    return [effect for effect in effects if isinstance(effect, kind)]


def informed(*positions: Position, orders: tuple[Order, ...] = (), exact: bool = True) -> Enforcer:
    """An enforcer that has seen these holdings."""
    enforcer = Enforcer("A")
    enforcer.seen(positions, orders, exact, 0.0)
    return enforcer


def test_a_full_close_leaves_at_once_and_needs_no_read() -> None:
    """Nothing may stand between a verdict and its first close."""
    enforcer = informed(held(2))
    decided(enforcer, Close(MNQ), 1.0, held(2))
    effects = enforcer.step(1.0)
    assert of(effects, SendClose) == [SendClose(1, MNQ)]
    assert of(effects, ReadExposure) == []


def test_the_same_verdict_again_asks_for_nothing_new() -> None:
    """Position events come three times; the close goes out once."""
    enforcer = informed(held(2))
    for _ in range(3):
        decided(enforcer, Close(MNQ), 1.0, held(2))
    assert len(of(enforcer.step(1.0), SendClose)) == 1
    decided(enforcer, Close(MNQ), 1.1, held(2))
    assert of(enforcer.step(1.1), SendClose) == []


def test_flat_by_event_is_confirmed_by_a_read_before_it_counts() -> None:
    """An event may be early or wrong; the broker's own list decides."""
    enforcer = informed(held(2))
    decided(enforcer, Close(MNQ), 1.0, held(2))
    enforcer.step(1.0)
    enforcer.answer(1, Done(), 1.01)
    enforcer.seen((), (), True, 1.02)
    assert of(enforcer.step(1.02), ReadExposure) == [ReadExposure()]
    enforcer.exposure((), (), 1.03)
    assert [it.how for it in of(enforcer.step(1.03), Fulfilled)] == ["flat"]
    assert enforcer.wake_at == NEVER


def test_an_accepted_close_without_an_event_is_read_after_half_a_second() -> None:
    """The event may be lost: then the broker is asked, and the close repeated only if needed."""
    enforcer = informed(held(2))
    decided(enforcer, Close(MNQ), 1.0, held(2))
    enforcer.step(1.0)
    enforcer.answer(1, Done(), 1.01)
    assert enforcer.step(1.4) == [] or of(enforcer.step(1.4), ReadExposure) == []
    assert of(enforcer.step(1.52), ReadExposure) == [ReadExposure()]
    enforcer.exposure((held(2),), (), 1.53)
    assert of(enforcer.step(1.53), SendClose) == [SendClose(2, MNQ)]


@pytest.mark.parametrize("outcome", [Refused(5, "rejected"), NotExecuted("429"), Unknown("reset")])
def test_a_failed_close_is_tried_again_from_fresh_state(outcome: Outcome) -> None:
    """Between two closes there is always a read that began after the first one's answer."""
    enforcer = informed(held(2))
    decided(enforcer, Close(MNQ), 0.0, held(2))
    sent: list[float] = []
    read_since = True
    now = 0.0
    while now < 3.0:
        effects = enforcer.step(now)
        for close in of(effects, SendClose):
            assert read_since, "sent again without looking"
            sent.append(now)
            enforcer.answer(close.request, outcome, now + 0.001)
            read_since = False
        if of(effects, ReadExposure):
            enforcer.exposure((held(2),), (), now + 0.001)
            read_since = True
        now = round(now + 0.01, 3)
    assert len(sent) >= 3


def test_a_broker_that_refuses_for_ever_is_asked_more_slowly_and_the_trader_is_told() -> None:
    """Tries thin out to one in thirty seconds, each with a critical alert."""
    enforcer = informed(held(2))
    decided(enforcer, Close(MNQ), 0.0, held(2))
    sent: list[float] = []
    alerts = 0
    now = 0.0
    while now < 200.0:
        effects = enforcer.step(now)
        alerts += len(of(effects, Stubborn))
        for close in of(effects, SendClose):
            sent.append(now)
            enforcer.answer(close.request, Refused(5, "rejected"), now)
        if of(effects, ReadExposure):
            enforcer.exposure((held(2),), (), now)
        now = round(now + 0.05, 3)
    assert len(sent) == len(RETRY_AFTER) + 1 + int((200 - sum(RETRY_AFTER)) // 30)
    assert alerts == len(sent) - len(RETRY_AFTER)


def test_what_waits_for_another_close_does_not_wait_longer_each_time() -> None:
    """A broker that is slow with the one before is not one that refuses; it ends any moment."""
    enforcer = informed(held(8))
    decided(enforcer, Reduce(MNQ, 3), 0.0, held(8))
    sent: list[float] = []
    now = 0.0
    while now < 10.0:
        effects = enforcer.step(now)
        assert not of(effects, Stubborn)
        for close in of(effects, SendPartialClose):
            sent.append(now)
            enforcer.answer(close.request, NotExecuted("one is under way", busy=True), now)
        if of(effects, ReadExposure):
            enforcer.exposure((held(8),), (), now)
        if of(effects, Fulfilled):
            decided(enforcer, Reduce(MNQ, 3), now, held(8))
        now = round(now + 0.05, 3)
    assert max(later - earlier for earlier, later in pairwise(sent)) <= 2 * RETRY_AFTER[0]


def test_a_partial_close_reads_the_size_first_and_is_clamped_to_it() -> None:
    """The trader has sold two himself meanwhile: only what is left over the limit goes."""
    enforcer = informed(held(8))
    decided(enforcer, Reduce(MNQ, 5), 1.0, held(8))
    effects = enforcer.step(1.0)
    assert of(effects, SendPartialClose) == []
    assert of(effects, ReadExposure) == [ReadExposure()]
    enforcer.exposure((held(6),), (), 1.01)
    assert of(enforcer.step(1.01), SendPartialClose) == [SendPartialClose(1, MNQ, 1)]


def test_a_partial_close_waits_until_the_account_is_settled() -> None:
    """Sizes that may be wrong allow full closes only."""
    enforcer = informed(held(8), exact=False)
    decided(enforcer, Reduce(MNQ, 5), 1.0, held(8))
    enforcer.step(1.0)
    enforcer.exposure((held(8),), (), 1.01)
    assert of(enforcer.step(1.01), SendPartialClose) == []
    enforcer.seen((held(8),), (), True, 1.2)
    assert of(enforcer.step(1.2), SendPartialClose) == [SendPartialClose(1, MNQ, 3)]


def test_another_episode_means_fulfilled() -> None:
    """The trader was flat and in again before the retry: the new position is another matter."""
    enforcer = informed(held(2))
    decided(enforcer, Close(MNQ), 1.0, held(2))
    enforcer.step(1.0)
    enforcer.answer(1, Unknown("reset"), 1.2)
    enforcer.step(1.71)
    enforcer.exposure((held(1, life=9),), (), 1.72)
    effects = enforcer.step(1.72)
    assert [it.how for it in of(effects, Fulfilled)] == ["another episode"]
    assert of(effects, SendClose) == []


def test_a_position_reversed_by_a_race_with_our_close_is_closed_too() -> None:
    """The trader's stop filled as well: what is now short is nobody's wish."""
    enforcer = informed(held(2))
    decided(enforcer, Close(MNQ), 1.0, held(2))
    enforcer.step(1.0)
    enforcer.answer(1, Done(), 1.05)
    enforcer.seen((held(-2, life=2),), (), True, 1.1)
    effects: list[Effect] = []
    for now in (1.1, 1.56, 1.6):
        effects += enforcer.step(now)
        if of(effects, ReadExposure):
            enforcer.exposure((held(-2, life=2),), (), now)
    effects += enforcer.step(1.7)
    assert len(of(effects, SendClose)) == 1


def test_what_is_opened_after_a_refused_close_is_the_traders_own() -> None:
    """He had closed it himself, so ours met nothing: closing his new position would be wrong."""
    enforcer = informed(held(2))
    decided(enforcer, Close(MNQ), 1.0, held(2))
    enforcer.step(1.0)
    enforcer.seen((held(-2, life=2),), (), True, 1.02)
    effects = enforcer.step(1.02)
    enforcer.answer(1, Refused(2, "no position"), 1.03)
    effects += enforcer.step(1.03)
    enforcer.exposure((held(-2, life=2),), (), 1.04)
    effects += enforcer.step(1.04)
    assert of(effects, SendClose) == []
    assert [it.how for it in of(effects, Fulfilled)] == ["another episode"]


def test_when_a_reversed_position_was_seen_is_not_when_the_one_before_it_last_moved() -> None:
    """It was found by a read two seconds after our close: the trader's own, not the product of a race."""
    enforcer = informed(held(1))
    decided(enforcer, Close(MNQ), 1.0, held(1))
    enforcer.step(1.0)
    enforcer.seen((held(2),), (), True, 1.1)
    enforcer.answer(1, Done(), 2.6)
    assert of(enforcer.step(3.1), ReadExposure) == [ReadExposure()]
    enforcer.exposure((held(-1, life=2),), (), 3.13)
    effects = enforcer.step(3.13)
    assert of(effects, SendClose) == []
    assert [it.how for it in of(effects, Fulfilled)] == ["another episode"]


@pytest.mark.parametrize("answer", [Done(), Refused(2, "no position")], ids=str)
def test_a_race_with_the_close_of_what_a_race_had_left_is_closed_as_well(answer: Outcome) -> None:
    """Each close may meet an order of the trader's; what met nothing, because refused, is his own."""
    enforcer = informed(held(2))
    decided(enforcer, Close(MNQ), 1.0, held(2))
    enforcer.step(1.0)
    enforcer.answer(1, Done(), 1.01)
    enforcer.seen((held(-2, life=2),), (), True, 1.02)
    assert of(enforcer.step(1.02), SendClose) == [SendClose(2, MNQ)]
    enforcer.seen((held(1, life=3),), (), True, 1.9)
    enforcer.answer(2, answer, 1.91)
    effects = enforcer.step(1.91)
    enforcer.exposure((held(1, life=3),), (), 1.92)
    effects += enforcer.step(1.92)
    closed = [SendClose(3, MNQ)] if isinstance(answer, Done) else []
    assert of(effects, SendClose) == closed


@pytest.mark.parametrize("again", [False, True], ids=["no breach any more", "a breach of its own"])
def test_what_a_race_has_left_of_a_close_for_size_goes_whole(again: bool) -> None:
    """Whatever else is held by then, and also if what it left is too much by itself."""
    enforcer = informed(held(2))
    violation = evolve(breach(Close(MNQ)), rule="max_contracts")
    enforcer.decided(Close(MNQ), violation, held(2).episode, 1.0)
    enforcer.step(1.0)
    enforcer.seen((held(-6, life=2),), (), True, 1.01)
    if again:
        smaller = evolve(breach(Reduce(MNQ, 5)), rule="max_contracts")
        enforcer.decided(Reduce(MNQ, 5), smaller, held(-6, life=2).episode, 1.01)
    enforcer.answer(1, Done(), 1.02)
    effects = enforcer.step(1.02)
    assert of(effects, SendClose) == [SendClose(2, MNQ)]
    assert of(effects, SendPartialClose) == []


def test_a_late_verdict_about_a_closed_episode_looks_before_it_sends() -> None:
    """A verdict computed before the close was seen must not close again blindly."""
    enforcer = informed(held(2))
    decided(enforcer, Close(MNQ), 1.0, held(2))
    enforcer.step(1.0)
    enforcer.answer(1, Done(), 1.01)
    enforcer.seen((), (), True, 1.02)
    enforcer.step(1.02)
    enforcer.exposure((), (), 1.03)
    enforcer.step(1.03)
    enforcer.seen((held(2),), (), True, 1.04)  # an old event
    decided(enforcer, Close(MNQ), 1.05, held(2))
    effects = enforcer.step(1.05)
    assert of(effects, SendClose) == []
    assert of(effects, ReadExposure) == [ReadExposure()]


def test_an_order_that_came_to_protect_a_position_is_not_cancelled_on_an_old_verdict() -> None:
    """It stood alone in a forbidden contract; before the request could leave its entry filled."""
    enforcer = informed(orders=(working(9, Side.BUY),))
    decided(enforcer, Cancel(9, MNQ), 1.0)
    enforcer.seen((held(-1),), (working(9, Side.BUY),), True, 1.0)
    decided(enforcer, Close(MNQ), 1.0, held(-1))
    effects = enforcer.step(1.0)
    assert of(effects, SendCancel) == []
    assert of(effects, SendClose) == [SendClose(1, MNQ)]
    assert [it.how for it in of(effects, Fulfilled)] == ["protects"]


def test_an_order_that_the_broker_does_not_find_is_not_asked_for_by_every_late_event() -> None:
    """The account still believes in it: events of a minute ago arrive one after the other."""
    enforcer = informed(orders=(working(9, Side.BUY),))
    decided(enforcer, Cancel(9, MNQ), 1.0)
    assert len(of(enforcer.step(1.0), SendCancel)) == 1
    enforcer.answer(1, Refused(2, "order not found"), 1.02)
    enforcer.step(1.02)
    enforcer.exposure((), (), 1.05)
    assert [it.how for it in of(enforcer.step(1.05), Fulfilled)] == ["gone"]
    sent = []
    for at in (1.1, 1.2, 5.0, 30.9, 31.1):
        enforcer.seen((), (working(9, Side.BUY),), True, at)
        decided(enforcer, Cancel(9, MNQ), at)
        sent.append(len(of(enforcer.step(at), SendCancel)))
    assert sent == [0, 0, 0, 0, 1]


def test_orders_beside_a_position_that_the_trader_closed_first_stay() -> None:
    """Nothing of ours had left: what he has working there is his."""
    enforcer = informed(held(2), orders=(working(9, Side.SELL),))
    decided(enforcer, Close(MNQ), 1.0, held(2))
    enforcer.seen((), (working(9, Side.SELL),), True, 1.0)
    effects = enforcer.step(1.0)
    enforcer.exposure((), (working(9, Side.SELL),), 1.1)
    effects += enforcer.step(1.1)
    assert [it.how for it in of(effects, Fulfilled)] == ["flat"]
    assert of(effects, SendCancel) == []


def test_a_close_that_was_refused_has_closed_nothing_and_leaves_the_orders_too() -> None:
    """Position not found: the trader was faster, what still works there is his own."""
    left = working(9, Side.BUY)
    enforcer = informed(held(2), orders=(left,))
    decided(enforcer, Close(MNQ), 1.0, held(2))
    assert of(enforcer.step(1.0), SendClose) == [SendClose(1, MNQ)]
    enforcer.answer(1, Refused(2, "position not found"), 1.01)
    enforcer.step(1.01)
    enforcer.exposure((), (left,), 1.02)
    effects = enforcer.step(1.02)
    assert [it.how for it in of(effects, Fulfilled)] == ["flat"]
    assert of([*effects, *enforcer.step(2.0)], SendCancel) == []


def test_flatten_leaves_protecting_orders_until_flat() -> None:
    """A refused close would be naked without its stop; orders that could add go at once."""
    stop, entry, other = working(1, Side.SELL), working(2, Side.BUY), working(3, Side.BUY, ES)
    enforcer = informed(held(2), orders=(stop, entry, other))
    decided(enforcer, Flatten(), 1.0)
    effects = enforcer.step(1.0)
    assert {it.order_id for it in of(effects, SendCancel)} == {2, 3}
    for close in of(effects, SendClose):
        enforcer.answer(close.request, Done(), 1.01)
    for cancel in of(effects, SendCancel):
        enforcer.answer(cancel.request, Done(), 1.01)
    enforcer.seen((), (stop,), True, 1.02)
    enforcer.step(1.02)
    enforcer.exposure((), (stop,), 1.03)
    assert [it.order_id for it in of(enforcer.step(1.03), SendCancel)] == [1]


def test_flatten_leaves_the_stop_of_a_position_that_only_its_trade_has_told_of() -> None:
    """Its close may be refused when it is seen; without a position or a trade the stop must go."""
    stop, entry = working(1, Side.SELL), working(2, Side.BUY)
    enforcer = informed(held(1, ES), orders=(stop, entry))
    enforcer.unseen = {MNQ: 2}
    decided(enforcer, Flatten(), 1.0)
    assert [it.order_id for it in of(enforcer.step(1.0), SendCancel)] == [2]
    enforcer.unseen = {}
    assert [it.order_id for it in of(enforcer.step(1.1), SendCancel)] == [1]


def test_flatten_closes_what_appears_while_it_goes_on() -> None:
    """Under a lock nothing may be open: a raced stop opened something new, the same loop closes it."""
    enforcer = informed(held(2))
    lock = Lock("daily_loss", AT + timedelta(hours=8), AT, "because")
    enforcer.decided(Flatten(), evolve(breach(Flatten()), lock=lock), None, 1.0)
    enforcer.answer(of(enforcer.step(1.0), SendClose)[0].request, Done(), 1.01)
    enforcer.seen((held(2), held(-1, ES, life=5)), (), True, 1.02)
    assert [it.contract_id for it in of(enforcer.step(1.02), SendClose)] == [ES]


def test_a_flatten_without_a_lock_leaves_alone_what_is_opened_after_it() -> None:
    """What is new was not judged; the next verdict may find it too much as well."""
    enforcer = informed(held(2))
    decided(enforcer, Flatten(), 1.0)
    enforcer.answer(of(enforcer.step(1.0), SendClose)[0].request, Done(), 1.01)
    entry = working(9, Side.SELL, ES)
    enforcer.seen((held(-1, ES, life=5),), (entry,), True, 1.02)
    effects = enforcer.step(1.02)
    enforcer.exposure((held(-1, ES, life=5),), (entry,), 1.03)
    effects += enforcer.step(1.03)
    assert (of(effects, SendClose), of(effects, SendCancel)) == ([], [])
    assert [it.how for it in of(effects, Fulfilled)] == ["flat"]
    decided(enforcer, Flatten(), 1.04)
    effects = enforcer.step(1.04)
    assert [it.contract_id for it in of(effects, SendClose)] == [ES]
    assert [it.order_id for it in of(effects, SendCancel)] == [9]


def test_after_a_restart_nothing_is_sent_before_a_read() -> None:
    """An open intent of an earlier life may have been fulfilled by it."""
    enforcer = Enforcer("B")
    enforcer.resume(Intent("A-1", Close(MNQ), breach(Close(MNQ)), held(2).episode), 0.0)
    effects = enforcer.step(0.0)
    assert of(effects, SendClose) == []
    assert of(effects, ReadExposure) == [ReadExposure()]
    enforcer.exposure((held(2),), (), 0.1)
    assert of(enforcer.step(0.1), SendClose) == [SendClose(1, MNQ)]


def test_a_request_without_an_answer_counts_as_unknown_after_ten_seconds() -> None:
    """A connection that is parked answers nobody; the pursuit goes on by reading."""
    enforcer = informed(held(2))
    decided(enforcer, Close(MNQ), 0.0, held(2))
    enforcer.step(0.0)
    assert of(enforcer.step(9.9), ReadExposure) == []
    enforcer.step(10.0)
    assert of(enforcer.step(10.6), ReadExposure) == [ReadExposure()]


# ---- laws ---------------------------------------------------------------------------------------


@define
class Exchange:
    """A broker that may refuse, lose answers, be raced by its trader, and tell late."""

    net: int
    life: int = 1
    order: bool = True
    executed: int = 0
    opened_by_us: bool = False
    log: list[str] = field(factory=list)

    def positions(self) -> tuple[Position, ...]:
        return (held(self.net, life=self.life),) if self.net else ()

    def orders(self) -> tuple[Order, ...]:
        return (working(1, Side.SELL if self.net >= 0 else Side.BUY),) if self.order else ()

    def close(self, keep: int) -> None:
        before = self.net
        self.net = max(min(self.net, keep), -keep)
        self.executed += before != self.net
        self.opened_by_us |= abs(self.net) > abs(before) or self.net * before < 0


OUTCOMES: dict[str, Outcome] = {
    "done": Done(),
    "refused": Refused(5, "no"),
    "not executed": NotExecuted("no"),
    "unknown done": Unknown("?"),
    "unknown lost": Unknown("?"),
}
answers = st.sampled_from([*OUTCOMES, "none"])


@given(
    st.integers(1, 9).flatmap(lambda n: st.sampled_from([n, -n])),
    st.sampled_from([Flatten(), Close(MNQ), Reduce(MNQ, 2)]),
    st.lists(answers, max_size=8),
    st.lists(st.booleans(), max_size=8),
    st.lists(st.sampled_from(["", "", "tell", "trader adds", "trader leaves"]), max_size=30),
)
def test_every_verdict_comes_true_and_nothing_is_opened(  # noqa: PLR0912  a broker and a trader
    net: int, action: Action, outcomes: list[str], reads: list[bool], noise: list[str]
) -> None:
    """Whatever fails for a while, in the end the broker is as wanted, and we never opened anything."""
    exchange = Exchange(net)
    enforcer = informed(*exchange.positions(), orders=exchange.orders())
    target = held(net) if isinstance(action, Close | Reduce) else None
    decided(enforcer, action, 0.0, target)
    began = target.episode if target else None
    ended = 0
    pending: list[tuple[float, int, Outcome]] = []
    reading: float | None = None
    now, tick = 0.0, 0
    while now < 200.0:
        for effect in enforcer.step(now):
            match effect:
                case SendClose(request) | SendPartialClose(request) | SendCancel(request):
                    kind = outcomes.pop() if outcomes else "done"
                    if kind in ("done", "unknown done"):
                        if isinstance(effect, SendCancel):
                            exchange.order = False
                        elif isinstance(effect, SendPartialClose):
                            assert effect.size >= 1
                            exchange.close(max(abs(exchange.net) - effect.size, 0))
                        else:
                            exchange.close(0)
                    outcome = OUTCOMES.get(kind)
                    if outcome is not None:
                        pending.append((now + 0.02, request, outcome))
                case ReadExposure():
                    reading = now + 0.02
                case Fulfilled(how="judged again"):
                    if isinstance(action, Reduce) and abs(exchange.net) > action.keep:
                        decided(enforcer, action, now, held(exchange.net, life=exchange.life))
                    else:
                        ended += 1
                case Fulfilled():
                    ended += 1
                case _:
                    pass
        for _due, request, outcome in [p for p in pending if p[0] <= now]:
            enforcer.answer(request, outcome, now)
        pending = [p for p in pending if p[0] > now]
        if reading is not None and reading <= now:
            reading = None
            if reads.pop() if reads else True:
                enforcer.exposure(exchange.positions(), exchange.orders(), now)
            else:
                enforcer.read_failed(now)
        if tick % 7 == 3 and noise and not ended:
            match noise.pop():
                case "tell":
                    enforcer.seen(exchange.positions(), exchange.orders(), True, now)
                case "trader adds" if exchange.net:
                    exchange.net += 1 if exchange.net > 0 else -1
                    enforcer.seen(exchange.positions(), exchange.orders(), True, now)
                case "trader leaves":
                    exchange.net, exchange.life = 0, exchange.life + 1
                case _:
                    pass
        now, tick = round(now + 0.05, 3), tick + 1
    assert not exchange.opened_by_us
    assert enforcer.open_intents == ()
    assert ended >= 1
    allowed = action.keep if isinstance(action, Reduce) else 0
    assert abs(exchange.net) <= allowed or (began is not None and exchange.life != 1)


def test_every_intent_begins_once() -> None:
    """A flatten over three positions is one intent, told once and fulfilled once."""
    enforcer = informed(held(1), held(1, ES, life=2))
    decided(enforcer, Flatten(), 0.0)
    decided(enforcer, Flatten(), 0.0)
    decided(enforcer, Cancel(5, MNQ), 0.0)
    assert [type(it.intent.action) for it in of(enforcer.step(0.0), Began)] == [Flatten, Cancel]


def test_a_broker_that_is_back_is_asked_at_once() -> None:
    """After an hour of outage the close does not wait for the end of a pause of 30 s."""
    enforcer = informed(held(2))
    decided(enforcer, Close(MNQ), 0.0, held(2))
    now = 0.0
    while now < 60.0:
        for effect in enforcer.step(now):
            if isinstance(effect, SendClose):
                enforcer.answer(effect.request, NotExecuted("no session"), now)
            elif isinstance(effect, ReadExposure):
                enforcer.read_failed(now)
        now = round(now + 0.1, 3)
    enforcer.hurry(now)
    assert of(enforcer.step(now), ReadExposure) == [ReadExposure()]
    enforcer.exposure((held(2),), (), now + 0.05)
    assert len(of(enforcer.step(now + 0.05), SendClose)) == 1


def test_a_request_lost_before_the_broker_came_back_is_no_reason_for_a_long_pause() -> None:
    """After many refusals one dies with its connection: the new one is asked within a second."""
    enforcer = informed(held(2))
    decided(enforcer, Close(MNQ), 0.0, held(2))
    now, sent = 0.0, list[int]()
    while len(sent) < 8:
        for effect in enforcer.step(now):
            if isinstance(effect, SendClose):
                sent.append(effect.request)
                if len(sent) < 8:
                    enforcer.answer(effect.request, Refused(5, "outside trading hours"), now)
            elif isinstance(effect, ReadExposure):
                enforcer.exposure((held(2),), (), now)
        now = round(now + 0.1, 3)
    enforcer.connection_ended(now)
    enforcer.hurry(now + 0.2)
    lost = now + 1.0
    while now < lost + 1.0:
        for effect in enforcer.step(now):
            if isinstance(effect, SendClose):
                sent.append(effect.request)
            elif isinstance(effect, ReadExposure):
                enforcer.exposure((held(2),), (), now)
        now = round(now + 0.1, 3)
    assert len(sent) == 9


def test_a_breach_that_comes_back_before_its_cure_is_confirmed_is_not_a_retry() -> None:
    """Reduced to five, then three more within milliseconds: they go at once, not after a pause."""
    enforcer = informed(held(8))
    decided(enforcer, Reduce(MNQ, 5), 1.0, held(8))
    enforcer.step(1.0)
    enforcer.exposure((held(8),), (), 1.01)
    enforcer.step(1.01)
    enforcer.answer(1, Done(), 1.02)
    enforcer.seen((held(5),), (), True, 1.021)
    enforcer.step(1.021)
    enforcer.seen((held(8),), (), True, 1.022)
    decided(enforcer, Reduce(MNQ, 5), 1.022, held(8))
    enforcer.exposure((held(8),), (), 1.022)  # asked for when it looked cured
    sent: list[SendPartialClose] = []
    now = 1.022
    while now < 1.1 and not sent:
        effects = enforcer.step(now)
        sent = of(effects, SendPartialClose)
        if of(effects, ReadExposure):
            enforcer.exposure((held(8),), (), now)
        if of(effects, Fulfilled):
            decided(enforcer, Reduce(MNQ, 5), now, held(8))
        now = round(now + 0.005, 3)
    assert sent == [SendPartialClose(2, MNQ, 3)]


def refused_in_part() -> Enforcer:
    """A close of eight down to five was refused at 1.02 s, and is left to a new judgement."""
    enforcer = informed(held(8))
    decided(enforcer, Reduce(MNQ, 5), 1.0, held(8))
    enforcer.step(1.0)
    enforcer.exposure((held(8),), (), 1.01)
    enforcer.step(1.01)
    enforcer.answer(1, Refused(6, "rejected"), 1.02)
    enforcer.step(1.02)
    enforcer.exposure((held(8),), (), 1.03)
    assert [it.how for it in of(enforcer.step(1.03), Fulfilled)] == ["judged again"]
    return enforcer


def test_a_partial_close_that_failed_is_judged_again_before_it_is_retried() -> None:
    """How much must go may have changed: nothing is sent until a newer verdict asks for it."""
    enforcer = refused_in_part()
    assert enforcer.open_intents == ()
    decided(enforcer, Reduce(MNQ, 6), 1.04, held(8))
    assert of(enforcer.step(1.04), ReadExposure) == []
    assert of(enforcer.step(1.28), ReadExposure) == [ReadExposure()]
    enforcer.exposure((held(8),), (), 1.29)
    assert of(enforcer.step(1.29), SendPartialClose) == [SendPartialClose(2, MNQ, 2)]


def test_a_new_position_does_not_inherit_the_pauses_of_the_one_before() -> None:
    """The broker refused what is gone by now; the trader's next one may not stand four seconds long."""
    enforcer = refused_in_part()
    enforcer.seen((held(7, life=2),), (), True, 1.04)
    decided(enforcer, Reduce(MNQ, 5), 1.05, held(7, life=2))
    assert of(enforcer.step(1.05), ReadExposure) == [ReadExposure()]


def test_a_snapshot_from_before_an_accepted_partial_close_does_not_cause_another() -> None:
    """After a reconnect no event contradicts it: two seconds must pass before it is believed."""
    enforcer = informed(held(8))
    decided(enforcer, Reduce(MNQ, 5), 1.0, held(8))
    enforcer.step(1.0)
    enforcer.exposure((held(8),), (), 1.01)
    assert of(enforcer.step(1.01), SendPartialClose) == [SendPartialClose(1, MNQ, 3)]
    enforcer.answer(1, Done(), 1.02)
    enforcer.hurry(1.03)
    assert of(enforcer.step(1.03), ReadExposure) == [ReadExposure()]
    enforcer.exposure((held(8),), (), 1.04)
    assert enforcer.step(1.04) == []
    for look in (1.54, 2.05, 2.56):
        assert enforcer.step(look) == [ReadExposure()]
        enforcer.exposure((held(8),), (), look + 0.01)
        assert enforcer.step(look + 0.01) == []
    assert enforcer.wake_at == 3.01
    assert enforcer.step(3.01) == [ReadExposure()]
    enforcer.exposure((held(8),), (), 3.02)
    assert [it.how for it in of(enforcer.step(3.02), Fulfilled)] == ["judged again"]


def test_a_resumed_close_is_not_taken_for_done_before_anything_is_known() -> None:
    """An empty picture shows nothing as flat: the position that then appears is no new breach."""
    enforcer = Enforcer("A")
    violation = breach(Close(MNQ))
    enforcer.resume(Intent("A-1", Close(MNQ), violation, held(2).episode), 1.0)
    enforcer.step(1.0)
    enforcer.seen([held(2)], (), True, 1.01)
    assert of(enforcer.step(1.01), SendClose) == []
    enforcer.exposure([held(2)], (), 1.05)
    assert of(enforcer.step(1.05), SendClose) == [SendClose(1, MNQ)]


def test_an_heir_sends_nothing_before_it_has_read() -> None:
    """What its dead predecessor has sent may be under way: the same verdict is no second close."""
    enforcer = Enforcer("A", heir=True)
    enforcer.seen([held(2)], (), True, 1.0)
    decided(enforcer, Close(MNQ), 1.0, held(2))
    effects = enforcer.step(1.0)
    assert of(effects, SendClose) == []
    assert len(of(effects, ReadExposure)) == 1
    enforcer.exposure((), (), 1.05)
    assert of(enforcer.step(1.05), SendClose) == []


def test_what_an_heir_finds_in_its_mail_is_carried_out_as_the_newest_verdict_says() -> None:
    """Five of eight were too many when its predecessor hung; then less was held elsewhere."""
    enforcer = Enforcer("A", heir=True)
    decided(enforcer, Close(MNQ), 1.0, held(8))
    decided(enforcer, Reduce(MNQ, 3), 1.0, held(8))
    enforcer.seen([held(8)], (), True, 1.0)
    assert of(enforcer.step(1.0), ReadExposure) == [ReadExposure()]
    enforcer.exposure([held(8)], (), 1.03)
    effects = enforcer.step(1.03)
    assert of(effects, SendClose) == []
    assert of(effects, SendPartialClose) == [SendPartialClose(1, MNQ, 5)]


def test_a_request_that_died_with_the_connection_is_soon_tried_again() -> None:
    """Nobody will ever answer it, and ten seconds are long for a position in breach."""
    enforcer = informed(held(2))
    decided(enforcer, Close(MNQ), 1.0, held(2))
    enforcer.step(1.0)
    enforcer.connection_ended(1.0)
    assert enforcer.wake_at <= 2.0
    enforcer.step(2.0)
    enforcer.step(2.5)
    enforcer.exposure([held(2)], (), 2.6)
    assert of(enforcer.step(2.6), SendClose) == [SendClose(2, MNQ)]


@pytest.mark.parametrize("action", [Close(MNQ), Flatten()])
def test_what_a_race_has_turned_is_closed_at_once_however_often_it_was_tried(
    action: Action,
) -> None:
    """An exposure that is seen for the first time does not wait like a retry."""
    enforcer = informed(held(2))
    decided(enforcer, action, 1.0, None if isinstance(action, Flatten) else held(2))
    for request, now in enumerate((1.0, 1.3, 1.9), start=1):
        assert of(enforcer.step(now), SendClose) == [SendClose(request, MNQ)]
        if request < 3:
            enforcer.answer(request, Refused(5, "rejected"), now + 0.02)
            enforcer.step(now + 0.02)
            enforcer.exposure((held(2),), (), now + 0.03)
            enforcer.step(now + 0.03)
    enforcer.seen((held(-2, life=2),), (), True, 1.91)
    assert of(enforcer.step(1.91), SendClose) == []
    enforcer.answer(3, Done(), 1.92)
    assert of(enforcer.step(1.92), SendClose) == [SendClose(4, MNQ)]


def test_a_partial_close_is_judged_anew_when_less_is_held_beside_it_than_was_believed() -> None:
    """Seven with one elsewhere were two too many; without that one only one is."""
    enforcer = informed(held(6), held(1, ES))
    decided(enforcer, Reduce(MNQ, 4), 1.0, held(6))
    enforcer.step(1.0)
    enforcer.exposure((held(6),), (), 1.03)
    effects = enforcer.step(1.03)
    assert of(effects, SendPartialClose) == []
    assert [it.how for it in of(effects, Fulfilled)] == ["judged again"]
    enforcer.seen((held(6),), (), True, 1.04)
    decided(enforcer, Reduce(MNQ, 5), 1.05, held(6))
    assert of(enforcer.step(1.28), ReadExposure) == [ReadExposure()]
    enforcer.exposure((held(6),), (), 1.3)
    assert of(enforcer.step(1.3), SendPartialClose) == [SendPartialClose(1, MNQ, 1)]


def oversized(
    enforcer: Enforcer,
    action: Action,
    at: float,
    position: Position,
    rule: str = "max_contracts",
) -> None:
    """A verdict arrives that the account holds too many contracts."""
    found = Violation(rule, "A", None, Decimal(1), Decimal(0), "fill", "many", (action,))
    enforcer.decided(action, found, position.episode, at)


@pytest.mark.parametrize("rule", sorted(RELATIVE))
def test_a_full_close_for_size_that_failed_is_judged_again_before_it_is_retried(rule: str) -> None:
    """What made it too much may be gone; a close for a loss of its own is tried for its own sake."""
    enforcer = informed(held(1), held(5, ES))
    oversized(enforcer, Close(MNQ), 1.0, held(1), rule)
    assert of(enforcer.step(1.0), SendClose) == [SendClose(1, MNQ)]
    enforcer.answer(1, Refused(5, "rejected"), 1.02)
    assert of(enforcer.step(1.02), ReadExposure) == [ReadExposure()]
    enforcer.exposure((held(1), held(5, ES)), (), 1.03)
    assert [it.how for it in of(enforcer.step(1.03), Fulfilled)] == ["judged again"]
    assert enforcer.step(1.5) == []
    oversized(enforcer, Close(MNQ), 1.5, held(1), rule)
    assert of(enforcer.step(1.5), SendClose) == []
    enforcer.exposure((held(1), held(5, ES)), (), 1.51)
    assert of(enforcer.step(1.51), SendClose) == [SendClose(2, MNQ)]


def test_a_retried_full_close_for_size_is_judged_anew_when_less_is_held_meanwhile() -> None:
    """Between its judgement and its turn the trader may have closed enough himself."""
    enforcer = informed(held(2), held(4, ES))
    oversized(enforcer, Close(MNQ), 1.0, held(2))
    enforcer.step(1.0)
    enforcer.answer(1, Refused(5, "rejected"), 1.02)
    enforcer.step(1.02)
    enforcer.exposure((held(2), held(4, ES)), (), 1.03)
    enforcer.step(1.03)
    oversized(enforcer, Close(MNQ), 1.04, held(2))
    assert enforcer.step(1.2) == [Began(enforcer.open_intents[0])]
    assert of(enforcer.step(1.28), ReadExposure) == [ReadExposure()]
    enforcer.exposure((held(1), held(4, ES)), (), 1.3)
    effects = enforcer.step(1.3)
    assert of(effects, SendClose) == []
    assert [it.how for it in of(effects, Fulfilled)] == ["judged again"]


def test_a_full_close_waits_half_a_second_at_most_for_a_partial_one_under_way() -> None:
    """A loss must not stand for as long as a broker keeps an older request without an answer."""
    enforcer = informed(held(8))
    decided(enforcer, Reduce(MNQ, 6), 1.0, held(8))
    enforcer.step(1.0)
    enforcer.exposure((held(8),), (), 1.01)
    assert of(enforcer.step(1.01), SendPartialClose) == [SendPartialClose(1, MNQ, 2)]
    enforcer.seen((held(6),), (), True, 1.1)
    decided(enforcer, Close(MNQ), 1.2, held(6))
    assert of(enforcer.step(1.2), SendClose) == []
    assert enforcer.wake_at == 1.51
    assert of(enforcer.step(1.51), SendClose) == [SendClose(2, MNQ)]


def test_a_broker_that_accepts_again_is_not_waited_for_like_one_that_refuses() -> None:
    """What was accepted may have been too little; the long pauses belonged to the refusals."""
    enforcer = informed(held(3))
    now = 1.0
    for tries in range(1, 7):
        decided(enforcer, Reduce(MNQ, 2), now, held(3))
        effects = enforcer.step(now)
        enforcer.exposure((held(3),), (), now)
        effects += enforcer.step(now)
        assert of(effects, SendPartialClose) == [SendPartialClose(tries, MNQ, 1)]
        outcome = Refused(5, "rejected") if tries < 6 else Done()
        enforcer.answer(tries, outcome, now)
        enforcer.step(now + 0.5)
        enforcer.exposure((held(3 if tries < 6 else 9),), (), now + 0.5)
        enforcer.step(now + 0.5)
        now += max(RETRY_AFTER[tries - 1], 0.5) if tries < 6 else 0.5
    decided(enforcer, Reduce(MNQ, 2), now, held(9))
    assert enforcer.wake_at <= now + 0.5


def test_a_broker_that_bars_the_account_is_asked_every_half_minute_and_at_once_when_it_relents() -> (
    None
):
    """Its refusals are not argued with, but what it allows again is closed without a pause."""
    enforcer = informed(held(2))
    enforcer.bar(True, 0.0)
    decided(enforcer, Close(MNQ), 0.0, held(2))
    sent: list[float] = []
    now = 0.0
    while now < 100.0:
        if now == 95.0:
            enforcer.bar(False, now)
        effects = enforcer.step(now)
        for close in of(effects, SendClose):
            sent.append(now)
            enforcer.answer(close.request, Refused(3, "account may not trade"), now)
        if of(effects, ReadExposure):
            enforcer.exposure((held(2),), (), now)
        now = round(now + 0.5, 1)
    assert sent[:4] == [0.0, 30.5, 61.0, 91.5], "each on a read of its own"
    assert 95.0 <= sent[4] <= 96.0
