"""Measuring several ways of doing one thing so that a busy machine is busy for all of them.

Every round runs each way once, close together in time, each time from another one on. A ratio is
formed within a round, and its median over the rounds is what counts: load that comes and goes moves
both sides of a ratio. But what takes longer is interrupted sooner, so a machine that never rests
flatters the quicker; the fastest rounds of both are compared too. The first round warms up and is
thrown away. The garbage collector is on, as in the daemon, and is run before each sample so that
nobody pays for another's litter.
"""

import gc
from collections.abc import Callable, Mapping
from statistics import median

from attrs import frozen

from benchmarks.report import percentile

type Way = Callable[[int], list[float]]
"""Does a thing this many times, in its own event loop, and says how many seconds each took."""


@frozen
class Spread:
    """A ratio over the rounds."""

    middle: float
    least: float
    most: float

    def __str__(self) -> str:
        middle, least, most = (
            f"{it:.2f}" if it >= 0.1 else f"{it:.2g}" for it in (self.middle, self.least, self.most)
        )
        return f"{middle} x ({least} to {most})"


@frozen
class Samples:
    """What one way took, round by round, in seconds."""

    rounds: tuple[list[float], ...]

    @property
    def all(self) -> list[float]:
        """Of all rounds."""
        return [seconds for each in self.rounds for seconds in each]

    def fastest_over(self, other: "Samples") -> float:
        """How many times as long, each in its own fastest round."""
        return min(map(median, self.rounds)) / min(map(median, other.rounds))

    def late(self, part: float) -> float:
        """This percentile of each round, in the median round: rounds in which others ran count less."""
        return median(percentile(each, part) for each in self.rounds)

    def over(self, other: "Samples") -> Spread:
        """How many times as long as the other way, by the medians of each round."""
        ratios = [median(a) / median(b) for a, b in zip(self.rounds, other.rounds, strict=True)]
        return Spread(median(ratios), min(ratios), max(ratios))


def interleaved(ways: Mapping[str, Way], *, rounds: int, count: int) -> dict[str, Samples]:
    """Run each way ``count`` times in every round."""
    names = list(ways)
    found: dict[str, list[list[float]]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            gc.collect()
            found[name].append(ways[name](count))
    return {name: Samples(tuple(each[1:])) for name, each in found.items()}
