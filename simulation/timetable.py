"""Rules about hours at random, chosen so that they bind within the twenty minutes of a run."""

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from simulation.hours import EARLY_CLOSES, FLAT_BY
from simulation.trading_days import CHICAGO, day_of, next_reset

LATEST = timedelta(minutes=18)
"""After the beginning of a run: then there is still something to be seen of it."""
MARGINS = (0, 30, 90, 180)
"""Seconds."""


def flat_by(chance: random.Random, start: datetime) -> str:
    """Some minutes after the beginning; on a day with an early close also by that alone."""
    if day_of(start) in EARLY_CLOSES and chance.random() < 0.5:
        return f"1510/{chance.choice((60, 120, 240))}"
    return f"{_minute(chance, start, 3):%H%M}/{chance.choice(MARGINS)}"


def _minute(chance: random.Random, start: datetime, earliest: int) -> datetime:
    """A full minute of the run, before the reset if there is one, as the wall in Chicago shows it."""
    latest = min(LATEST, next_reset(start) - start - timedelta(minutes=1))
    minutes = chance.randint(earliest, int(latest.total_seconds()) // 60)
    return (start + timedelta(minutes=minutes)).astimezone(CHICAGO)


TIMED: Mapping[str, Callable[[random.Random, datetime], str]] = {FLAT_BY: flat_by}
"""What comes after the name of a rule, as :func:`simulation.rulebook.rules_of` reads it."""
