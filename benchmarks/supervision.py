"""What an actor costs over a bare Trio memory channel, and beside asyncio and Pykka.

Ratios are formed between neighbours of one run and are what is promised; microseconds are of the
machine. Every side carries the same frozen messages and does the same work with one: it counts it.
"""

import os
from collections.abc import Iterator
from statistics import median

from attrs import frozen

from benchmarks.report import Finding, at_most, percentile, show
from benchmarks.runtime import asyncio_queue, ours, raw, threads
from benchmarks.runtime.rounds import Samples, Way, interleaved

TELL_AT_MOST = 0.3
"""Times ``await send`` and ``await receive`` on a memory channel."""
ASK_AT_MOST = 2.0
"""Times there and back over two memory channels, without a deadline."""
URGENT_WITHIN_MS = 0.1
RESTARTED_WITHIN_MS = 0.5

CHANNEL = "Trio: send, receive"
BURST: dict[str, Way] = {
    "Seawall": ours.burst,
    CHANNEL: raw.burst_awaited,
    "Trio: send, receive, no buffer": raw.burst_handed_over,
    "Trio: send_nowait, receive": raw.burst_nowait,
    "Trio: send_nowait, receive_nowait": raw.burst_drained,
    "asyncio.Queue: put_nowait, get": asyncio_queue.burst,
    "Pykka: tell": threads.burst,
}
ASK: dict[str, Way] = {
    "Seawall: ask with deadline": ours.asks,
    "Trio: two channels": raw.asks,
    "Trio: two channels, move_on_after": raw.asks_with_deadline,
    "asyncio: future, wait_for": asyncio_queue.asks,
    "Pykka: ask with timeout": threads.asks,
}
CHAIN: dict[str, Way] = {
    "Seawall": ours.chain,
    "Trio: four channels": raw.chain,
    "asyncio: four queues": asyncio_queue.chain,
    "Pykka": threads.chain,
}
URGENT: dict[str, Way] = {
    "Seawall: control lane": ours.urgent_by_lane,
    "Seawall: control lane, since it was due": ours.urgent_from_due,
    "Seawall: one lane": ours.urgent_in_line,
    "Trio: one channel": raw.urgent,
    "asyncio: one queue": asyncio_queue.urgent,
    "Pykka": threads.urgent,
}
CRASH: dict[str, Way] = {
    "Seawall: supervised": ours.crashes,
    "Seawall: supervised, processor time": ours.crashes_worked,
    "Trio: a nursery opened anew": raw.crashes,
}


@frozen
class Size:
    """How much is measured."""

    rounds: int
    burst: int
    singles: int
    """Questions, trips through the chain, crashes: in each round."""
    backlog: int
    alarms: int


FULL = Size(rounds=15, burst=1_000, singles=500, backlog=10_000, alarms=40)
QUICK = Size(rounds=5, burst=1_000, singles=200, backlog=10_000, alarms=10)


def tell(size: Size) -> Iterator[Finding]:
    """A burst, all told before the first is handled."""
    # A burst takes milliseconds: more rounds of it cost nothing and steady the ratio.
    found = interleaved(BURST, rounds=4 * size.rounds, count=size.burst)
    mine, *others = found.values()
    yield _ratio(f"over {CHANNEL}", mine, found[CHANNEL], TELL_AT_MOST)
    yield _row("the fastest of each", f"{mine.fastest_over(found[CHANNEL]):.3f} x")
    for name, other in zip(list(found)[1:], others, strict=True):
        if name != CHANNEL:
            yield _row(f"over {name}", str(mine.over(other)))
    for name, samples in found.items():
        yield _row(f"{name}, each", _us(median(samples.all)))


def ask(size: Size) -> Iterator[Finding]:
    """One question after the other."""
    found = interleaved(ASK, rounds=size.rounds, count=size.singles)
    mine, bare, bounded, *_ = found.values()
    yield _ratio("p50 over Trio: two channels", mine, bare, ASK_AT_MOST)
    yield _row("p50 over the same with move_on_after", str(mine.over(bounded)))
    yield from _percentiles(found)


def chain(size: Size) -> Iterator[Finding]:
    """Four mailboxes, one message at a time."""
    found = interleaved(CHAIN, rounds=size.rounds, count=size.singles)
    mine, bare, *_ = found.values()
    yield _row("p50 over Trio: four channels", str(mine.over(bare)))
    yield from _percentiles(found)


def urgent(size: Size) -> Iterator[Finding]:
    """One message that must not wait behind many."""
    found = interleaved(URGENT, rounds=size.alarms, count=size.backlog)
    mine, _, one_lane, *_ = found.values()
    yield at_most("p50, control lane", 1e3 * median(mine.all), URGENT_WITHIN_MS, "ms")
    yield _row("p50 over Seawall: one lane", str(mine.over(one_lane)))
    yield from _percentiles(found)


def crash(size: Size) -> Iterator[Finding]:
    """From the raise in a handler to the end of the successor's ``started``."""
    found = interleaved(CRASH, rounds=size.rounds, count=size.singles)
    mine, worked, bare = found.values()
    late = 1e3 * percentile(mine.all, 0.99)
    yield at_most("p99, supervised", late, RESTARTED_WITHIN_MS, "ms")
    yield _row("p99 of the median round", f"{1e3 * mine.late(0.99):.3g} ms")
    yield _row("p99 in processor time", f"{1e3 * percentile(worked.all, 0.99):.3g} ms")
    yield _row("p50 over Trio: a nursery opened anew", str(mine.over(bare)))
    yield from _percentiles(found)


def _ratio(what: str, mine: Samples, other: Samples, limit: float) -> Finding:
    spread = mine.over(other)
    return Finding(what, f"<= {limit:g} x", str(spread), spread.middle <= limit)


def _row(what: str, measured: str) -> Finding:
    return Finding(what, "-", measured, None)


def _percentiles(found: dict[str, Samples]) -> Iterator[Finding]:
    for name, samples in found.items():
        seconds = samples.all
        yield _row(
            f"{name}, p50 / p99", f"{_us(median(seconds))} / {_us(percentile(seconds, 0.99))}"
        )


def _us(seconds: float) -> str:
    return f"{1e6 * seconds:,.2f} us" if seconds < 1e-5 else f"{1e6 * seconds:,.0f} us"


def run(*, quick: bool) -> None:
    """Measure all five, each side beside the others."""
    size = QUICK if quick else FULL
    print(f"\nload {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors, garbage collector on")
    show(f"tell, burst of {size.burst:,}", tell(size))
    show("ask, one at a time", ask(size))
    show("four hops, one message at a time", chain(size))
    show(f"an urgent message behind {size.backlog:,}", urgent(size))
    show("crash to restarted", crash(size))
