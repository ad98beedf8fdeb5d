"""The control endpoints, and faults as REST clients feel them."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import trio

from tests.simulator.world import Served

NQ = "CON.F.US.ENQ.Z26"
CLOSE = "/Position/closeContract"


async def raw_close(served: Served) -> httpx.Response:
    return await served.http.post(
        f"{served.at.api_url}{CLOSE}",
        json={"accountId": 1001, "contractId": NQ},
        headers={"Authorization": f"Bearer {served.token}"},
    )


async def exposure(served: Served) -> list[int]:
    state = await served.state()
    return [it["size"] for it in state["accounts"][0]["positions"]]


async def test_a_quote_triggers_orders(served: Served) -> None:
    """POST /control/quote moves the market."""
    await served.buy(2)
    await served.buy(2, side=1, type=4, stopPrice=24990)
    await served.post("/control/quote", contractId=NQ, bid=24980, ask=24980.25)
    assert await exposure(served) == []


async def test_a_held_price_does_not_walk(served: Served) -> None:
    """The living prices leave a contract alone that was set by hand, until it is released."""
    gateway = served.gateway
    await served.post("/control/quote", contractId=NQ, bid=24980, ask=24980.25)
    for _ in range(len(gateway.exchange.listings) * 20):
        gateway.step()
    assert gateway.exchange.quotes[NQ].bid == 24980
    await served.post("/control/quote", contractId=NQ, bid=24980, ask=24980.25, hold=False)
    for _ in range(len(gateway.exchange.listings) * 20):
        gateway.step()
    assert gateway.exchange.quotes[NQ].bid != 24980


async def test_the_clock_jumps_and_runs_faster(served: Served) -> None:
    """POST /control/clock sets now and speed; the Date header follows."""
    wanted = "2026-11-20T22:59:58+00:00"
    answer = await served.post("/control/clock", now=wanted, speed=0)
    assert datetime.fromisoformat(answer["now"]) == datetime.fromisoformat(wanted)
    read = (await served.http.get(f"{served.at.url}/control/clock")).json()
    assert read == {"now": wanted, "speed": 0.0}
    ping = await served.http.get(f"{served.at.api_url}/Status/ping")
    assert ping.json() == "pong"
    assert ping.headers["Date"] == "Fri, 20 Nov 2026 22:59:58 GMT"
    await served.post("/control/clock", speed=3600)
    await trio.sleep(0.01)
    later = (await served.http.get(f"{served.at.url}/control/clock")).json()["now"]
    assert datetime.fromisoformat(later) >= datetime.fromisoformat(wanted) + timedelta(seconds=36)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("quote", {"contractId": "nix", "bid": 1, "ask": 2}),
        ("quote", {"contractId": NQ, "bid": 2, "ask": 1}),
        ("quote", {"contractId": NQ, "bid": "NaN", "ask": 1}),
        ("quote", {"contractId": NQ, "bid": 0, "ask": 1}),
        ("quote", {"contractId": NQ, "bid": 1, "ask": 1, "nonsense": 1}),
        ("quote", []),
        ("clock", {"now": "2026-11-20T10:00:00"}),
        ("clock", {"speed": -1}),
        ("clock", {"now": "yesterday"}),
        ("fault", {"fault": "nix"}),
        ("fault", {"clear": "nix"}),
        ("fault", []),
        ("account", {"accountId": 5}),
        ("void", {"tradeId": 5}),
        ("order", {"accountId": 1001, "contractId": NQ, "type": 77, "side": 0, "size": 1}),
        ("scenario", {"steps": [{"at": 0}]}),
        ("scenario", {"steps": [{"at": -1, "void": {}}]}),
        ("scenario", {"contracts": ["NQ"], "steps": []}),
        ("scenario", [1]),
    ],
)
async def test_a_bad_control_request_is_a_clear_400(served: Served, path: str, body: Any) -> None:
    """And the gateway goes on."""
    answer = await served.http.post(f"{served.at.url}/control/{path}", json=body)
    assert answer.status_code == 400
    assert len(answer.json()["error"]) > 10
    assert (await served.http.get(f"{served.at.url}/control/nix")).status_code == 404
    assert (await served.http.get(f"{served.at.url}/control/quote")).status_code == 405


async def test_refused_closes_run_out(served: Served) -> None:
    """Refused twice with the code of choice, then done."""
    await served.buy()
    await served.post("/control/fault", fault="refuse_close", code=6, times=2)
    codes = [(await raw_close(served)).json()["errorCode"] for _ in range(3)]
    assert codes == [6, 6, 0]


@pytest.mark.parametrize("executes", [True, False])
async def test_an_uncertain_close_hides_whether_it_was_done(served: Served, executes: bool) -> None:
    """502 either way; the truth differs."""
    await served.buy()
    await served.post("/control/fault", fault="uncertain_close", executes=executes, times=1)
    assert (await raw_close(served)).status_code == 502
    assert await exposure(served) == ([] if executes else [1])


async def test_an_uncertain_close_may_break_the_connection(served: Served) -> None:
    """No answer at all, and the position is closed."""
    await served.buy()
    await served.post("/control/fault", fault="uncertain_close", how="disconnect", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await raw_close(served)
    assert await exposure(served) == []


async def test_http_faults_match_paths(served: Served) -> None:
    """401, 429 with Retry-After, and 503 for the paths they name, for as long as they say."""
    await served.post(
        "/control/fault", fault="http", status=429, path="/api/Position/*", times=1, retryAfter=7
    )
    limited = await raw_close(served)
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "7")
    assert (await raw_close(served)).status_code == 200
    await served.post("/control/fault", fault="http", status=503)
    assert (await raw_close(served)).status_code == 503
    await served.post("/control/fault", clear=True)
    assert (await raw_close(served)).status_code == 200


async def test_revoked_tokens_and_rejected_logins(served: Served) -> None:
    """The old token is dead, a new login is refused, others get in."""
    await served.post("/control/fault", fault="revoke_tokens", user="trader")
    await served.post("/control/fault", fault="reject_login", user="trader")
    assert (await raw_close(served)).status_code == 401
    url = f"{served.at.api_url}/Auth/loginKey"
    refused = await served.http.post(url, json={"userName": "trader", "apiKey": "key"})
    assert (refused.status_code, refused.json()["success"]) == (200, False)
    other = await served.http.post(url, json={"userName": "other", "apiKey": "key"})
    assert other.json()["success"] is True


async def test_a_stale_snapshot_shows_the_past(served: Served) -> None:
    """Reads answer what was true when the fault was set; the control state does not."""
    await served.post("/control/fault", fault="stale_snapshot")
    await served.buy()
    assert (await served.api("/Position/searchOpen", accountId=1001))["positions"] == []
    assert await exposure(served) == [1]
    await served.post("/control/fault", clear="stale_snapshot")
    assert len((await served.api("/Position/searchOpen", accountId=1001))["positions"]) == 1


@pytest.mark.parametrize(("when", "code", "left"), [("before", 2, []), ("after", 0, [1])])
async def test_a_stop_may_fill_during_a_close(
    served: Served, when: str, code: int, left: list[int]
) -> None:
    """Before: nothing is left to close. After: the stop re-opens on the other side."""
    await served.buy()
    await served.buy(side=1, type=4, stopPrice=24000)
    await served.post("/control/fault", fault="stop_fills_during_close", when=when, times=1)
    assert (await raw_close(served)).json()["errorCode"] == code
    assert await exposure(served) == left


async def test_a_contract_may_lack_its_tick_value(served: Served) -> None:
    """Missing, or zero."""
    await served.post("/control/fault", fault="no_tick_value", contractId=NQ, times=1)
    await served.post("/control/fault", fault="no_tick_value", contractId=NQ, how="zero")
    first = (await served.api("/Contract/searchById", contractId=NQ))["contract"]
    assert "tickValue" not in first
    second = (await served.api("/Contract/searchById", contractId=NQ))["contract"]
    assert second["tickValue"] == 0


async def test_market_and_lot_method_follow_their_faults(served: Served) -> None:
    """Closed and average while the faults stand, as before afterwards."""
    await served.post("/control/fault", fault="market_closed")
    await served.post("/control/fault", fault="lot_method")
    assert (await served.buy())["errorCode"] == 5
    state = await served.state()
    assert (state["market_open"], state["lot_method"]) == (False, "average")
    assert [it["fault"] for it in state["faults"]] == ["market_closed", "lot_method"]
    await served.post("/control/fault", clear=True)
    state = await served.state()
    assert (state["market_open"], state["lot_method"], state["faults"]) == (True, "fifo", [])


async def test_a_scenario_plays_its_steps(served: Served) -> None:
    """A quote, an order, a fault and a slide, each at its time."""
    steps = [
        {"at": 0, "quote": {"contractId": NQ, "bid": 100, "ask": 100.25}},
        {
            "at": 0.02,
            "order": {"accountId": 1001, "contractId": NQ, "type": 2, "side": 0, "size": 1},
        },
        {"at": 0.02, "fault": {"fault": "refuse_close"}},
        {"at": 0.03, "slide": {"contractId": NQ, "to": 90, "over": 0.05}},
        {"at": 0.03, "void": {"tradeId": 1}},
    ]
    assert await served.post("/control/scenario", steps=steps) == {"steps": 5}
    with trio.fail_after(5):
        while (await served.state())["quotes"][NQ]["bid"] != 90:
            await trio.sleep(0.01)
    state = await served.state()
    assert await exposure(served) == [1]
    assert [it["fault"] for it in state["faults"]] == ["refuse_close"]
    assert len(state["mishaps"]) == 1


async def test_the_truth_knows_requests_and_their_times(served: Served) -> None:
    """Each request with the monotonic time of its last byte, by endpoint and one by one."""
    await served.buy()
    await raw_close(served)
    endpoints = (await served.state())["requests"]["endpoints"]
    assert endpoints[f"/api{CLOSE}"]["count"] == 1
    latency = (await served.http.get(f"{served.at.url}/control/latency")).json()
    (close,) = [it for it in latency["requests"] if it["path"] == f"/api{CLOSE}"]
    assert close["subject"] == {"accountId": 1001, "contractId": NQ}
    assert close["received"] <= close["answered"]


async def test_the_broker_may_change_an_account(served: Served) -> None:
    """A payout moves the balance, canTrade stops orders, refusals belong to a follower."""
    await served.post("/control/account", accountId=1001, adjust=-1000, canTrade=False)
    assert (await served.state())["accounts"][0]["balance"] == 49000
    assert (await served.buy())["errorCode"] == 10
    await served.post("/control/account", accountId=1001, canTrade=True, refuses=["partial_close"])
    await served.buy(2)
    body = {"accountId": 1001, "contractId": NQ, "size": 1}
    assert (await served.api("/Position/partialCloseContract", **body))["errorCode"] == 9


async def test_the_same_seed_makes_the_same_day(served: Served) -> None:
    """Two gateways of one seed walk the same prices."""
    from simulator import build_gateway

    now = datetime.fromisoformat("2026-11-20T15:00:00+00:00")
    first, second, other = (build_gateway(now, seed=seed) for seed in (3, 3, 4))
    for gateway in (first, second, other):
        for _ in range(2000):
            gateway.step()
    assert first.exchange.quotes == second.exchange.quotes
    assert first.exchange.quotes != other.exchange.quotes
