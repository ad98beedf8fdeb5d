"""The referee on a lost link that is said aloud."""

import pytest

from simulation.rulebook import rules_of
from simulation.translation import terms_of
from simulation.truth import Terms
from tests.simulation.history import History

TERMS = Terms(watches_link=True)


def watching(terms: Terms = TERMS, *, holding: int = 0) -> History:
    """The account has been live, and holds so much."""
    history = History(terms)
    if holding:
        history.stop(-holding)
        history.trade(holding)
    history.wait(1)
    history.picture()
    return history


def alert(history: History, *, critical: bool = False) -> None:
    """The account says that the link is lost."""
    history.recorded(history.docket, "alert", code="connection_lost", critical=critical)


def hub(history: History, *, up: bool) -> None:
    """The daemon is told of its user hub."""
    history.circumstances.hub("sim", up=up)


def test_a_lost_link_must_be_said_aloud() -> None:
    """Within a second; who does not ask for it need not be told."""
    history = watching()
    hub(history, up=False)
    history.wait(0.9)
    assert history.found == []
    history.wait(0.2)
    assert history.found == [(1, "A")]
    history = watching(Terms())
    hub(history, up=False)
    history.wait(2)
    assert history.found == []


@pytest.mark.parametrize(("holding", "critical"), [(0, False), (1, True)])
def test_it_is_critical_where_something_is_open(holding: int, *, critical: bool) -> None:
    """And nowhere else."""
    history = watching(holding=holding)
    hub(history, up=False)
    alert(history, critical=critical)
    assert history.found == []
    alert(history, critical=not critical)
    assert history.found == [(5, "A")]


def test_a_link_that_stands_is_not_lost() -> None:
    """Nor may anybody say so who was not asked to."""
    history = watching()
    alert(history)
    assert history.found == [(5, "A")]
    history = watching(Terms())
    hub(history, up=False)
    alert(history)
    assert history.found == [(5, "A")]


def test_it_is_said_once_until_the_account_has_been_live_again() -> None:
    """A hub that comes and goes before that is the same loss."""
    history = watching()
    for up in (False, True, False):
        hub(history, up=up)
        if not up and history.docket.open:
            alert(history)
    history.wait(2)
    assert history.found == []


def test_who_has_fallen_says_nothing() -> None:
    """A new life of the account knows nothing of a link that it never had."""
    history = watching()
    hub(history, up=False)
    history.circumstances.crashed("seawall/logins/sim/accounts/A/account", True, "")
    history.wait(2)
    assert history.found == []


def test_how_it_is_written() -> None:
    """By its name."""
    assert terms_of(rules_of("connection_loss")).watches_link
    assert not terms_of(rules_of("daily_loss=100")).watches_link
