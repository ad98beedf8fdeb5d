"""How much the daemon takes in: user events without losing one, quotes conflated."""

import time
from collections.abc import Iterator
from decimal import Decimal

import trio

from benchmarks.feed import FEE, Feed, open_feed
from benchmarks.gateway import ACCOUNTS
from benchmarks.report import Finding, at_least, show

AT_LEAST = 10_000.0
"""Per second, of each kind."""
BATCH = 50
"""What one read of a socket brings, before the loop turns."""


async def _user_events(feed: Feed, fills: int) -> Iterator[Finding]:
    accounts = list(ACCOUNTS)
    began, sent = time.perf_counter(), 0
    for n in range(fills):
        turn, which = divmod(n, len(accounts))
        sent += feed.fill(accounts[which], 1 - turn % 2)
        if n % BATCH == 0:
            await trio.lowlevel.checkpoint()
    await feed.drained()
    took = time.perf_counter() - began
    booked = sum(Decimal(it["fees"]) for it in feed.accounts().values())
    lost = fills - int(booked / Decimal(FEE))
    return iter(
        (
            at_least("user events, all accounts", sent / took, AT_LEAST, "/s"),
            Finding("fills lost", "0", f"{lost} of {fills}", lost == 0),
        )
    )


async def _quotes(feed: Feed, quotes: int) -> Iterator[Finding]:
    handled = _evaluations(feed)
    began = time.perf_counter()
    for n in range(quotes):
        feed.quote(n)
        if n % BATCH == 0:
            await trio.lowlevel.checkpoint()
    await feed.drained()
    took = time.perf_counter() - began
    judged = _evaluations(feed) - handled
    return iter(
        (
            at_least("quotes, each held by four accounts", quotes / took, AT_LEAST, "/s"),
            Finding("judgements per quote", "-", f"{judged / quotes:.2f}", None),
        )
    )


def _evaluations(feed: Feed) -> int:
    return sum(node.handled for node in feed.nodes() if node.id == "rules")


async def _measure(*, quick: bool) -> None:
    scale = 1 if quick else 3
    async with open_feed(holding=False) as feed:
        show("user events, adapter to rules and journal", await _user_events(feed, 4_000 * scale))
    async with open_feed() as feed:
        show("quotes, adapter to rules", await _quotes(feed, 15_000 * scale))


def run(*, quick: bool) -> None:
    """Feed both kinds as fast as they are taken."""
    trio.run(lambda: _measure(quick=quick))
