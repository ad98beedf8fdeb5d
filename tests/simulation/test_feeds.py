"""What is held must be priced while any login's market hub is up."""

from simulation.feeds import MISSED_AT_MOST, Feeds
from tests.simulation.history import MNQ, History


def priced(history: History, feeds: Feeds, *, told: bool, times: int = MISSED_AT_MOST + 2) -> None:
    """A quote each second."""
    for n in range(times):
        history.wait(1.0)
        history.price(MNQ, 25000.0 + n % 3, told=told)
        feeds.quoted(MNQ)
        if told:
            feeds.told(MNQ)


def test_a_contract_that_stays_unpriced_although_a_hub_is_up_is_a_violation_told_once() -> None:
    """The hub of one login is down, and nobody asks the other."""
    history = History()
    feeds = Feeds(history.bench)
    feeds.hub("one", up=True)
    feeds.hub("two", up=True)
    history.trade(1)
    history.stop(-1)
    priced(history, feeds, told=True)
    feeds.hub("one", up=False)
    priced(history, feeds, told=False, times=MISSED_AT_MOST)
    assert history.found == []
    priced(history, feeds, told=False)
    assert history.found == [(5, MNQ)]


def test_nobody_can_be_told_a_price_while_every_hub_is_down() -> None:
    """Also a session that ends, and a daemon that dies, take their hub with them."""
    history = History()
    feeds = Feeds(history.bench)
    feeds.hub("one", up=True)
    history.trade(1)
    history.stop(-1)
    feeds.hub("one", up=False)
    priced(history, feeds, told=False)
    feeds.hub("one", up=True)
    feeds.life_ended()
    priced(history, feeds, told=False)
    assert history.found == []


def test_a_hub_that_has_fallen_silent_is_found_out_in_time() -> None:
    """Half a minute is allowed, not for ever."""
    history = History()
    feeds = Feeds(history.bench)
    feeds.hub("one", up=True)
    history.trade(1)
    history.stop(-1)
    feeds.may_be_silent()
    priced(history, feeds, told=False, times=25)
    assert history.found == []
    priced(history, feeds, told=False, times=15)
    assert history.found == [(5, MNQ)]


def test_prices_of_what_nobody_is_known_to_hold_are_not_missed() -> None:
    """Only what is held is watched."""
    history = History()
    feeds = Feeds(history.bench)
    feeds.hub("one", up=True)
    priced(history, feeds, told=False)
    assert history.found == []
