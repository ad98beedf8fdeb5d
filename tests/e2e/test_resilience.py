"""What takes real time to happen: five stories at gateways of their own, told side by side."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import trio

from store.records import Kind
from tests.conftest import Gateway
from tests.e2e.figures import Figures
from tests.e2e.world import GC, GUARD, LOGIN, MNQ, Lines, World, open_world

RESETS = 30
RESET_EVERY = 3.0
REQUESTS_PER_MINUTE = 200
SILENCE = 65.0


async def test_a_minute_and_a_half_of_bad_network(
    start_gateway: Callable[..., Gateway], tmp_path: Path, lines: Lines, figures: Figures
) -> None:
    """Resets, silence, a half-open hub, logouts and a closed market; each story has its docstring."""

    async def tell(story: Callable[[World], Awaitable[None]]) -> None:
        gateway = start_gateway("--quotes-per-second", "0")
        async with open_world(gateway, tmp_path / story.__name__, lines) as world:
            await story(world)

    async def resets(world: World) -> None:
        cut_to_live = await _thirty_resets(world)
        figures.add(4, "cut to all accounts live, one every 3 s", cut_to_live, "s", target=5)

    async with trio.open_nursery() as nursery:
        for story in (resets, _silent_market, _half_open_hub, _logged_out_twice, _market_closed):
            nursery.start_soon(tell, story)


async def _thirty_resets(world: World) -> list[float]:
    """After each the daemon is live, subscribed for all, agrees with the broker, and is frugal."""
    await world.fault("one_shot_ids")
    world.guard(*(f"SIM-50K-{n}" for n in range(1, 6)))
    cut_to_live = []
    async with world.daemon():
        await world.trade(1001, 2)
        await world.trade(1002, -1)
        await world.until(lambda: world.account(1)["positions"] and world.account(2)["positions"])
        begun = trio.current_time()
        for n in range(1, RESETS + 1):
            await trio.sleep_until(begun + n * RESET_EVERY)
            cut = trio.current_time()
            await world.fault("reset")
            if n % 5 == 0:  # unseen by the hub that has just gone
                await world.trade(1001, 1 if n % 2 else -1)
            await world.until_link(n + 1)
            cut_to_live.append(trio.current_time() - cut)
            await _fully_subscribed(world)
            await _agreed(world)
        state = await world.look("state")
        assert state["requests"]["peak_in_60s"][GUARD] <= REQUESTS_PER_MINUTE
        assert {it["status"] for it in (await world.look("latency"))["requests"]} == {200}
        assert len(await world.requests(LOGIN)) == 1
        assert world.of(Kind.INTENT) == []
    return cut_to_live


async def _fully_subscribed(world: World) -> None:
    (user,) = await world.links("user")
    assert len(user["subscriptions"]) == 1 + 3 * 5

    async def quoted() -> bool:
        links = await world.links("market")
        return [it["subscriptions"] for it in links] == [[["GatewayQuote", MNQ]]]

    await world.until(quoted, within=RESET_EVERY)


async def _agreed(world: World) -> None:
    for number in (1, 2):
        held = await world.held(1000 + number)
        assert [p["net"] for p in world.account(number)["positions"]] == [held]


async def _silent_market(world: World) -> None:
    """A market that says nothing for over a minute is a quiet one, not a broken hub."""
    world.guard("SIM-50K-1")
    async with world.daemon():
        await world.trade(1001, 2)
        await world.until(lambda: world.status("price cache")["feeds"] == {"sim": [MNQ]})
        before = {it["id"] for hub in ("user", "market") for it in await world.links(hub)}
        await trio.sleep(SILENCE)
        after = {it["id"] for hub in ("user", "market") for it in await world.links(hub)}
        assert after == before
        assert world.account(1)["phase"] == "live"
        await world.price("24990.00")
        await world.until(lambda: world.account(1)["open"] == "-41.000000")
        assert world.of(Kind.INTENT) == []


async def _half_open_hub(world: World) -> None:
    """A hub that keeps its socket and says nothing is found out; what it hid is closed."""
    world.guard("SIM-50K-1")
    async with world.daemon():
        await world.fault("half_open", hub="user")
        await world.trade(1001, 1, GC)
        await world.until_link(2, within=20)
        await world.until_flat(1001)
        await world.fault("half_open", hub="market")
        (dead,) = await world.links("market")

        async def replaced() -> bool:
            links = await world.links("market")
            return bool(links) and dead["id"] not in {it["id"] for it in links}

        await world.until(replaced, within=20)
        assert world.status("logins/sim/connection")["link"] == 2


async def _logged_out_twice(world: World) -> None:
    """Thrown out, tokens revoked and hubs cut, twice: one login for each, ever less in a hurry."""
    world.guard("SIM-50K-1")
    async with world.daemon():
        for link in (2, 3):
            await world.fault("logout_push")
            await world.fault("revoke_tokens", user=GUARD)
            await world.fault("drop")
            await world.until_link(link, within=60)
            assert len(await world.requests(LOGIN)) == link
        assert len(world.alerts("logged_out")) == 2
        await world.trade(1001, 1, GC)
        await world.until_flat(1001)


async def _market_closed(world: World) -> None:
    """A close that stays refused becomes a critical alert, and is tried on until the market opens."""
    world.guard("SIM-50K-1")
    async with world.daemon():
        await world.trade(1001, 4)
        await world.until(lambda: world.account(1)["positions"])
        await world.fault("market_closed")
        await world.price("24000.00")
        await world.until(lambda: world.alerts("enforcement_stubborn"), within=60)
        (told,) = world.alerts("enforcement_stubborn")
        assert told.startswith("flatten the account is still not done after 6 tries (refused")
        assert "your money is still at risk; close it on the platform. Seawall keeps trying" in told
        await world.heal()
        await world.until_flat(1001, within=60)
        assert world.locks(1) == ["daily_loss"]
        assert await world.fills(1001) == [(0, 4), (1, 4)]
