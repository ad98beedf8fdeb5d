"""Trouble with logins, accounts and the gateway itself: told clearly, and it harms nobody else."""

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from store.records import Kind
from tests.conftest import Gateway
from tests.e2e.world import CLOSE, GC, GUARD, LOGIN, Lines, World, open_world

StartGateway = Callable[..., Gateway]


async def test_a_wrong_key_is_told_retried_slowly_and_harms_no_other_login(
    start_gateway: StartGateway, tmp_path: Path, lines: Lines
) -> None:
    """One login is rejected, its account named UNGUARDED; the other guards as if nothing were."""
    scenario = tmp_path / "two-logins.json"
    users = [
        {"name": "right", "api_key": "a key", "accounts": [1001]},
        {"name": "wrong", "api_key": "another key", "accounts": [1002]},
        {"name": "trader"},
    ]
    scenario.write_text(json.dumps({"users": users}))
    gateway = start_gateway("--quotes-per-second", "0", "--scenario", str(scenario))
    async with open_world(gateway, tmp_path / "state", lines) as world:
        world.logins = (world.login("one", "right"), world.login("two", "wrong"))
        world.guard("SIM-50K-1", login="one")
        world.guard("SIM-50K-2", login="two")
        async with world.daemon(live=False):
            await world.until_live(1)
            await world.until(lambda: world.alerts("login_rejected"))
            await world.trade(1001, 1, GC)
            await world.until_flat(1001)
            (told,) = world.alerts("login_rejected")
            assert "login two is not connected: login two: the broker rejected user wrong" in told
            assert "UNGUARDED; next try in 30 s" in told
            assert "a key" not in told
            assert world.account(2)["phase"] == "waiting"
            assert len(await world.requests(LOGIN, user="wrong")) == 1
            assert len(await world.requests(LOGIN, user="right")) == 1


async def test_an_unknown_account_name_is_named_and_the_others_are_guarded(world: World) -> None:
    """Neither a misspelled account nor one that nobody configured goes by in silence."""
    world.guard("SIM-50K-1", "SIM-50K-99")
    async with world.daemon(live=False):
        await world.until_live(1)
        await world.until(lambda: world.alerts("account_missing"))
        (told,) = world.alerts("account_missing")
        assert told.startswith("account SIM-50K-99 is unknown to login sim: it is UNGUARDED. Check")
        unguarded = world.alerts("account_unguarded")
        assert [it.split()[1] for it in unguarded] == [f"SIM-50K-{n}" for n in (2, 3, 4, 5)]
        await world.trade(1001, 1, GC)
        await world.until_flat(1001)


async def test_a_gateway_that_is_not_there_yet_is_guarded_once_it_is(
    start_gateway: StartGateway, tmp_path: Path, lines: Lines
) -> None:
    """The daemon starts all the same, says that nothing is guarded, and goes on when it can."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    absent = Gateway(f"http://127.0.0.1:{port}", 0, {})
    async with open_world(absent, tmp_path / "state", lines) as world:
        world.guard("SIM-50K-1")
        async with world.daemon(live=False):
            await world.until(lambda: world.alerts("unreachable"))
            assert world.account(1)["phase"] == "waiting"
            start_gateway("--quotes-per-second", "0", "--port", str(port))
            await world.until_live()
            await world.trade(1001, 1, GC)
            await world.until_flat(1001)
        (told,) = world.alerts("unreachable")
        assert told.startswith("login sim is not connected: ")
        assert "Its accounts are UNGUARDED; next try in 0.5 s" in told


async def test_a_token_revoked_in_mid_flight_is_renewed_once_and_the_close_repeated(
    world: World,
) -> None:
    """The close meets 401, certainly did nothing, and is sent again with a new token."""
    world.guard("SIM-50K-1")
    async with world.daemon():
        await world.fault("revoke_tokens", user=GUARD)
        await world.trade(1001, 1, GC)
        await world.until_flat(1001)
        await world.until_count(Kind.INTENT_DONE, 1)
        assert [it["status"] for it in await world.requests(CLOSE, user=GUARD)] == [200]
        assert len(await world.requests(LOGIN)) == 2
        assert await world.fills(1001) == [(0, 1), (1, 1)]
        assert world.said("broker answered", outcome=_REFUSED_TOKEN)


_REFUSED_TOKEN = "not executed (the gateway does not accept this session's token (401))"


@pytest.mark.parametrize("status", [401, 429])
async def test_a_close_that_was_certainly_not_executed_is_repeated(
    world: World, status: int
) -> None:
    """401 and 429 to a close: told, tried again, closed once."""
    world.guard("SIM-50K-1")
    async with world.daemon():
        await world.fault("http", status=status, path=CLOSE, times=1, retry_after=1)
        await world.trade(1001, 1, GC)
        await world.until_flat(1001)
        await world.until_count(Kind.INTENT_DONE, 1)
        assert [it["status"] for it in await world.requests(CLOSE)] == [status, 200]
        assert await world.fills(1001) == [(0, 1), (1, 1)]
        (answered,) = [it for it in world.said("broker answered") if it["try"] == 1]
        assert str(status) in answered["outcome"]
        assert answered["outcome"].startswith("not executed")


@pytest.mark.parametrize("status", [401, 429, 500])
async def test_reads_that_fail_while_reconciling_are_repeated_and_told(
    world: World, status: int
) -> None:
    """An account whose state cannot be read is called UNGUARDED until it can be."""
    world.guard("SIM-50K-1")
    await world.trade(1001, 7)
    await world.fault("http", status=status, path="/api/Position/searchOpen", times=3)
    async with world.daemon():
        await world.until_held(1001, 5)
        (told,) = world.alerts("reconcile_failed")
        assert told.startswith("the state of SIM-50K-1 could not be read: ")
        assert "/Position/searchOpen" in told
        assert str(status) in told
        assert "It is UNGUARDED until that works; Seawall keeps trying" in told


async def test_a_logout_by_the_gateway_starts_no_fight_over_the_session(world: World) -> None:
    """The trader is told; as long as the token works nobody logs in, and the hub stays."""
    world.guard("SIM-50K-1")
    async with world.daemon():
        await world.fault("logout_push", reason="logged in elsewhere")
        await world.until(lambda: world.alerts("logged_out"))
        await world.trade(1001, 1, GC)
        await world.until_flat(1001)
        (told,) = world.alerts("logged_out")
        assert "logged in elsewhere" in told
        assert "without fighting over it" in told
        assert len(await world.requests(LOGIN)) == 1
        assert world.status("logins/sim/connection")["link"] == 1


async def test_a_platform_that_throws_us_out_is_not_answered_in_kind(world: World) -> None:
    """Logged out, token and hubs gone: one login, in no hurry, and the account is guarded again."""
    world.guard("SIM-50K-1")
    async with world.daemon():
        await world.fault("logout_push")
        await world.fault("revoke_tokens", user=GUARD)
        await world.fault("drop")
        await world.until_link(2, within=30)
        assert len(await world.requests(LOGIN)) == 2
        await world.trade(1001, 1, GC)
        await world.until_flat(1001)
