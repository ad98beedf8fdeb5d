"""The REST surface over real sockets, as an HTTP client meets it."""

import base64
import json
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx
import pytest
import trio

from simulator import build_gateway, parse_scenario, serve
from tests.simulator.world import Served

NQ = "CON.F.US.ENQ.Z26"
FAR = {"startTimestamp": "2020-01-01T00:00:00Z"}


async def test_anybody_may_log_in_and_gets_a_day(served: Served) -> None:
    """The token is a JWT whose exp is 24 hours ahead by the machine's clock."""
    claims = json.loads(base64.urlsafe_b64decode(served.token.split(".")[1] + "=="))
    left = datetime.fromtimestamp(claims["exp"], UTC) - datetime.now(UTC)
    assert timedelta(hours=23, minutes=58) < left <= timedelta(hours=24)


async def test_five_accounts_are_there(served: Served) -> None:
    """SIM-50K-1 to SIM-50K-5 with 50,000 dollars each."""
    accounts = (await served.api("/Account/search", onlyActiveAccounts=True))["accounts"]
    assert [it["name"] for it in accounts] == [f"SIM-50K-{n}" for n in range(1, 6)]
    assert [it["id"] for it in accounts] == [1001, 1002, 1003, 1004, 1005]
    assert {it["balance"] for it in accounts} == {50000}


async def test_contracts_have_the_live_systems_ids(served: Served) -> None:
    """NQ is ENQ there; search finds it by name and by id."""
    by_name = (await served.api("/Contract/search", searchText="nqz6", live=False))["contracts"]
    assert NQ in [it["id"] for it in by_name]
    contract = (await served.api("/Contract/searchById", contractId=NQ))["contract"]
    assert (contract["name"], contract["tickSize"], contract["tickValue"]) == ("NQZ6", 0.25, 5)
    assert contract["symbolId"] == "F.US.ENQ"
    unknown = await served.api("/Contract/searchById", contractId="CON.F.US.NIX.Z26")
    assert unknown["success"] is False
    assert len((await served.api("/Contract/available", live=False))["contracts"]) > 30


async def test_a_trade_goes_through_every_read(served: Served) -> None:
    """Place, see the position, the order and the trade, close, see it gone."""
    placed = await served.buy(3)
    assert placed["success"] is True
    (position,) = (await served.api("/Position/searchOpen", accountId=1001))["positions"]
    assert (position["size"], position["type"], position["contractId"]) == (3, 1, NQ)
    assert (
        await served.api("/Position/partialCloseContract", accountId=1001, contractId=NQ, size=1)
    )["success"]
    assert (await served.api("/Position/closeContract", accountId=1001, contractId=NQ))["success"]
    assert (await served.api("/Position/searchOpen", accountId=1001))["positions"] == []
    orders = (await served.api("/Order/search", accountId=1001, **FAR))["orders"]
    assert [it["fillVolume"] for it in orders] == [3, 1, 2]
    trades = (await served.api("/Trade/search", accountId=1001, **FAR))["trades"]
    assert [it["profitAndLoss"] is None for it in trades] == [True, False, False]
    by_id = await served.api("/Order/searchById", accountId=1001, orderId=placed["orderId"])
    assert by_id["order"]["status"] == 2


async def test_only_the_query_shows_suspended_children(served: Served) -> None:
    """searchOpen leaves them out, v2/query has them when asked."""
    await served.buy(
        type=1,
        limitPrice=20000,
        stopLossBracket={"ticks": -40, "type": 4},
        takeProfitBracket={"ticks": 40, "type": 1},
    )
    shown = (await served.api("/Order/searchOpen", accountId=1001))["orders"]
    assert [it["status"] for it in shown] == [1]
    wanted = {"accountId": 1001, "statuses": [1, 8], "contractId": NQ}
    answer = await served.api("/Order/v2/query", filter=wanted, pageSize=2, pageOffset=0)
    assert [it["status"] for it in answer["orders"]] == [1, 8]
    assert answer["totalCount"] == 3


async def test_orders_are_modified_and_cancelled(served: Served) -> None:
    """By id, with codes when there is none."""
    order = (await served.buy(type=1, limitPrice=20000))["orderId"]
    ids = {"accountId": 1001, "orderId": order}
    assert (await served.api("/Order/modify", **ids, limitPrice=20001))["success"]
    assert (await served.api("/Order/cancel", **ids))["success"]
    again = await served.api("/Order/cancel", **ids)
    assert (again["success"], again["errorCode"]) == (False, 2)


async def test_refusals_are_answers(served: Served) -> None:
    """HTTP 200 with success false, a code and a text."""
    closed = await served.api("/Position/closeContract", accountId=1001, contractId=NQ)
    assert (closed["success"], closed["errorCode"]) == (False, 2)
    assert closed["errorMessage"]
    strange = await served.api("/Position/searchOpen", accountId=77)
    assert (strange["success"], strange["errorCode"]) == (False, 1)
    for body in ({"type": 99}, {"side": 5}, {"stopLossBracket": {"ticks": 4, "type": 1}}):
        refused = await served.buy(**body)
        assert (refused["errorCode"], refused["orderId"]) == (2, None)


async def test_bars_come_from_quotes(served: Served) -> None:
    """The running minute is there when asked for."""
    await served.post("/control/quote", contractId=NQ, bid=24000, ask=24000.25)
    asked = {
        "contractId": NQ,
        "live": False,
        "startTime": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
        "endTime": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
        "unit": 2,
        "unitNumber": 1,
        "limit": 1,
    }
    (bar,) = (await served.api("/History/retrieveBars", **asked, includePartialBar=True))["bars"]
    assert bar["c"] == bar["l"] == 24000
    seconds = await served.api("/History/retrieveBars", **(asked | {"unit": 1}))
    assert seconds["success"] is False


async def test_a_missing_wrong_or_revoked_token_is_a_401(served: Served) -> None:
    """validate gives a further token, logout ends the one it was sent with."""
    url = f"{served.at.api_url}/Account/search"
    assert (await served.http.post(url, json={})).status_code == 401
    bad = {"Authorization": "Bearer nonsense"}
    assert (await served.http.post(url, json={}, headers=bad)).status_code == 401
    renewed = (await served.api("/Auth/validate"))["newToken"]
    await served.api("/Auth/logout")
    old = {"Authorization": f"Bearer {served.token}"}
    assert (await served.http.post(url, json={}, headers=old)).status_code == 401
    new = {"Authorization": f"Bearer {renewed}"}
    assert (await served.http.post(url, json={}, headers=new)).status_code == 200


async def test_an_expired_token_is_a_401(nursery: trio.Nursery) -> None:
    """By the machine's clock, whatever the simulated one says."""
    gateway = build_gateway(datetime.now(UTC), token_lifetime=timedelta(seconds=0))
    addresses = await nursery.start(partial(serve, gateway))
    async with httpx.AsyncClient(trust_env=False) as http:
        login = {"userName": "trader", "apiKey": "key"}
        answer = await http.post(f"{addresses.api_url}/Auth/loginKey", json=login)
        headers = {"Authorization": f"Bearer {answer.json()['token']}"}
        search = await http.post(f"{addresses.api_url}/Account/search", json={}, headers=headers)
    assert search.status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/api/Nothing/here", b"{}", 404),
        ("GET", "/api/Account/search", b"", 405),
        ("POST", "/api/Status/ping", b"", 405),
        ("DELETE", "/api/Auth/loginKey", b"", 405),
        ("POST", "/api/Account/search", b"{", 400),
        ("POST", "/api/Account/search", b"[]", 400),
        ("POST", "/api/Position/closeContract", b"{}", 400),
        ("POST", "/api/Position/closeContract", b'{"accountId":"x","contractId":"y"}', 400),
        ("POST", "/api/Order/place", b"\xff\xfe\x00", 400),
        ("POST", "/api/Order/place", b"[" * 100_000, 400),
        ("POST", "/api/Auth/loginKey", b'{"userName":1}', 400),
        ("POST", "/api/Account/search", b" " * (1024 * 1024 + 1), 413),
    ],
)
async def test_what_reaches_no_endpoint_is_a_clear_error(
    served: Served, method: str, path: str, body: bytes, status: int
) -> None:
    """Unknown paths, wrong methods, no JSON, wrong types and bodies without end."""
    headers = {"Authorization": f"Bearer {served.token}"}
    answer = await served.http.request(
        method, f"{served.at.url}{path}", content=body, headers=headers
    )
    assert answer.status_code == status
    assert len(answer.json()["error"]) > 10
    assert (await served.api("/Account/search"))["success"]


async def test_more_than_200_requests_a_minute_are_refused(served: Served) -> None:
    """Counted per login over all its requests; 429 says when to come back."""
    await served.post("/control/fault", fault="rate_limit", requests=5)
    headers = {"Authorization": f"Bearer {served.token}"}
    url = f"{served.at.api_url}/Account/search"
    statuses = [
        (await served.http.post(url, json={}, headers=headers)).status_code for _ in range(6)
    ]
    assert statuses == [200] * 4 + [429] * 2  # the login was the first
    limited = await served.http.post(url, json={}, headers=headers)
    assert limited.headers["Retry-After"] == "5"
    assert (await served.state())["requests"]["last_minute"] == {"trader": 8}


async def test_a_scenario_fixes_users_and_their_accounts(nursery: trio.Nursery) -> None:
    """A user logs in with his key alone and sees his accounts alone."""
    scenario = parse_scenario(
        {
            "users": [{"name": "alice", "api_key": "secret", "accounts": [1]}],
            "accounts": [{"id": 1, "name": "A"}, {"id": 2, "name": "B", "balance": 100}],
            "contracts": ["NQ"],
            "prices": {"NQ": 100},
        }
    )
    gateway = build_gateway(datetime.now(UTC), scenario=scenario)
    addresses = await nursery.start(partial(serve, gateway))
    async with httpx.AsyncClient(trust_env=False, base_url=addresses.api_url) as http:
        wrong = await http.post("/Auth/loginKey", json={"userName": "alice", "apiKey": "x"})
        assert (wrong.json()["success"], wrong.json()["errorCode"]) == (False, 3)
        right = await http.post("/Auth/loginKey", json={"userName": "alice", "apiKey": "secret"})
        headers = {"Authorization": f"Bearer {right.json()['token']}"}
        seen = await http.post("/Account/search", json={}, headers=headers)
        assert [it["name"] for it in seen.json()["accounts"]] == ["A"]
        body = {"accountId": 2, "contractId": NQ, "type": 2, "side": 0, "size": 1}
        strange = await http.post("/Order/place", json=body, headers=headers)
        assert strange.json()["errorCode"] == 1
