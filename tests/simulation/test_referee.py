"""The referee itself: of each promise one history that breaks it, and the nearest that does not."""

from datetime import timedelta
from typing import Any

import pytest

from simulation.trading_days import next_reset
from simulation.truth import Order, Terms
from tests.simulation.history import GC, MNQ, A, B, History

# ---- 1: no breach outlives its grace -----------------------------------------------------------


def test_too_many_contracts_must_be_gone_within_a_second() -> None:
    """Decidable at once, on a live hub that accepts."""
    history = History()
    history.trade(7)
    history.wait(0.9)
    assert history.found == []
    history.wait(0.2)
    assert history.found == [(1, "A")]


def test_a_breach_that_is_enforced_in_time_is_none() -> None:
    """Two too many are closed."""
    history = History()
    history.trade(7)
    history.wait(0.5)
    history.reduce(2)
    history.stop(-5)
    history.wait(30)
    assert history.found == []


def test_a_breach_is_told_once_and_again_when_it_returns() -> None:
    """One violation per breach, not one per event."""
    history = History()
    history.trade(7)
    history.wait(3)
    history.price(MNQ, 25000.5)
    history.trade(-2)
    history.stop(-5)
    history.wait(1)
    history.trade(2)
    history.wait(3)
    assert history.found == [(1, "A"), (1, "A")]


def test_a_blocked_symbol_may_not_be_held() -> None:
    """Not even one."""
    history = History()
    history.trade(1, GC)
    history.wait(1.1)
    assert history.found == [(1, "A")]


def test_a_loss_that_recovers_within_its_second_obliges_to_nothing() -> None:
    """Nobody could be sure to have acted."""
    history = History()
    history.stop(-2)
    history.trade(2)
    history.price(MNQ, 24920)
    history.wait(0.9)
    history.price(MNQ, 25000)
    history.wait(5)
    assert history.found == []


def test_a_loss_that_stays_must_be_closed() -> None:
    """Open P&L at the touch, to the cent."""
    history = History()
    history.stop(-2)
    history.trade(2)
    history.price(MNQ, 24925.5)
    history.wait(5)
    assert history.found == []
    history.price(MNQ, 24925.25)
    history.wait(1.1)
    assert history.found == [(1, "A")]


def test_a_day_of_losses_must_lock_even_when_everything_is_closed() -> None:
    """Closed by the trader himself at a loss above the limit."""
    history = History()
    history.trade(4)
    history.price(MNQ, 24930)
    history.trade(-4)
    history.wait(0.5)
    assert history.found == []
    history.wait(2)
    assert history.found == [(1, "A")]


def test_a_position_that_a_slow_reading_found_needs_a_stop_from_the_end_of_the_reading() -> None:
    """Its first answer shows the position; what it shows is believed when the last has come."""
    history = History()
    trade = history.trade(1, told=False)
    history.wait(50)
    held, asked = (MNQ, *history.lives[A, MNQ], 25000.0), history.bench.now
    history.knowledge.read_positions(A, [held], asked)
    history.wait(2.5)
    history.knowledge.read_trades(A, [trade], asked)
    history.wait(60.5)
    assert history.found == []
    history.wait(1)
    assert (1, "A") in history.found


def test_a_position_needs_a_stop_from_the_end_of_a_reading_that_is_begun_again() -> None:
    """An event came into the first: only the slow answers of the second are believed."""
    history = History()
    history.trade(1, told=False)
    history.wait(50)
    held, asked = (MNQ, *history.lives[A, MNQ], 25000.0), history.bench.now
    history.knowledge.read_positions(A, [held], asked)
    history.wait(0.15)
    again = history.bench.now
    history.wait(3.5)
    history.knowledge.read_positions(A, [held], again)
    history.wait(60.5)
    assert (1, "A") not in history.found
    history.wait(1)
    assert (1, "A") in history.found


@pytest.mark.parametrize(("after", "excused"), [(0.1, True), (0.2, False)])
def test_what_an_answer_found_may_wait_for_the_next_when_an_event_follows_at_once(
    after: float, *, excused: bool
) -> None:
    """It has not come to rest: no part of a position is closed by it, and the next comes in a second."""
    history = History()
    history.trade(9, told=False)
    history.wait(1)
    held, asked = (MNQ, *history.lives[A, MNQ], 25000.0), history.bench.now
    history.knowledge.read_positions(A, [held], asked)
    history.wait(after)
    order = Order(9002, MNQ, 1, 9, 4, 1, 0)
    history.knowledge.order(A, order)
    history.knowledge.told_order(A, order)
    history.wait(1.2)
    assert ((1, "A") in history.found) is not excused
    history.wait(2)
    assert (1, "A") in history.found


def test_a_position_needs_a_stop_when_its_grace_is_over() -> None:
    """Sixty seconds here; a stop for a part of it is none."""
    history = History()
    history.trade(2)
    history.stop(-1)
    history.wait(60.9)
    assert history.found == []
    history.wait(0.2)
    assert history.found == [(1, "A")]


def test_time_without_a_stop_adds_up() -> None:
    """A stop for a moment buys no new grace."""
    history = History()
    history.trade(1)
    history.wait(50)
    order = history.stop(-1)
    history.wait(100)
    for told in (history.knowledge.order, history.knowledge.told_order):
        told(A, type(order)(order.id, MNQ, -1, 1, 4, 3, None))
    history.wait(10.5)
    assert history.found == []
    history.wait(0.8)
    assert history.found == [(1, "A")]


# ---- 1: what excuses ---------------------------------------------------------------------------


def test_what_was_not_told_obliges_to_nothing_until_it_is() -> None:
    """A lost event; from when it is found there is a second."""
    history = History()
    trade = history.trade(7, told=False)
    history.wait(20)
    assert history.found == []
    history.tell(trade)
    history.wait(2.1)
    assert history.found == [(1, "A")]


def test_what_is_never_told_is_a_violation_when_every_audit_has_passed() -> None:
    """Sixty seconds and a reconcile: then ignorance is no excuse."""
    history = History()
    history.trade(1, told=False)
    history.wait(60)
    assert history.found == []
    history.wait(10)
    assert history.found == [(5, "A")]


def test_a_hub_that_is_down_excuses_and_leaves_five_seconds() -> None:
    """Reconnect to reconciled."""
    history = History()
    history.circumstances.hub("sim", up=False)
    history.trade(7)
    history.wait(30)
    history.circumstances.hub("sim", up=True)
    history.read()
    history.wait(4.9)
    assert history.found == []
    history.wait(0.2)
    assert history.found == [(1, "A")]


def test_a_new_link_is_followed_by_a_reading_within_five_seconds() -> None:
    """What was said while nobody listened is known only to who asks; the excuse leaves as long."""
    history = History()
    history.circumstances.hub("sim", up=False)
    history.wait(2)
    history.circumstances.hub("sim", up=True)
    history.wait(4.9)
    assert history.found == []
    history.wait(0.2)
    assert history.found == [(5, "A"), (5, "B")]


# ---- 2: what a race has reversed is gone within a second ------------------------------------------


def met_by_another_close(answer: str) -> History:
    """While a close of ours is under way the trader sells twice what he holds."""
    history = History()
    history.trade(1)
    history.wait(60.1)
    plea = history.ask("close")
    history.wait(0.01)
    history.trade(-1)
    history.trade(-1)
    history.wait(0.01)
    history.requests.answered(plea, answer)
    history.outcome()
    return history


@pytest.mark.parametrize(("closed", "found"), [(True, []), (False, [(2, "A")])])
def test_what_opens_against_a_close_under_way_is_closed_too(
    closed: bool, found: list[tuple[int, str]]
) -> None:
    """A stop, or the trader's own close, has met ours; no rule need forbid what is left."""
    history = met_by_another_close("done")
    if closed:
        history.wait(0.5)
        history.close()
    history.wait(1.5)
    assert history.found == found


def test_what_opens_against_a_close_that_is_refused_may_stay() -> None:
    """The trader had closed it himself: ours met nothing, and the new position is his own."""
    history = met_by_another_close("refused")
    history.wait(1.5)
    assert history.found == []


@pytest.mark.parametrize(("late", "found"), [(0.3, []), (2.0, [(11, "A")])])
def test_what_only_an_unsettled_answer_has_added_puts_no_grace_off_yet(
    late: float, found: list[tuple[int, str]]
) -> None:
    """The reading is believed when it has settled; from then on ten seconds are left."""
    history = History(Terms(grace=60.0))
    history.trade(1)
    history.wait(59.9)
    more = history.trade(1, told=False)
    history.tell(more, position=False)
    history.read()
    history.wait(late)
    history.close()
    assert history.found == found


@pytest.mark.parametrize(("decided", "found"), [(True, []), (False, [(11, "A")])])
def test_a_close_whose_request_was_lost_is_tried_again_though_the_breach_is_over(
    decided: bool, found: list[tuple[int, str]]
) -> None:
    """It was decided rightly; what the trader has left of that position goes."""
    history = History(Terms(unrealized_loss=200.0))
    history.stop(-3)
    history.trade(3)
    history.price(MNQ, 24960)
    history.wait(0.01)
    if decided:
        history.intent("lost", closes=MNQ)
    history.trade(-2)
    history.wait(1)
    history.close()
    assert history.found == found


@pytest.mark.parametrize(("limit", "found"), [(3, []), (4, [(4, "A")])])
def test_an_order_may_go_for_a_size_that_an_answer_has_only_just_taken_away(
    limit: int, found: list[tuple[int, str]]
) -> None:
    """The answer is believed when its reading has settled; without too many, only the day asked for it."""
    history = History(Terms(max_contracts=limit, daily_loss=500.0))
    history.stop(-4)
    history.trade(4)
    history.wait(0.5)
    history.price(MNQ, 24900)
    sale = history.trade(-4, told=False)
    history.tell(sale, position=False)
    history.read()
    history.wait(0.3)
    history.ask("cancel", "9999")
    assert history.found == found


# ---- 5: the picture ---------------------------------------------------------------------------------


def picture(net: float, phase: str = "live") -> dict[str, Any]:
    """What an account that holds one MNQ says of itself."""
    held = [{"contract": MNQ, "net": 1}]
    return {"phase": phase, "positions": held, "locks": [], "net": f"{net:.2f}"}


@pytest.mark.parametrize(("net", "found"), [(-0.5, []), (9.5, [(5, "A")])])
def test_a_side_that_was_not_quoted_keeps_its_price(
    net: float, found: list[tuple[int, str]]
) -> None:
    """Of a new price only the ask is told: the day goes on by the bid that was told before."""
    history = History()
    history.trade(1)
    history.stop(-1)
    history.wait(1)
    history.price(MNQ, 25000.0)
    history.wait(1)
    history.price(MNQ, 24999.0, told=False)
    history.knowledge.told_price(MNQ, None, 25000.5)
    history.wait(0.5)
    history.papers.pictured("A", picture(net))
    assert history.found == found


def test_who_has_no_session_does_not_say_that_it_is_live() -> None:
    """Two seconds after its end was noticed."""
    history = History()
    history.trade(1)
    history.stop(-1)
    history.circumstances.session("sim", opened=False)
    history.wait(1.9)
    history.papers.pictured("A", picture(-0.5))
    assert history.found == []
    history.wait(0.2)
    history.papers.pictured("A", picture(-0.5))
    assert history.found == [(5, "A")]


def test_a_refusal_excuses_until_the_next_try_is_due() -> None:
    """The first comes again after a quarter of a second, the fifth after eight."""
    history = History()
    history.trade(7)
    for _ in range(5):
        history.requests.answered(history.ask("partial_close", MNQ, 2), "refused")
        history.outcome()
    history.wait(8.5)
    assert history.found == []
    history.wait(1)
    assert history.found == [(1, "A")]


def test_a_broker_that_can_be_reached_again_ends_the_pause_that_a_refusal_left() -> None:
    """Five seconds after it, not when the next try would have been due."""
    history = History()
    history.trade(1, GC)
    for _ in range(6):
        history.requests.answered(history.ask("close", GC), "refused")
        history.outcome()
    history.wait(9)
    assert history.found == []
    history.circumstances.hub("sim", up=False)
    history.wait(2)
    history.circumstances.hub("sim", up=True)
    history.read()
    history.wait(4.9)
    assert history.found == []
    history.wait(0.2)
    assert history.found == [(1, "A")]


def test_a_crash_of_one_account_does_not_excuse_another() -> None:
    """Deadlines are each account's own (6)."""
    history = History()
    history.circumstances.crashed("seawall/logins/sim/accounts/B/account", True, "")
    history.trade(7)
    history.trade(7, account=B)
    history.wait(1.1)
    assert history.found == [(1, "A")]


@pytest.mark.parametrize(("error", "found"), [("HandlerStuck: 6.5 s", []), ("planned", [(1, "A")])])
def test_what_hung_on_purpose_until_it_was_ended_leaves_its_mail(
    error: str, found: list[tuple[int, str]]
) -> None:
    """Its end and the start of its successor come in one instant, which by itself excuses nothing."""
    history = History()
    history.trade(7)
    history.wait(0.9)
    history.circumstances.crashed("seawall/logins/sim/accounts/A/enforcement", True, error)
    history.circumstances.started("seawall/logins/sim/accounts/A/enforcement")
    history.wait(0.2)
    assert history.found == found
    history.wait(6)
    assert history.found == [(1, "A")]


def test_a_dead_daemon_is_excused_and_a_restarted_one_soon_no_more() -> None:
    """Five seconds from its first session."""
    history = History()
    history.circumstances.life_ended()
    trade = history.trade(7, told=False)
    history.wait(100)
    assert history.found == []
    history.circumstances.life_begun()
    history.circumstances.session("sim", opened=True)
    history.circumstances.hub("sim", up=True)
    held = (MNQ, *history.lives[A, MNQ], 25000.0)
    history.knowledge.read_positions(A, [held], history.bench.now)
    history.knowledge.read_positions(B, [], history.bench.now)
    history.knowledge.read_trades(A, [trade], history.bench.now)
    history.wait(4.9)
    assert history.found == []
    history.wait(0.2)
    assert history.found == [(1, "A")]


def test_a_hub_may_be_up_before_all_of_its_daemon_is() -> None:
    """An actor that falls while the tree starts holds the rest up, not the links."""
    history = History()
    history.circumstances.life_ended()
    history.wait(1.0)
    history.circumstances.session("sim", opened=True)
    history.circumstances.hub("sim", up=True)
    history.circumstances.life_begun()
    excuses = history.bench.dockets[A].excuses
    assert not excuses.quiet_since(history.bench.now)
    history.wait(5.1)
    assert excuses.quiet_since(history.bench.now)


# ---- 2 and 3: closes do only good, once --------------------------------------------------------


def test_a_request_that_opens_something_is_a_violation() -> None:
    """Whatever it was meant for."""
    history = History()
    history.requests.executed(A, "close", MNQ, 0, ("2 of MNQ",), True)
    assert history.found == [(2, "A")]


def test_a_second_partial_close_of_the_same_excess_is_one_too_many() -> None:
    """Both were right when they left; together they close four for two."""
    history = History()
    history.trade(7)
    history.stop(-7)
    first, second = history.ask("partial_close", MNQ, 2), history.ask("partial_close", MNQ, 2)
    for plea in (first, second):
        history.wait(0.01)
        history.trade(-2)
        history.requests.executed(A, "partial_close", MNQ, 2, (), True)
        history.requests.answered(plea, "done")
    assert history.found == [(3, "A")]


def test_a_new_excess_may_be_closed_anew() -> None:
    """The trader did it again."""
    history = History()
    history.trade(7)
    history.stop(-7)
    history.reduce(2)
    history.trade(2)
    history.reduce(2)
    assert history.found == []


# ---- 4: locks ----------------------------------------------------------------------------------


def losing(history: History) -> None:
    """Four contracts lose more than the day may, and more than a position may not."""
    history.stop(-4)
    history.trade(4)
    history.price(MNQ, 24936)


def test_a_close_for_the_days_loss_needs_its_lock_first() -> None:
    """Here only the day is in breach."""
    history = History(Terms(daily_loss=500.0))
    losing(history)
    history.close()
    assert (4, "A") in history.found


def test_a_lock_before_its_close_is_right() -> None:
    """Lock, then close."""
    history = History(Terms(daily_loss=500.0))
    losing(history)
    history.lock()
    history.close()
    assert history.found == []


def test_a_lock_that_only_memory_has_is_a_violation() -> None:
    """A death of the process in the next instant would forget it."""
    history = History()
    history.trade(2)
    history.price(MNQ, 24700)
    until = next_reset(history.bench.wall()).isoformat()
    lock = {"rule": "daily_loss", "until": until}
    history.papers.recorded("lock", "A", lock, spooled=False)
    assert history.found == [(4, "A")]


def test_a_lock_that_ends_too_early_is_a_violation_when_it_is_written() -> None:
    """It is to last to the reset."""
    history = History(Terms(daily_loss=500.0))
    losing(history)
    history.lock(history.bench.wall() + timedelta(minutes=5))
    assert (4, "A") in history.found


def test_a_lock_that_the_account_does_not_show_is_a_violation() -> None:
    """Nothing shortens it."""
    history = History(Terms(daily_loss=500.0))
    losing(history)
    history.lock()
    history.close()
    history.knowledge.order(A, history.stop(0))
    history.wait(0.5)
    history.picture()
    assert history.found == []
    history.picture(locks=[])
    assert history.found == [(4, "A")]


def test_a_lock_must_survive_the_death_of_the_process() -> None:
    """Nothing but a power cut may lose it, and that only in its first second."""
    history = History(Terms(daily_loss=500.0))
    losing(history)
    rule, until = history.lock()
    body = {"rule": rule, "until": until.isoformat()}
    history.circumstances.life_ended()
    history.papers.life_ended([("lock", "A", body)])
    assert history.found == []
    history.papers.life_ended([])
    assert history.found == [(4, "A")]


@pytest.mark.parametrize(("after", "expected"), [(0.5, []), (1.5, [(4, "A")])])
def test_a_power_cut_may_lose_what_was_written_just_before(
    after: float, expected: list[tuple[int, str]]
) -> None:
    """A commit takes milliseconds."""
    history = History(Terms(daily_loss=500.0))
    losing(history)
    history.lock()
    history.wait(after)
    history.circumstances.life_ended()
    before = list(history.found)
    history.papers.power_cut([])
    assert history.found[len(before) :] == expected


def test_a_locked_account_that_trades_must_be_flat_again() -> None:
    """Whatever it trades."""
    history = History(Terms(daily_loss=500.0))
    losing(history)
    history.lock()
    history.wait(1.1)
    assert history.found == [(1, "A")]


# ---- 5: what is believed -----------------------------------------------------------------------


def test_a_picture_that_differs_is_a_violation_told_once() -> None:
    """Positions and the day's result, when nothing was kept from the daemon."""
    history = History()
    history.trade(2)
    history.stop(-2)
    history.wait(0.2)
    history.picture()
    assert history.found == []
    for _ in range(3):
        history.picture(positions=[], net="99.00")
    assert history.found == [(5, "A"), (5, "A")]


def test_a_picture_may_differ_while_something_is_not_told() -> None:
    """How should it know?"""
    history = History()
    history.trade(2, told=False)
    history.picture(positions=[], net="0")
    assert history.found == []


def test_an_order_that_nobody_told_of_must_be_found_while_something_is_held() -> None:
    """Orders are audited with what they protect, every half minute."""
    history = History()
    history.trade(2)
    history.stop(-2)
    history.knowledge.order(A, Order(9002, MNQ, 1, 2, 1, 1, None))
    history.wait(40)
    assert history.found == []
    history.wait(2)
    assert history.found == [(5, "A")]


def test_what_could_not_be_read_must_be_asked_for() -> None:
    """An answer to an earlier question does not count, a later one does."""
    history = History()
    history.circumstances.unreadable("sim")
    history.knowledge.read_positions(A, [], history.bench.now - 0.1)
    history.knowledge.read_positions(B, [], history.bench.now)
    history.wait(6)
    assert history.found == [(5, "A")]


def test_an_account_that_does_not_become_live_is_a_violation() -> None:
    """Ten seconds without any excuse."""
    history = History()
    history.picture(phase="reconciling")
    history.wait(9.9)
    assert history.found == []
    history.wait(0.2)
    assert history.found == [(5, "A")]


@pytest.mark.parametrize("again", [1, 0])
def test_an_account_that_was_live_between_two_looks_is_not_late(again: int) -> None:
    """Seen reading twice, it may have been live in between; what it says of itself tells."""
    history = History()
    for look in range(4):
        history.picture(phase="reconciling", reconciles=look * again)
        history.wait(5)
    assert ((5, "A") in history.found) is (again == 0)


def test_who_is_told_that_the_hub_is_down_may_not_say_that_it_is_live() -> None:
    """Two seconds after the news at most; told once."""
    history = History()
    history.circumstances.hub("sim", up=False)
    history.wait(1.9)
    history.picture()
    assert history.found == []
    history.wait(0.2)
    history.picture(phase="waiting")
    assert history.found == []
    history.picture()
    history.picture()
    assert history.found == [(5, "A")]


def test_trades_and_positions_that_differ_must_be_read_again() -> None:
    """A trade was lost; five seconds later it must have been asked for."""
    history = History()
    trade = history.trade(2, told=False)
    history.stop(-2)
    history.knowledge.told_position(A, MNQ, history.lives[A, MNQ][0], 2, trade.price)
    history.wait(4.9)
    assert history.found == []
    history.wait(0.2)
    assert history.found == [(5, "A")]


# ---- 7: the audit ------------------------------------------------------------------------------


def test_an_answer_that_is_not_written_down_is_a_violation() -> None:
    """Within a second."""
    history = History()
    history.trade(1, GC)
    history.close(GC, recorded=False)
    history.wait(0.9)
    assert history.found == []
    history.wait(0.2)
    assert history.found == [(7, "A")]


def test_an_answer_to_what_a_fallen_enforcement_had_left_in_the_queue_is_nobodys() -> None:
    """Its successor does not know the request; what it sends itself it must write down."""
    history = History()
    handled = 70
    history.bench.mail_of = lambda _: (handled, 2)
    history.trade(1, GC)
    history.circumstances.crashed("seawall/logins/sim/accounts/A/enforcement", True, "planned")
    history.circumstances.started("seawall/logins/sim/accounts/A/enforcement")
    handled = 72
    history.close(GC, recorded=False)
    history.wait(2)
    assert history.found == []
    handled = 74
    history.wait(1)
    history.wait(1)
    history.trade(1, GC)
    history.close(GC, recorded=False)
    history.wait(2)
    assert history.found == [(7, "A")]


def test_an_answer_to_who_was_set_aside_meanwhile_is_nobodys() -> None:
    """Once the account has returned, it must write down again what it is answered."""
    history = History()
    handled = 70
    history.bench.mail_of = lambda _: (handled, 0)
    account = "seawall/logins/sim/accounts/A"
    history.trade(1, GC)
    plea = history.ask("close", GC)
    history.wait(0.01)
    history.circumstances.parked(account)
    history.trade(-1, GC)
    history.requests.executed(A, "close", GC, 0, (), True)
    history.requests.answered(plea, "done")
    history.wait(2)
    assert history.found == []
    history.circumstances.started(f"{account}/account")
    handled = 72
    history.wait(1)
    history.wait(5)
    history.trade(1, GC)
    history.close(GC, recorded=False)
    history.wait(2)
    assert (7, "A") in history.found


def test_an_answer_of_an_unknown_intent_or_told_twice_is_a_violation() -> None:
    """Each has its cause, once."""
    history = History()
    history.recorded(history.docket, "outcome", intent="nobody", request=1, outcome="done")
    history.intent("somebody")
    history.recorded(history.docket, "outcome", intent="somebody", request=1, outcome="done")
    assert history.found == [(7, "A")]
    history.recorded(history.docket, "outcome", intent="somebody", request=1, outcome="done")
    assert history.found == [(7, "A"), (7, "A")]


def test_an_intent_without_a_reason_is_a_violation() -> None:
    """It must say rule, observation, limit and reason."""
    history = History()
    history.intent("mute", reason="")
    assert history.found == [(7, "A")]


# ---- 8: the reset ------------------------------------------------------------------------------


def to_the_reset(history: History) -> None:
    """Seventeen o'clock in Chicago."""
    left = 8 * 3600 - history.bench.now
    history.wait(left)


def test_a_day_that_is_not_begun_in_time_is_a_violation() -> None:
    """Five seconds for each account."""
    history = History()
    to_the_reset(history)
    history.wait(4.9)
    assert history.found == []
    history.recorded(history.docket, "reset", day="2026-11-19")
    history.wait(0.2)
    assert history.found == [(8, "B")]


def test_a_day_that_is_begun_twice_is_a_violation() -> None:
    """Exactly once, whatever lives."""
    history = History()
    history.recorded(history.docket, "reset", day="2026-11-18")
    assert history.found == [(8, "A")]


def test_a_new_day_forgets_the_losses_of_the_old() -> None:
    """What is carried counts from its price at the reset."""
    history = History(Terms(daily_loss=500.0))
    history.trade(4)
    history.price(MNQ, 24940)
    to_the_reset(history)
    for docket in history.bench.dockets.values():
        history.recorded(docket, "reset", day="2026-11-19")
    history.price(MNQ, 24930)
    history.wait(5)
    assert history.found == []
    assert history.docket.true.day(history.bench.true_prices) == -80.0


# ---- 9 and 10 ----------------------------------------------------------------------------------


def test_messages_must_add_up() -> None:
    """What was accepted went somewhere."""
    history = History()
    history.papers.mail("somewhere", 10, 10)
    assert history.found == []
    history.papers.mail("somewhere", 10, 9)
    assert history.found == [(9, "somewhere")]


def test_an_actor_that_falls_by_itself_is_a_violation() -> None:
    """Those that were made to are not."""
    history = History()
    history.circumstances.crashed("seawall/store", True, "")
    assert history.found == []
    history.circumstances.crashed("seawall/store", False, "KeyError()")
    assert history.found == [(10, "seawall/store")]


# ---- 11: no false alarm ------------------------------------------------------------------------


def test_a_close_without_a_breach_is_a_violation() -> None:
    """Everything is within its limits."""
    history = History()
    history.trade(2)
    history.close()
    assert history.found == [(11, "A")]


def test_what_was_not_told_is_no_reason_for_a_close() -> None:
    """That the daemon owes something else, too, does not make it a breach."""
    history = History()
    history.trade(2)
    history.stop(-2)
    history.trade(1, GC, told=False)
    history.ask("close")
    assert history.found == [(11, "A")]


def test_a_close_just_after_a_breach_has_ended_is_right() -> None:
    """News takes up to a quarter of a second to arrive; after that it is too late."""
    for after, expected in ((0.2, []), (0.3, [(11, "A")])):
        history = History()
        history.trade(2)
        history.price(MNQ, 24900)
        history.wait(0.5)
        history.price(MNQ, 25000)
        history.wait(after)
        history.close()
        assert history.found == expected


def test_a_close_that_is_tried_again_needs_no_new_breach() -> None:
    """The same life of the position; another life does."""
    history = History()
    history.trade(2)
    history.price(MNQ, 24900)
    history.requests.answered(history.ask("close"), "unknown")
    history.outcome()
    history.price(MNQ, 25000)
    history.wait(2)
    history.close()
    assert history.found == []
    history.wait(5)
    history.trade(2)
    history.close()
    assert history.found == [(11, "A")]


def test_closing_more_than_is_too_many_is_a_violation() -> None:
    """The fewest lots, not the whole position."""
    history = History()
    history.trade(7)
    history.ask("partial_close", MNQ, 2)
    assert history.found == []
    history.ask("partial_close", MNQ, 3)
    history.ask("close")
    assert history.found == [(11, "A"), (11, "A")]


def test_the_last_lot_of_a_plan_may_be_the_largest_and_may_go_first() -> None:
    """Ten micros on top of two minis and a half: five micros and one mini are the newest."""
    history = History(Terms(max_contracts=2.0, mini_equivalent=True))
    history.trade(2, GC)
    history.trade(10)
    for contract, size, net in ((GC, 1, -1), (MNQ, 5, -5)):
        history.ask("partial_close", contract, size)
        history.trade(net, contract)
        history.requests.executed(A, "partial_close", contract, size, (), True)
    assert history.found == []
    history.requests.executed(A, "partial_close", MNQ, 5, (), True)
    assert history.found == [(3, "A")]


def test_a_child_left_behind_in_a_forbidden_contract_may_be_cancelled() -> None:
    """Its entry closed a position instead of opening one: filled, it would open there."""
    history = History()
    child = Order(9002, GC, 1, 1, 4, 1, 9001)
    history.knowledge.order(A, child)
    history.knowledge.told_order(A, child)
    history.wait(1)
    history.ask("cancel", "9002")
    assert history.found == []


@pytest.mark.parametrize("told", [True, False])
def test_a_stop_whose_position_was_not_told_may_be_cancelled_on_a_locked_account(
    told: bool,
) -> None:
    """Late word of an earlier life, told after its end, does not make it known."""
    history = History()
    history.trade(9)
    history.price(MNQ, 24900)
    history.lock()
    history.ask("close", MNQ)
    history.trade(-9)
    history.wait(1)
    history.trade(-1, told=told)
    if not told:
        history.knowledge.told_position(A, MNQ, 1, 2, 25000.0)
    stop = Order(9002, MNQ, 1, 1, 4, 1, 0)
    history.knowledge.order(A, stop)
    history.knowledge.told_order(A, stop)
    history.wait(0.5)
    found = list(history.found)
    history.ask("cancel", "9002")
    assert history.found[len(found) :] == ([(11, "A")] if told else [])


def test_what_an_answer_takes_away_is_believed_until_the_reading_settles() -> None:
    """A late event told of a position that is gone; with it the new one was too many."""
    for waited, found in ((0.1, []), (0.6, [(11, "A")])):
        history = History(Terms(max_contracts=5.0))
        history.trade(3, GC, told=False)
        history.trade(-3, GC, told=False)
        history.knowledge.told_position(A, GC, 700, 3, 4100.0)
        history.wait(1)
        history.knowledge.read_positions(A, (), history.bench.now)
        history.wait(waited)
        history.trade(5)
        history.ask("partial_close", MNQ, 3)
        assert history.found == found


def test_a_lock_without_a_loss_is_a_violation() -> None:
    """It cannot be taken back."""
    history = History()
    history.trade(2)
    history.lock()
    assert (11, "A") in history.found


def test_a_loss_that_two_late_reports_pretend_excuses_no_lock() -> None:
    """A losing exit was told, its position not yet: counted twice it would be a loss of the day."""
    history = History(Terms(daily_loss=500.0))
    history.stop(-4)
    history.trade(4)
    history.price(MNQ, 24965)
    history.wait(3)
    exit_ = history.trade(-4, told=False)
    history.tell(exit_, position=False)
    history.lock()
    assert (11, "A") in history.found


@pytest.mark.parametrize(("waited", "wrong"), [(0.5, True), (1.6, True), (1.9, False)])
def test_closed_losses_alone_are_no_result_of_a_day_while_a_first_price_is_awaited(
    waited: float, wrong: bool
) -> None:
    """After a restart what is open has no price yet: its profit may make up for them."""
    history = History(Terms(daily_loss=500.0))
    history.trade(1, GC)
    history.price(GC, 4105.0)
    history.trade(10)
    history.price(MNQ, 24970.0)
    history.trade(-10)
    history.wait(3)
    history.circumstances.life_ended()
    history.wait(2)
    history.circumstances.life_begun()
    history.circumstances.session("sim", opened=True)
    history.circumstances.hub("sim", up=True)
    history.read()
    history.knowledge.read_trades(A, list(history.docket.true.trades.values()), history.bench.now)
    history.wait(waited)
    history.lock()
    assert ((11, "A") in history.found) == wrong


def test_a_first_price_that_came_tells_what_the_day_has_lost() -> None:
    """Then nothing is waited for."""
    history = History(Terms(daily_loss=500.0))
    history.circumstances.life_ended()
    history.trade(1, GC, told=False)
    history.price(GC, 4094.0, told=False)
    history.circumstances.life_begun()
    history.circumstances.session("sim", opened=True)
    history.circumstances.hub("sim", up=True)
    history.read()
    history.knowledge.read_trades(A, list(history.docket.true.trades.values()), history.bench.now)
    history.price(GC, 4094.0)
    history.lock()
    assert (11, "A") not in history.found


def test_what_the_daemon_was_told_excuses_what_it_could_not_know_better() -> None:
    """The trader has closed in an event that was lost; by all that was told the loss goes on."""
    history = History()
    history.trade(2)
    history.trade(-2, told=False)
    history.price(MNQ, 24900)
    history.wait(1)
    history.ask("close")
    assert history.found == []


def test_an_entry_may_go_although_its_position_has_just_been_turned() -> None:
    """It could add when that was decided; later nothing asks for it."""
    for waited, found in ((0.03, []), (0.4, [(11, "A")])):
        history = History()
        history.trade(2)
        order = history.stop(4)
        history.trade(6)
        history.trade(-14)
        history.wait(waited)
        history.ask("cancel", str(order.id))
        assert history.found == found


def test_what_is_left_of_a_closed_position_may_go_unless_it_protects_the_next() -> None:
    """The next one was opened while the close was looked after; its stop must stay."""
    for kind, found in ((1, []), (4, [(11, "A")])):
        history = History(Terms(unrealized_loss=300.0))
        history.trade(2)
        order = history.stop(5, type=kind)
        history.price(MNQ, 24700)
        history.close()
        history.price(MNQ, 25000)
        history.trade(-2)
        history.wait(0.05)
        history.requests.asked(A, "cancel", str(order.id))
        assert history.found == found


@pytest.mark.parametrize(("waited", "found"), [(0.005, []), (0.1, [(11, "A")])])
def test_what_is_left_of_a_closed_position_may_go_while_the_next_is_only_just_told(
    waited: float, found: list[tuple[int, str]]
) -> None:
    """Enforcement hears of it a moment after the account does."""
    history = History(Terms(unrealized_loss=300.0))
    history.trade(2)
    order = history.stop(5, type=4)
    history.price(MNQ, 24700)
    history.close()
    history.price(MNQ, 25000)
    history.trade(-2, told=False)
    history.wait(0.05)
    history.read()
    history.wait(waited)
    history.requests.asked(A, "cancel", str(order.id))
    assert history.found == found


@pytest.mark.parametrize(("waited", "found"), [(0.3, []), (0.6, [(11, "A")])])
def test_an_order_may_go_by_a_size_that_an_answer_has_taken_away_until_its_reading_settles(
    waited: float, found: list[tuple[int, str]]
) -> None:
    """What is gone in truth is believed to be there, and the newest position makes it too many."""
    history = History(Terms(max_contracts=3.0))
    order = history.stop(6, type=1)
    history.trade(2, GC, told=False)
    history.trade(-2, GC, told=False)
    history.knowledge.told_position(A, GC, 700, 2, 4100.0)
    history.wait(1)
    history.knowledge.read_positions(A, (), history.bench.now)
    history.wait(waited)
    history.trade(2)
    history.ask("cancel", str(order.id))
    assert history.found == found


@pytest.mark.parametrize(("waited", "found"), [(0.3, []), (0.6, [(11, "A")])])
def test_an_order_may_be_taken_for_an_entry_while_an_answer_hides_what_it_reduces(
    waited: float, found: list[tuple[int, str]]
) -> None:
    """Too many are held all the while; it reduces, but an answer had nothing that it could."""
    history = History(Terms(max_contracts=3.0))
    history.trade(9)
    order = history.stop(-7, type=1)
    history.wait(0.1)
    history.knowledge.read_positions(A, (), history.bench.now)
    history.wait(waited)
    history.read()
    history.requests.asked(A, "cancel", str(order.id))
    assert [it for it in history.found if it[0] == 11] == found


def test_cancelling_a_stop_of_a_position_that_stands_is_a_violation() -> None:
    """Nothing asks for it; after a full close it is right."""
    history = History()
    history.trade(2)
    order = history.stop(-2)
    history.ask("cancel", str(order.id))
    assert history.found == [(11, "A")]
    history = History()
    history.trade(2)
    order = history.stop(-2)
    history.price(MNQ, 24900)
    history.close()
    history.ask("cancel", str(order.id))
    assert history.found == []


def test_not_even_for_a_days_loss_does_a_stop_go_before_its_position() -> None:
    """The close may be refused; what could add goes at once."""
    history = History()
    history.trade(4)
    stop = history.stop(-4)
    entry = history.stop(1, number=9002, type=1)
    history.wait(1)
    history.price(MNQ, 24700)
    history.lock()
    history.ask("cancel", str(entry.id))
    assert history.found == []
    history.ask("cancel", str(stop.id))
    assert history.found == [(11, "A")]


# ---- the end -----------------------------------------------------------------------------------


def test_long_after_all_trouble_everything_must_be_well() -> None:
    """Live, and nothing set aside."""
    history = History()
    for docket in history.bench.dockets.values():
        docket.phase = "live"
    history.papers.finish(80.0, ())
    assert history.found == []
    history.docket.phase = "reconciling"
    history.papers.finish(80.0, ("seawall/store",))
    assert history.found == [(5, "A"), (5, "seawall/store")]


@pytest.mark.parametrize(("raced", "found"), [(True, []), (False, [(1, "A")])])
def test_an_audit_with_which_an_event_raced_tells_of_no_order(
    found: list[tuple[int, str]], *, raced: bool
) -> None:
    """It is not compared; the next one is, or the event of the order itself."""
    history = History(Terms(blocked=frozenset({"GC"})))
    entry = Order(9001, GC, 1, 1, 1, 1, None)
    history.knowledge.order(A, entry)
    asked_at = history.bench.now
    history.wait(0.005)
    if raced:
        history.trade(1)
    history.wait(0.02)
    history.knowledge.read_orders(A, [entry], asked_at)
    history.wait(1.1)
    assert history.found == found
    history.knowledge.read_orders(A, [entry], history.bench.now)
    history.wait(1.1)
    assert history.found == [(1, "A")]
