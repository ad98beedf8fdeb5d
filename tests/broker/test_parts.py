"""The small parts of the adapter: hosts, redaction, budget, skew, outcomes, clock."""

import json
import logging
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from broker.budget import LIMITS, WINDOW, RequestBudget
from broker.clock import GatewayClock
from broker.hosts import bypass_proxies, check_hosts, is_loopback
from broker.pool import Answer, Lost
from broker.port import Done, Login, NotExecuted, Priority, Refused, Unknown
from broker.projectx_orders import outcome_of
from broker.redaction import HIDDEN, RedactingFilter, hide, redact
from broker.skew import SkewEstimate

ROOT = Path(__file__).parent.parent.parent
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
NOW = datetime(2026, 11, 18, 15, tzinfo=UTC)


def login(*hosts: str) -> Login:
    api, user, market = hosts
    return Login("main", "u", "k", f"http://{api}/api", f"http://{user}/u", f"http://{market}/m")


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:80/x", True),
        ("http://localhost/x", True),
        ("http://[::1]:9/x", True),
        ("https://api.topstepx.com/api", False),
        ("http://localhost.evil.com", False),
        ("http://127.0.0.1.evil.com", False),
        ("http://10.0.0.1", False),
        ("garbage", False),
    ],
)
def test_loopback_is_recognised(url: str, here: bool) -> None:
    """By the address, not by how it begins."""
    assert is_loopback(url) is here


def test_hosts_are_all_or_none() -> None:
    """A mixture is an error; a simulation allows nothing but this machine."""
    assert check_hosts(login("127.0.0.1:1", "localhost:2", "[::1]:3"))
    assert not check_hosts(login("a.com", "b.com", "c.com"))
    with pytest.raises(ValueError, match="mixed"):
        check_hosts(login("127.0.0.1", "b.com", "127.0.0.1"))
    with pytest.raises(ValueError, match="simulated"):
        check_hosts(login("a.com", "b.com", "c.com"), loopback_only=True)


def test_proxies_are_bypassed_without_losing_what_was_set() -> None:
    """NO_PROXY keeps its hosts and gains loopback, once."""
    environment = {"NO_PROXY": "corp.example"}
    bypass_proxies(environment)
    bypass_proxies(environment)
    assert environment["NO_PROXY"] == "corp.example,localhost,127.0.0.1,::1"
    assert environment["no_proxy"] == "localhost,127.0.0.1,::1"


@pytest.mark.parametrize(
    "text",
    [
        f"token {JWT} leaked",
        f"POST http://h/hubs/user?access_token={JWT}&id=1",
        "GET /hubs/user?access_token=plain-simulated-token HTTP/1.1",
        f"Authorization: Bearer {JWT}",
        '{"userName": "u", "apiKey": "s3cr3t-key"}',
        "api_key=s3cr3t-key",
    ],
)
def test_secrets_are_blanked_out(text: str) -> None:
    """Tokens by their shape, keys by their name."""
    clean = redact(text)
    assert HIDDEN in clean
    for secret in (JWT, "plain-simulated-token", "s3cr3t-key", "c2lnbmF0dXJl"):
        assert secret not in clean


def test_remembered_secret_is_blanked_out_wherever_it_is() -> None:
    """A key has no shape, so its value is remembered."""
    hide("zq-unlikely-key")
    assert redact("user said zq-unlikely-key!") == f"user said {HIDDEN}!"
    hide("")
    assert redact("nothing") == "nothing"


def test_log_records_are_redacted_with_their_arguments_and_tracebacks() -> None:
    """What a formatter sees afterwards holds no token."""
    try:
        raise RuntimeError(f"access_token={JWT}")
    except RuntimeError:
        record = logging.LogRecord("n", 30, "p", 1, "at %s", (JWT,), sys.exc_info())
    assert RedactingFilter().filter(record)
    assert JWT not in logging.Formatter().format(record)


async def test_lower_lanes_run_dry_first(autojump_clock: Any) -> None:
    """Housekeeping leaves room for reconciling, which leaves room for enforcement."""
    budget = RequestBudget()
    for priority in reversed(Priority):
        while budget.used() < LIMITS[priority]:
            await budget.acquire(priority)
        with trio.move_on_after(1) as waited:
            await budget.acquire(priority)
        assert waited.cancelled_caught
    assert budget.used() == LIMITS[Priority.ENFORCEMENT]


async def test_budget_frees_itself_after_a_minute(autojump_clock: Any) -> None:
    """The wait ends as soon as the window has room, in the order of asking."""
    budget = RequestBudget()
    for _ in range(LIMITS[Priority.HOUSEKEEPING]):
        await budget.acquire(Priority.HOUSEKEEPING)
    begun = trio.current_time()
    await budget.acquire(Priority.HOUSEKEEPING)
    assert trio.current_time() - begun == pytest.approx(WINDOW)
    assert budget.used() == 1


@given(
    data=st.data(),
    truth=st.floats(-5000, 5000),
    gaps=st.lists(st.floats(0.1, 30), min_size=1, max_size=30),
)
def test_skew_always_holds_the_truth_and_narrows(
    data: Any, truth: float, gaps: list[float]
) -> None:
    """However round trips fall, the estimate is within its own shrinking uncertainty."""
    estimate, ours = SkewEstimate(), NOW
    widths = []
    for gap in gaps:
        sent = ours = ours + timedelta(seconds=gap)
        there = data.draw(st.floats(0, 0.2))
        back = data.draw(st.floats(0, 0.2))
        stamped = sent + timedelta(seconds=there + truth)
        received = sent + timedelta(seconds=there + back)
        estimate.note(format_datetime(stamped, usegmt=True), sent, received, 1.0)
        assert estimate._least is not None
        assert estimate._most is not None
        assert estimate._least - 1e-3 <= truth <= estimate._most + 1e-3
        widths.append(estimate._most - estimate._least)
    assert widths == sorted(widths, reverse=True)


def test_skew_ignores_what_is_no_date_and_follows_a_jump() -> None:
    """A header that makes no sense changes nothing; a contradiction starts the estimate anew."""
    estimate = SkewEstimate()
    seen = []
    for date in ("soon", *(format_datetime(NOW + timedelta(hours=h), usegmt=True) for h in (0, 1))):
        estimate.note(date, NOW, NOW, 1.0)
        seen.append(estimate.seconds)
    assert seen == [None, 0.5, 3600.5]


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        (Lost("x", sent=False), NotExecuted),
        (Lost("x", sent=True), Unknown),
        (Answer(200, {}, b'{"success":true}'), Done),
        (Answer(200, {}, b'{"success":false,"errorCode":2}'), Refused),
        (Answer(200, {}, b"<html>"), Unknown),
        (Answer(200, {}, b"[]"), Unknown),
        (Answer(200, {}, b'{"success":"yes"}'), Unknown),
        (Answer(200, {}, b"\xff"), Unknown),
        (Answer(204, {}, b""), Unknown),
        (Answer(400, {}, b""), Refused),
        (Answer(401, {}, b""), NotExecuted),
        (Answer(404, {}, b""), Refused),
        (Answer(408, {}, b""), Unknown),
        (Answer(429, {"retry-after": "soon"}, b""), NotExecuted),
        (Answer(500, {}, b""), Unknown),
        (Answer(302, {}, b""), Unknown),
    ],
)
def test_every_answer_has_an_outcome(result: Answer | Lost, outcome: type) -> None:
    """The one question is whether the request may be repeated."""
    assert type(outcome_of(result)) is outcome


@given(body=st.binary(max_size=60), status=st.integers(100, 599))
def test_no_answer_breaks_the_outcome(body: bytes, status: int) -> None:
    """Arbitrary bytes are an outcome, and only a plain success is Done."""
    outcome = outcome_of(Answer(status, {}, body))
    assert not isinstance(outcome, Done) or (status == 200 and json.loads(body)["success"] is True)


def test_only_a_gateway_on_this_machine_has_a_clock() -> None:
    """The broker's real time is never taken from an endpoint that only simulations have."""
    with pytest.raises(ValueError, match="simulated"):
        GatewayClock("https://api.topstepx.com")


async def test_gateway_clock_follows_jumps_and_speed(patient_clock: Any, rig: Any) -> None:
    """A jump shows within a second or two, a faster clock runs on between the answers."""
    clock = GatewayClock(rig.addresses.api_url)
    async with trio.open_nursery() as nursery:
        await nursery.start(clock.follow)
        assert abs(clock.now() - rig.gateway.time.now()) < timedelta(seconds=0.1)
        rig.gateway.time.set(now=NOW + timedelta(days=1), speed=60)
        await trio.sleep(2.5)
        assert clock.speed == 60
        assert abs(clock.now() - rig.gateway.time.now()) < timedelta(seconds=3)
        nursery.cancel_scope.cancel()
    before = clock.now()
    await trio.sleep(1)
    assert clock.now() - before == timedelta(seconds=60)


def test_port_is_imported_without_the_sdk() -> None:
    """Nothing but the adapter brings in the SDK or trio-asyncio, and it brings no output along."""
    cold = "import sys, broker.port, broker.pool, broker.clock, broker.wire, broker.inbox\n"
    cold += "assert not {'project_x_py', 'trio_asyncio', 'httpx'} & set(sys.modules)\n"
    warm = "import broker.projectx, logging, sys\n"
    warm += "print([n for n, it in logging.Logger.manager.loggerDict.items()"
    warm += " if getattr(it, 'handlers', []) and n.startswith('project')])\n"
    warm += "from project_x_py.utils import ProjectXLogger as P\n"
    warm += "P.get_logger('project_x_py.later').error('loud')\n"
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", cold + warm],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "[]\n"
    assert ran.stderr == "loud\n"
