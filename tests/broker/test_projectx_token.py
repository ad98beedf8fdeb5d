"""The owner of a login's token, without a gateway."""

import base64
import json
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
import trio
from attrs import define, field

from broker.port import BrokerError, LoginRejected, RateLimited, Unreachable
from broker.projectx_token import DEFAULT_LIFETIME, TokenOwner, lifetime

NOW = datetime(2026, 11, 18, 15, tzinfo=UTC)
HOUR = 3600.0


def token(number: int, lives: float = 24 * HOUR) -> str:
    claims = {"iat": 1000, "exp": 1000 + lives, "n": number}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOi.{body}.sig"


@define
class Gate:
    """Answers logins, with the errors that were put in front."""

    errors: list[BrokerError] = field(factory=list)
    lives: float = 24 * HOUR
    at: list[float] = field(factory=list)

    async def log_in(self) -> str:
        self.at.append(trio.current_time())
        await trio.sleep(0.1)
        if self.errors:
            raise self.errors.pop(0)
        return token(len(self.at), self.lives)


async def owner(gate: Gate, nursery: trio.Nursery) -> TokenOwner:
    tokens = TokenOwner(gate.log_in, lambda: NOW, Random(1))
    await tokens.first()
    nursery.start_soon(tokens.run)
    return tokens


async def test_token_is_renewed_before_it_expires(
    autojump_clock: Any, nursery: trio.Nursery
) -> None:
    """A day's token is replaced after nine tenths of it, without being asked."""
    gate = Gate()
    tokens = await owner(gate, nursery)
    first = tokens.current
    await trio.sleep(21 * HOUR)
    assert tokens.current == first
    await trio.sleep(HOUR)
    assert tokens.current != first


async def test_absurd_lifetime_does_not_become_a_stream_of_logins(
    autojump_clock: Any, nursery: trio.Nursery
) -> None:
    """A token that says it lives for a second is renewed once a minute at the most."""
    gate = Gate(lives=1)
    await owner(gate, nursery)
    await trio.sleep(600)
    assert len(gate.at) <= 11


async def test_many_askers_share_one_login(autojump_clock: Any, nursery: trio.Nursery) -> None:
    """Single flight, and nobody waits for a second token."""
    gate = Gate()
    tokens = await owner(gate, nursery)
    stale = tokens.current
    async with trio.open_nursery() as askers:
        for _ in range(10):
            askers.start_soon(tokens.renewed, stale)
    assert tokens.logins == 2
    tokens.request(stale)
    await trio.sleep(HOUR)
    assert tokens.logins == 2


async def test_unreachable_gateway_is_asked_again_with_pauses(
    autojump_clock: Any, nursery: trio.Nursery
) -> None:
    """Errors other than a rejection are ridden out; a Retry-After is respected."""
    gate = Gate()
    tokens = await owner(gate, nursery)
    gate.errors = [Unreachable("down"), RateLimited("slow", 40), Unreachable("down")]
    await tokens.renewed(tokens.current)
    pauses = [late - early for early, late in zip(gate.at[1:], gate.at[2:], strict=False)]
    assert len(pauses) == 3
    assert pauses[1] >= 40


async def test_rejection_is_final(autojump_clock: Any, nursery: trio.Nursery) -> None:
    """No further login, and everybody who waits is told."""
    gate = Gate()
    tokens = await owner(gate, nursery)
    gate.errors = [LoginRejected("no")]
    with pytest.raises(LoginRejected):
        await tokens.renewed(tokens.current)
    with pytest.raises(LoginRejected):
        await tokens.wait_failed()
    await trio.sleep(48 * HOUR)
    assert len(gate.at) == 2


async def test_forced_logins_grow_rarer_and_calm_resets_them(
    autojump_clock: Any, nursery: trio.Nursery
) -> None:
    """The gaps before forced logins rise to a minute; after a quiet time the first is immediate."""
    gate = Gate()
    tokens = await owner(gate, nursery)
    waits = []
    for _ in range(6):
        asked = trio.current_time()
        await tokens.renewed(tokens.current)
        waits.append(round(trio.current_time() - asked))
    assert waits == [0, 5, 15, 30, 60, 60]
    await trio.sleep(HOUR)
    asked = trio.current_time()
    await tokens.renewed(tokens.current)
    assert trio.current_time() - asked < 1


async def test_first_login_after_a_logout_is_in_no_hurry(
    autojump_clock: Any, nursery: trio.Nursery
) -> None:
    """Whoever logged in elsewhere is not thrown out within the second."""
    gate = Gate()
    tokens = await owner(gate, nursery)
    tokens.logged_out()
    asked = trio.current_time()
    await tokens.renewed(tokens.current)
    assert trio.current_time() - asked >= 5


@pytest.mark.parametrize("odd", ["", "x", "a.b", "a.%%%.c", "a.e30.c", "a.bnVsbA.c", "a.W10.c"])
def test_token_that_does_not_tell_lives_half_a_day(odd: str) -> None:
    """Whatever the token looks like, there is a lifetime."""
    assert lifetime(odd, NOW) == DEFAULT_LIFETIME


def test_lifetime_without_issue_time_is_judged_by_our_clock() -> None:
    """exp alone is measured from now."""
    claims = json.dumps({"exp": NOW.timestamp() + 600}).encode()
    alone = f"a.{base64.urlsafe_b64encode(claims).decode()}.c"
    assert lifetime(alone, NOW) == 600
